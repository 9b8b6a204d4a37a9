/**
 * What `rotate()`, `revoke()` and a member that needs a longer `ttl` propose to the store, step by
 * step, until there is nothing left to write.
 */

import { advance } from './advance.js';
import { planRevocation } from './begin-ring.js';
import { withChange } from './changes.js';
import type { Replaceable } from './contents-reader.js';
import { kidsOf } from './copy.js';
import { plainBesideStrict, rotationRefused } from './errors.js';
import { mint, type Task } from './exchange.js';
import { amend, type Context, createPlan, type Form, type Plan, type Seen } from './plan.js';
import type { Policy } from './policy.js';
import type { Ring } from './ring.js';
import { planRotation, planTimes } from './rotate-ring.js';
import { keyIdOf } from './sealing.js';

export interface Command extends Omit<Task, 'onPlan' | 'onUnproven' | 'onMayBeDeposed'> {
  /**
   * Why nothing was written, if that is the answer: what was read is as good as any other read.
   */
  refusal?(): Error | null;
}

export interface RotationOptions {
  readonly force: boolean;
  readonly reason: string | null;
}

/**
 * Another secret signs now, and nothing is lost. Another member's rotation that came between counts
 * as done.
 */
export function rotation(policy: () => Policy, options: RotationOptions): Command {
  let before: string | undefined;
  let done = false;
  let refusal: Error | null = null;
  return {
    decide(seen, history) {
      refusal = null;
      // In an empty store whatever comes between is another member's.
      before ??= seen.ring?.current.secret ?? '';
      const plan = advance(seen, { policy: policy(), history, mint });
      if (seen.ring === null) return plan;
      if (done || seen.ring.current.secret !== before) return plan;
      if (plan !== null) {
        if (plan.rotates !== 'own') return plan;
        // The schedule's rotation is the one that was called for: it is written with its entry in
        // the log.
        const logged = withChange(seen.ring, seen.nowMs, 'rotate', options.reason);
        return advance({ ...seen, ring: logged }, { policy: policy(), history, mint });
      }
      const planned = planRotation(seen, seen.ring, { policy: policy(), mint }, options);
      if (typeof planned !== 'number') return planned;
      refusal = rotationRefused(planned, options.force);
      return null;
    },
    refusal: () => refusal,
    onWritten(plan) {
      done ||= plan.rotates === 'own';
    },
  };
}

export interface TimesOptions {
  /** Null: as it is. */
  readonly ttlMs: number | null;
  readonly overlapMs: number | null;
  readonly reason: string | null;
  /** Throws for times that do not fit each other. */
  assertFit(after: Pick<Ring, 'ttl' | 'overlap'>): void;
}

/** The ring has other times, and no token is lost. */
export function times(
  policy: () => Policy,
  { ttlMs, overlapMs, reason, assertFit }: TimesOptions,
): Command & { before(): Ring | null } {
  let before: Ring | null = null;
  let done = false;
  let refusal: Error | null = null;
  return {
    decide(seen, history) {
      refusal = null;
      const plan = advance(seen, { policy: policy(), history, mint });
      if (done || plan !== null || seen.ring === null) return plan;
      const { ttl, overlap } = seen.ring;
      const sets = { ttlMs: ttlMs ?? ttl, overlapMs: overlapMs ?? overlap };
      assertFit({ ttl: sets.ttlMs, overlap: sets.overlapMs });
      const planned = planTimes(seen, seen.ring, { policy: { ...policy(), sets }, mint }, reason);
      if (typeof planned === 'number') {
        refusal = rotationRefused(planned, false);
        return null;
      }
      if (planned !== null) before = seen.ring;
      return planned;
    },
    refusal: () => refusal,
    onWritten(_plan, { ttl, overlap }) {
      // Not if only next was given another `since`. What another member needs more may be granted
      // since.
      done ||= ttl === (ttlMs ?? ttl) && overlap === (overlapMs ?? overlap);
    },
    before: () => before,
  };
}

