/**
 * A clock that runs by itself and that a test can advance, with every timer that is due by then.
 */

import { type Clock, processClock } from '../time/clock.js';

interface Pending {
  readonly dueMs: number;
  readonly ring: () => void;
  readonly unref: 'unref' | undefined;
  cancel: () => void;
}

export interface TurnedClock extends Clock {
  /** Advances both clocks by `ms`. Timers that become due fire in their order, each at its time. */
  turn(ms: number): void;
}

/**
 * Creates a clock that is `aheadMs` ahead of the process' own, or behind if negative. If the
 * process' clock stands still (fake timers), this clock does too; it can still be advanced.
 */
export function createTurnedClock(aheadMs: number): TurnedClock {
  let offsetMs = aheadMs;
  const pending = new Set<Pending>();

  const monotonicMs = () => processClock.monotonicMs() + offsetMs;

  function arm(timer: Pending): void {
    const waitMs = Math.max(0, timer.dueMs - monotonicMs());
    timer.cancel = processClock.timer(waitMs, () => ring(timer), timer.unref);
  }

  function ring(timer: Pending): void {
    timer.cancel();
    pending.delete(timer);
    timer.ring();
  }

  return {
    monotonicMs,
    wallMs: () => processClock.wallMs() + offsetMs,
    timer(ms, whenDue, unref) {
      const timer: Pending = { dueMs: monotonicMs() + ms, ring: whenDue, unref, cancel: () => {} };
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
        // Computed again each time, because a timer that fires may cancel or set another.
        const [next] = [...pending]
          .filter(({ dueMs }) => dueMs <= monotonicMs() + leftMs)
          .sort((a, b) => a.dueMs - b.dueMs);
        if (next === undefined) break;
        offsetMs += Math.max(0, next.dueMs - monotonicMs());
        ring(next);
      }
      // Exact, whatever time passed meanwhile.
      offsetMs = endOffsetMs;
      for (const timer of pending) {
        timer.cancel();
        arm(timer);
      }
    },
  };
}
