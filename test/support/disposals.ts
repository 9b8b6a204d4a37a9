/** Closes what tests have opened: after each of them, or after all. */

import { afterAll, afterEach } from 'vitest';

/** The functions to call after a test of this file, the one that was added last first. */
export function disposedAfterEach(): (() => unknown)[] {
  return disposedBy(afterEach);
}

/** The same after all tests of this file, for tests that run at once. */
export function disposedAfterAll(): (() => unknown)[] {
  return disposedBy(afterAll);
}

function disposedBy(hook: (dispose: () => Promise<void>) => void): (() => unknown)[] {
  const disposals: (() => unknown)[] = [];
  hook(async () => {
    for (const dispose of disposals.splice(0).reverse()) await dispose();
  });
  return disposals;
}
