/** Both entries of one namespace in stores without a server, and their compare-and-swap. Pure. */

import { createHash } from 'node:crypto';
import type { KeyEntry, Snapshot, SwapAnswer, WantedState } from './store.js';

export interface RingEntry {
  readonly text: string;
  /**
   * The time when the store drops it, in milliseconds of the store's clock; null: it has no TTL.
   */
  readonly expiresAtMs: number | null;
}

/** The entries of one namespace. Expired ones may still be in it. */
export interface StoreRecord {
  readonly key: KeyEntry | null;
  readonly ring: RingEntry | null;
  /** Identifies all of the above. Computed once per write, so that a read hashes nothing. */
  readonly digest: string;
}

export function createRecord(key: KeyEntry | null, ring: RingEntry | null): StoreRecord {
  const contents = JSON.stringify([key?.value, key?.expiresAtMs, ring?.text, ring?.expiresAtMs]);
  return { key, ring, digest: createHash('sha256').update(contents).digest('base64url') };
}

/**
 * The record of a namespace that was never written. Its digest is a constant that no other record
 * has, because hashing would delay every start.
 */
export const emptyRecord: StoreRecord = { key: null, ring: null, digest: '' };

/** Returns the state at `nowMs`. An entry is gone from the first instant of its expiry. */
export function snapshotOf(record: StoreRecord, nowMs: number): Snapshot {
  const key = isLive(record.key, nowMs) ? record.key : null;
  const ring = isLive(record.ring, nowMs) ? record.ring : null;
  // The record stays the same when an entry expires, but the state changes: so must the version.
  const version = `${record.digest}${key ? '+k' : ''}${ring ? '+r' : ''}`;
  return { nowMs, key, ring: ring?.text ?? null, version };
}

/**
 * Decides a swap. Returns the record to write, or null if there is nothing to write, and the reply.
 */
export function swapRecord(
  record: StoreRecord,
  nowMs: number,
  swap: { readonly expected: string; readonly wanted: WantedState; readonly notAfterMs: number },
): { readonly write: StoreRecord | null; readonly answer: SwapAnswer } {
  const { expected, wanted, notAfterMs } = swap;
  const snapshot = snapshotOf(record, nowMs);
  // The text is unique to one swap: if it is stored, this very swap was done before.
  if (snapshot.ring === wanted.ring.text) return { write: null, answer: { swapped: true, snapshot } };
  if (snapshot.version !== expected || nowMs > notAfterMs) return { write: null, answer: { swapped: false, snapshot } };
  const write = createRecord(wanted.key ?? snapshot.key, wanted.ring);
  return { write, answer: { swapped: true, snapshot: snapshotOf(write, nowMs) } };
}

function isLive(entry: { readonly expiresAtMs: number | null } | null, nowMs: number): boolean {
  return entry !== null && (entry.expiresAtMs === null || nowMs < entry.expiresAtMs);
}
