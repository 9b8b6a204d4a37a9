/**
 * What a member needs of the ring: for its tokens once it signs, for its copy also if it only
 * verifies (protocol.md, `overlap`).
 */

import type { Clock } from '../time/clock.js';
import type { Policy, RingTimes } from './policy.js';
import type { Ring } from './ring.js';

export class Needs {
  readonly #toSign: Policy & { readonly minimums: RingTimes };
  readonly #toVerify: Policy & { readonly minimums: RingTimes };
  readonly #clock: Clock;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #warned = false;
  readonly #onSigning: () => void;
  #signs = false;

  /** Calls `onSigning` each time that the member begins to sign. */
  constructor(policy: Policy & { readonly minimums: RingTimes }, minTtlMs: number, clock: Clock, onSigning = () => {}) {
    this.#onSigning = onSigning;
    this.#toSign = policy;
    this.#toVerify = { ...policy, minimums: { ttlMs: minTtlMs, overlapMs: 0 } };
    this.#clock = clock;
  }

  /** Whether this member signs, so that the ring has to grant what its tokens need. */
  get signs(): boolean {
    return this.#signs;
  }

  set signs(signs: boolean) {
    const begins = signs && !this.#signs;
    this.#signs = signs;
    if (begins) this.#onSigning();
  }

  /**
   * For every read: a separate write gets what its copy needs, so that no operation depends on a
   * write.
   */
  get policy(): Policy {
    return this.signs ? this.#toSign : { ...this.#toSign, minimums: null };
  }

  /** Asks for the `ttl` that a copy needs which grows as old as `maxStaleness`. */
  get policyToVerify(): Policy {
    return this.#toVerify;
  }

  /** The times that this member needs, by what it does. */
  get minimums(): RingTimes {
    return (this.signs ? this.#toSign : this.#toVerify).minimums;
  }

  get minTtlMs(): number {
    return this.#toVerify.minimums.ttlMs;
  }

  letsSign(ring: Ring): boolean {
    return grants(ring, this.#toSign.minimums);
  }

  /**
   * Whether the ring lacks what the copy needs, and it is time to request it; true once in a
   * `maxStaleness`.
   */
  wantsMore(ring: Ring): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (grants(ring, this.#toVerify.minimums) || nowMs < this.#triedAtMs + this.#toVerify.maxStalenessMs) return false;
    this.#triedAtMs = nowMs;
    return true;
  }

  /** True the first time: a member warns once of what it cannot have. */
  firstRefusal(): boolean {
    const isFirst = !this.#warned;
    this.#warned = true;
    return isFirst;
  }
}

function grants(ring: Ring, { ttlMs, overlapMs }: RingTimes): boolean {
  return ring.ttl >= ttlMs && ring.overlap >= overlapMs;
}
