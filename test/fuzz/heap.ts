/** Whether memory grows: what is left after a forced collection, window by window. */

import { setImmediate as turn } from 'node:timers/promises';

/** What noise can be: code that is compiled late, tables that double. */
const MAX_BYTES = 2_000_000;
const MAX_BYTES_PER_INPUT = 24;

export type Window = { readonly inputs: number; readonly bytes: number };

/** Ends a window. Needs --expose-gc. */
export async function endWindow(inputs: number): Promise<Window> {
  // What is settled later, and finalizers, hold on for a turn.
  for (let round = 0; round < 2; round += 1) await turn().then(() => globalThis.gc?.());
  const { heapUsed, external } = process.memoryUsage();
  return { inputs, bytes: heapUsed + external };
}

/**
 * From the lowest point of the second quarter to the lowest of the last: before, everything is
 * still warming up. Null if there was too little to see.
 */
export function growthOver(windows: readonly Window[]): { readonly bytes: number; readonly grows: boolean } | null {
  const quarter = Math.floor(windows.length / 4);
  const lowest = (some: readonly Window[]) => some.toSorted((one, other) => one.bytes - other.bytes)[0];
  const [before, after] = [lowest(windows.slice(quarter, 2 * quarter)), lowest(windows.slice(-quarter))];
  if (quarter < 2 || before === undefined || after === undefined) return null;
  const bytes = after.bytes - before.bytes;
  return { bytes, grows: bytes > Math.max(MAX_BYTES, MAX_BYTES_PER_INPUT * (after.inputs - before.inputs)) };
}
