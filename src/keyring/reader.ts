/**
 * The decisions of a member that only reads, in place of a write (protocol.md, "A member that only
 * reads").
 */

import type { StoreError } from '../errors.js';
import { ringAwaited } from './errors.js';
import type { Plan, Seen } from './plan.js';

/**
 * Returns the plan only if the ring must not be used before a member has written it. What a
 * rotation or new times change can wait: the ring itself says until when its secrets verify.
 */
export function planToAwait(plan: Plan | null, { ring }: Pick<Seen, 'ring'>): Plan | null {
  return ring === null || plan?.revokes ? plan : null;
}

export class Reader {
  /** The write of the ring beside which a plan that revokes was found last. */
  #revokedOp: string | null = null;

  /**
   * Returns why what was read cannot be used; null if it can. A ring that was to be revoked stays
   * unusable until a member has written another one, even if K is put back.
   *
   * @param plan as `planToAwait` returned it
   */
  judge(plan: Plan | null, { ring, isForeign }: Pick<Seen, 'ring' | 'isForeign'>): StoreError | null {
    if (ring === null) return ringAwaited(isForeign ? 'revoke' : 'begin');
    if (plan?.revokes) this.#revokedOp = ring.op;
    return ring.op === this.#revokedOp ? ringAwaited('revoke') : null;
  }
}
