/**
 * Randomised tests that can be run again: fast-check prints its seed when it fails, and
 * `REWT_SEED=<seed>` gives it back.
 */

import { type Seeds, seeds } from '../support/seeds.js';

/**
 * Parameters for `fc.assert`: the same cases each time, others with `REWT_SEED=random`.
 * `REWT_RUNS=20` looks twenty times as long, `0.2` a fifth; who looks shorter is not interested in
 * the smallest counterexample either.
 */
export function seeded(
  numRuns = 100,
  { seed, runs }: Seeds = seeds,
): { numRuns: number; endOnFailure: boolean; seed: number } {
  return { numRuns: Math.ceil(numRuns * runs), endOnFailure: runs < 1, seed };
}
