/**
 * Processes that are killed and stopped amid writes to one folder lose nothing (docs/testing.md,
 * "The storm").
 */

import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import type { Start } from '../storm/actor.js';
import { stormOf } from '../storm/main.js';
import { play } from '../storm/storm.js';
import { seeds } from '../support/seeds.js';
import { startedProcess, ways } from './members.js';
import { unshared } from './namespaces.js';

/** Two minutes: npm run storm. */
const seconds = Number(process.env.REWT_STORM_SECONDS ?? 15);
const { seed } = seeds;

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

it(`threads and workers of cluster that are ended amid writes keep one chain (seed ${seed})`, async () => {
  const { thread, 'worker of cluster': worker } = ways;
  const outcome = await play({
    seed,
    seconds: 5,
    writers: [thread, thread, thread, worker, worker],
    readers: [thread],
    faultsPerSecond: 8,
  });
  expect(outcome.broken).toEqual([]);
  expect(outcome.kills).toBeGreaterThan(0);
  expect(outcome.swaps).toBeGreaterThan(5);
});

it.runIf(process.platform === 'linux')('three processes with process number 1 lose nothing', async () => {
  const [file = '', ...words] = unshared('-pf', '--kill-child');
  const alone: Start = (script, args) =>
    startedProcess(
      spawn(file, [...words, process.execPath, script, ...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
    );
  const outcome = await play({ seed, seconds: 3, writers: [alone, alone, alone], readers: [], faultsPerSecond: 0 });
  expect(outcome).toMatchObject({ broken: [], unanswered: 0, pids: [1, 1, 1] });
  expect(outcome.swaps).toBeGreaterThan(3);
});
