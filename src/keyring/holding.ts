/** What a member holds: its copy of the keyring, and which answers of the store may change it. */

import type { Plan, Seen } from './advance.js';
import { type Copy, createCopy } from './copy.js';
import type { Settled } from './exchange.js';
import { type Instant, isPast, type Lease, type PastEnds, pastEnds, type Reading } from './lease.js';
import type { Ring } from './ring.js';

/** What is told of a copy. */
export interface HoldingListener {
  /** The copy is another one; `wrote` is the plan where this member wrote it. */
  changed(ring: Ring, before: Ring, wrote: Plan | null): void;
  unusableSecret(): void;
}

export class Holding {
  readonly #listener: HoldingListener;
  readonly #nextOrder: () => number;
  readonly #planOf: (ring: Ring) => Plan | null;
  #lease: Lease | null = null;
  /** The last copy, also without a lease: what changes are compared with. */
  #copy: Copy | null = null;
  /** The newest read whose answer was taken. What it showed, and whether that has to be revoked. */
  #newest: { readonly order: number; readonly version: string; readonly revokes: boolean } | null = null;
  #suspectSince = 0;
  /** Of retired secrets, by the store's clock: should it jump back, they do not verify again. */
  #pastEnds: PastEnds = new Map();
  #ended = false;

  /** `nextOrder` numbers instants; `planOf` gives the plan that wrote a ring, if it is of an exchange that has not come to its end. */
  constructor(nextOrder: () => number, planOf: (ring: Ring) => Plan | null, listener: HoldingListener) {
    this.#nextOrder = nextOrder;
    this.#planOf = planOf;
    this.#listener = listener;
  }

  get lease(): Lease | null {
    return this.#lease;
  }

  /** The ring of the last copy, usable or not. */
  get ring(): Ring | null {
    return this.#copy?.ring ?? null;
  }

  /** The version that the store had in the newest read whose answer was taken; null if there was none. */
  get version(): string | null {
    return this.#newest?.version ?? null;
  }

  /** A lease from before this order is suspect: something happened since. */
  get suspectSince(): number {
    return this.#suspectSince;
  }

  /** Something may have happened that the copy does not show. */
  suspect(): void {
    this.#suspectSince = this.#nextOrder();
  }

  /**
   * Takes over what was read without renewing the lease: its plan is not written yet, or (without a plan) the server that
   * showed it may have been replaced. What was revoked is gone at once.
   */
  pending(plan: Plan | null, seen: Seen, sent: Instant, version: string, mayBeDeposed = false): void {
    if (this.#ended) return;
    if (plan?.unusableSecret) this.#listener.unusableSecret();
    // The store does not show a revoke(): if that fails, what was read before goes on.
    const isToRevoke = plan?.revokes === true && plan.name !== 'revocation';
    if (!this.#counts(sent, seen.ring, null)) {
      this.suspect();
      // What has to be revoked counts whenever its read was sent: the exchange took it for proven.
      if (!isToRevoke) return;
    }
    this.#takeFor(sent, version, isToRevoke);
    if (plan?.revokes) this.#lease = null;
    else if (this.#lease !== null && seen.ring !== null) {
      // The store's clock may have been set since the lease's own read; that of a deposed master is another one.
      const reading = mayBeDeposed ? this.#lease.reading : { storeMs: seen.nowMs, sent };
      this.#take(seen.ring, this.#lease.sent, reading, null);
    }
  }

  /** Takes an answer of which nothing is left to decide, if it still counts; gives the lease that it makes. */
  renew({ ring, storeMs, sent, version, wrote, replaced }: Settled): Lease {
    const reading = { storeMs, sent };
    if (this.#counts(sent, ring, replaced)) {
      this.#takeFor(sent, version, false);
      return this.#take(ring, sent, reading, wrote);
    }
    if (this.#confirms(sent, version)) return this.#take(ring, sent, laterOf(reading, this.#lease), wrote);
    // A read sent after this write may have been answered before it was done.
    if (wrote !== null) this.suspect();
    return this.#leaseOn(createCopy(ring), sent, reading);
  }

  /** Lets go of the copy; nothing counts any more. */
  end(): void {
    this.#ended = true;
    this.#lease = null;
  }

  /**
   * Decides whether an answer is taken: none that was sent later was, or it shows a later ring. A command and a refresh
   * may overlap, and be carried out in another order than they were sent.
   */
  #counts(sent: Instant, ring: Ring | null, replaced: string | null): boolean {
    if (this.#ended) return false;
    if (sent.order >= (this.#newest?.order ?? 0)) return true;
    // A write of this member that replaced what the newest answer shows was carried out after it.
    if (replaced !== null && replaced === this.#newest?.version) return true;
    // Nothing that was read before brings back what is to be revoked.
    if (this.#newest?.revokes) return false;
    const held = this.ring;
    if (held === null || ring === null) return false;
    // Of a lineage that was left, only an own write comes here, maybe the older one.
    if (ring.id !== held.id) return replaced === null;
    if (ring.epoch !== held.epoch) return ring.epoch > held.epoch;
    return ring.rev === held.rev && ring.gen > held.gen;
  }

  /** Whether an older answer shows what the newest one did, so that it proves a lease as good as its own age; not if that has to be revoked. */
  #confirms(sent: Instant, version: string): boolean {
    if (this.#ended || this.#newest?.version !== version || this.#newest.revokes) return false;
    return this.#lease === null || this.#lease.sent.order < sent.order;
  }

  #takeFor({ order }: Instant, version: string, revokes: boolean): void {
    this.#newest = { order: Math.max(order, this.#newest?.order ?? 0), version, revokes };
  }

  #leaseOn(copy: Copy, sent: Instant, reading: Reading): Lease {
    return { copy, keys: copy.keys.filter((key) => !isPast(key, this.#pastEnds)), reading, sent };
  }

  /** Takes over a ring's contents; kids and keys are derived only where it is another one. Told last: who is told finds it done. */
  #take(ring: Ring, sent: Instant, reading: Reading, wrote: Plan | null): Lease {
    const before = this.#copy;
    const copy = before?.ring === ring ? before : createCopy(ring);
    const lease = this.#leaseOn(copy, sent, reading);
    this.#copy = copy;
    this.#lease = lease;
    this.#pastEnds = pastEnds(lease, this.#pastEnds);
    if (before !== null && before !== copy) this.#listener.changed(ring, before.ring, wrote ?? this.#planOf(ring));
    return lease;
  }
}

/** The reading of the store's clock that was sent for last. */
function laterOf(reading: Reading, lease: Lease | null): Reading {
  return lease !== null && lease.reading.sent.order > reading.sent.order ? lease.reading : reading;
}
