/**
 * The rows of protocol.md's table that keep a ring going: its secrets take turns, its times follow;
 * and `rotate()`.
 */

import { withChange } from './changes.js';
import {
  amend,
  createPlan,
  currentFrom,
  freshNext,
  type Mint,
  type Plan,
  type PlanName,
  type Seen,
  type WriteContext,
} from './plan.js';
import { grantedTimes, MIN_TURN_PER_TTL, type Policy } from './policy.js';
import { type CurrentSecret, MAX_RETIRED, type NextSecret, type Ring } from './ring.js';

/**
 * PTTL and TIME in one script differ by less than a millisecond; anything beyond this is an
 * operator's EXPIRE.
 */
const TTL_NOISE_MS = 5;

/**
 * Places that `rotate()` leaves for turns that come before theirs: rows 5 and 9, and an operator's
 * EXPIRE.
 */
const SPARE_RETIRED = 2;

/**
 * What `rotate()` writes: row 6 before its time, for a ring that `advance` uses as it is. A
 * number instead of a plan is how many milliseconds it comes too early: until `next` is surely held
 * by all, or (also with `force`) until there is room for one more retired secret beside those
 * that the schedule is going to retire. A `next` from the future is first given a new `since`.
 */
export function planRotation(
  seen: Seen,
  ring: Ring,
  context: WriteContext,
  { force, reason = null }: { readonly force: boolean; readonly reason?: string | null },
): Plan | number {
  const { policy, mint } = context;
  const { next } = ring;
  if (next.since > seen.nowMs && !force) {
    // The store's clock went back, so how long next has been there is lost: it counts as new, or it
    // would for as long as the clock went back.
    const { sets: _, ...policyNow } = policy;
    return createPlan(
      'reschedule',
      false,
      false,
      amend({ ...ring, next: { ...next, since: seen.nowMs } }, { policy: policyNow, mint }),
    );
  }
  const youngMs = policy.maxStalenessMs - (seen.nowMs - next.since);
  if (youngMs > 0 && !force) return youngMs;
  const untils = ring.retired.filter((slot) => slot.until > seen.nowMs).map((slot) => slot.until);
  if (isCrowded(untils, seen.nowMs, ring, policy)) return Math.min(...untils) - seen.nowMs;
  return rotate('rotation', seen, withChange(ring, seen.nowMs, 'rotate', reason), context);
}

/**
 * Tests whether one more retired secret now leaves too little room at a coming turn
 * of the schedule, each turn as early as possible.
 */
function isCrowded(untils: readonly number[], nowMs: number, ring: Ring, policy: Policy): boolean {
  const { ttl, overlap } = grantedTimes(ring, policy);
  const turnMs = ttl * MIN_TURN_PER_TTL;
  const turns = Math.min(Math.ceil(overlap / turnMs), MAX_RETIRED);
  for (let turn = 0; turn <= turns; turn += 1) {
    const lasting = untils.filter((until) => until > nowMs + turn * turnMs).length;
    if (lasting + 1 + turn > MAX_RETIRED - SPARE_RETIRED) return true;
  }
  return false;
}

/**
 * What sets the times of a ring: `policy.sets`. Longer ones are granted as by row 7. A shorter one
 * takes a rotation: tokens of current were promised the times of before, and only the next secret
 * goes by the new ones. Null: they are what they were. A number: as `planRotation`.
 */
export function planTimes(
  seen: Seen,
  ring: Ring,
  context: WriteContext,
  reason: string | null = null,
): Plan | number | null {
  const { ttl, overlap } = grantedTimes(ring, context.policy);
  if (ttl === ring.ttl && overlap === ring.overlap) return null;
  if (ttl >= ring.ttl && overlap >= ring.overlap) return createPlan('reschedule', false, false, amend(ring, context));
  return planRotation(seen, ring, context, { force: false, reason });
}

