/** What `rotate()`, `revoke()` and a member that needs a longer `ttl` propose to the store, step by step, until there is nothing left to write. */

import { advance, type Policy, planRevocation, planRotation } from './advance.js';
import { type Errand, mint } from './exchange.js';
import { rotationRefused } from './refusals.js';

export interface Command extends Omit<Errand, 'pending' | 'mayBeDeposed'> {
  /** Why nothing was written, where that is the answer: what was read is as good as any other read. */
  refusal?(): Error | null;
}

/** Another secret signs now, and nothing is lost. Another member's rotation that came between counts as done. */
export function rotation(policy: () => Policy, force: boolean): Command {
  let before: string | undefined;
  let done = false;
  let refusal: Error | null = null;
  return {
    propose(seen, known) {
      refusal = null;
      // In an empty store whatever comes between is another member's.
      before ??= seen.ring?.current.secret ?? '';
      const plan = advance(seen, policy(), known, mint);
      if (plan !== null || seen.ring === null) return plan;
      if (done || seen.ring.current.secret !== before) return null;
      const planned = planRotation(seen, seen.ring, policy(), mint, force);
      if (typeof planned !== 'number') return planned;
      refusal = rotationRefused(planned, force);
      return null;
    },
    refusal: () => refusal,
    wrote(plan) {
      done ||= plan.name === 'rotation' || plan.name === 'late rotation';
    },
  };
}

/** The ring grants what `policy` asks for; no secret changes for it. */
export function grant(policy: Policy): Command {
  return { propose: (seen, known) => advance(seen, policy, known, mint) };
}

/** No secret of before verifies any more; repeated until this member's own swap is the one that did it. */
export function revocation(policy: () => Policy): Command {
  let done = false;
  return {
    replacesUnreadable: true,
    propose: (seen, known) =>
      done ? advance(seen, policy(), known, mint) : planRevocation(seen, policy(), known, mint),
    wrote(plan) {
      done ||= plan.revokes;
    },
  };
}
