/** Randomised tests that can be run again: fast-check prints its seed when it fails, and `REWT_SEED=<seed>` gives it back. */

/** Parameters for `fc.assert`. Without `REWT_SEED` each run has a seed of its own; `REWT_RUNS=20` looks twenty times as long. */
export function seeded(numRuns = 100): { numRuns: number; seed?: number } {
  const { REWT_SEED, REWT_RUNS = '1' } = process.env;
  const runs = { numRuns: numRuns * Number(REWT_RUNS) };
  return REWT_SEED === undefined ? runs : { ...runs, seed: Number(REWT_SEED) };
}
