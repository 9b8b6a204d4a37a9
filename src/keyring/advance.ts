/**
 * The one decision of the protocol: what a member does with what it read (protocol.md, "What a member does with what it read").
 *
 * Pure: the store's clock comes with the snapshot, randomness comes from `mint`, and nothing is remembered but `known`.
 */

import type { KeyEntry, WantedState } from '../stores/store.js';
import { type ChangeCause, withChange } from './changes.js';
import {
  asLastSeen,
  distrust,
  expectRevocation,
  hasLeft,
  highestEpoch,
  isRolledBack,
  type Known,
  observe,
  owesBrake,
  secretsOf,
} from './known.js';
import { type CurrentSecret, formatRing, MOST_RETIRED, type NextSecret, type Ring, ringExpiresAt } from './ring.js';
import { isUsableSecret } from './secret.js';

/** PTTL and TIME in one script differ by less than a millisecond; anything beyond this is an operator's EXPIRE. */
const TTL_NOISE_MS = 5;

/** A scheduled rotation comes after at least this part of a `ttl`, since `lead` is at most a quarter of it. */
const SHORTEST_TURN = 3 / 4;

/** Places that `rotate()` leaves for turns that come before theirs: rows 5 and 9, and an operator's EXPIRE. */
const SPARE_RETIRED = 2;

/** What was read, with the ring parsed. */
export interface Seen {
  readonly nowMs: number;
  readonly key: KeyEntry | null;
  readonly ring: Ring | null;
}

/** How this member wants the keyring run. All in milliseconds. */
export interface Policy {
  /** How long a secret signs, in a ring that this member begins. */
  readonly ttlMs: number;
  /** How long a retired secret verifies, in a ring that this member begins. */
  readonly overlapMs: number;
  readonly clockToleranceMs: number;
  readonly maxStalenessMs: number;
  /** Soft age + clock tolerance: how long before its end K is rotated. */
  readonly leadMs: number;
  /** What a ring must at least offer before this member may sign; null for a member that has not signed. */
  readonly asks: { readonly ttlMs: number; readonly overlapMs: number } | null;
  /** What a ring is to offer from now on, more or less than before: for `planTimes` only. */
  readonly sets?: { readonly ttlMs: number; readonly overlapMs: number };
}

/** Where fresh secrets and ids come from. */
export interface Mint {
  secret(): string;
  id(): string;
}

/** A row of the table by its name there, or 'revocation' for `revoke()`. */
export type PlanName =
  | 'rollback'
  | 'bootstrap'
  | 'repair'
  | 'adopt'
  | 'late rotation'
  | 'rotation'
  | 'reschedule'
  | 'brake'
  | 'foreign rotation'
  | 'revocation';

export interface Plan {
  readonly name: PlanName;
  /** Whether secrets are taken away: then the member stops until this is written. Otherwise it can wait until `maxStaleness`. */
  readonly revokes: boolean;
  /** K held a value that must not sign: too short, or not UTF-8. */
  readonly unusableSecret: boolean;
  readonly wanted: WantedState;
}

/** The first row of protocol.md's table that fits, as a plan to write; null where the ring may be used as it is. */
export function advance(found: Seen, policy: Policy, known: Known, mint: Mint): Plan | null {
  const seen = withoutRevoked(found, known);
  const { nowMs, key, ring } = seen;
  if (ring === null) return begin(seen, policy, known, mint);
  if (isRolledBack(ring, known)) return revokeAgain(found, ring, policy, known, mint); // row 1

  const due = nowMs >= ring.current.expiresAt - Math.min(policy.clockToleranceMs, ring.ttl / 4);
  if (key === null) {
    // Rows 5 and 8: whether K went at its time or before it tells the schedule from an operator's DEL.
    const late = asLastSeen(ring, known);
    return due ? rotate('late rotation', seen, late, policy, mint) : revoke('brake', seen, ring, policy, mint);
  }
  if (key.value === ring.next.secret) {
    return rotate('late rotation', seen, asLastSeen(ring, known), policy, mint); // row 5
  }
  if (key.value === ring.current.secret) {
    const expiresAt = key.expiresAtMs ?? ring.current.expiresAt;
    const leadMs = Math.min(policy.leadMs, ring.ttl / 4);
    return nowMs >= expiresAt - leadMs
      ? rotate('rotation', seen, ring, policy, mint) // row 6
      : reschedule(key, ring, policy, mint); // row 7
  }
  // Row 9: an old rewt member puts a secret only where none is left, and always with a TTL. All else is an operator's: row 10.
  if (due && key.expiresAtMs !== null && isUsableSecret(key.value)) {
    const adopted = { secret: key.value, expiresAt: key.expiresAtMs };
    const turn = { current: adopted, next: ring.next, key: null };
    return retire('foreign rotation', seen, asLastSeen(ring, known), turn, policy, mint);
  }
  return revoke('brake', seen, ring, policy, mint);
}

