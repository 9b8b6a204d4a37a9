/** What the answer to a command says, held against what happened. */

import type { Ledger } from './ledger.js';
import type { Errand, Shown } from './shown.js';

/** So many retired secrets may leave too little room for the schedule. */
const MANY_RETIRED = 16;

/**
 * What a command's answer says that is not so; null: it is. `code` is its error, null if it was
 * done.
 */
export function untrue(
  { verb, force, fromMs, hasRevoked }: Errand,
  code: string | null,
  { newestRing, times }: Shown,
  { turnedAtMs, clock }: Ledger,
  nowMs: number,
): string | null {
  if (code === null) {
    if (verb === 'revoke') return hasRevoked ? null : 'says that it revoked, and wrote no revocation';
    // Another member's rotation that came between counts as done.
    return verb === 'set' || turnedAtMs >= fromMs ? null : 'says that it rotated, and the secret is the same';
  }
  if (code !== 'ERR_REWT_ROTATION_REFUSED' || newestRing === null) return null;
  // While next is younger than the caller's maxStaleness, and while the schedule would run out of
  // room.
  const wasMs = clock.nowMs() - (nowMs - fromMs) - newestRing.next.since;
  const isYoung = !force && (wasMs < times.maxStalenessMs || clock.shiftedAtMs >= fromMs);
  return isYoung || newestRing.retired.length > MANY_RETIRED ? null : 'is refused, and next is old enough';
}
