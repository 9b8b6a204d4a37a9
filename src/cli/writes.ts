/** The outcome of the writes in one run of the command. */

import type { RedisStore } from '../stores/redis/redis-store.js';
import type { Store } from '../stores/store.js';

type Swap = Store['swap'];

/** Records the writes of a store, so that an error can report their effect. */
export class Writes {
  #sent = 0;
  #answered = 0;
  #last: string | null = null;
  /** The state that the last write left, if the verb is not at its end with it; else null. */
  left: string | null = null;

  /** Returns the last written ring; null if there was no write. */
  get ring(): string | null {
    return this.#last;
  }

  /** Describes the effect of a failure, and the remedy. */
  inWords(): string {
    if (this.#sent > this.#answered)
      return 'Whether it was written is unknown: rewt status shows it. If not, run the command again.';
    if (this.left !== null) return `${this.left}: run the command again.`;
    return this.#last === null ? 'Nothing was written.' : 'It was written before that: see rewt status.';
  }

  watch<S extends Store | RedisStore>(store: S): S {
    const watched = { ...store, swap: this.#counted(store.swap.bind(store)) };
    return 'move' in store ? { ...watched, move: this.#counted(store.move.bind(store)) } : watched;
  }

  #counted(swap: Swap): Swap {
    return async (namespace, expected, wanted, limits) => {
      this.#sent += 1;
      const answer = await swap(namespace, expected, wanted, limits).catch((error: unknown) => {
        if (!isAnswerMissing(error)) this.#answered += 1;
        throw error;
      });
      this.#answered += 1;
      if (answer.swapped) this.#last = wanted.ring.text;
      return answer;
    };
  }
}

/** Checks if the outcome is unknown: a server that denies a write has written nothing. */
function isAnswerMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code !== 'ERR_REWT_STORE_DENIED' && code !== 'ERR_REWT_STORE_FULL';
}
