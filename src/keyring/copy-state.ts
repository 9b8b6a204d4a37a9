/** A member's copy of the keyring, and the rules by which answers of the store change it. */

import { type Copy, createCopy } from './copy.js';
import type { Settled } from './exchange.js';
import { type Instant, isPast, type Lease, type PastEnds, pastEnds, type Reading } from './lease.js';
import type { Plan, Seen } from './plan.js';
import type { Ring } from './ring.js';

/** Callbacks for changes of a copy. */
export interface CopyStateListener {
  /**
   * The copy is another one; `ownPlan` is the plan of this member that revoked, or rotated to what
   * signs now.
   */
  changed(ring: Ring, before: Ring, ownPlan: Plan | null): void;
  unusableSecret(): void;
  /** There is a plain ring where this member takes sealed ones only: it revokes. */
  plainRing(): void;
}

/** What a read showed beside the ring. */
type Shown = Pick<Lease, 'sent' | 'reading' | 'isBehind'>;

export class CopyState {
  readonly #listener: CopyStateListener;
  readonly #nextSequence: () => number;
  readonly #planOf: (ring: Ring, before: Ring) => Plan | null;
  #lease: Lease | null = null;
  /** The last copy, also without a lease: what changes are compared with. */
  #copy: Copy | null = null;
  /** The newest read whose answer was taken. What it showed, and whether that has to be revoked. */
  #newest: { readonly sequence: number; readonly version: string; readonly revokes: boolean } | null = null;
  #staleSince = 0;
  /** Of retired secrets, by the store's clock: should it jump back, they do not verify again. */
  #pastEnds: PastEnds = new Map();
  #ended = false;

  /**
   * `nextSequence` numbers instants. `planOf` returns the plan of this member that turned one ring
   * into another.
   */
  constructor(
    nextSequence: () => number,
    planOf: (ring: Ring, before: Ring) => Plan | null,
    listener: CopyStateListener,
  ) {
    this.#nextSequence = nextSequence;
    this.#planOf = planOf;
    this.#listener = listener;
  }

  get lease(): Lease | null {
    return this.#lease;
  }

  /** The lease, unless something may have happened since its read was sent. */
  get validLease(): Lease | null {
    const lease = this.#lease;
    return lease === null || lease.sent.sequence < this.#staleSince ? null : lease;
  }

  /** The ring of the last copy, usable or not. */
  get ring(): Ring | null {
    return this.#copy?.ring ?? null;
  }

  /**
   * The version that the store had in the newest read whose answer was taken; null if there was
   * none.
   */
  get version(): string | null {
    return this.#newest?.version ?? null;
  }

  /** A lease with an earlier sequence number is stale. */
  get staleSince(): number {
    return this.#staleSince;
  }

  /** Something may have happened that the copy does not show. */
  markStale(): void {
    this.#staleSince = this.#nextSequence();
  }

  /**
   * Takes over what was read without renewing the lease: its plan is not written yet, or (without a
   * plan) the server that showed it may have been replaced. What was revoked is gone at once.
   */
  onPlan(
    plan: Plan | null,
    seen: Pick<Seen, 'nowMs' | 'ring'> & Partial<Pick<Seen, 'isForeign'>>,
    sent: Instant,
    version: string,
    mayBeDeposed = false,
  ): void {
    if (this.#ended) return;
    if (plan?.unusableSecret) this.#listener.unusableSecret();
    if (plan?.staysDue && seen.isForeign && seen.ring === null) this.#listener.plainRing();
    // The store does not show a revoke(): if that fails, what was read before goes on.
    const isToRevoke = plan?.revokes === true && !plan.isCalledFor;
    if (!this.#counts(sent, seen.ring, null)) {
      this.markStale();
      // What has to be revoked counts whenever its read was sent: the exchange took it for proven.
      if (!isToRevoke) return;
    }
    this.#takeFor(sent, version, isToRevoke);
    if (plan?.revokes) this.#lease = null;
    else if (this.#lease !== null && seen.ring !== null) {
      // The store's clock may have been set since the lease's own read; that of a deposed master is
      // another one.
      const reading = mayBeDeposed ? this.#lease.reading : { storeMs: seen.nowMs, sent };
      this.#take(seen.ring, { ...this.#lease, reading });
    }
  }

  /**
   * Takes an answer of which nothing is left to decide, if it still counts; gives the lease that it
   * makes.
   */
  renew({ ring, storeMs, sent, version, replaced, isBehind }: Settled): Lease {
    const reading = { storeMs, sent };
    if (this.#counts(sent, ring, replaced)) {
      this.#takeFor(sent, version, false);
      return this.#take(ring, { sent, reading, isBehind });
    }
    if (this.#confirms(sent, version)) {
      return this.#take(ring, { sent, reading: laterOf(reading, this.#lease), isBehind });
    }
    // A read sent after this write may have been answered before it was done.
    if (replaced !== null) this.markStale();
    return this.#leaseOn(createCopy(ring), { sent, reading, isBehind });
  }

  /** Lets go of the copy; nothing counts any more. */
  end(): void {
    this.#ended = true;
    this.#lease = null;
  }

  /**
   * Decides whether an answer is taken: none that was sent later was, or it shows a later ring. A
   * command and a refresh may overlap, and be carried out in another order than they were sent.
   */
  #counts(sent: Instant, ring: Ring | null, replaced: string | null): boolean {
    if (this.#ended) return false;
    if (sent.sequence >= (this.#newest?.sequence ?? 0)) return true;
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

  /**
   * Whether an older answer shows what the newest one did, so that it proves a lease as good as its
   * own age; not if that has to be revoked.
   */
  #confirms(sent: Instant, version: string): boolean {
    if (this.#ended || this.#newest?.version !== version || this.#newest.revokes) return false;
    return this.#lease === null || this.#lease.sent.sequence < sent.sequence;
  }

  #takeFor({ sequence }: Instant, version: string, revokes: boolean): void {
    this.#newest = { sequence: Math.max(sequence, this.#newest?.sequence ?? 0), version, revokes };
  }

  #leaseOn(copy: Copy, { sent, reading, isBehind }: Shown): Lease {
    return { copy, keys: copy.keys.filter((key) => !isPast(key, this.#pastEnds)), reading, sent, isBehind };
  }

  /**
   * Takes over a ring's contents. Kids and keys are derived only if it is another one. The listener
   * is called last, when the state is complete.
   */
  #take(ring: Ring, shown: Shown): Lease {
    const before = this.#copy;
    const copy = before?.ring === ring ? before : createCopy(ring);
    const lease = this.#leaseOn(copy, shown);
    this.#copy = copy;
    this.#lease = lease;
    this.#pastEnds = pastEnds(lease, this.#pastEnds);
    if (before !== null && before !== copy) this.#listener.changed(ring, before.ring, this.#planOf(ring, before.ring));
    return lease;
  }
}

/** The reading of the store's clock that was sent for last. */
function laterOf(reading: Reading, lease: Lease | null): Reading {
  return lease !== null && lease.reading.sent.sequence > reading.sent.sequence ? lease.reading : reading;
}
