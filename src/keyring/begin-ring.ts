/** The rows of protocol.md's table that begin a ring, or revoke all its secrets; and `revoke()`. */

import { type ChangeCause, withChange } from './changes.js';
import { highestEpoch, owesBrake } from './history.js';
import {
  amend,
  type Context,
  createPlan,
  currentFrom,
  freshNext,
  isOld,
  isReported,
  type Plan,
  type Seen,
  type SeenKey,
  type WriteContext,
} from './plan.js';
import { grantedTimes } from './policy.js';
import { type Ring, ringExpiresAt } from './ring.js';

/** The reason in the log of a ring that took the place of a plain one. */
const PLAIN_RING = 'a plain ring stood in place of a sealed one';
/** K counts as absent. */
const NO_KEY: SeenKey = { role: 'none', secret: null, expiresAtMs: null };

/**
 * What `revoke()` writes: every secret goes, whatever the ring was, also one that could not be read
 * (then `seen.ring` is null).
 */
export function planRevocation(seen: Seen, context: Context, reason: string | null = null): Plan {
  const emptied = { ...seen, key: NO_KEY };
  const { ring } = seen;
  if (ring === null) return revokeUnread('revocation', emptied, context, reason);
  return isOld(seen, ring, context.history)
    ? revokeAgain(emptied, ring, context, reason)
    : revoke('revocation', emptied, ring, context, reason);
}

/** A revocation of what is not the keyring: goes on with the known one, or begins a lineage. */
function revokeUnread(name: 'brake' | 'revocation', seen: Seen, context: Context, reason: string | null = null): Plan {
  const { history, mint } = context;
  // What could not be read may be the known keyring; a plain ring in place of a sealed one is not.
  if (history.ring !== null && seen.isForeign) {
    const epoch = highestEpoch(history.ring, history);
    return revoke(name, seen, { ...history.ring, epoch }, context, reason);
  }
  return start(name, true, seen, { ...blankRing(context), rev: mint.id() }, context, reason);
}

/**
 * Row 1: the store lost writes, a revocation perhaps among them. Nothing that it kept is trusted,
 * only what an operator put there since.
 */
export function revokeAgain(seen: Seen, ring: Ring, context: Context, reason: string | null = null): Plan {
  const { history, mint } = context;
  const epoch = highestEpoch(ring, history);
  // A lineage that was left is not entered again: under its name, every other member that left it
  // would revoke once more. Beside a sealed ring, this member may have forgotten that it did.
  const isOther = history.ring !== null && history.ring.id !== ring.id;
  const id = isOther && (seen.sealed || history.epochs.has(ring.id)) ? mint.id() : ring.id;
  const isHeld = (['current', 'next', 'retired', 'lost'] as const).some((role) => role === seen.key.role);
  const cause = owesBrake(ring, history) ? 'brake' : 'rollback';
  const trusted = isHeld ? { ...seen, key: NO_KEY } : seen;
  return revoke('rollback', trusted, { ...ring, id, epoch }, context, reason, cause);
}

/** Rows 2 to 4: there is no ring. A plain ring in place of a sealed one is the brake. */
export function begin(seen: Seen, context: Context): Plan {
  if (seen.isForeign) return revokeUnread('brake', { ...seen, key: NO_KEY }, context, PLAIN_RING);
  const { nowMs, key } = seen;
  const old = context.history.ring;
  if (key.role === 'current' && old !== null && nowMs < ringExpiresAt(old)) {
    return createPlan('repair', false, false, amend(old, context)); // row 3
  }
  // For a member that knew a ring, every secret in it is lost: a revocation.
  const base = blankRing(context);
  return start(key.role === 'none' ? 'bootstrap' : 'adopt', old !== null, seen, base, context);
}

/** Rows 1, 8 and 10, and `revoke()`: one epoch on, under a new name, with nothing of what was. */
export function revoke(
  name: 'rollback' | 'brake' | 'revocation',
  seen: Seen,
  ring: Ring,
  context: WriteContext,
  reason: string | null = null,
  cause = causeOf(name),
): Plan {
  // No secret of before is left, and the way back to plain text begins anew.
  const { opening: _, exposed: __, ...base } = ring;
  const begun = { ...base, epoch: ring.epoch + 1, rev: context.mint.id() };
  return start(name, true, seen, begun, context, reason, cause);
}

type Beginning = 'rollback' | 'bootstrap' | 'adopt' | 'brake' | 'revocation';

function causeOf(name: Beginning): ChangeCause {
  return name === 'revocation' ? 'revoke' : name;
}

/**
 * Begins anew on top of `base`: K's value signs if it is a usable one, else a fresh secret; nothing
 * is retired.
 */
function start(
  name: Beginning,
  revokes: boolean,
  seen: Seen,
  unlogged: RingBase,
  context: WriteContext,
  reason: string | null = null,
  cause = causeOf(name),
): Plan {
  const { nowMs, key } = seen;
  const base = revokes ? withChange(unlogged, nowMs, cause, reason) : unlogged;
  const { ttl } = grantedTimes(base, context.policy);
  const endMs = key.secret === null ? null : key.expiresAtMs;
  const current = currentFrom(seen, key.secret ?? context.mint.secret(), endMs ?? nowMs + ttl);
  const ring = { ...base, current, next: freshNext(nowMs, context), retired: [] };
  // A value that has a TTL stands as it is.
  const written = createPlan(name, revokes, endMs === null, amend(ring, context));
  return { ...written, unusableSecret: isReported(key) };
}

/** A ring without its secrets. */
type RingBase = Omit<Ring, 'current' | 'next' | 'retired'>;

/** Begins a lineage. The log goes on, as far as this member knows it. */
function blankRing({ policy, history: { ring: old }, mint }: Context): RingBase {
  const log = old?.changes === undefined ? {} : { changes: old.changes };
  return { ...log, v: 1, id: mint.id(), epoch: 0, gen: 0, op: '', ttl: policy.ttlMs, overlap: policy.overlapMs };
}
