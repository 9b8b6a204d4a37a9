/** What a member has seen of its namespace, and what that tells of a ring which is read later: the memory behind rows 1, 3, 5 and 9 of protocol.md's table. */

import type { Ring } from './ring.js';

/** Lineages that a member remembers: enough for any row of failovers, little enough to forget none by accident. */
const MOST_LINEAGES = 16;

/** Revoked secrets that a member remembers: a revocation drops at most 34. */
const MOST_REVOKED = 256;

/** What this member has seen; what row 1 and row 3 are judged by. */
export interface Known {
  /** The last ring that was read and was not rolled back. */
  readonly ring: Ring | null;
  /** The highest epoch seen of each lineage, in the order of first sight. */
  readonly epochs: ReadonlyMap<string, number>;
  /** Secrets that this member saw revoked, in the order in which it did. None of them is ever used again, wherever it comes from. */
  readonly revoked: ReadonlySet<string>;
}

export const NOTHING_KNOWN: Known = { ring: null, epochs: new Map(), revoked: new Set() };

/** Remembers a ring that was read. Never called with one that `advance` called a rollback. */
export function observe(known: Known, ring: Ring): Known {
  if (known.ring === ring) return known;
  const epochs = new Map(known.epochs).set(ring.id, highestEpoch(ring, known));
  const old = known.ring;
  const wasRevoked = old !== null && (old.id !== ring.id || old.epoch < ring.epoch);
  const dropped = wasRevoked ? secretsOf(old).filter((secret) => !secretsOf(ring).includes(secret)) : [];
  return {
    ring,
    epochs: new Map([...epochs].slice(-MOST_LINEAGES)),
    revoked: new Set([...known.revoked, ...dropped].slice(-MOST_REVOKED)),
  };
}

/** Remembers a revocation that is due for `ring` but not written yet: should the swap fail, row 1 makes up for it. */
export function expectRevocation(known: Known, ring: Ring): Known {
  return { ...known, epochs: new Map(known.epochs).set(ring.id, highestEpoch(ring, known) + 1) };
}

/** Whether the store lost writes that this member saw, a revocation perhaps among them. */
export function isRolledBack(ring: Ring, known: Known): boolean {
  return (
    hasLeft(ring, known) ||
    ring.epoch < highestEpoch(ring, known) ||
    secretsOf(ring).some((secret) => known.revoked.has(secret))
  );
}

/** The highest epoch seen of a ring's lineage, its own included. */
export function highestEpoch(ring: Ring, known: Known): number {
  return Math.max(ring.epoch, known.epochs.get(ring.id) ?? 0);
}

function secretsOf(ring: Ring): string[] {
  return [ring.current, ring.next, ...ring.retired].map((slot) => slot.secret);
}

/** Whether this member saw the ring's lineage, and another one after it. */
export function hasLeft(ring: Ring, known: Known): boolean {
  return known.ring !== null && known.ring.id !== ring.id && known.epochs.has(ring.id);
}

/** A failover may have lost a later end of the current secret, or its retirement: it signed for as long as this member saw, whatever the ring says now. */
export function asLastSeen(ring: Ring, { ring: seen }: Known): Ring {
  const { secret, expiresAt } = ring.current;
  if (seen === null) return ring;
  const ends = [
    expiresAt,
    ...(seen.current.secret === secret ? [seen.current.expiresAt] : []),
    ...seen.retired.filter((slot) => slot.secret === secret).map((slot) => slot.until - seen.overlap),
  ];
  return { ...ring, current: { secret, expiresAt: Math.max(...ends) } };
}
