/** The search for existing keyrings, by SCAN: on every reachable master of a cluster. */

import { StoreError } from '../../errors.js';
import { SECRET_SUFFIX } from '../store.js';
import { notTheAnswer } from './answer.js';
import type { Command, RedisPort, Reply } from './clients/port.js';
import { asStoreError } from './errors.js';
import { namespaceOf, redisNames } from './names.js';
import { mayBeDeposed, parseReplication } from './replication.js';
import { slotOf } from './slot.js';

/** The namespaces that have a secret or a ring. */
export interface FoundNamespaces {
  /** Sorted. */
  readonly names: readonly string[];
  /**
   * Masters that could not be read, or may have been replaced: in a cluster by host and port, else
   * by ''.
   */
  readonly unread: readonly { readonly of: string; readonly error: StoreError }[];
}

/** Sends commands to the node that holds a key. Errors of the server are among the outcomes. */
export type Send = (
  commands: readonly Command[],
  key: string,
  timeoutMs: number,
) => Promise<readonly (Reply | StoreError)[]>;

/** A SCAN of many keys takes long, but each of its steps is quick. */
const STEP_TIMEOUT_MS = 5_000;
/** Keys in four quarters of the slots: if one master is dead, another knows all masters. */
const SPREAD = ['a', 'b', 'c', 'd'];
/** The numbers up to this have a key in every slot. */
const MAX_TRIES = 110_000;

/**
 * Finds the namespaces.
 * @throws {StoreError} if nothing could be read: ERR_REWT_STORE_DENIED if this user may not SCAN,
 * ERR_REWT_STORE_READ_ONLY for a replica, which may lack keyrings, and ERR_REWT_STORE_DOWN for a
 * master without slots
 */
export async function findNamespaces(port: RedisPort, send: Send, giveUpMs: number): Promise<FoundNamespaces> {
  const names = new Set<string>();
  const unread: { of: string; error: StoreError }[] = [];
  const answer = (command: Command, key: string): Promise<Reply | StoreError | undefined> =>
    send([command], key, Math.max(1, Math.min(STEP_TIMEOUT_MS, giveUpMs - performance.now()))).then(([reply]) => reply);
  const step: Step = async (command, key) => readReplies(await answer(command, key));
  const scan = async (of: string, key: string): Promise<boolean> => {
    // Null if the user has no right to INFO.
    const replication = parseReplication((await answer(['INFO', 'replication'], key)) ?? null);
    // The code that the server returns for a write.
    if (replication?.role === 'replica') throw asStoreError(new Error('READONLY'));
    if (replication !== null && mayBeDeposed(replication))
      unread.push({ of, error: asStoreError(new Error('NOREPLICAS')) });
    for (let cursor = ''; cursor !== '0'; ) {
      const [next, page] = await step(['SCAN', cursor || '0', 'MATCH', `*${SECRET_SUFFIX}*`, 'COUNT', '1000'], key);
      for (const name of readReplies(page)) {
        const namespace = namespaceOf(String(name), port.keyPrefix);
        if (namespace !== null) names.add(namespace);
      }
      cursor = String(next);
    }
    return true;
  };
  const masters = await mastersOf(port, step);
  const scans = Array.from(masters, ([of, key]) =>
    scan(of, key).catch((error: unknown) => {
      if (!(error instanceof StoreError)) throw error;
      unread.push({ of, error: error.code === 'ERR_REWT_STORE_DENIED' ? mayNotScan() : error });
      return false;
    }),
  );
  const isRead = (await Promise.all(scans)).includes(true);
  const [first] = unread;
  if (first !== undefined && !isRead) throw first.error;
  if (names.size === 0 && first === undefined) {
    // A cluster master without slots holds nothing, and does not read for others.
    const { key } = redisNames('rewt', port.keyPrefix);
    const refusal = await answer(['GET', key], key);
    if (refusal instanceof StoreError && refusal.code === 'ERR_REWT_STORE_DOWN') throw refusal;
  }
  return { names: [...names].sort(), unread };
}

/** Sends one command, whose reply is a list. */
type Step = (command: Command, key: string) => Promise<readonly Reply[]>;

/**
 * Returns a key on each master of a cluster, by the master's host and port. @throws {StoreError}
 * for one node of a cluster
 */
async function mastersOf(port: RedisPort, step: Step): Promise<ReadonlyMap<string, string>> {
  if (port.scope('a') === port.scope('b')) {
    // A server without cluster mode returns an error, and some users lack the right.
    const masters = rangesIn(await step(['CLUSTER', 'SLOTS'], 'a').catch(() => []));
    if (masters.some(({ of }) => of !== masters[0]?.of)) throw oneNode();
    return new Map([['', 'a']]);
  }
  const slots = SPREAD.map((key) => step(['CLUSTER', 'SLOTS'], key));
  const masters = rangesIn(await Promise.any(slots).catch(() => slots[0] ?? []));
  const keys = new Map<string, string>();
  for (let number = 0; keys.size < new Set(masters.map(({ of }) => of)).size; number += 1) {
    if (number > MAX_TRIES) return notTheAnswer();
    const slot = slotOf(String(number));
    const master = masters.find(({ from, to }) => from <= slot && slot <= to);
    if (master !== undefined && !keys.has(master.of)) keys.set(master.of, String(number));
  }
  return keys;
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly of: string;
}

function rangesIn(slots: readonly Reply[]): readonly Range[] {
  return slots.map((range) => {
    const [from, to, master] = readReplies(range);
    return { from: Number(from), to: Number(to), of: readReplies(master).slice(0, 2).join(':') };
  });
}

/** Reads a list of replies. @throws the error that replaces it. */
export function readReplies(replies: Reply | StoreError | undefined): readonly Reply[] {
  if (replies instanceof Error) throw replies;
  if (!Array.isArray(replies)) return notTheAnswer();
  return replies as readonly Reply[];
}

function mayNotScan(): StoreError {
  return new StoreError(
    'ERR_REWT_STORE_DENIED',
    'This Redis user may not SCAN, so it cannot be listed which keyrings there are. Grant an operator +scan.',
  );
}

function oneNode(): StoreError {
  return new StoreError(
    'ERR_REWT_STORE_DOWN',
    'This Redis is one node of a cluster, and others hold keyrings too: connect to the cluster (`createCluster`).',
  );
}
