/**
 * Subscribes to change notifications. Each one marks the copy stale; after one that changed
 * nothing, the next is delayed by up to 100 ms.
 */

import type { PushStatus, Store, Watch } from '../stores/store.js';
import type { Clock } from '../time/clock.js';

/**
 * Anyone who may publish can send messages, and each costs a read: unless they bring news, ten a
 * second at most.
 */
const MS_PER_READ = 100;

export interface ChangeListenerOptions {
  readonly store: Store;
  readonly namespace: string;
  readonly clock: Clock;
  /** Why nothing is to be watched; null if it is. */
  readonly off: string | null;
  /**
   * Marks the copy stale and reads the store. Resolves to whether the read showed anything new;
   * never rejects.
   */
  onChange(): Promise<boolean>;
}

export class ChangeListener {
  readonly #options: ChangeListenerOptions;
  /** Why there will be no watch. */
  #off: string | null;
  #watch: Watch | null = null;
  /** When the reads so far are within the rate. */
  #paidAtMs = Number.NEGATIVE_INFINITY;
  #isReading = false;
  /** Cancels the delayed read. */
  #cancel: (() => void) | null = null;

  constructor(options: ChangeListenerOptions) {
    this.#options = options;
    this.#off = options.off ?? (options.store.watch ? null : 'This store cannot push.');
  }

  /** Begins to watch; called at each use, since nothing is opened before the first. */
  start(): void {
    if (this.#off !== null || this.#watch !== null) return;
    const { store, namespace } = this.#options;
    this.#watch = store.watch?.(namespace, () => this.#onMessage()) ?? null;
  }

  /**
   * Called whenever the store has been read, or could not be: the time to find out that a
   * connection is only half there.
   */
  check(): void {
    this.#watch?.check();
  }

  status(): PushStatus {
    if (this.#watch !== null) return this.#watch.status();
    return { state: 'off', reason: this.#off ?? 'It begins with the first call.' };
  }

  end(): void {
    this.#off = 'This Rewt was closed.';
    this.#cancel?.();
    this.#watch?.end();
    this.#watch = null;
  }

  #onMessage(): void {
    if (this.#cancel !== null) return;
    const { clock } = this.#options;
    // The answer to the read that is under way may be older than this message: one more is in
    // advance.
    const advanceMs = this.#isReading ? MS_PER_READ : 0;
    const waitMs = this.#paidAtMs - advanceMs - clock.monotonicMs();
    if (waitMs <= 0) void this.#read();
    else this.#cancel = clock.timer(waitMs, () => void this.#read(), 'unref');
  }

  async #read(): Promise<void> {
    this.#cancel = null;
    this.#isReading = true;
    this.#paidAtMs = Math.max(this.#paidAtMs, this.#options.clock.monotonicMs()) + MS_PER_READ;
    if (await this.#options.onChange()) this.#paidAtMs = Number.NEGATIVE_INFINITY;
    this.#isReading = false;
  }
}
