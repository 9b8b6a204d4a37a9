/**
 * The read of both entries by plain commands: no script, no transaction, no write. Pure.
 */

import type { StoreError } from '../../errors.js';
import { type KeyEntry, LAST_INSTANT_MS } from '../store.js';
import { notTheAnswer } from './answer.js';
import type { Command, Outcomes, Reply } from './clients/port.js';
import { asStoreError } from './errors.js';
import type { AllRedisNames, RedisNames } from './names.js';
import { hiddenRing } from './places.js';
import { mayBeDeposed, parseReplication } from './replication.js';

/** Both entries, as one pass of commands found them. */
export interface PlainEntries {
  readonly nowMs: number;
  readonly key: KeyEntry | null;
  /** The rings that this user may read, by name. */
  readonly rings: ReadonlyMap<string, string | null>;
  /** The reason why the server did not show that it is a master; null: it did. */
  readonly roleUnknown: StoreError | null;
  readonly mayBeDeposed: boolean;
  /** The time between the two readings of the clock. */
  readonly tookMs: number;
  /** True if a ring changed between the commands, so that K may belong to another one. */
  readonly isTorn: boolean;
}

/** The ring to use, and the names that its keyring has. */
interface PlainPlace {
  readonly names: RedisNames;
  /** True if `names` are those without the leading key prefix. */
  readonly isBefore: boolean;
  readonly ring: string | null;
  /** A second ring, under the other name. */
  readonly beside?: string;
}

/** The character that a client's decoder uses for bytes that are not UTF-8. */
const REPLACEMENT = '\ufffd';

const ROLE: Command = ['INFO', 'replication'];

/**
 * Returns the commands that read K and R, of which R has one of the names in `rings`.
 */
// WHY R twice: its text is unique to one write. If it is the same before and after, K was read
// beside it.
// WHY no MULTI: the client may be the application's, and EXEC ends each WATCH of the application. A
// client that fails between MULTI and EXEC would leave the application in a transaction.
// WHY the role twice: after a lost connection a client may send the rest to another server.
export function plainRead(key: string, rings: readonly string[]): readonly Command[] {
  const gets = rings.map((ring): Command => ['GET', ring]);
  return [ROLE, ...gets, ['TIME'], ['GET', key], ['PTTL', key], ['TIME'], ...gets, ROLE];
}

/**
 * Reads the outcomes of `plainRead`. Returns the error if they show no keyring: of a denied or
 * failed command, or READONLY for a replica. A denied name of R is omitted, unless it is the only
 * one.
 *
 * @throws {StoreError} for replies of another kind.
 */
export function readPlainly(outcomes: Outcomes, rings: readonly string[]): PlainEntries | Error {
  // An error that prevented all commands stands alone.
  if (outcomes.length !== plainRead('', rings).length) return outcomes.find(isError) ?? notTheAnswer();
  const [role, ...rest] = outcomes;
  const before = rest.slice(0, rings.length);
  const [time, value, ttl, later, ...others] = rest.slice(rings.length);
  const after = others.slice(0, rings.length);
  const roles = [role, others.at(-1)];
  const readable = rings.flatMap((ring, index) =>
    isDenied(before[index]) || isDenied(after[index]) ? [] : [{ ring, texts: [before[index], after[index]] }],
  );
  const texts = readable.length > 0 ? readable.flatMap((one) => one.texts) : before;
  const needed = [time, value, ttl, later, ...texts, ...roles.filter((info) => !isDenied(info))];
  const failed = needed.find(isError);
  if (failed !== undefined) return failed;
  const shown = roles.map((info) => parseReplication(info ?? null));
  // The code that the server returns for a write.
  if (shown.some((one) => one?.role === 'replica')) return new Error('READONLY');
  const denied = roles.find(isDenied);
  const nowMs = instantOf(time);
  const ttlMs = Number(ttl);
  if (!Number.isInteger(ttlMs)) return notTheAnswer();
  const isText = typeof value === 'string' && !value.includes(REPLACEMENT);
  const expiresAtMs = ttlMs < 0 ? null : Math.min(nowMs + ttlMs, LAST_INSTANT_MS);
  return {
    nowMs,
    key: typeof value === 'string' ? { value: isText ? value : null, expiresAtMs } : null,
    rings: new Map(readable.map(({ ring, texts: [, text] }) => [ring, typeof text === 'string' ? text : null])),
    roleUnknown: denied === undefined ? null : asStoreError(denied),
    mayBeDeposed: shown.some((one) => one !== null && mayBeDeposed(one)),
    tookMs: instantOf(later) - nowMs,
    isTorn: readable.some(({ texts: [one, other] }) => one !== other),
  };
}

/**
 * Returns the entries only if they are of one instant, and of a master. Otherwise the error of the
 * right that is missing, or one after which the same read may succeed.
 */
export function certain(found: PlainEntries | Error): PlainEntries | Error {
  if (found instanceof Error) return found;
  return found.roleUnknown ?? (found.isTorn ? new Error('TRYAGAIN') : found);
}

/**
 * Selects the ring among those under both names, as `locate` does for the scripts.
 *
 * @throws {StoreError} if it may be under a name that this user may not read.
 */
export function locatePlainly({ before, ...all }: AllRedisNames, { key, rings }: PlainEntries): PlainPlace {
  const now = rings.get(all.ring) ?? null;
  if (before === null) return { names: all, isBefore: false, ring: now };
  if (key !== null && now === null && !rings.has(before.ring)) throw hiddenRing();
  const old = rings.get(before.ring) ?? null;
  if (old === null) return { names: all, isBefore: false, ring: now };
  return { names: before, isBefore: true, ring: old, ...(now === null ? {} : { beside: now }) };
}

function isError(outcome: Reply | Error | undefined): outcome is Error {
  return outcome instanceof Error;
}

function isDenied(outcome: Reply | Error | undefined): outcome is Error {
  return isError(outcome) && asStoreError(outcome).code === 'ERR_REWT_STORE_DENIED';
}

/** Reads an instant. @throws {StoreError} for any reply but that of TIME. */
export function instantOf(time: Reply | Error | undefined): number {
  const [seconds, micros] = Array.isArray(time) ? time.map(Number) : [];
  if (!Number.isInteger(seconds) || !Number.isInteger(micros)) return notTheAnswer();
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}