/** What a member knows once it has read a ring and decided on a plan for it. */
export function remember(known: Known, ring: Ring, plan: Plan | null): Known {
  // Neither branch of what the store held is trusted again.
  if (plan?.name === 'rollback') return distrust(known.ring === null ? known : distrust(known, known.ring), ring);
  const observed = observe(known, ring);
  // Not for revoke(): its caller gets the error, and a write that was given up must not happen later.
  return plan?.name === 'brake' ? expectRevocation(observed, ring) : observed;
}

/**
 * What `rotate()` writes: row 6 before its time, for a ring of which `advance` has said nothing.
 * A number instead of a plan is how many milliseconds it comes too early: until `next` is surely held by everyone, or (also with `force`)
 * until there is room for one more retired secret beside those that the schedule is going to retire. A `next` from the future is first given a new `since`.
 */
export function planRotation(
  seen: Seen,
  ring: Ring,
  policy: Policy,
  mint: Mint,
  { force, reason = null }: { readonly force: boolean; readonly reason?: string | null },
): Plan | number {
  const { next } = ring;
  if (next.since > seen.nowMs && !force) {
    // The store's clock went back, so how long next has been there is lost: it counts as new, or it would for as long as the clock went back.
    const { sets: _, ...asking } = policy;
    return plan('reschedule', false, null, amend({ ...ring, next: { ...next, since: seen.nowMs } }, asking, mint));
  }
  const youngMs = policy.maxStalenessMs - (seen.nowMs - next.since);
  if (youngMs > 0 && !force) return youngMs;
  const untils = ring.retired.filter((slot) => slot.until > seen.nowMs).map((slot) => slot.until);
  if (isCrowded(untils, seen.nowMs, ring, policy)) return Math.min(...untils) - seen.nowMs;
  return rotate('rotation', seen, withChange(ring, seen.nowMs, 'rotate', reason), policy, mint);
}

/** Whether one more retired secret now would leave too little room at a coming turn of the schedule, each as early as can be. */
function isCrowded(untils: readonly number[], nowMs: number, ring: Ring, policy: Policy): boolean {
  const turnMs = ringTtl(ring, policy) * SHORTEST_TURN;
  const turns = Math.min(Math.ceil(ringOverlap(ring, policy) / turnMs), MOST_RETIRED);
  for (let turn = 0; turn <= turns; turn += 1) {
    const lasting = untils.filter((until) => until > nowMs + turn * turnMs).length;
    if (lasting + 1 + turn > MOST_RETIRED - SPARE_RETIRED) return true;
  }
  return false;
}

/**
 * What sets the times of a ring: `policy.sets`. Longer ones are granted as by row 7. A shorter one takes a rotation: tokens of current
 * were promised the times of before, and only the next secret goes by the new ones. Null: they are what they were. A number: as `planRotation`.
 */
export function planTimes(
  seen: Seen,
  ring: Ring,
  policy: Policy,
  mint: Mint,
  reason: string | null = null,
): Plan | number | null {
  const [ttl, overlap] = [ringTtl(ring, policy), ringOverlap(ring, policy)];
  if (ttl === ring.ttl && overlap === ring.overlap) return null;
  if (ttl >= ring.ttl && overlap >= ring.overlap) return plan('reschedule', false, null, amend(ring, policy, mint));
  return planRotation(seen, ring, policy, mint, { force: false, reason });
}

/** What `revoke()` writes: every secret goes, whatever the ring was, also one that could not be read (then `seen.ring` is null). */
export function planRevocation(
  seen: Seen,
  policy: Policy,
  known: Known,
  mint: Mint,
  reason: string | null = null,
): Plan {
  const emptied = { ...seen, key: null };
  const { ring } = seen;
  if (ring === null) {
    const named = { ...blankRing(policy, known, mint), rev: mint.id() };
    return start('revocation', true, emptied, named, policy, mint, reason);
  }
  return isRolledBack(ring, known)
    ? revokeAgain(emptied, ring, policy, known, mint, reason)
    : revoke('revocation', emptied, ring, policy, mint, reason);
}

