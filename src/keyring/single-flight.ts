/** One read at a time: callers that may share a running one join it, callers that need a later one share the next. */

import type { Clock } from '../clock.js';
import { detached } from '../detached.js';

/** At most ten shared reads a second for tokens whose secret is unknown (protocol.md, "Verifying"), and for a store that has just failed. */
const LEAST_MS_BETWEEN_PACED = 100;

export class SingleFlight {
  readonly #clock: Clock;
  readonly #nextOrder: () => number;
  readonly #run: () => Promise<void>;
  #running: { readonly order: number; readonly done: Promise<void> } | null = null;
  #queued: Promise<void> | null = null;
  /** The latest order that somebody in the queue asked for. */
  #queuedOrder = 0;
  #paced: Promise<void> | null = null;
  #pacedAtMs = Number.NEGATIVE_INFINITY;

  /** `nextOrder` numbers instants; what `run` does counts as begun after the number that it was started with. */
  constructor(clock: Clock, nextOrder: () => number, run: () => Promise<void>) {
    this.#clock = clock;
    this.#nextOrder = nextOrder;
    this.#run = run;
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** Settles with a run that began after `order`: the running one if it did, else the one after it. */
  after(order: number): Promise<void> {
    const running = this.#running;
    if (running === null) return this.#start();
    if (running.order > order) return running.done;
    this.#queuedOrder = Math.max(this.#queuedOrder, order);
    this.#queued ??= running.done
      .catch(() => {})
      .then(() => {
        this.#queued = null;
        return this.after(this.#queuedOrder);
      });
    return this.#queued;
  }

  /** The same, but of runs that it begins itself ten a second at the most: who comes too early waits for the next. */
  paced(order = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.#running !== null && this.#running.order > order) return this.#running.done;
    if (this.#paced !== null) return this.#paced;
    const waitMs = this.#pacedAtMs + LEAST_MS_BETWEEN_PACED - this.#clock.monotonicMs();
    if (waitMs <= 0) {
      this.#pacedAtMs = this.#clock.monotonicMs();
      return this.after(this.#nextOrder());
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
    const order = this.#nextOrder();
    // Shared by callers of any context, and it opens connections that outlive all of them.
    const done = detached(this.#run).finally(() => {
      this.#running = null;
    });
    this.#running = { order, done };
    return done;
  }
}
