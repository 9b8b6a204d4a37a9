/** A member's ear at its store: each message makes the copy suspect, at once, or ten times a second where messages bring no news. */

import type { Clock } from '../clock.js';
import type { PushStatus, Store, Watch } from '../stores/store.js';

/** Whoever may publish can send messages, and each costs a read: after one that told nothing new, the next is heard this much later. */
const PAUSE_AFTER_NO_NEWS_MS = 100;

export interface WatchingOptions {
  readonly store: Store;
  readonly namespace: string;
  readonly clock: Clock;
  /** Why nothing is to be watched; null where it is. */
  readonly off: string | null;
  /** Makes the copy suspect. */
  suspect(): void;
}

export class Watching {
  readonly #options: WatchingOptions;
  /** Why there will be no watch. */
  #off: string | null;
  #watch: Watch | null = null;
  #noNewsAtMs = Number.NEGATIVE_INFINITY;
  /** Cancels the message that is heard later. */
  #cancel: (() => void) | null = null;

  constructor(options: WatchingOptions) {
    this.#options = options;
    this.#off = options.off ?? (options.store.watch ? null : 'This store cannot push.');
  }

  /** Begins to watch; called at each use, since nothing is opened before the first. */
  start(): void {
    if (this.#off !== null || this.#watch !== null) return;
    const { store, namespace } = this.#options;
    this.#watch = store.watch?.(namespace, () => this.#hear()) ?? null;
  }

  /** Called whenever the store has been read, or could not be: the time to find out that a connection is only half there. */
  check(): void {
    this.#watch?.check();
  }

  /** The last message led to a read that showed what was known, or nothing. */
  foundNoNews(): void {
    this.#noNewsAtMs = this.#options.clock.monotonicMs();
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

  #hear(): void {
    const { clock, suspect } = this.#options;
    if (this.#cancel !== null) return;
    const waitMs = this.#noNewsAtMs + PAUSE_AFTER_NO_NEWS_MS - clock.monotonicMs();
    const hear = (): void => {
      this.#cancel = null;
      suspect();
    };
    if (waitMs <= 0) hear();
    else this.#cancel = clock.timer(waitMs, hear, 'unheard');
  }
}
