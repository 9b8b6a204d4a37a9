/**
 * The one decision of the protocol: what a member does with what it read (protocol.md, "Decisions
 * of a member").
 *
 * Pure: the store's clock comes with the snapshot, randomness comes from `mint`, and nothing is
 * remembered but `history`.
 */

import { begin, revoke, revokeAgain } from './begin-ring.js';
import { asLastSeen, distrust, expectRevocation, type History, remember } from './history.js';
import { type Context, isOld, isReported, type Plan, type Seen } from './plan.js';
import { leadIn, toleranceIn } from './policy.js';
import type { Ring } from './ring.js';
import { adoptRotation, endOf, reschedule, restoreMark, rotate } from './rotate-ring.js';

/**
 * The first row of protocol.md's table that fits, as a plan to write; null if the ring may be
 * used as it is.
 */
export function advance(seen: Seen, context: Context): Plan | null {
  const { policy, history } = context;
  const { nowMs, key, ring } = seen;
  if (ring === null) return begin(seen, context);
  if (isOld(seen, ring, history)) return revokeAgain(seen, ring, context); // row 1

  const due = nowMs >= ring.current.expiresAt - toleranceIn(ring, policy);
  const rotated = (name: 'rotation' | 'late rotation') => rotate(name, seen, asLastSeen(ring, history), context);
  switch (key.role) {
    case 'none':
      // Rows 5 and 8: K ended on schedule if it is due; before that, an operator deleted it.
      return due ? rotated('late rotation') : revoke('brake', seen, ring, context);
    case 'next':
      return rotated('late rotation'); // row 5
    case 'current':
    case 'unmarked':
      if (nowMs >= endOf(seen, ring) - leadIn(ring, policy)) return rotated('rotation'); // row 6
      return key.role === 'current' ? reschedule(seen, ring, context) : restoreMark(ring, context); // row 7
    default:
      return due && key.expiresAtMs !== null
        ? replacedOnTime(seen, asLastSeen(ring, history), key.expiresAtMs, context)
        : revoke('brake', seen, ring, context); // row 10
  }
}

/**
 * Row 9: an old rewt member puts a secret only if none is left, and always with a TTL. A sealed
 * ring adopts none, and goes on with its own. All else is an operator's: row 10.
 */
function replacedOnTime(seen: Seen, ring: Ring, expiresAt: number, context: Context): Plan {
  const { role, secret } = seen.key;
  if (secret !== null) return adoptRotation(seen, ring, { secret, expiresAt }, context);
  if (!seen.sealed || role === 'revoked') return revoke('brake', seen, ring, context);
  return { ...rotate('late rotation', seen, ring, context), unusableSecret: isReported(seen.key) };
}

/** What a member knows once it has read a ring and decided on a plan for it. */
export function historyAfter(history: History, ring: Ring, plan: Plan | null): History {
  // Neither branch of what the store held is trusted again.
  if (plan?.distrusts) return distrust(history.ring === null ? history : distrust(history, history.ring), ring);
  const seen = remember(history, ring);
  // Not for revoke(): its caller gets the error, and a write that was given up must not happen
  // later.
  return plan?.staysDue ? expectRevocation(seen, ring) : seen;
}
