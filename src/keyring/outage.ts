/**
 * Tracks whether the last request to the store succeeded. Reports each outage once.
 */

import { isRewtError, type StoreError } from '../errors.js';
import type { Clock } from '../time/clock.js';

/** Callbacks for outages. */
export interface OutageListener {
  /** The store could not be used; called once for each outage. */
  failed(error: unknown): void;
  recovered(outageMs: number): void;
  /** The server that answered may have been replaced; called once until another answer counts. */
  mayBeDeposed(error: StoreError): void;
}

export class Outage {
  readonly #clock: Clock;
  readonly #listener: OutageListener;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #sinceMs: number | null = null;
  #error: unknown = null;
  #waitsFor: 'replicas' | 'member' | null = null;

  constructor(clock: Clock, listener: OutageListener) {
    this.#clock = clock;
    this.#listener = listener;
  }

  /** Whether the store is still to answer after a failure. */
  get lasts(): boolean {
    return this.#sinceMs !== null;
  }

  /** The last failure of the store, which may be from another copy of rewt; null if it answered. */
  get error(): StoreError | null {
    const error = this.#error;
    return isRewtError(error) && error.status === 503 ? error : null;
  }

  /** How long ago the store failed; infinite if it has answered since. Milliseconds. */
  failedAgoMs(nowMs: number = this.#clock.monotonicMs()): number {
    return nowMs - this.#failedAtMs;
  }

  /** What the store waits for before its answers count, or count in full; null: nothing. */
  get waitsFor(): 'replicas' | 'member' | null {
    return this.#waitsFor;
  }

  mayBeDeposed(error: StoreError): void {
    if (this.#waitsFor === 'replicas') return;
    this.#waitsFor = 'replicas';
    this.#listener.mayBeDeposed(error);
  }

  failed(error: unknown): void {
    this.#error = error;
    if (this.error?.code === 'ERR_REWT_RING_AWAITED') this.#waitsFor = 'member';
    this.#failedAtMs = this.#clock.monotonicMs();
    if (this.#sinceMs !== null) return;
    this.#sinceMs = this.#failedAtMs;
    this.#listener.failed(error);
  }

  /** The store answered; `isBehind` if a member that only reads waits for another one. */
  answered(isBehind = false): void {
    this.#waitsFor = isBehind ? 'member' : null;
    this.#error = null;
    this.#failedAtMs = Number.NEGATIVE_INFINITY;
    if (this.#sinceMs === null) return;
    const outageMs = this.#clock.monotonicMs() - this.#sinceMs;
    this.#sinceMs = null;
    this.#listener.recovered(outageMs);
  }
}
