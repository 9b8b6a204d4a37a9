/**
 * A process' part in a namespace: a copy of the keyring with a lease (protocol.md, "A member's
 * copy").
 */

import { detached } from '../async/detached.js';
import { within } from '../async/race.js';
import { SingleFlight } from '../async/single-flight.js';
import type { StoreError } from '../errors.js';
import type { AcknowledgedBy, PushStatus } from '../stores/store.js';
import type { Clock } from '../time/clock.js';
import { ChangeListener } from './change-listener.js';
import type { Command } from './commands.js';
import { type CopyKey, signingKey } from './copy.js';
import { CopyState } from './copy-state.js';
import { closed, copyNotFresh, timedOut, unavailable } from './errors.js';
import { Exchange } from './exchange.js';
import { type Instant, type Lease, leaseAgeMs, storeNowMs } from './lease.js';
import type { MemberOptions } from './member-options.js';
import { Needs } from './needs.js';
import { Outage } from './outage.js';
import type { Policy, RingTimes } from './policy.js';
import { Reader } from './reader.js';
import { Renewal } from './renewal.js';
import { hasChange, type Ring } from './ring.js';
import { keyIdOf } from './sealing.js';

/**
 * How soon after a failure the next attempt is one of the ten a second, if there is no copy to
 * go on with.
 */
const PAUSE_AFTER_FAILURE_MS = 100;

export class Member {
  /**
   * Returns this instant: a lease whose read came after it knows all that had happened by now, and
   * no operation that began now outlives the store timeout.
   */
  readonly now: () => Instant;
  readonly #options: MemberOptions;
  readonly #clock: Clock;
  readonly #exchange: Exchange;
  readonly #reads: SingleFlight;
  readonly #renewal: Renewal;
  readonly #changes: ChangeListener;
  readonly #copyState: CopyState;
  readonly #outage: Outage;
  readonly #needs: Needs;
  /**
   * Whether the store can show by a look that the copy is what a read would give (protocol.md, "A
   * look").
   */
  readonly #looks: boolean;
  #closed = false;

