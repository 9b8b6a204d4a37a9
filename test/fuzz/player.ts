/** Plays one target: inputs from its grammar, and mutations of those that led somewhere new, until something breaks or the time is over. */

import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { Coverage } from './coverage.js';
import { type Growth, Heap } from './heap.js';
import { Mutator } from './mutate.js';
import { shrink } from './shrink.js';
import { type AnyTarget, asFinding, type Finding, type Json } from './target.js';

/** Inputs in a row between two looks at the clock and at what they reached. */
const BATCH = 32;
const WINDOWS = 24;
const MOST_KEPT = 500;
const PATIENCE = { attempts: 3_000, ms: 20_000 };

export interface Course {
  readonly seed: number;
  /** It ends with the first of both. */
  readonly seconds: number;
  readonly inputs: number;
  /** Told of each input before it is played, for whoever watches. */
  announce?(input: Json): void;
}

export interface Played {
  readonly inputs: number;
  readonly seconds: number;
  /** How often each: 'accepted', or a code. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly slowest: Json;
  readonly growth: Growth | null;
  readonly branches: number;
  readonly broken: Broken | null;
}

export interface Broken {
  readonly message: string;
  readonly input: Json;
}

/** The target stays open. */
export async function playCourse(target: AnyTarget, course: Course): Promise<Played> {
  const player = new Player(target, course);
  try {
    return await player.play();
  } finally {
    player.close();
  }
}

/** One input by itself: what it breaks, or null. */
export async function playInput(target: AnyTarget, input: Json): Promise<Broken | null> {
  try {
    await target.play(target.prepare(input));
    return null;
  } catch (error) {
    return { message: asFinding(error).message, input };
  }
}

class Player {
  readonly #target: AnyTarget;
  readonly #course: Course;
  readonly #coverage = new Coverage();
  readonly #heap = new Heap();
  readonly #mutator: Mutator;
  readonly #corpus: Json[] = [];
  readonly #outcomes: Record<string, number> = {};
  readonly #startMs = performance.now();
  #inputs = 0;
  #slowestMs = 0;
  #slowest: Json = null;
  /** What nobody waited for. */
  #stray: Finding | null = null;

  constructor(target: AnyTarget, course: Course) {
    this.#target = target;
    this.#course = course;
    this.#mutator = new Mutator(course.seed);
    process.on('unhandledRejection', this.#onStray);
  }

  async play(): Promise<Played> {
    const { seconds, inputs } = this.#course;
    let broken: Broken | null = null;
    let windowEnd = 0;
    for (let round = 0; broken === null && this.#seconds() < seconds && this.#inputs < inputs; round += 1) {
      const batch = this.#batch(round).slice(0, inputs - this.#inputs);
      broken = await this.#playBatch(batch);
      if (broken === null && this.#coverage.isNew()) await this.#keep(batch);
      if (this.#seconds() < windowEnd) continue;
      await this.#heap.note(this.#inputs);
      windowEnd = this.#seconds() + seconds / WINDOWS;
    }
    return {
      inputs: this.#inputs,
      seconds: this.#seconds(),
      outcomes: this.#outcomes,
      slowestMs: this.#slowestMs,
      slowest: this.#slowest,
      growth: this.#heap.growth(),
      branches: this.#coverage.branches,
      broken,
    };
  }

  close(): void {
    process.off('unhandledRejection', this.#onStray);
    this.#coverage.close();
  }

  readonly #onStray = (reason: unknown): void => {
    this.#stray ??= asFinding(reason);
  };

  #seconds(): number {
    return (performance.now() - this.#startMs) / 1_000;
  }

  /** Half of them from nothing, half from what led somewhere; the same for the same seed. */
  #batch(round: number): readonly Json[] {
    const fromNothing = fc.sample(this.#target.grammar, { seed: this.#course.seed + round, numRuns: BATCH });
    return fromNothing.map((input, at) =>
      at % 2 === 0 || this.#corpus.length === 0 ? input : this.#mutator.next(this.#corpus),
    );
  }

  async #playBatch(batch: readonly Json[]): Promise<Broken | null> {
    for (const input of batch) {
      const startMs = performance.now();
      const outcome = await this.#playOne(input);
      const ms = performance.now() - startMs;
      if (ms > this.#slowestMs) [this.#slowestMs, this.#slowest] = [ms, input];
      this.#inputs += 1;
      if (typeof outcome !== 'string') return this.#shrunk(input, outcome);
      this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1;
    }
    await turn();
    // Which of them it was is not known.
    return this.#stray && { message: `nobody waited for it: ${this.#stray.message}`, input: batch };
  }

  /** What came of it, or what it broke. */
  async #playOne(input: Json): Promise<string | Finding> {
    this.#course.announce?.(input);
    let live: unknown;
    try {
      live = this.#target.prepare(input);
    } catch {
      return 'unplayable';
    }
    try {
      return await this.#target.play(live);
    } catch (error) {
      return asFinding(error);
    }
  }

  async #shrunk(input: Json, fault: Finding): Promise<Broken> {
    let { message } = fault;
    const smallest = await shrink(
      input,
      async (smaller) => {
        const found = await this.#playOne(smaller);
        if (typeof found === 'string' || found.kind !== fault.kind) return false;
        message = found.message;
        return true;
      },
      PATIENCE,
    );
    return { message, input: smallest };
  }

  /** Played once more, each alone, to find those that reached something. */
  async #keep(batch: readonly Json[]): Promise<void> {
    for (const input of batch) {
      await this.#playOne(input);
      if (this.#coverage.isNewAlone()) this.#corpus.push(input);
    }
    this.#corpus.splice(0, this.#corpus.length - MOST_KEPT);
  }
}
