/** Finds the keyrings that there are, by SCAN: on every master of a cluster that answers. */

import { StoreError } from '../errors.js';
import { notTheAnswer } from './answer.js';
import { asStoreError } from './failure.js';
import { namespaceOf, SECRET_SUFFIX } from './names.js';
import type { Command, RedisPort, Reply } from './port.js';
import { mayBeDeposed, parseReplication } from './replication.js';
import { slotOf } from './slot.js';

/** The namespaces that have a secret or a ring. */
export interface FoundNamespaces {
  /** Sorted. */
  readonly names: readonly string[];
  /** Masters that could not be read, or may have been replaced: of a cluster by host and port, else by ''. */
  readonly unread: readonly { readonly of: string; readonly error: StoreError }[];
}

/** Sends commands to the node that holds a key. Refusals are among the outcomes. */
export type Ask = (
  commands: readonly Command[],
  key: string,
  timeoutMs: number,
) => Promise<readonly (Reply | StoreError)[]>;

/** A SCAN of many keys takes its time, but no step of it. */
const STEP_TIMEOUT_MS = 5_000;
/** Keys in four quarters of the slots: if a master is dead, another one knows them all. */
const SPREAD = ['a', 'b', 'c', 'd'];
/** Numbers up to this have a key in every slot. */
const MOST_TRIED = 110_000;

/**
 * @throws {StoreError} if nothing could be read: ERR_REWT_STORE_DENIED if this user may not SCAN, and
 * ERR_REWT_STORE_READ_ONLY for a replica, which may lack keyrings
 */
export async function findNamespaces(port: RedisPort, ask: Ask, giveUpMs: number): Promise<FoundNamespaces> {
  const names = new Set<string>();
  const unread: { of: string; error: StoreError }[] = [];
  const answer = (command: Command, key: string): Promise<Reply | StoreError | undefined> =>
    ask([command], key, Math.max(1, Math.min(STEP_TIMEOUT_MS, giveUpMs - performance.now()))).then(([reply]) => reply);
  const step: Step = async (command, key) => asReplies(await answer(command, key));
  const scan = async (of: string, key: string): Promise<boolean> => {
    // Null for a user who may not ask.
    const replication = parseReplication((await answer(['INFO', 'replication'], key)) ?? null);
    // In the words that the server itself has for a write.
    if (replication?.role === 'replica') throw asStoreError(new Error('READONLY'));
    if (replication !== null && mayBeDeposed(replication))
      unread.push({ of, error: asStoreError(new Error('NOREPLICAS')) });
    for (let cursor = ''; cursor !== '0'; ) {
      const [next, page] = await step(['SCAN', cursor || '0', 'MATCH', `*${SECRET_SUFFIX}*`, 'COUNT', '1000'], key);
      for (const name of asReplies(page)) {
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
  return { names: [...names].sort(), unread };
}

/** One command, whose reply is a list. */
type Step = (command: Command, key: string) => Promise<readonly Reply[]>;

/** A key on each master of a cluster, by the master's host and port. @throws {StoreError} for one node of a cluster */
async function mastersOf(port: RedisPort, step: Step): Promise<ReadonlyMap<string, string>> {
  if (port.scope('a') === port.scope('b')) {
    // Another server refuses it, and some users may not run it.
    const masters = rangesIn(await step(['CLUSTER', 'SLOTS'], 'a').catch(() => []));
    if (masters.some(({ of }) => of !== masters[0]?.of)) throw oneNode();
    return new Map([['', 'a']]);
  }
  const slots = SPREAD.map((key) => step(['CLUSTER', 'SLOTS'], key));
  const masters = rangesIn(await Promise.any(slots).catch(() => slots[0] ?? []));
  const keys = new Map<string, string>();
  for (let number = 0; keys.size < new Set(masters.map(({ of }) => of)).size; number += 1) {
    if (number > MOST_TRIED) return notTheAnswer();
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
    const [from, to, master] = asReplies(range);
    return { from: Number(from), to: Number(to), of: asReplies(master).slice(0, 2).join(':') };
  });
}

/** @throws the error that stands in their place. */
export function asReplies(replies: Reply | StoreError | undefined): readonly Reply[] {
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
