/** Both entries of one namespace as the stores without a server of their own keep them, and the compare-and-swap on them. Pure. */

import { createHash } from 'node:crypto';
import type { KeyEntry, Snapshot, SwapAnswer, WantedState } from './store.js';

export interface RingEntry {
  readonly text: string;
  /** When the store drops it. Milliseconds of the store's clock; null: it has no TTL. */
  readonly expiresAtMs: number | null;
}

/** What is kept for one namespace. Entries past their expiry may still be in it. */
export interface StoreRecord {
  readonly key: KeyEntry | null;
  readonly ring: RingEntry | null;
  /** Stands for all of the above. Made once per write, so that a read hashes nothing. */
  readonly digest: string;
}

export function createRecord(key: KeyEntry | null, ring: RingEntry | null): StoreRecord {
  const contents = JSON.stringify([key?.value, key?.expiresAtMs, ring?.text, ring?.expiresAtMs]);
  return { key, ring, digest: createHash('sha256').update(contents).digest('base64url') };
}

/** What is kept where nobody has written. Its digest is that of no other; to hash it would make every start a millisecond longer. */
export const emptyRecord: StoreRecord = { key: null, ring: null, digest: '' };

/** What is there at `nowMs`: an entry is gone from the first instant of its expiry on. */
export function snapshotOf(record: StoreRecord, nowMs: number): Snapshot {
  const key = isLive(record.key, nowMs) ? record.key : null;
  const ring = isLive(record.ring, nowMs) ? record.ring : null;
  // The record does not change when an entry ends, but what is there does: so must the version.
  const version = `${record.digest}${key ? '+k' : ''}${ring ? '+r' : ''}`;
  return { nowMs, key, ring: ring?.text ?? null, version };
}

/** Decides a swap: the record to write, or null where there is nothing to write, and the answer in either case. */
export function swapRecord(
  record: StoreRecord,
  nowMs: number,
  swap: { readonly expected: string; readonly wanted: WantedState; readonly notAfterMs: number },
): { readonly write: StoreRecord | null; readonly answer: SwapAnswer } {
  const { expected, wanted, notAfterMs } = swap;
  const snapshot = snapshotOf(record, nowMs);
  // The text is unique to one swap: finding it there means that this very swap has been done.
  if (snapshot.ring === wanted.ring.text) return { write: null, answer: { swapped: true, snapshot } };
  if (snapshot.version !== expected || nowMs > notAfterMs) return { write: null, answer: { swapped: false, snapshot } };
  const write = createRecord(wanted.key ?? snapshot.key, wanted.ring);
  return { write, answer: { swapped: true, snapshot: snapshotOf(write, nowMs) } };
}

function isLive(entry: { readonly expiresAtMs: number | null } | null, nowMs: number): boolean {
  return entry !== null && (entry.expiresAtMs === null || nowMs < entry.expiresAtMs);
}