export interface ResealOptions {
  readonly to: Form;
  /** A named member that takes no plain text; null for none. */
  readonly strict: string | null;
  readonly force: boolean;
  readonly reason: string | null;
}

/** What `reseal` found. */
export interface Before {
  readonly form: Form;
  readonly secret: string;
  readonly opening: boolean;
}

/**
 * The ring is under another seal key; no secret changes for it. From plain text it takes a
 * rotation. Into plain text it takes two calls: the first one announces it inside the sealed ring.
 */
export function reseal(policy: () => Policy, options: ResealOptions): Command & { before(): Before | null } {
  let before: Before | null = null;
  let done = false;
  let refusal: Error | null = null;
  return {
    decide(seen, history, form) {
      refusal = null;
      const context = { policy: policy(), history, mint };
      const due = advance(seen, context);
      if (seen.ring === null || form === null) return due;
      before ??= { form, secret: seen.ring.current.secret, opening: seen.ring.opening === true };
      if (done || (keyIdOf(form) === keyIdOf(options.to) && !seen.ring.opening)) return due;
      if (form === 'plain' && options.strict !== null) {
        refusal = plainBesideStrict(options.strict);
        return null;
      }
      const planned = form === 'plain' ? sealed(seen, seen.ring, due, context) : due;
      if (typeof planned === 'number') {
        refusal = rotationRefused(planned, options.force);
        return null;
      }
      return planned ?? (options.to === 'plain' ? opened(seen.ring, context) : resealed(seen.ring, context));
    },
    refusal: () => refusal,
    onWritten(plan) {
      done ||= plan.name === 'reseal' || (plan.form !== null && plan.form !== 'plain');
    },
    before: () => before,
  };

  /** What was plain text may be in a dump: a rotation, after which those secrets are known. */
  function sealed(seen: Seen, ring: Ring, due: Plan | null, context: Context): Plan | number {
    if (due !== null && due.rotates !== 'own') return due;
    const exposed = { ...seen, sealed: true, ring: { ...ring, exposed: [...kidsOf(ring), context.mint.id()] } };
    const planned =
      due === null
        ? planRotation(exposed, exposed.ring, context, options)
        : (advance(
            { ...exposed, ring: withChange(exposed.ring, seen.nowMs, 'rotate', options.reason) },
            context,
          ) as Plan);
    return typeof planned === 'number' || planned.rotates !== 'own' ? planned : { ...planned, form: options.to };
  }

  /** Takes the announcement of plain text back. */
  function resealed({ opening: _, ...ring }: Ring, context: Context): Plan {
    return { ...createPlan('reseal', false, false, amend(ring, context)), form: options.to };
  }

  function opened(ring: Ring, context: Context): Plan | null {
    if (!ring.opening) return createPlan('reseal', false, false, amend({ ...ring, opening: true }, context));
    if (options.strict !== null) return null;
    const { opening: _, exposed: __, current, ...rest } = ring;
    const { since: ___, ...plain } = current;
    return {
      ...createPlan('reseal', false, true, amend({ ...rest, current: plain }, context)),
      form: 'plain',
    };
  }
}

/** The ring grants what `policy` needs; no secret changes for it. */
export function grant(policy: Policy): Command {
  return { decide: (seen, history) => advance(seen, { policy, history, mint }) };
}

export interface RevocationOptions {
  readonly reason: string | null;
  /** What may be replaced although it cannot be read; null: nothing. */
  readonly replace: Replaceable | null;
}

/**
 * No secret of before verifies any more; repeated until this member's own swap is the one that did
 * it.
 */
export function revocation(policy: () => Policy, { reason, replace }: RevocationOptions): Command {
  let done = false;
  return {
    replace,
    isUrgent: true,
    decide(seen, history) {
      const context = { policy: policy(), history, mint };
      return done ? advance(seen, context) : planRevocation(seen, context, reason);
    },
    onWritten(plan) {
      done ||= plan.revokes;
    },
  };
}
