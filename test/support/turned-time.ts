/** Clocks that a test turns, and the times that members on them go by. */

import { vi } from 'vitest';

/** Seconds. They make round numbers: soft age 2 s, overlap 300 + 60 + 5 s, lead 7 s. */
export const times = { ttl: 3600, tokenLifetime: 300, maxStaleness: 60, clockTolerance: 5, storeTimeout: 1 };

/** Both clocks and all timers stand still until `pass`. `vi.useRealTimers()` ends it. */
export function turnTime(nowMs = 1_800_000_000_000): void {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'], now: nowMs });
}

export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** Turns the clock until a promise settles: what it came to, and after how many milliseconds. */
export async function settle<T>(
  work: Promise<T>,
): Promise<{ value?: T; error?: { code?: string; status?: number }; ms: number }> {
  const startMs = performance.now();
  let outcome: { value?: T; error?: never } | { error: never } | null = null;
  work.then<void, void>(
    (value) => {
      outcome = { value };
    },
    (error: unknown) => {
      outcome = { error: error as never };
    },
  );
  for (let turn = 0; outcome === null && turn < 200_000; turn += 1) await pass(1);
  if (outcome === null) throw new Error('never settled');
  return { ...(outcome as object), ms: performance.now() - startMs };
}