/** A K that this member saw revoked came back with a failover, or by mistake: it counts as one that must not sign. */
function withoutRevoked(seen: Seen, known: Known): Seen {
  const { key } = seen;
  if (key === null || key.value === null || !known.revoked.has(key.value)) return seen;
  return { ...seen, key: { ...key, value: null } };
}

/** Row 1: the store lost writes, a revocation perhaps among them. Nothing that it kept is trusted, only what an operator put there since. */
function revokeAgain(
  found: Seen,
  ring: Ring,
  policy: Policy,
  known: Known,
  mint: Mint,
  reason: string | null = null,
): Plan {
  const epoch = highestEpoch(ring, known);
  // A lineage that was left is not entered again: under its name, every other member that left it would revoke once more.
  const id = hasLeft(ring, known) ? mint.id() : ring.id;
  const value = found.key?.value ?? '';
  const isDistrusted =
    known.lost.has(value) || [ring, known.ring].some((held) => held !== null && secretsOf(held).includes(value));
  const seen = isDistrusted ? { ...found, key: null } : withoutRevoked(found, known);
  const cause = owesBrake(ring, known) ? 'brake' : 'rollback';
  return revoke('rollback', seen, { ...ring, id, epoch }, policy, mint, reason, cause);
}

/** Rows 2 to 4: there is no ring. */
function begin(seen: Seen, policy: Policy, known: Known, mint: Mint): Plan {
  const { nowMs, key } = seen;
  const old = known.ring;
  if (key !== null && old !== null && key.value === old.current.secret && nowMs < ringExpiresAt(old)) {
    return plan('repair', false, null, amend(old, policy, mint)); // row 3
  }
  // For a member that knew a ring, every secret in it is lost: a revocation.
  const base = blankRing(policy, known, mint);
  return start(key === null ? 'bootstrap' : 'adopt', old !== null, seen, base, policy, mint);
}

/** Rows 1, 8 and 10, and `revoke()`: one epoch on, under a new name, with nothing of what was. */
function revoke(
  name: 'rollback' | 'brake' | 'revocation',
  seen: Seen,
  ring: Ring,
  policy: Policy,
  mint: Mint,
  reason: string | null = null,
  cause = causeOf(name),
): Plan {
  const begun = { ...ring, epoch: ring.epoch + 1, rev: mint.id() };
  return start(name, true, seen, begun, policy, mint, reason, cause);
}

type Beginning = 'rollback' | 'bootstrap' | 'adopt' | 'brake' | 'revocation';

function causeOf(name: Beginning): ChangeCause {
  return name === 'revocation' ? 'revoke' : name;
}

/** Begins anew on top of `base`: K's value signs if it is a usable one, else a fresh secret; nothing is retired. */
function start(
  name: Beginning,
  revokes: boolean,
  seen: Seen,
  unlogged: RingBase,
  policy: Policy,
  mint: Mint,
  reason: string | null = null,
  cause = causeOf(name),
): Plan {
  const { nowMs, key } = seen;
  const base = revokes ? withChange(unlogged, nowMs, cause, reason) : unlogged;
  const ttlMs = ringTtl(base, policy);
  const adopted = key !== null && isUsableSecret(key.value) ? { secret: key.value, expiresAt: key.expiresAtMs } : null;
  const current = { secret: adopted?.secret ?? mint.secret(), expiresAt: adopted?.expiresAt ?? nowMs + ttlMs };
  const ring = { ...base, current, next: freshNext(nowMs, mint), retired: [] };
  // A value with a TTL of its own stands as it is.
  const written = plan(
    name,
    revokes,
    typeof adopted?.expiresAt === 'number' ? null : current,
    amend(ring, policy, mint),
  );
  return { ...written, unusableSecret: key !== null && adopted === null };
}