/** Rows 5 and 6: next signs from now on, and there is a fresh next. */
export function rotate(name: PlanName, seen: Seen, ring: Ring, context: WriteContext): Plan {
  const { nowMs, key } = seen;
  const next = freshNext(nowMs, context);
  if (key.role === 'next' && key.expiresAtMs !== null && !seen.sealed) {
    // A swap was cut short between K and R: K's own TTL stands. Not beside a sealed ring: a writer
    // of K must not choose how long a known secret signs.
    const current = currentFrom(seen, ring.next.secret, key.expiresAtMs);
    return retire(name, seen, ring, { current, next, writesKey: false }, context);
  }
  // A member that is cut off signs with next by the overlap that it knows.
  const { ttl, overlap } = grantedTimes(ring, context.policy);
  const owed = overlap < ring.overlap ? { owed: nowMs + ring.overlap } : {};
  const current = { ...currentFrom(seen, ring.next.secret, nowMs + ttl), ...owed };
  return retire(name, seen, ring, { current, next, writesKey: true }, context);
}

/** Row 9: a secret that an old rewt member put into K signs from now on, and next stays next. */
export function adoptRotation(seen: Seen, ring: Ring, adopted: CurrentSecret, context: WriteContext): Plan {
  return retire('foreign rotation', seen, ring, { current: adopted, next: ring.next, writesKey: false }, context);
}

/**
 * The old current signs no more; it verifies until the last token that it may have signed has
 * ended.
 */
function retire(
  name: PlanName,
  seen: Seen,
  ring: Ring,
  turn: { current: CurrentSecret; next: NextSecret; writesKey: boolean },
  context: WriteContext,
): Plan {
  const { nowMs, key, sealed } = seen;
  const amended = amend(ring, context);
  const { secret } = ring.current;
  // As long as K holds it in plain text, old rewt members sign with it, whatever the ring says.
  const endMs = Math.max(ring.current.expiresAt, endOf(seen, ring));
  const signedUntil = key.role === 'current' && !sealed ? nowMs : Math.min(nowMs, endMs);
  const until = Math.max(signedUntil + Math.max(ring.overlap, amended.overlap), ring.current.owed ?? 0);
  const retired = [{ secret, until }, ...ring.retired].filter((slot) => slot.until > nowMs).slice(0, MAX_RETIRED);
  return createPlan(name, false, turn.writesKey, { ...amended, current: turn.current, next: turn.next, retired });
}

/**
 * The end of K that counts: its own, if it has a TTL. Beside a sealed ring an EXPIRE counts up to
 * two turns from when the secret began to sign: it must not keep a known secret signing.
 */
export function endOf({ key, sealed }: Pick<Seen, 'key' | 'sealed'>, { current, ttl }: Ring): number {
  const { role, expiresAtMs } = key;
  const isBeyond = sealed && current.since !== undefined && (expiresAtMs ?? 0) > current.since + 2 * ttl;
  return role !== 'current' || expiresAtMs === null || isBeyond ? current.expiresAt : expiresAtMs;
}

/** Row 7: the text of a secret stands in K where its mark should be. The mark is written back. */
export function restoreMark(ring: Ring, context: WriteContext): Plan {
  return { ...createPlan('reschedule', false, true, amend(ring, context)), unusableSecret: true };
}

/**
 * Row 7: an operator's EXPIRE is the new schedule, a PERSIST is undone, and a member's larger needs
 * are met.
 */
export function reschedule(seen: Seen, ring: Ring, context: WriteContext): Plan | null {
  const { current } = ring;
  const expiresAt = endOf(seen, ring);
  const { expiresAtMs } = seen.key;
  const counts = expiresAtMs !== null && Math.abs(expiresAtMs - expiresAt) <= TTL_NOISE_MS;
  if (!counts) return createPlan('reschedule', false, true, amend(ring, context));
  if (Math.abs(expiresAt - current.expiresAt) > TTL_NOISE_MS) {
    return createPlan('reschedule', false, false, { ...amend(ring, context), current: { ...current, expiresAt } });
  }
  const { ttl, overlap } = grantedTimes(ring, context.policy);
  const isGranted = ttl === ring.ttl && overlap === ring.overlap;
  return isGranted ? null : createPlan('reschedule', false, false, amend(ring, context));
}

/** Row 7 for a ring that is under two names: the same contents under one of them. */
export function oneName(ring: Ring, mint: Mint): Plan {
  return createPlan('reschedule', false, false, { ...ring, gen: ring.gen + 1, op: mint.id() });
}
