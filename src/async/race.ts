/** The one way in which rewt stops waiting. */

import { type Clock, processClock } from '../time/clock.js';

/**
 * Settles as `work` does, or rejects with `late()` once `timeoutMs` have passed. `work` then
 * continues, and its failure is ignored. The timer keeps the process alive, because a caller waits;
 * with `'unref'` it does not.
 */
export async function within<T>(
  timeoutMs: number,
  work: Promise<T>,
  late: () => Error,
  clock: Clock = processClock,
  unref?: 'unref',
): Promise<T> {
  let cancel: (() => void) | undefined;
  const deadline = new Promise<never>((_, reject) => {
    cancel = clock.timer(timeoutMs, () => reject(late()), unref);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    cancel?.();
  }
}
