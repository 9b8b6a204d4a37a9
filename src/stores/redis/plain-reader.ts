/** The reader of keyrings by plain read commands: no script, no write, and no right to either. */

import { within } from '../../async/race.js';
import type { StoreError } from '../../errors.js';
import {
  type Announcements,
  type CallLimits,
  LAST_INSTANT_MS,
  MAX_ANNOUNCEMENT_CHARACTERS,
  MAX_ANNOUNCEMENTS,
  type Snapshot,
} from '../store.js';
import { asAnnouncements } from './announcements.js';
import { notTheAnswer } from './answer.js';
import { asError } from './clients/outcomes.js';
import type { Command, Connection, RedisPort, Reply } from './clients/port.js';
import { asStoreError } from './errors.js';
import { type FoundNamespaces, findNamespaces, readReplies } from './find.js';
import { type RedisNames, redisNames, ringsUnderPrefixes } from './names.js';
import { hiddenRing } from './places.js';
import { mayBeDeposed, parseReplication } from './replication.js';
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
/** The character that a client's decoder uses for bytes that are not UTF-8. */
const REPLACEMENT = '\ufffd';

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

  /**
   * Reads both entries, in one transaction if possible. Omits a denied command from the next
   * attempt: INFO, or MULTI with EXEC. A Redis at its maxmemory denies MULTI too. `rings` are the
   * names of R. One that this user may not read is omitted, unless it is the only one.
   */
  async function entries(key: string, rings: Names, timeoutMs: number, without: Without = {}): Promise<Found> {
    const gets = rings.map((ring): Command => ['GET', ring]);
    const role: readonly Command[] = without.role ? [] : [['INFO', 'replication']];
    const reads: readonly Command[] = [...role, ['TIME'], ['GET', key], ['PTTL', key], ['TIME'], ...gets];
    const [multi, ...rest] = await sendWithin(
      without.multi ? [['PING'], ...reads] : [['MULTI'], ...reads, ['EXEC']],
      key,
      timeoutMs,
    );
    const outcomes = rest.slice(0, reads.length);
    const again = (less: Without) => entries(key, rings, timeoutMs, { ...without, ...less });
    if (!without.multi && isDenied(rest.at(-1))) end(key);
    if (!without.multi && (isDenied(multi) || isDenied(rest.at(-1)) || outcomes.some(isFull)))
      return again({ multi: true });
    const [info = null] = outcomes;
    if (!without.role && info instanceof Error && isDenied(info)) return again({ role: info });
    const readable = rings.filter((_, index) => !isDenied(outcomes[role.length + 4 + index]));
    const [first, ...others] = readable;
    if (readable.length < rings.length && first !== undefined)
      return entries(key, [first, ...others], timeoutMs, without);
    const refusal = outcomes.find((outcome) => outcome instanceof Error);
    if (refusal instanceof Error) throw refusal;
    const replies = readReplies(without.multi ? (outcomes as readonly Reply[]) : rest.at(-1));
    return parse(without.role ? [null, ...replies] : replies, rings, without);
  }

  async function locate(namespace: string, timeoutMs: number) {
    const all = redisNames(namespace, port.keyPrefix);
    const rings = [all.ring, ...(all.before === null ? [] : [all.before.ring])] as const;
    let found = await entries(all.key, rings, timeoutMs);
    for (let reads = 1; reads < MAX_READS; reads += 1) {
      if (found.tookMs <= CLOCK_NOISE_MS && !found.isTorn) break;
      const last = found;
      found = await entries(all.key, rings, timeoutMs);
      const isSame =
        last.key?.value === found.key?.value && rings.every((ring) => last.rings.get(ring) === found.rings.get(ring));
      if (isSame) found = { ...found, isTorn: false };
    }
    const { nowMs, key, roleUnknown } = found;
    const [now = null, before = null] = rings.map((ring) => found.rings.get(ring) ?? null);
    // A ring under the old name of a keyring is possible.
    if (key !== null && now === null && all.before !== null && !found.rings.has(all.before.ring)) throw hiddenRing();
    const place = before === null ? all : (all.before ?? all);
    names.set(namespace, place);
    const beside = before !== null && now !== null ? { beside: now } : {};
    const shown = { nowMs, key, ring: before ?? now, ...beside, mayBeDeposed: found.mayBeDeposed };
    return { names: place, snapshot: { ...shown, roleUnknown } };
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

type Names = readonly [string, ...string[]];

/** The omitted commands: INFO, with its error, and MULTI. */
interface Without {
  readonly role?: StoreError;
  readonly multi?: true;
}

interface Found extends Omit<PlainSnapshot, 'ring' | 'beside'> {
  /** The rings that this user may read, by name. */
  readonly rings: ReadonlyMap<string, string | null>;
  readonly mayBeDeposed: boolean;
  /** The time between the two readings of the clock. */
  readonly tookMs: number;
  /** True if a write may have come between the reads of K and R. */
  readonly isTorn: boolean;
}

/** Parses INFO (null: unknown), TIME, K, its PTTL, TIME again, and R under each of its names. */
function parse(replies: readonly Reply[], names: Names, without: Without): Found {
  const [info = null, time, value, ttl, later, ...rings] = replies;
  const replication = parseReplication(info);
  // The code that the server returns for a write.
  if (replication?.role === 'replica') throw asStoreError(new Error('READONLY'));
  const nowMs = instantOf(time);
  const ttlMs = Number(ttl);
  if (!Number.isInteger(ttlMs)) return notTheAnswer();
  const isText = typeof value === 'string' && !value.includes(REPLACEMENT);
  const expiresAtMs = ttlMs < 0 ? null : Math.min(nowMs + ttlMs, LAST_INSTANT_MS);
  return {
    nowMs,
    key: typeof value === 'string' ? { value: isText ? value : null, expiresAtMs } : null,
    rings: new Map(names.map((name, index) => [name, typeof rings[index] === 'string' ? rings[index] : null])),
    roleUnknown: without.role ?? null,
    mayBeDeposed: replication !== null && mayBeDeposed(replication),
    tookMs: instantOf(later) - nowMs,
    isTorn: without.multi === true,
  };
}

function isDenied(outcome: Reply | StoreError | undefined): boolean {
  return outcome instanceof Error && outcome.code === 'ERR_REWT_STORE_DENIED';
}

function isFull(outcome: Reply | StoreError): boolean {
  return outcome instanceof Error && outcome.code === 'ERR_REWT_STORE_FULL';
}

/** Reads an instant. @throws {StoreError} for any reply but that of TIME. */
function instantOf(time: Reply | undefined): number {
  const [seconds, micros] = Array.isArray(time) ? time.map(Number) : [];
  if (!Number.isInteger(seconds) || !Number.isInteger(micros)) return notTheAnswer();
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}
