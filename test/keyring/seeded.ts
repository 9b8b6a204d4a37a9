/**
 * Randomised tests that can be run again: fast-check prints its seed when it fails, and
 * `REWT_SEED=<seed>` gives it back.
 */

/**
 * Parameters for `fc.assert`. Without `REWT_SEED` each run has another seed. `REWT_RUNS=20`
 * looks twenty times as long, `0.2` a fifth; who looks shorter is not interested in the smallest
 * counterexample either.
 */
export function seeded(numRuns = 100): { numRuns: number; endOnFailure: boolean; seed?: number } {
  const { REWT_SEED, REWT_RUNS = '1' } = process.env;
  const factor = Number(REWT_RUNS);
  const runs = { numRuns: Math.ceil(numRuns * factor), endOnFailure: factor < 1 };
  return REWT_SEED === undefined ? runs : { ...runs, seed: Number(REWT_SEED) };
}
