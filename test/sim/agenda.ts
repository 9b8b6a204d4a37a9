/**
 * Virtual time: what is due happens in order, and all that follows from it is over before the next.
 */

interface Entry {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | null;
}

export class Agenda {
  /** True time since the beginning. Milliseconds. */
  nowMs = 0;
  /** Set by code that wakes promises: then the microtasks have to run dry. */
  wakes = false;
  readonly #heap: Entry[] = [];
  #order = 0;

  /** Returns what takes it back. */
  after(ms: number, run: () => void): () => void {
    const entry: Entry = { atMs: this.nowMs + Math.max(0, ms), order: this.#order, run };
    this.#order += 1;
    this.#push(entry);
    return () => {
      entry.run = null;
    };
  }

  async playUntil(endMs: number): Promise<void> {
    for (let entry = this.#heap[0]; entry !== undefined && entry.atMs <= endMs; entry = this.#heap[0]) {
      this.#pop();
      if (entry.run === null) continue;
      this.nowMs = entry.atMs;
      entry.run();
      if (!this.wakes) continue;
      this.wakes = false;
      // Everything below is synchronous or a microtask, and a tick comes once those have run dry. A
      // turn of the loop would do as well, in twice the time.
      await new Promise<void>(process.nextTick);
    }
    this.nowMs = endMs;
    // Others in this process have waited.
    await new Promise(setImmediate);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, entry)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = heap[2 * index + 1];
      const right = heap[2 * index + 2];
      if (left === undefined) break;
      const isLeft = right === undefined || isBefore(left, right);
      const child = isLeft ? left : right;
      if (isBefore(last, child)) break;
      heap[index] = child;
      index = 2 * index + (isLeft ? 1 : 2);
    }
    heap[index] = last;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
