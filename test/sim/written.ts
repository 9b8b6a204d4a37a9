/**
 * The two entries as the page describes them (protocol.md): of src/ this knows no more than the
 * form of a ring.
 */

import { currentVerifiesUntil, type Ring } from '../../src/keyring/ring.js';

/** The options of a member as it lives by them. Milliseconds. */
export interface Times {
  readonly ttlMs: number;
  readonly tokenLifetimeMs: number;
  readonly maxStalenessMs: number;
  readonly clockToleranceMs: number;
  readonly storeTimeoutMs: number;
  readonly softAgeMs: number;
}

/** The `overlap` that a member needs of the ring before it signs. */
export function overlapOf({ tokenLifetimeMs, maxStalenessMs, clockToleranceMs }: Times): number {
  return tokenLifetimeMs + maxStalenessMs + clockToleranceMs;
}

/** The keyring as it is written (protocol.md, "Contents of the store"). */
export type Written = Ring;

export interface Entries {
  readonly key: { readonly value: string | null; readonly endMs: number } | null;
  readonly ring: Written | null;
  /** There is a text in place of a sealed ring, which is none. `ring` is null then. */
  readonly odd?: 'plain' | 'unreadable' | null;
}

/** Row 7 leaves alone what differs by less. Milliseconds. */
export const NOISE_MS = 6;

/** Whether a ring of the same lineage grants less. */
export function isShorter(before: Written | null, after: Written): boolean {
  if (before?.id !== after.id) return false;
  return after.ttl < before.ttl || after.overlap < before.overlap;
}

/**
 * Whether a ring was written later after the same revocation: it counts in whatever order answers
 * come.
 */
export function isLater(before: Written | null, after: Written | null): boolean {
  if (before === null || after === null || before.id !== after.id) return false;
  return after.epoch === before.epoch && after.rev === before.rev && after.gen > before.gen;
}

export function dueMs(times: Times, ring: Written): number {
  return Math.min(times.clockToleranceMs, ring.ttl / 4);
}

export function leadMs(times: Times, ring: Written): number {
  return Math.min(times.softAgeMs + times.clockToleranceMs, ring.ttl / 4);
}

/**
 * The end of current by K: its own, if it has a TTL. Beside a sealed ring it counts "up to `since`
 * and two `ttl`".
 */
export function keyEndMs({ endMs }: { readonly endMs: number }, { current, ttl }: Written): number {
  const mostMs = current.since === undefined ? Number.MAX_VALUE : current.since + 2 * ttl;
  return endMs > mostMs ? current.expiresAt : endMs;
}

export function isUsable(value: string | null): value is string {
  return value !== null && Buffer.byteLength(value) >= 32;
}

export function secretsIn({ key, ring }: Entries): Set<string> {
  const secrets = ring === null ? [] : [ring.current, ring.next, ...ring.retired].map((slot) => slot.secret);
  if (key !== null && isUsable(key.value)) secrets.push(key.value);
  return new Set(secrets);
}

/** Until when each secret verifies, by the store's clock (protocol.md, "Verifying"). */
export function presentIn({ key, ring }: Entries): Map<string, number> {
  const present = new Map<string, number>();
  if (ring !== null) {
    for (const { secret, until } of ring.retired) present.set(secret, until);
    present.set(ring.next.secret, ring.current.expiresAt + ring.ttl + ring.overlap);
    present.set(ring.current.secret, currentVerifiesUntil(ring));
  }
  if (key !== null && isUsable(key.value) && !present.has(key.value)) present.set(key.value, key.endMs);
  return present;
}

/** "R expires after nothing in it verifies any more." */
export function endOf(ring: Ring): number {
  const { current, ttl, overlap, retired } = ring;
  const untils = retired.map(({ until }) => until);
  return Math.max(current.expiresAt + ttl + overlap, currentVerifiesUntil(ring), ...untils);
}

/** Whether a copy of a ring verifies with a secret at `storeMs`. */
export function holds(ring: Written, secret: string | undefined, storeMs: number): boolean {
  if (secret === ring.next.secret) return true;
  if (secret === ring.current.secret) return storeMs < currentVerifiesUntil(ring);
  return ring.retired.some((slot) => slot.secret === secret && storeMs < slot.until);
}
