/** Processes that are killed and stopped amid writes to one folder lose nothing (docs/testing.md, "The storm"). */

import { expect, it } from 'vitest';
import { freshSeed, stormOf } from '../storm/main.js';
import { play } from '../storm/storm.js';

/** Two minutes: npm run storm. */
const seconds = Number(process.env.REWT_STORM_SECONDS ?? 15);
const seed = Number(process.env.REWT_SEED ?? freshSeed());

it(
  `eight writers that are killed and stopped for ${seconds} s keep one chain (seed ${seed})`,
  async () => {
    const outcome = await play(stormOf({ seconds, seed }));
    expect(outcome.broken).toEqual([]);
    // It was a storm.
    expect(outcome.kills).toBeGreaterThan(0);
    expect(outcome.stops).toBeGreaterThan(0);
    expect(outcome.swaps).toBeGreaterThan(seconds);
    expect(outcome.reads).toBeGreaterThan(seconds);
  },
  (seconds + 120) * 1_000,
);
