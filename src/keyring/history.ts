/**
 * The state of a namespace that a member has seen, and what follows for a ring that it reads later:
 * rows 1, 3, 5 and 9 of protocol.md's table.
 */

import { currentVerifiesUntil, type Ring, ringExpiresAt } from './ring.js';
import { kidOf } from './secret.js';

/**
 * Lineages that a member remembers: enough for any row of failovers, little enough to forget none
 * by accident.
 */
const MAX_LINEAGES = 16;

/** Secrets that a member remembers as revoked, and as lost: a ring has at most 34. */
const MAX_REVOKED = 256;

/** The last revocation that a member has seen of a lineage. */
export interface SeenEpoch {
  readonly epoch: number;
  /**
   * Its name; null for none. Undefined for a revocation that was due and has not been read yet: any
   * name fits.
   */
  readonly rev: string | null | undefined;
}

/** What this member has seen; what row 1 and row 3 are judged by. */
export interface History {
  /** The last ring that was read and was not rolled back. */
  readonly ring: Ring | null;
  /** The highest epoch seen of each lineage, in the order of first sight. */
  readonly epochs: ReadonlyMap<string, SeenEpoch>;
  /**
   * Secrets that this member saw revoked, in the order in which it did. None of them is ever used
   * again, wherever it comes from.
   */
  readonly revoked: ReadonlySet<string>;
  /**
   * Secrets that a failover took out of the ring since its last revocation: the next one takes them
   * too, should they come back.
   */
  readonly lost: ReadonlySet<string>;
  /** Secrets that came to their end since the last revocation, and are in no ring any more. */
  readonly ended: ReadonlySet<string>;
}

export const EMPTY_HISTORY: History = {
  ring: null,
  epochs: new Map(),
  revoked: new Set(),
  lost: new Set(),
  ended: new Set(),
};

/**
 * Lists the secrets of a ring that verify after `afterMs` by the store's clock; all of them by
 * default.
 */
export function secretsOf(ring: Ring, afterMs = Number.NEGATIVE_INFINITY): string[] {
  const slots = [
    { ...ring.current, until: currentVerifiesUntil(ring) },
    { ...ring.next, until: ringExpiresAt(ring) },
    ...ring.retired,
  ];
  return slots.filter(({ until }) => until > afterMs).map(({ secret }) => secret);
}

/** Remembers a ring that was read. Never called with one that `advance` called a rollback. */
export function remember(history: History, ring: Ring): History {
  if (history.ring === ring) return history;
  const last = history.epochs.get(ring.id);
  const seen = last !== undefined && last.epoch > ring.epoch ? last : { epoch: ring.epoch, rev: revOf(ring) };
  const old = history.ring;
  const epochs = new Map([...new Map(history.epochs).set(ring.id, seen)].slice(-MAX_LINEAGES));
  if (old === null) return { ...history, ring, epochs };
  const held = secretsOf(ring);
  const isGone = (secret: string): boolean => !held.includes(secret);
  if (old.id !== ring.id || old.epoch < ring.epoch) {
    const revoked = withSecrets(history.revoked, [...history.lost, ...secretsOf(old)].filter(isGone));
    return { ring, epochs, revoked, lost: new Set(), ended: new Set() };
  }
  // Rotations take out only what has ended.
  const gone = secretsOf(old).filter(isGone);
  const early = new Set(secretsOf(old, ring.next.since));
  return {
    ...history,
    ring,
    epochs,
    lost: withSecrets(
      history.lost,
      gone.filter((secret) => early.has(secret)),
    ),
    ended: withSecrets(
      history.ended,
      gone.filter((secret) => !early.has(secret)),
    ),
  };
}

/**
 * Remembers a revocation that is due for `ring` but not written yet: should the swap fail, row 1
 * makes up for it.
 */
export function expectRevocation(history: History, ring: Ring): History {
  const expected = { epoch: highestEpoch(ring, history) + 1, rev: undefined };
  return { ...history, epochs: new Map(history.epochs).set(ring.id, expected) };
}

/** Whether a brake was read with this very ring, and could not be written then. */
export function owesBrake({ id, op }: Ring, { ring: seen, epochs }: History): boolean {
  const last = epochs.get(id);
  return last !== undefined && last.rev === undefined && seen?.op === op;
}

/** Remembers the secrets of a ring as revoked. */
export function distrust(history: History, ring: Ring): History {
  return { ...history, revoked: withSecrets(history.revoked, [...history.lost, ...secretsOf(ring)]) };
}

/** Whether the store lost writes that this member saw, a revocation perhaps among them. */
export function isRolledBack(ring: Ring, history: History): boolean {
  return (
    hasLeft(ring, history) ||
    isAnotherBranch(ring, history.epochs.get(ring.id)) ||
    secretsOf(ring).some((secret) => history.revoked.has(secret))
  );
}

/**
 * Tests for an old ring that was put back: a secret signs in it, now or next, that this member saw
 * come to its end; it is older than the known one, and its turn is long over; it was plain text
 * since; or it is of another lineage and older than the known one.
 *
 * @param nowMs the store's clock
 */
