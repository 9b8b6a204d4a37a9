/**
 * Decides which ring counts if there are two under one K (protocol.md, "Names under a key prefix").
 * Pure.
 */

import type { KeyEntry } from '../stores/store.js';
import { holdsCurrentOrNext } from './contents.js';
import type { Ring } from './ring.js';

/**
 * The ring whose contents go on, under the name without the prefix.
 *
 * @param old the ring there, by a member that knows no other name
 * @param prefixed the ring under the name with the prefix
 */
export function ringOfTwo(old: Ring, prefixed: Ring, key: KeyEntry | null): Ring {
  if (old.id === prefixed.id) return isLater(prefixed, old) ? prefixed : old;
  if (old.current.secret === prefixed.current.secret) {
    // An old member adopted K, so the ring that it adopted it from knows more. But one that was
    // moved may hold secrets which that member remembers as revoked, and it would revoke them
    // again.
    return prefixed.moved ? old : prefixed;
  }
  return holdsCurrentOrNext(prefixed, key) && !holdsCurrentOrNext(old, key) ? prefixed : old;
}

/** The same ring, to be written under the name with the prefix (`rewt move`). */
export function movedRing(ring: Ring, op: string): Ring {
  return { ...ring, gen: ring.gen + 1, op, moved: true };
}

function isLater(one: Ring, other: Ring): boolean {
  return one.epoch === other.epoch ? one.gen > other.gen : one.epoch > other.epoch;
}
