/** A store whose connection a test can cut, hang or slow down; beneath it is a real one. */

import { StoreError } from '../../src/errors.js';
import type { Store } from '../../src/stores/store.js';

export interface FaultyStore extends Store {
  /** 'up'; 'down': refused at once; 'hung': nothing comes back before the deadline. */
  reads: 'up' | 'down' | 'hung';
  swaps: 'up' | 'down' | 'replies lost';
  /** Whether its answers, or only those to swaps, may come from a master that was replaced. */
  mayBeDeposed: boolean | 'swaps';
  /** How long an answer takes on its way back. Milliseconds. */
  replyMs: number;
  /** The same for the answers to swaps, if it is longer. Milliseconds. */
  swapReplyMs: number;
  /**
   * How long a swap takes on its way there, so that a read sent later can overtake it.
   * Milliseconds.
   */
  swapTravelMs: number;
  /** Calls that have reached the store so far. */
  readCount: number;
  swapCount: number;
  /** What the watches of this member's store get, as often as a test likes. */
  push(): void;
  /** Watches that have begun and not ended; how often they were asked whether they still hear. */
  watches: number;
  checkCount: number;
}

/** Wraps `store` as one at the far end of a network: never local. */
export function faultyStore(store: Store): FaultyStore {
  const down = () => new StoreError('ERR_REWT_STORE_DOWN', 'down');
  const hang = async (timeoutMs: number): Promise<never> => {
    await sleep(timeoutMs);
    throw new StoreError('ERR_REWT_STORE_TIMEOUT', 'hung');
  };
  const listeners = new Set<() => void>();
  return {
    kind: 'faulty',
    local: false,
    reads: 'up',
    swaps: 'up',
    mayBeDeposed: false,
    replyMs: 0,
    swapReplyMs: 0,
    swapTravelMs: 0,
    readCount: 0,
    swapCount: 0,
    watches: 0,
    checkCount: 0,
    async read(namespace, limits) {
      this.readCount += 1;
      if (this.reads === 'down') throw down();
      if (this.reads === 'hung') return hang(limits.timeoutMs);
      const snapshot = await store.read(namespace, limits);
      if (this.replyMs > 0) await sleep(this.replyMs);
      return this.mayBeDeposed === true ? { ...snapshot, mayBeDeposed: true } : snapshot;
    },
    async swap(namespace, expected, wanted, limits) {
      this.swapCount += 1;
      if (this.reads === 'hung') return hang(limits.timeoutMs);
      if (this.swaps === 'down' || this.reads === 'down') throw down();
      if (this.swapTravelMs > 0) await sleep(this.swapTravelMs);
      const answer = await store.swap(namespace, expected, wanted, limits);
      if (this.swaps === 'replies lost') throw down();
      const replyMs = Math.max(this.replyMs, this.swapReplyMs);
      if (replyMs > 0) await sleep(replyMs);
      if (this.mayBeDeposed !== false) return { ...answer, snapshot: { ...answer.snapshot, mayBeDeposed: true } };
      return answer;
    },
    watch(_, onSuspect) {
      listeners.add(onSuspect);
      this.watches += 1;
      return {
        status: () => ({ state: 'on', reason: null }),
        check: () => {
          this.checkCount += 1;
        },
        end: () => {
          listeners.delete(onSuspect);
          this.watches -= 1;
        },
      };
    },
    push() {
      for (const tell of listeners) tell();
    },
    async close() {},
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