export function isReplayed(ring: Ring, history: History, nowMs: number): boolean {
  const { current, next } = ring;
  const { ring: seen, ended } = history;
  if (isOlderLineage(ring, history, nowMs) || isOutlived(ring, seen, nowMs) || wasPlain(ring, seen)) return true;
  const isOver = (secret: string): boolean =>
    ended.has(secret) || (seen?.retired.some((slot) => slot.secret === secret && slot.until <= nowMs) ?? false);
  return isOver(current.secret) || isOver(next.secret);
}

/**
 * Tests whether the last token of current has ended, in an earlier ring than the known one. Put
 * back again and again, it would keep retired secrets verifying.
 */
function isOutlived({ id, gen, ttl, overlap, current }: Ring, seen: Ring | null, nowMs: number): boolean {
  const isEarlier = seen !== null && seen.id === id && seen.gen > gen;
  const { since, owed = 0 } = current;
  return isEarlier && since !== undefined && nowMs >= Math.max(since + 2 * ttl + overlap, owed);
}

/**
 * Tests for a ring that was plain text since this member knew it sealed, with no announcement: a
 * writer may have put it there before it was sealed again. Only a sealed ring has `since`.
 */
function wasPlain({ id, epoch, gen, exposed = [] }: Ring, seen: Ring | null): boolean {
  if (seen === null || seen.current.since === undefined) return false;
  // Put back from before the plain time that the known ring names: its secrets are known since. A
  // ring without a list is from before it, however often a writer had it written again.
  const isOfKnown = seen.id === id && seen.epoch === epoch && (seen.gen > gen || exposed.length === 0);
  if (isOfKnown && seen.exposed?.some((kid) => !exposed.includes(kid))) return true;
  if (seen.opening) return false;
  // A member put it there: no writer has these secrets, and each list of kids has a name.
  if (sealedSecrets(seen).some((secret) => exposed.includes(kidOf(secret)))) return false;
  return exposed.some((kid) => !seen.exposed?.includes(kid));
}

/** Lists the secrets of a sealed ring, now and next, that were in no plain one before it. */
export function sealedSecrets({ current, next, exposed }: Ring): string[] {
  return [current.secret, next.secret].filter((secret) => !exposed?.includes(kidOf(secret)));
}

/**
 * Tests whether a ring of another lineage was published before the known one. A writer can make a
 * member forget lineages, but cannot change the times in a sealed ring. They prove nothing while
 * the store's clock is behind them.
 */
function isOlderLineage({ id, next }: Ring, { ring: seen }: History, nowMs: number): boolean {
  return seen !== null && seen.id !== id && next.since < seen.next.since && seen.next.since <= nowMs;
}

/** Whether a ring that is not rolled back shows more than what this member has seen. */
export function isLater(ring: Ring, { ring: seen }: History): boolean {
  if (seen === null || seen.id !== ring.id || seen.epoch !== ring.epoch) return true;
  return ring.gen > seen.gen;
}

/** The highest epoch seen of a ring's lineage, its own included. */
export function highestEpoch(ring: Ring, history: History): number {
  return Math.max(ring.epoch, history.epochs.get(ring.id)?.epoch ?? 0);
}

/**
 * Whether a ring lacks the last revocation that was seen of its lineage. Only equal epochs have
 * names to compare: older members count on and keep the name.
 */
function isAnotherBranch(ring: Ring, last: SeenEpoch | undefined): boolean {
  if (last === undefined || ring.epoch > last.epoch) return false;
  return ring.epoch < last.epoch || (last.rev !== undefined && last.rev !== revOf(ring));
}

/**
 * The newest last, each once: a row of failed attempts must not push out what was revoked before.
 */
function withSecrets(revoked: ReadonlySet<string>, more: readonly string[]): ReadonlySet<string> {
  if (more.length === 0) return revoked;
  const others = [...revoked].filter((secret) => !more.includes(secret));
  return new Set([...new Set([...others, ...more])].slice(-MAX_REVOKED));
}

function revOf(ring: Ring): string | null {
  return ring.rev ?? null;
}

/** Whether this member saw the ring's lineage, and another one after it. */
function hasLeft(ring: Ring, history: History): boolean {
  return history.ring !== null && history.ring.id !== ring.id && history.epochs.has(ring.id);
}

/**
 * A failover may have lost a later end of the current secret, or its retirement: it signed for as
 * long as this member saw, whatever the ring contains now.
 */
export function asLastSeen(ring: Ring, { ring: seen }: History): Ring {
  const { secret, expiresAt } = ring.current;
  if (seen === null) return ring;
  const ends = [
    expiresAt,
    ...(seen.current.secret === secret ? [seen.current.expiresAt] : []),
    ...seen.retired.filter((slot) => slot.secret === secret).map((slot) => slot.until - seen.overlap),
  ];
  return { ...ring, current: { ...ring.current, expiresAt: Math.max(...ends) } };
}
