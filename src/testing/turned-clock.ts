/** A clock that goes on by itself and can be turned on, with every timer that is due by then. */

import { type Clock, processClock } from '../clock.js';

interface Pending {
  readonly dueMs: number;
  readonly ring: () => void;
  readonly unheard: 'unheard' | undefined;
  cancel: () => void;
}

export interface TurnedClock extends Clock {
  /** Both clocks go on by so much; what is due on the way rings in its order, at its time. */
  turn(ms: number): void;
}

/** It begins `aheadMs` before or after the process' own. Where the process' clock stands still (fake timers), so does this one, and can be turned all the same. */
export function createTurnedClock(aheadMs: number): TurnedClock {
  let offsetMs = aheadMs;
  const pending = new Set<Pending>();

  const monotonicMs = () => processClock.monotonicMs() + offsetMs;

  function arm(timer: Pending): void {
    const waitMs = Math.max(0, timer.dueMs - monotonicMs());
    timer.cancel = processClock.timer(waitMs, () => ring(timer), timer.unheard);
  }

  function ring(timer: Pending): void {
    timer.cancel();
    pending.delete(timer);
    timer.ring();
  }

  return {
    monotonicMs,
    wallMs: () => processClock.wallMs() + offsetMs,
    timer(ms, whenDue, unheard) {
      const timer: Pending = { dueMs: monotonicMs() + ms, ring: whenDue, unheard, cancel: () => {} };
      pending.add(timer);
      arm(timer);
      return () => {
        timer.cancel();
        pending.delete(timer);
      };
    },
    turn(ms) {
      const endOffsetMs = offsetMs + ms;
      for (;;) {
        const leftMs = endOffsetMs - offsetMs;
        // Looked for again each time: one that rings may cancel another, or set one.
        const [next] = [...pending]
          .filter(({ dueMs }) => dueMs <= monotonicMs() + leftMs)
          .sort((a, b) => a.dueMs - b.dueMs);
        if (next === undefined) break;
        offsetMs += Math.max(0, next.dueMs - monotonicMs());
        ring(next);
      }
      // Exactly, whatever time went by meanwhile.
      offsetMs = endOffsetMs;
      for (const timer of pending) {
        timer.cancel();
        arm(timer);
      }
    },
  };
}
