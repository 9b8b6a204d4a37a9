/**
 * The clock of a process as one object. A member reads time only from here, so that a test can
 * advance all of it.
 */

export interface Clock {
  /** Increases evenly, whatever is done to the wall clock. Milliseconds. */
  monotonicMs(): number;
  /** Milliseconds since the epoch. */
  wallMs(): number;
  /**
   * Calls `callback` once, after `ms`. Returns a function that cancels the timer. With `'unref'`
   * the timer does not keep the process alive.
   */
  timer(ms: number, callback: () => void, unref?: 'unref'): () => void;
}

/** A timer that is later than this waited for other work of the process. */
const LATE_MS = 1;

export const processClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  /**
   * A late timer first gives the sockets one turn. Timers run before sockets, and the awaited data
   * may have arrived long ago.
   */
  timer(ms, callback, unref) {
    const dueMs = performance.now() + ms;
    let immediate: NodeJS.Immediate | undefined;
    const timeout = setTimeout(() => {
      if (performance.now() - dueMs <= LATE_MS) return callback();
      immediate = setImmediate(callback);
      if (unref) immediate.unref();
    }, ms);
    if (unref) timeout.unref();
    return () => {
      clearTimeout(timeout);
      clearImmediate(immediate);
    };
  },
};

/**
 * The key under which `new Rewt()` accepts a clock among its options. It is for `rewt/testing` and
 * simulations, and JSON cannot express it. It is in the global registry, because `rewt/testing` may
 * come from another copy of rewt than the class. @internal
 */
export const CLOCK: unique symbol = Symbol.for('rewt.clock') as never;