  constructor(options: MemberOptions) {
    const { store, namespace, clock, pushOff } = options;
    this.#options = options;
    this.#clock = clock;
    this.#looks = store.local && store.isUnchanged !== undefined;
    const reader = options.readOnly ? new Reader() : null;
    this.#exchange = new Exchange(store, namespace, options.storeTimeoutMs, clock, options.sealing, reader);
    this.now = this.#exchange.instant;
    this.#changes = new ChangeListener({
      store,
      namespace,
      clock,
      off: pushOff,
      onChange: () => this.#readAfterChange(),
    });
    const nextSequence = () => this.now().sequence;
    const planOf = this.#exchange.planOf.bind(this.#exchange);
    this.#copyState = new CopyState(nextSequence, planOf, options.listener);
    this.#outage = new Outage(clock, options.listener);
    this.#needs = new Needs(options.policy, options.minTtlMs, clock, () => options.listener.signing());
    const renewed = { copyState: this.#copyState, outage: this.#outage, needs: this.#needs, changes: this.#changes };
    this.#renewal = new Renewal(options, this.#exchange, renewed);
    this.#reads = new SingleFlight(clock, nextSequence, () => this.#renewal.refresh());
  }

  /**
   * The copy, if it can be used without waiting; keeps a busy member's copy young by refreshing
   * ahead.
   */
  freshLease(now: Instant, softAgeMs = this.#options.softAgeMs): Lease | null {
    const lease = this.#copyState.validLease;
    if (lease === null || this.#closed) return null;
    const ageMs = leaseAgeMs(lease, now);
    const freshMs = this.#looks ? this.#options.syncSoftAgeMs : softAgeMs;
    if (ageMs >= freshMs || (this.#looks && !this.#isUnchanged())) return null;
    if (ageMs * 2 >= freshMs && this.#outage.failedAgoMs(now.monotonicMs) >= this.#options.retryMs) {
      this.#refreshAhead();
    }
    return lease;
  }

  /** The same for signing, if the ring is known to grant what this member's tokens need. */
  freshSigningLease(now: Instant, softAgeMs?: number): Lease | null {
    const lease = this.freshLease(now, softAgeMs);
    if (lease === null || !this.#needs.letsSign(lease.copy.ring)) return null;
    // What the ring grants already needs no write.
    this.#needs.signs = true;
    return lease;
  }

  get syncSoftAgeMs(): number {
    return this.#options.syncSoftAgeMs;
  }

  /**
   * Why there is nothing to use without waiting. The store is read meanwhile, for `verb`, so that
   * the next call may find it fresh.
   */
  refreshForSync(verb: 'sign' | 'verify'): StoreError {
    if (this.#closed) return closed();
    const now = this.now();
    if (verb === 'sign') this.#needs.signs = true;
    this.#reads.paced(now.sequence).catch(() => {
      // The listener reports it, and callers that wait get it. A need that cannot be written must
      // not keep this member from verifying.
      if (verb === 'sign') this.#needs.signs = false;
    });
    return copyNotFresh(verb);
  }

  /**
   * The copy, after a refresh if one is due. A store that cannot be read is survived until
   * `maxStaleness`.
   * @throws {StoreError} if there is no copy that may be used.
   */
  async lease(arrived: Instant): Promise<Lease> {
    this.#assertOpen();
    const held = this.#usable();
    const failedAgoMs = this.#outage.failedAgoMs();
    // After a timeout, operations do not wait for the store again; it is read in the background
    // until it answers.
    const isBeingRead = this.#outage.lasts && this.#reads.isRunning;
    if (held !== null && (isBeingRead || failedAgoMs < 2 * this.#options.retryMs)) {
      if (failedAgoMs >= this.#options.retryMs) this.#refreshAhead();
      return held;
    }
    // A copy that is never fresh (strict, or a store next door) is as good as a separate read for
    // each operation.
    const after = this.#options.softAgeMs === 0 ? arrived.sequence : this.#copyState.staleSince;
    try {
      // A store that has just failed is read ten times a second, not as often as it can refuse.
      const read = failedAgoMs < PAUSE_AFTER_FAILURE_MS ? this.#reads.paced() : this.#reads.after(after);
      return await this.#leaseAfter(read, arrived);
    } catch (error) {
      const old = this.#usable();
      if (old === null) throw error;
      return old;
    }
  }

  /**
   * The copy for signing: one whose ring grants what this member's tokens need (protocol.md,
   * `overlap`).
   * @throws {StoreError} also if the ring does not grant it and cannot be made to.
   */
  async signingLease(arrived: Instant): Promise<Lease> {
    let lease = this.freshLease(arrived) ?? (await this.lease(arrived));
    this.#needs.signs = true;
    if (this.#needs.letsSign(lease.copy.ring)) return lease;
    try {
      lease = await this.#leaseAfter(this.#reads.after(this.now().sequence), arrived);
    } catch (error) {
      const held = this.#usable();
      if (held !== null && this.#needs.letsSign(held.copy.ring)) return held;
      // What the ring cannot grant must not keep this member from verifying.
      this.#needs.signs = false;
      throw error;
    }
    if (!this.#needs.letsSign(lease.copy.ring)) throw unavailable();
    return lease;
  }

  /**
   * A copy read after `arrived`, for a token whose secret the present one does not have. Shared and
   * rate limited.
   * A read that fails, because what is due could not be written, may have brought the secret: then
   * the copy `settles` the token.
   * @throws {StoreError} if it cannot be read: the token may be good, so this is never
   * "invalid".
   */
  async leaseReadAfter(arrived: Instant, settles: (lease: Lease) => boolean = () => false): Promise<Lease> {
    this.#assertOpen();
    const held = this.#usableOnceRead();
    if (held !== null && held.sent.sequence > arrived.sequence) return held;
    try {
      return await this.#leaseAfter(this.#reads.paced(arrived.sequence), arrived);
    } catch (error) {
      const old = this.#usable();
      if (old === null || !settles(old)) throw error;
      return old;
    }
  }

  /**
   * Settles as `work` does, or rejects with `late()` once an operation that came with `arrived` has
   * waited for as long as it may.
   */
  inTime<T>(arrived: Instant, work: Promise<T>, late: () => Error): Promise<T> {
    const leftMs = arrived.monotonicMs + this.#options.storeTimeoutMs - this.#clock.monotonicMs();
    return within(leftMs, work, late, this.#clock);
  }

  signingKey(lease: Lease, now: Instant): CopyKey {
    return signingKey(lease.copy, storeNowMs(lease, now));
  }

  /**
   * Carries out what a caller wants of the keyring.
   *
   * @param command is made with what this member needs of the ring, at each step
   * @throws what the command is refused with; {StoreError}
   */
  async carryOut<Made extends Command>(
    command: (policy: () => Policy) => Made,
  ): Promise<{ lease: Lease; command: Made }> {
    this.#assertOpen();
    const made = command(() => this.#needs.policy);
    return { lease: await detached(() => this.#renewal.command(made)), command: made };
  }

  /** The ids of the seal keys that this member opens. */
  get sealKeys(): readonly string[] {
    return this.#options.sealing.ids;
  }

  /** The id of the seal key of the ring that was read last; null: plain text, or none was read. */
  get sealKeyId(): string | null {
    return keyIdOf(this.#options.sealing.form ?? 'plain');
  }

  /** What this member needs of the ring. */
  get needs(): RingTimes {
    return this.#needs.minimums;
  }

  /** How many replicas have what was written with this ring. */
  async acknowledged(written: Ring, how: Omit<AcknowledgedBy, 'hasChange'>): Promise<number | null> {
    const { store, namespace, sealing } = this.#options;
    const has = (ring: Ring | null): boolean => ring !== null && hasChange(ring, written);
    const wanted = { ...how, hasChange: (text: string) => has(sealing.ringIn(text)) };
    return (await detached(() => store.acknowledged?.(namespace, wanted))) ?? null;
  }

  /**
   * Whether this member saw that secret revoked, and its copy has no live one of that name. Without
   * a copy it cannot know.
   */
  hasRevoked(kid: string): boolean {
    const { lease } = this.#copyState;
    if (this.#closed || lease === null || lease.keys.some((key) => key.kid === kid)) return false;
    return this.#exchange.hasRevoked(kid);
  }

  /**
   * Refreshes a copy that is not fresh, for an answer that did not need it: what the store has lost
   * is found as soon as ever.
   */
  keepYoung(): void {
    if (this.freshLease(this.now()) !== null || this.#reads.isRunning) return;
    // Paced, because the copy of a strict member is never fresh.
    if (this.#outage.failedAgoMs() >= this.#options.retryMs) this.#reads.paced().catch(() => {});
  }

  /** Returns the copy without a read; null if there is none. */
  currentLease(): Lease | null {
    return this.#copyState.lease;
  }

  /** Returns what the store waits for before its answers count, or count in full; null: nothing. */
  waitsFor(): 'replicas' | 'member' | null {
    return this.#outage.waitsFor;
  }

  push(): PushStatus {
    return this.#changes.status();
  }

  close(): void {
    this.#closed = true;
    this.#renewal.end();
    this.#copyState.end();
    this.#changes.end();
  }

  #isUnchanged(): boolean {
    const { store, namespace } = this.#options;
    const { version } = this.#copyState;
    return version !== null && store.isUnchanged?.(namespace, version) === true;
  }

  /** A copy that the store's silence has not yet made worthless. */
  #usable(mostAgeMs = this.#options.policy.maxStalenessMs): Lease | null {
    const lease = this.#copyState.lease;
    return lease !== null && leaseAgeMs(lease, this.now()) < mostAgeMs ? lease : null;
  }

  /**
   * The same for an operation that has waited for a read: only then is there an age at which strict
   * mode uses a copy.
   */
  #usableOnceRead(): Lease | null {
    const { policy, storeTimeoutMs } = this.#options;
    return this.#usable(policy.maxStalenessMs === 0 ? storeTimeoutMs : policy.maxStalenessMs);
  }

  /**
   * The copy once `read` is done, and once more if it is older by then than a copy may be.
   * Waiting for a shared read counts too: no operation outlives the store timeout.
   */
  async #leaseAfter(read: Promise<void>, arrived: Instant): Promise<Lease> {
    for (let next = read; ; next = this.#reads.after(this.now().sequence)) {
      // The store's last error explains more than a timeout.
      await this.inTime(arrived, next, () => this.#outage.error ?? timedOut());
      this.#assertOpen();
      const lease = this.#usableOnceRead();
      if (lease !== null) return lease;
      if (this.#copyState.lease === null) throw unavailable();
    }
  }

  /**
   * Starts a refresh without waiting. The listener reports its failure, and the next caller that
   * waits gets it.
   */
  #refreshAhead(): void {
    if (!this.#reads.isRunning) this.#reads.after(this.#copyState.staleSince).catch(() => {});
  }

  /**
   * Reads the store at once: neither a message nor the loss of the connection that brings them is
   * an answer. Resolves to whether the copy changed.
   */
  async #readAfterChange(): Promise<boolean> {
    if (this.#closed) return false;
    this.#copyState.markStale();
    const before = this.#copyState.ring;
    try {
      await this.#reads.after(this.#copyState.staleSince);
      return this.#copyState.ring !== before;
    } catch {
      // The listener reports it, and a caller that needs the copy gets it.
      return false;
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw closed();
  }
}
