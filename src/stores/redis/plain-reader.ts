/** The reader of keyrings by plain read commands: no script, no write, and no right to either. */

import { within } from '../../async/race.js';
import type { StoreError } from '../../errors.js';
import {
  type Announcements,
  type CallLimits,
  MAX_ANNOUNCEMENT_CHARACTERS,
  MAX_ANNOUNCEMENTS,
  type Snapshot,
} from '../store.js';
import { asAnnouncements } from './announcements.js';
import { notTheAnswer } from './answer.js';
import { asError } from './clients/outcomes.js';
import type { Command, Connection, RedisPort, Reply } from './clients/port.js';
import { asStoreError } from './errors.js';
import { type FoundNamespaces, findNamespaces } from './find.js';
import { type RedisNames, redisNames, ringsUnderPrefixes } from './names.js';
import { ringNames } from './places.js';
import { instantOf, locatePlainly, type PlainEntries, plainRead, readPlainly } from './plain-read.js';
import { keyRules } from './rights.js';

/** Both entries of a namespace at one instant. */
export interface PlainSnapshot extends Omit<Snapshot, 'version'> {
  /** The reason why the server did not show that it is a master; null: it did. */
  readonly roleUnknown: StoreError | null;
}

export interface PlainReader {
  /**
   * Reads a keyring. @throws {StoreError} ERR_REWT_STORE_READ_ONLY for a replica, which may not
   * know of a revocation.
   */
  read(namespace: string, limits: CallLimits): Promise<PlainSnapshot>;
  /**
   * Returns another key prefix under which this namespace has its ring. Null: none that this user
   * may read.
   *
   * @throws {StoreError}
   */
  prefixOf(namespace: string, limits: CallLimits): Promise<string | null>;
  /** Reads the announcements. @throws {StoreError} */
  announcements(namespace: string, limits: CallLimits): Promise<Announcements>;
  /** Finds the namespaces. @throws {StoreError} as `findNamespaces` does */
  namespaces(limits: CallLimits): Promise<FoundNamespaces>;
  /**
   * Returns the names under which the last read found the ring; before that, those of a new
   * keyring.
   */
  namesOf(namespace: string): RedisNames;
  /** Ends the connections that the reader opened, but not the port. */
  close(): void;
}

/** PTTL and TIME read a moving clock: a pair further apart is read again. */
const CLOCK_NOISE_MS = 1;
const MAX_READS = 5;

interface Opened {
  readonly connection: Promise<Connection>;
  readonly end: () => void;
}

export function createPlainReader(port: RedisPort): PlainReader {
  /** The names under which the ring was found, by namespace. */
  const names = new Map<string, RedisNames>();
  const opened = new Map<string, Opened>();

  function open(key: string): Opened {
    const scope = port.scope(key);
    const ending = new AbortController();
    const one: Opened = { connection: port.connect(key, ending.signal), end: () => ending.abort() };
    const forget = (): void => {
      if (opened.get(scope) === one) opened.delete(scope);
    };
    one.connection.then((connection) => connection.onLost(forget), forget);
    opened.set(scope, one);
    return one;
  }

  async function send(commands: readonly Command[], key: string): Promise<readonly (Reply | Error)[]> {
    if (port.noConnection !== null) return port.send(commands, key);
    const scope = port.scope(key);
    let connection = await (opened.get(scope) ?? open(key)).connection;
    if (!connection.isOwner()) {
      opened.get(scope)?.end();
      connection = await open(key).connection;
    }
    return connection.send(commands);
  }

  function end(key: string): void {
    opened.get(port.scope(key))?.end();
    opened.delete(port.scope(key));
  }

  /**
   * Returns the outcomes, with the errors of single commands. Throws an error that prevents all of
   * them.
   */
  async function sendWithin(
    commands: readonly Command[],
    key: string,
    timeoutMs: number,
  ): Promise<readonly (Reply | StoreError)[]> {
    const begunAtMs = performance.now();
    try {
      const outcomes = await within(timeoutMs, send(commands, key), () => {
        port.abandon(key, begunAtMs);
        return new Error('timed out');
      });
      return outcomes.map((outcome) =>
        outcome instanceof Error ? asStoreError(outcome, null, keyRules(key, port.keyPrefix)) : outcome,
      );
    } catch (error) {
      end(key);
      throw asStoreError(asError(error), null, keyRules(key, port.keyPrefix));
    }
  }

  async function entries(key: string, rings: readonly string[], timeoutMs: number): Promise<PlainEntries> {
    const found = readPlainly(await sendWithin(plainRead(key, rings), key, timeoutMs), rings);
    if (found instanceof Error) throw asStoreError(found);
    return found;
  }

  async function locate(namespace: string, timeoutMs: number) {
    const all = redisNames(namespace, port.keyPrefix);
    const rings = ringNames(all);
    let found = await entries(all.key, rings, timeoutMs);
    for (let reads = 1; reads < MAX_READS && (found.tookMs > CLOCK_NOISE_MS || found.isTorn); reads += 1) {
      found = await entries(all.key, rings, timeoutMs);
    }
    const { names: place, ring, beside } = locatePlainly(all, found);
    names.set(namespace, place);
    const { nowMs, key, roleUnknown, mayBeDeposed } = found;
    const others = beside === undefined ? {} : { beside };
    return { names: place, snapshot: { nowMs, key, ring, ...others, mayBeDeposed, roleUnknown } };
  }

  return {
    async read(namespace, { timeoutMs }) {
      return (await locate(namespace, timeoutMs)).snapshot;
    },
    async prefixOf(namespace, { timeoutMs }) {
      const rings = ringsUnderPrefixes(namespace, port.keyPrefix);
      const { key } = redisNames(namespace, port.keyPrefix);
      const found = await sendWithin(
        rings.map(({ ring }): Command => ['GET', ring]),
        key,
        timeoutMs,
      );
      return rings.find((_, index) => typeof found[index] === 'string')?.prefix ?? null;
    },
    async announcements(namespace, { timeoutMs }) {
      const { key, fleet } = names.get(namespace) ?? (await locate(namespace, timeoutMs)).names;
      const [time] = await sendWithin([['TIME']], key, timeoutMs);
      if (time instanceof Error) throw time;
      const nowMs = instantOf(time);
      const limit = ['LIMIT', '0', String(MAX_ANNOUNCEMENTS)] as const;
      const [entries, count] = await sendWithin(
        [
          ['ZREVRANGEBYSCORE', fleet, '(inf', '-inf', 'WITHSCORES', ...limit],
          ['ZCOUNT', fleet, '-inf', '(inf'],
        ],
        key,
        timeoutMs,
      );
      if (entries instanceof Error) throw entries;
      if (count instanceof Error) throw count;
      if (!Array.isArray(entries)) return notTheAnswer();
      const pairs = entries.map(String);
      const kept = pairs.flatMap((entry, index) =>
        index % 2 === 0 ? [pairs[index + 1] ?? '', entry.slice(0, 2 * MAX_ANNOUNCEMENT_CHARACTERS)] : [],
      );
      return asAnnouncements(['announcements', String(nowMs), count ?? null, ...kept]) ?? notTheAnswer();
    },
    namespaces: ({ timeoutMs }) => findNamespaces(port, sendWithin, performance.now() + timeoutMs),
    namesOf: (namespace) => names.get(namespace) ?? redisNames(namespace, port.keyPrefix),
    close() {
      for (const { end } of opened.values()) end();
      opened.clear();
    },
  };
}
