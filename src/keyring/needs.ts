/** What a member needs of the ring: for its tokens once it signs, for its copy also if it only verifies (protocol.md, `overlap`). */

import type { Clock } from '../clock.js';
import type { Policy } from './advance.js';
import type { Ring } from './ring.js';

export type Asks = NonNullable<Policy['asks']>;

export class Needs {
  readonly #toSign: Policy & { readonly asks: Asks };
  readonly #toVerify: Policy & { readonly asks: Asks };
  readonly #clock: Clock;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #warned = false;
  readonly #onSigning: () => void;
  #signs = false;

  /** Calls `onSigning` each time that the member begins to sign. */
  constructor(policy: Policy & { readonly asks: Asks }, leastTtlMs: number, clock: Clock, onSigning = () => {}) {
    this.#onSigning = onSigning;
    this.#toSign = policy;
    this.#toVerify = { ...policy, asks: { ttlMs: leastTtlMs, overlapMs: 0 } };
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

  /** For every read: what its copy needs it asks for apart, so that no operation depends on a write. */
  get policy(): Policy {
    return this.signs ? this.#toSign : { ...this.#toSign, asks: null };
  }

  /** Asks for the `ttl` that a copy needs which grows as old as `maxStaleness`. */
  get policyToVerify(): Policy {
    return this.#toVerify;
  }

  /** What this member asks for, by what it does. */
  get asks(): Asks {
    return (this.signs ? this.#toSign : this.#toVerify).asks;
  }

  get leastTtlMs(): number {
    return this.#toVerify.asks.ttlMs;
  }

  letsSign(ring: Ring): boolean {
    return grants(ring, this.#toSign.asks);
  }

  /** Whether the ring lacks what the copy needs, and it is time to ask for it; true once in a `maxStaleness`. */
  wantsMore(ring: Ring): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (grants(ring, this.#toVerify.asks) || nowMs < this.#triedAtMs + this.#toVerify.maxStalenessMs) return false;
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

function grants(ring: Ring, { ttlMs, overlapMs }: Asks): boolean {
  return ring.ttl >= ttlMs && ring.overlap >= overlapMs;
}
