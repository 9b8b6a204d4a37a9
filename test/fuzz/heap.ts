/** Whether memory grows: what is left after a forced collection, window by window. */

import { setImmediate as turn } from 'node:timers/promises';

/** What noise can be: code that is compiled late, tables that double. */
const MOST_BYTES = 2_000_000;
const MOST_BYTES_PER_INPUT = 24;
const LEAST_WINDOWS = 8;

export interface Growth {
  readonly bytes: number;
  readonly bytesPerInput: number;
  readonly grows: boolean;
}

export class Heap {
  readonly #windows: { readonly inputs: number; readonly bytes: number }[] = [];

  /** Ends a window. Without --expose-gc there is nothing to be said. */
  async note(inputs: number): Promise<void> {
    if (globalThis.gc === undefined) return;
    // What is settled later, and finalizers, hold on for a turn.
    for (let round = 0; round < 2; round += 1) {
      await turn();
      globalThis.gc();
    }
    const { heapUsed, external } = process.memoryUsage();
    this.#windows.push({ inputs, bytes: heapUsed + external });
  }

  /** From the lowest point of the second quarter to the lowest of the last: before, everything is still warming up. Null where there was too little to see. */
  growth(): Growth | null {
    if (this.#windows.length < LEAST_WINDOWS) return null;
    const quarter = this.#windows.length / 4;
    const lowest = (from: number, to: number) =>
      this.#windows
        .slice(Math.floor(from * quarter), Math.ceil(to * quarter))
        .reduce((low, next) => (next.bytes < low.bytes ? next : low));
    const [before, after] = [lowest(1, 2), lowest(3, 4)];
    const bytes = after.bytes - before.bytes;
    const bytesPerInput = bytes / Math.max(1, after.inputs - before.inputs);
    return { bytes, bytesPerInput, grows: bytes > MOST_BYTES && bytesPerInput > MOST_BYTES_PER_INPUT };
  }
}
