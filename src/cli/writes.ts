/** What became of the writes of one run of the command. */

import type { RedisStore } from '../stores/redis.js';
import type { Store } from '../stores/store.js';

type Swap = Store['swap'];

/** Watches the writes of a store, so that a failure can say what it left behind. */
export class Writes {
  #sent = 0;
  #answered = 0;
  #last: string | null = null;

  /** The ring's text as it was written last; null: none was. */
  get ring(): string | null {
    return this.#last;
  }

  /** What a failure leaves behind, and what to do. */
  inWords(): string {
    if (this.#sent > this.#answered)
      return 'Whether it was written is unknown: rewt status shows it. If not, run the command again.';
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

/** A server that refuses has written nothing. */
function isAnswerMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code !== 'ERR_REWT_STORE_DENIED' && code !== 'ERR_REWT_STORE_FULL';
}
