/**
 * The opening of one connection, by several attempts in parallel if the first one gets no reply.
 */

import { processClock } from '../../../time/clock.js';
import { ended } from './connection.js';
import type { Connection } from './port.js';

/**
 * The maximum time to open a connection, whatever its callers' deadlines. It exceeds the time-out
 * of a resolver whose name server is gone.
 */
export const OPEN_TIMEOUT_MS = 10_000;
/**
 * The minimum time between two replacements of a silent connection, however short the callers'
 * deadlines are.
 */
export const PACE_MS = 1_000;
/**
 * The maximum of parallel attempts. The first one continues, because a slow handshake needs its
 * time; of the others, the older one is replaced.
 */
const MAX_ATTEMPTS = 3;

export interface Opening {
  /** Settles as the first attempt that ends by itself. */
  readonly connection: Promise<Connection>;
  /** Starts another attempt if the newest one has had its time. */
  tryAgain(): void;
  /** Ends every attempt, and the connection if it is open. */
  abort(): void;
}

export function openByAttempts(connect: (signal: AbortSignal) => Promise<Connection>): Opening {
  let attempts: AbortController[] = [];
  let newestAtMs = 0;
  let settle!: (connection: Connection) => void;
  let fail!: (reason: unknown) => void;
  const connection = new Promise<Connection>((resolve, reject) => {
    settle = resolve;
    fail = reject;
  });
  const cancel = processClock.timer(OPEN_TIMEOUT_MS, abort, 'unref');

  function abort(): void {
    cancel();
    fail(ended());
    for (const attempt of attempts) attempt.abort();
  }

  function attempt(): void {
    const ending = new AbortController();
    if (attempts.length === MAX_ATTEMPTS) attempts.splice(1, 1)[0]?.abort();
    attempts.push(ending);
    newestAtMs = performance.now();
    connect(ending.signal).then(
      (opened) => {
        if (ending.signal.aborted) return;
        cancel();
        for (const other of attempts) if (other !== ending) other.abort();
        attempts = [ending];
        settle(opened);
      },
      (error) => {
        if (ending.signal.aborted) return;
        fail(error);
        abort();
      },
    );
  }

  attempt();
  return {
    connection,
    tryAgain() {
      if (performance.now() - newestAtMs >= PACE_MS) attempt();
    },
    abort,
  };
}
