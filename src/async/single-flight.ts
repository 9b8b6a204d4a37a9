/**
 * One read at a time: callers that may share a running one join it, callers that need a later one
 * share the next.
 */

import type { Clock } from '../time/clock.js';
import { detached } from './detached.js';

/**
 * At most ten shared reads a second for tokens whose secret is unknown (protocol.md, "Verifying"),
 * and for a store that has just failed.
 */
const MIN_PACED_INTERVAL_MS = 100;

export class SingleFlight {
  readonly #clock: Clock;
  readonly #nextSequence: () => number;
  readonly #run: () => Promise<void>;
  #running: { readonly sequence: number; readonly done: Promise<void> } | null = null;
  #queued: Promise<void> | null = null;
  /** The latest sequence number that a queued caller needs. */
  #queuedSequence = 0;
  #paced: Promise<void> | null = null;
  #pacedAtMs = Number.NEGATIVE_INFINITY;

  /**
   * `nextSequence` numbers instants; what `run` does counts as begun after the number that it was
   * started with.
   */
  constructor(clock: Clock, nextSequence: () => number, run: () => Promise<void>) {
    this.#clock = clock;
    this.#nextSequence = nextSequence;
    this.#run = run;
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  /**
   * Settles with a run that began after `sequence`: the running one if it did, else the next one.
   */
  after(sequence: number): Promise<void> {
    const running = this.#running;
    if (running === null) return this.#start();
    if (running.sequence > sequence) return running.done;
    this.#queuedSequence = Math.max(this.#queuedSequence, sequence);
    this.#queued ??= running.done
      .catch(() => {})
      .then(() => {
        this.#queued = null;
        return this.after(this.#queuedSequence);
      });
    return this.#queued;
  }

  /**
   * The same, but begins at most ten runs a second itself: a call that comes too early waits for
   * the next.
   */
  paced(sequence = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.#running !== null && this.#running.sequence > sequence) return this.#running.done;
    if (this.#paced !== null) return this.#paced;
    const waitMs = this.#pacedAtMs + MIN_PACED_INTERVAL_MS - this.#clock.monotonicMs();
    if (waitMs <= 0) {
      this.#pacedAtMs = this.#clock.monotonicMs();
      return this.after(this.#nextSequence());
    }
    this.#paced = new Promise<void>((resolve) => {
      this.#clock.timer(waitMs, resolve);
    }).then(() => {
      this.#paced = null;
      return this.paced();
    });
    return this.#paced;
  }

  #start(): Promise<void> {
    const sequence = this.#nextSequence();
    // Shared by callers of any context, and it opens connections that outlive all of them.
    const done = detached(this.#run).finally(() => {
      this.#running = null;
    });
    this.#running = { sequence, done };
    return done;
  }
}
