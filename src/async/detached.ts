/** The one way in which rewt leaves the async context of its caller. */

import { AsyncLocalStorage } from 'node:async_hooks';

const runAtLoad = AsyncLocalStorage.snapshot();

/**
 * Runs `work` in the async context in which this module was loaded, so that what outlives a call
 * (connections, timers, shared reads) neither sees nor holds what its caller keeps in an
 * AsyncLocalStorage. A caller that awaits the result goes on in its own context.
 */
export function detached<T>(work: () => T): T {
  return runAtLoad(work);
}
