/**
 * The keyring: what all members of a namespace share, and its wire form in the store (protocol.md,
 * "Contents of the store").
 */

import { StoreError } from '../errors.js';
import { LAST_INSTANT_MS } from '../stores/store.js';
import { isUsableSecret } from './secret.js';

/** The format that this code writes. A newer one is refused, never guessed at. */
const RING_VERSION = 1;

/**
 * Longer than any option allows; instants and durations of a ring add up to less than the largest
 * exact integer.
 */
const MAX_DURATION_MS = 1e13;

/**
 * More verifiable secrets than this would make each kid-less token cost too much; options.ts sees
 * to it that a schedule never needs more.
 */
export const MAX_RETIRED = 32;

/** The secret that signs now. */
export interface CurrentSecret {
  readonly secret: string;
  /** When it stops signing. Milliseconds of the store's clock. */
  readonly expiresAt: number;
  /**
   * Until when it verifies at least: before `overlap` became shorter, tokens signed with it as next
   * were promised the longer one.
   */
  readonly owed?: number;
  /**
   * When it began to sign, in a sealed ring: what bounds an EXPIRE. Milliseconds of the store's
   * clock.
   */
  readonly since?: number;
}

/** The secret that signs after current; published early, so that every member holds it by then. */
export interface NextSecret {
  readonly secret: string;
  /** When it was published. Milliseconds of the store's clock. */
  readonly since: number;
}

/** A secret that signs no more but still verifies. */
export interface RetiredSecret {
  readonly secret: string;
  /** When it stops verifying. Milliseconds of the store's clock. */
  readonly until: number;
}

/**
 * All times are milliseconds of the store's clock, all durations milliseconds. Unknown fields of a
 * later minor are kept when writing.
 */
export interface Ring {
  readonly v: typeof RING_VERSION;
  /** The lineage: random, new whenever a ring is begun from nothing. */
  readonly id: string;
  /** Number of revocations in this lineage. */
  readonly epoch: number;
  /**
   * The random name of the last of them. Absent before the first, and in rings that only older
   * members have revoked.
   */
  readonly rev?: string;
  /** Number of writes in this lineage. */
  readonly gen: number;
  /**
   * The operation that wrote this text; makes every text unique, so that a swap sent twice is
   * known.
   */
  readonly op: string;
  /** How long a secret signs; the longest that any member needs. */
  readonly ttl: number;
  /** How long a retired secret verifies; the longest that any member needs. */
  readonly overlap: number;
  /** A log for people, read by `changesOf`: whatever else is there makes no ring unreadable. */
  readonly changes?: unknown;
  readonly current: CurrentSecret;
  readonly next: NextSecret;
  readonly retired: readonly RetiredSecret[];
  /** It was under another name before (`rewt move`). */
  readonly moved?: boolean;
  /** A sealed ring that is going to be written plain: members accept that from now on. */
  readonly opening?: boolean;
  /** The kids of the secrets that were plain text when the ring was sealed, and a random name. */
  readonly exposed?: readonly string[];
}

export function formatRing(ring: Ring): string {
  return JSON.stringify(ring);
}

/** Until when the current secret verifies, if nothing changes. */
export function currentVerifiesUntil({ current, overlap }: Ring): number {
  return Math.max(current.expiresAt + overlap, current.owed ?? 0);
}

/**
 * When the store may drop the ring: after that nothing in it verifies any more, and a fresh start
 * loses nothing.
 */
export function ringExpiresAt(ring: Ring): number {
  const untils = ring.retired.map((slot) => slot.until);
  return Math.max(ring.current.expiresAt + ring.ttl + ring.overlap, currentVerifiesUntil(ring), ...untils);
}

/**
 * Reads a ring's wire form.
 * @throws {StoreError} ERR_REWT_RING_NEWER for a later format, ERR_REWT_RING_UNREADABLE for
 * anything that is no ring.
 */
export function parseRing(text: string): Ring {
  const value = parseJson(text);
  if (isRecord(value) && isCount(value.v) && value.v > RING_VERSION) {
    throw new StoreError(
      'ERR_REWT_RING_NEWER',
      'The keyring in the store was written by a newer rewt: update rewt here, or replace the ' +
        'keyring with revoke({ replace: "newer" }).',
    );
  }
  if (!isRing(value)) {
    throw new StoreError(
      'ERR_REWT_RING_UNREADABLE',
      'The keyring in the store is not one of rewt (damaged, or another program uses its key): ' +
        'find out who wrote it, or replace it with revoke({ replace: "unreadable" }).',
    );
  }
  return value;
}

/**
 * Tests whether a ring has what `written` changed: the same revocation and secret, or a later
 * revocation.
 */
export function hasChange(ring: Ring, written: Ring): boolean {
  if (!hasRevocation(ring, written)) return false;
  return ring.epoch > written.epoch || secretsThatSigned(ring).includes(written.current.secret);
}

/**
 * Tests whether a ring is of the same lineage, and has the last revocation of `written` or a later
 * one.
 */
export function hasRevocation(ring: Ring, { id, epoch, rev }: Ring): boolean {
  return ring.id === id && (ring.epoch > epoch || (ring.epoch === epoch && ring.rev === rev));
}

/** Tests whether a ring is of another lineage than `before`, or of another epoch. */
export function isRevokedSince(before: Ring, { id, epoch }: Ring): boolean {
  return before.id !== id || before.epoch !== epoch;
}

function secretsThatSigned({ current, retired }: Ring): string[] {
  return [current, ...retired].map(({ secret }) => secret);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRing(value: unknown): value is Ring {
  return (
    isRecord(value) &&
    value.v === RING_VERSION &&
    isName(value.id) &&
    isCount(value.epoch) &&
    (value.rev === undefined || isName(value.rev)) &&
    isCount(value.gen) &&
    isName(value.op) &&
    isDuration(value.ttl) &&
    isDuration(value.overlap) &&
    isSlot(value.current, 'expiresAt') &&
    hasInstants(value.current, ['owed', 'since']) &&
    isSlot(value.next, 'since') &&
    Array.isArray(value.retired) &&
    value.retired.length <= MAX_RETIRED &&
    value.retired.every((slot) => isSlot(slot, 'until')) &&
    (value.exposed === undefined || isNames(value.exposed))
  );
}

function isSlot(value: unknown, time: string): boolean {
  return isRecord(value) && typeof value.secret === 'string' && isUsableSecret(value.secret) && isInstant(value[time]);
}

function hasInstants(slot: unknown, optional: readonly string[]): boolean {
  return isRecord(slot) && optional.every((time) => slot[time] === undefined || isInstant(slot[time]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.every(isName);
}

/** Not nothing, or it would turn without end; and no more than leaves `ringExpiresAt` exact. */
function isDuration(value: unknown): boolean {
  return isCount(value) && value > 0 && value <= MAX_DURATION_MS;
}

function isInstant(value: unknown): boolean {
  return isCount(value) && value <= LAST_INSTANT_MS;
}

/** Whole and exact: a time or counter that JSON rounded would make members disagree. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
