/** Plays what it is asked to, beside others that do the same. */

import { parentPort } from 'node:worker_threads';
import { scenarios } from './scenarios.js';
import { tallySeeds } from './tally.js';

export interface Order {
  readonly scenario: string;
  readonly from: number;
  readonly to: number;
  readonly untilFirst: boolean;
}

parentPort?.on('message', async ({ scenario, from, to, untilFirst }: Order) => {
  const found = scenarios.find(({ name }) => name === scenario);
  if (found === undefined) throw new Error(`there is no scenario '${scenario}'`);
  parentPort?.postMessage(await tallySeeds(found, from, to, untilFirst));
});