/** Rows 5 and 6: next signs from now on, and there is a fresh next. */
function rotate(name: PlanName, seen: Seen, ring: Ring, policy: Policy, mint: Mint): Plan {
  const { nowMs, key } = seen;
  const next = freshNext(nowMs, mint);
  if (key !== null && key.value === ring.next.secret && key.expiresAtMs !== null) {
    // A swap was cut short between K and R: K's own TTL stands.
    const current = { secret: ring.next.secret, expiresAt: key.expiresAtMs };
    return retire(name, seen, ring, { current, next, key: null }, policy, mint);
  }
  // A member that is cut off signs with next by the overlap that it knows.
  const owed = ringOverlap(ring, policy) < ring.overlap ? { owed: nowMs + ring.overlap } : {};
  const current = { secret: ring.next.secret, expiresAt: nowMs + ringTtl(ring, policy), ...owed };
  return retire(name, seen, ring, { current, next, key: current }, policy, mint);
}

/** The old current signs no more; it verifies until the last token that it may have signed has ended. */
function retire(
  name: PlanName,
  { nowMs, key }: Seen,
  ring: Ring,
  turn: { current: CurrentSecret; next: NextSecret; key: CurrentSecret | null },
  policy: Policy,
  mint: Mint,
): Plan {
  const amended = amend(ring, policy, mint);
  const { secret } = ring.current;
  // As long as K holds it, old rewt members sign with it, whatever end the ring knows.
  const signedUntil = key?.value === secret ? nowMs : Math.min(nowMs, ring.current.expiresAt);
  const until = Math.max(signedUntil + Math.max(ring.overlap, amended.overlap), ring.current.owed ?? 0);
  const retired = [{ secret, until }, ...ring.retired].filter((slot) => slot.until > nowMs).slice(0, MOST_RETIRED);
  return plan(name, false, turn.key, { ...amended, current: turn.current, next: turn.next, retired });
}

/** Row 7: an operator's EXPIRE is the new schedule, a PERSIST is undone, and a member's larger needs are met. */
function reschedule(key: KeyEntry, ring: Ring, policy: Policy, mint: Mint): Plan | null {
  const { current } = ring;
  if (key.expiresAtMs === null) return plan('reschedule', false, current, amend(ring, policy, mint));
  const { expiresAtMs: expiresAt } = key;
  if (Math.abs(expiresAt - current.expiresAt) > TTL_NOISE_MS) {
    return plan('reschedule', false, null, { ...amend(ring, policy, mint), current: { ...current, expiresAt } });
  }
  const isGranted = ringTtl(ring, policy) === ring.ttl && ringOverlap(ring, policy) === ring.overlap;
  return isGranted ? null : plan('reschedule', false, null, amend(ring, policy, mint));
}

/** Row 7 for a ring that is under two names: the same contents under one of them. */
export function oneName(ring: Ring, mint: Mint): Plan {
  return plan('reschedule', false, null, { ...ring, gen: ring.gen + 1, op: mint.id() });
}

/** A ring without its secrets. */
type RingBase = Omit<Ring, 'current' | 'next' | 'retired'>;

/** Begins a lineage. The log goes on, as far as this member knows it. */
function blankRing(policy: Policy, { ring: old }: Known, mint: Mint): RingBase {
  const log = old?.changes === undefined ? {} : { changes: old.changes };
  return { ...log, v: 1, id: mint.id(), epoch: 0, gen: 0, op: '', ttl: policy.ttlMs, overlap: policy.overlapMs };
}

function freshNext(nowMs: number, mint: Mint): NextSecret {
  return { secret: mint.secret(), since: nowMs };
}

function ringTtl(ring: RingBase, policy: Policy): number {
  return policy.sets?.ttlMs ?? Math.max(ring.ttl, policy.asks?.ttlMs ?? 0);
}

function ringOverlap(ring: RingBase, policy: Policy): number {
  return policy.sets?.overlapMs ?? Math.max(ring.overlap, policy.asks?.overlapMs ?? 0);
}

/** One more write of this ring, which also grants what this member asks for. Fields of a later version are kept. */
function amend(ring: Ring, policy: Policy, mint: Mint): Ring {
  const [ttl, overlap] = [ringTtl(ring, policy), ringOverlap(ring, policy)];
  return { ...ring, gen: ring.gen + 1, op: mint.id(), ttl, overlap };
}

function plan(name: PlanName, revokes: boolean, key: CurrentSecret | null, ring: Ring): Plan {
  return {
    name,
    revokes,
    unusableSecret: false,
    wanted: {
      key: key === null ? null : { value: key.secret, expiresAtMs: key.expiresAt },
      ring: { text: formatRing(ring), expiresAtMs: ringExpiresAt(ring) },
    },
  };
}
