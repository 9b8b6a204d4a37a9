/**
 * The one decision of the protocol: what a member does with what it read (protocol.md, "Decisions
 * of a member").
 *
 * Pure: the store's clock comes with the snapshot, randomness comes from `mint`, and nothing is
 * remembered but `history`.
 */

import { begin, revoke, revokeAgain } from './begin-ring.js';
import { asLastSeen, distrust, expectRevocation, type History, isRolledBack, remember } from './history.js';
import { type Context, type Plan, type Seen, withoutRevoked } from './plan.js';
import { leadIn, toleranceIn } from './policy.js';
import type { Ring } from './ring.js';
import { reschedule, retire, rotate } from './rotate-ring.js';
import { isUsableSecret } from './secret.js';

/**
 * The first row of protocol.md's table that fits, as a plan to write; null if the ring may be
 * used as it is.
 */
export function advance(found: Seen, context: Context): Plan | null {
  const { policy, history } = context;
  const seen = withoutRevoked(found, history);
  const { nowMs, key, ring } = seen;
  if (ring === null) return begin(seen, context);
  if (isRolledBack(ring, history)) return revokeAgain(found, ring, context); // row 1

  const due = nowMs >= ring.current.expiresAt - toleranceIn(ring, policy);
  if (key === null) {
    // Rows 5 and 8: K ended on schedule if it is due; before that, an operator deleted it.
    const late = asLastSeen(ring, history);
    return due ? rotate('late rotation', seen, late, context) : revoke('brake', seen, ring, context);
  }
  if (key.value === ring.next.secret) {
    return rotate('late rotation', seen, asLastSeen(ring, history), context); // row 5
  }
  if (key.value === ring.current.secret) {
    const expiresAt = key.expiresAtMs ?? ring.current.expiresAt;
    return nowMs >= expiresAt - leadIn(ring, policy)
      ? rotate('rotation', seen, ring, context) // row 6
      : reschedule(key, ring, context); // row 7
  }
  // Row 9: an old rewt member puts a secret only if none is left, and always with a TTL. All
  // else is an operator's: row 10.
  if (due && key.expiresAtMs !== null && isUsableSecret(key.value)) {
    const adopted = { secret: key.value, expiresAt: key.expiresAtMs };
    const turn = { current: adopted, next: ring.next, key: null };
    return retire('foreign rotation', seen, asLastSeen(ring, history), turn, context);
  }
  return revoke('brake', seen, ring, context);
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
