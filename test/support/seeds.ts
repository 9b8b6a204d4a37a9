/** REWT_SEED and REWT_RUNS: which random cases the tests play, and how many. */

import { randomInt } from 'node:crypto';

/** Played unless REWT_SEED names another: a run without it is the same each time. */
const FIXED_SEED = 20_250_101;

export interface Seeds {
  /** REWT_SEED, a fresh one for `REWT_SEED=random`, or the fixed one. */
  readonly seed: number;
  /** REWT_RUNS, by which the number of cases is multiplied. Default: 1. */
  readonly runs: number;
  /** Returns REWT_SEED alone; `count` from a fresh one on for `random`; else 1 to `count`. */
  range(count: number): readonly number[];
}

/** @throws {Error} if REWT_SEED is no whole number and not `random`, or REWT_RUNS not above 0. */
export function readSeeds({ REWT_SEED, REWT_RUNS = '1' }: NodeJS.ProcessEnv, fresh = freshSeed): Seeds {
  const runs = Number(REWT_RUNS);
  if (!(runs > 0 && runs < Number.POSITIVE_INFINITY)) throw new Error('REWT_RUNS is a number above 0');
  const from = (first: number, count: number) => Array.from({ length: count }, (_, at) => first + at);
  // An empty variable is none, as in a workflow that leaves it out.
  if (!REWT_SEED) return { seed: FIXED_SEED, runs, range: (count) => from(1, count) };
  if (REWT_SEED === 'random') {
    const seed = fresh();
    return { seed, runs, range: (count) => from(seed, count) };
  }
  const seed = Number(REWT_SEED);
  if (!Number.isSafeInteger(seed)) throw new Error('REWT_SEED is a whole number, or random');
  return { seed, runs, range: () => [seed] };
}

/** Returns a seed of 31 bits, which every generator of the tests takes. */
export function freshSeed(): number {
  return randomInt(2 ** 31);
}

export const seeds = readSeeds(process.env);
