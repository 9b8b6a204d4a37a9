/** A short run of every target in this process; `npm run fuzz` plays longer, and finds hangs. */

import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { seeded } from '../keyring/seeded.js';
import { openTarget, targetNames } from './targets.js';

// The times of another test's work would count as those of a long text.
const opened = targetNames.filter((name) => name !== 'linear').map((name) => [name, openTarget(name)] as const);
afterAll(() => Promise.all(opened.map(([, { close }]) => close?.())));

it.each(opened)('%s: no input breaks a promise', async (_, target) => {
  const outcomes = new Set<string>();
  const played = fc.asyncProperty(target.inputs, async (input) => void outcomes.add(await target.play(input)));
  const parameters = seeded(300);
  await fc.assert(played, parameters);
  const again = `REWT_SEED=${parameters.seed}`;
  expect(outcomes, again).toContain('accepted');
  expect(outcomes.size, again).toBeGreaterThan(1);
});
