/** The time of a process, as one object: what a member knows of time comes from here, so that a test can turn all of it. */

export interface Clock {
  /** Goes on evenly, whatever is done to the wall clock. Milliseconds. */
  monotonicMs(): number;
  /** Milliseconds since the epoch. */
  wallMs(): number;
  /** Calls `ring` once, after `ms`; what it returns cancels that. A timer that nobody waits for is `unheard`: it keeps no process alive. */
  timer(ms: number, ring: () => void, unheard?: 'unheard'): () => void;
}

/** A timer that rings later than this does so because the process was at other work. */
const LATE_MS = 1;

export const processClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  /** A late timer lets the sockets have one turn first: timers come before them, and what is waited for may have been there for long. */
  timer(ms, ring, unheard) {
    const dueMs = performance.now() + ms;
    let turn: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => {
      if (performance.now() - dueMs <= LATE_MS) return ring();
      turn = setImmediate(ring);
      if (unheard) turn.unref();
    }, ms);
    if (unheard) timer.unref();
    return () => {
      clearTimeout(timer);
      clearImmediate(turn);
    };
  },
};

/**
 * Under this name `new Rewt()` takes a clock among its options: for `rewt/testing` and simulations, and out of reach of what is written in JSON.
 * In the registry, since `rewt/testing` may come from another copy of rewt than the class. @internal
 */
export const CLOCK: unique symbol = Symbol.for('rewt.clock') as never;
