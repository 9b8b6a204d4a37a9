/**
 * The one decision of the protocol: what a member does with what it read (protocol.md, "Decisions
 * of a member").
 *
 * Pure: the store's clock comes with the snapshot, randomness comes from `mint`, and nothing is
 * remembered but `history`.
 */

import { begin, revoke, revokeAgain } from './begin-ring.js';
import { asLastSeen, distrust, expectRevocation, type History, isRolledBack, remember } from './history.js';
import type { Context, Plan, Seen } from './plan.js';
import { leadIn, toleranceIn } from './policy.js';
import type { Ring } from './ring.js';
import { adoptRotation, reschedule, rotate } from './rotate-ring.js';

/**
 * The first row of protocol.md's table that fits, as a plan to write; null if the ring may be
 * used as it is.
 */
export function advance(seen: Seen, context: Context): Plan | null {
  const { policy, history } = context;
  const { nowMs, key, ring } = seen;
  if (ring === null) return begin(seen, context);
  if (isRolledBack(ring, history)) return revokeAgain(seen, ring, context); // row 1

  const due = nowMs >= ring.current.expiresAt - toleranceIn(ring, policy);
  const late = () => rotate('late rotation', seen, asLastSeen(ring, history), context);
  switch (key.role) {
    case 'none':
      // Rows 5 and 8: K ended on schedule if it is due; before that, an operator deleted it.
      return due ? late() : revoke('brake', seen, ring, context);
    case 'next':
      return late(); // row 5
    case 'current': {
      const expiresAt = key.expiresAtMs ?? ring.current.expiresAt;
      return nowMs >= expiresAt - leadIn(ring, policy)
        ? rotate('rotation', seen, ring, context) // row 6
        : reschedule(key, ring, context); // row 7
    }
    default:
      // Row 9: an old rewt member puts a secret only if none is left, and always with a TTL. All
      // else is an operator's: row 10.
      return due && key.secret !== null && key.expiresAtMs !== null
        ? adoptRotation(seen, asLastSeen(ring, history), { secret: key.secret, expiresAt: key.expiresAtMs }, context)
        : revoke('brake', seen, ring, context);
  }
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
