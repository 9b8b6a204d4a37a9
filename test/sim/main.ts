/**
 * The command of the simulation (`node scripts/sim.js`): plays seeds of every scenario and prints a
 * table. `--help` lists its options.
 */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { ordersIn } from '../support/orders.js';
import { breakEachPromise } from './break.js';
import { play } from './play.js';
import type { Scenario } from './scenario.js';
import { scenarios } from './scenarios.js';
import { add, emptyTally, type Tally, tallySeeds } from './tally.js';
import type { Order } from './worker.js';

const HELP = `npm run sim -- [options]

  --seeds 100         how many seeds of each scenario are played; a year is played for 4 of a hundred
  --from 1            the first of them; if it is given, the range is played whole in each scenario, a year too
  --scenario 'clocks' plays this scenario only
  --seed 7            plays this seed only; --trace prints all of it
  --first             goes on to the next scenario at a violation
  --jobs 2            how many worker threads play; the default is one for each core
  --json              prints the tallies as JSON
  --breaks            breaks one line at a time in a copy of the code, and prints which scenarios notice
  --match 'EXPIRE'    breaks only the lines whose description has this in it
  -h, --help          prints this`;

/** Seeds that are played in one go. */
const CHUNK = 20;

const options = {
  seeds: { type: 'string', default: '100' },
  from: { type: 'string' },
  seed: { type: 'string' },
  scenario: { type: 'string' },
  trace: { type: 'boolean', default: false },
  jobs: { type: 'string', default: String(availableParallelism()) },
  first: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  breaks: { type: 'boolean', default: false },
  match: { type: 'string', default: '' },
} as const;
const values = ordersIn(process.argv.slice(2), options, HELP) ?? process.exit();
const fromSeed = Number(values.from ?? 1);
const many = Number(values.seeds);
if (![fromSeed, many].every((count) => Number.isSafeInteger(count) && count > 0)) {
  console.error('--from and --seeds have to be whole numbers from 1 on.');
  process.exit(1);
}

const chosen = scenarios.filter(({ name }) => values.scenario === undefined || name === values.scenario);
if (chosen.length === 0) {
  console.error(`There is no such scenario. There are: ${scenarios.map(({ name }) => name).join(', ')}`);
  process.exit(1);
}

if (values.breaks) {
  await breakEachPromise(values.seeds, chosen, values.match);
} else {
  const tallies = values.seed === undefined ? await playAll(chosen) : await replay(chosen, Number(values.seed));
  if (values.json) console.log(JSON.stringify(tallies));
  else report(tallies);
  process.exitCode = tallies.some(({ first }) => first !== null) ? 1 : 0;
}

async function replay(some: readonly Scenario[], seed: number): Promise<Tally[]> {
  if (values.trace) for (const scenario of some) await play(scenario, seed, console.log);
  return Promise.all(some.map((scenario) => tallySeeds(scenario, seed, seed)));
}

/** Hands out the seeds to workers, as they become free. */
async function playAll(some: readonly Scenario[]): Promise<Tally[]> {
  const tallies = new Map(some.map(({ name }) => [name, emptyTally(name)]));
  const orders: Order[] = some.flatMap(({ name, share = 100 }) => {
    const seeds = values.from === undefined ? Math.max(1, Math.round((many * share) / 100)) : many;
    return Array.from({ length: Math.ceil(seeds / CHUNK) }, (_, chunk) => ({
      scenario: name,
      from: fromSeed + chunk * CHUNK,
      to: fromSeed - 1 + Math.min(seeds, (chunk + 1) * CHUNK),
      untilFirst: values.first,
    }));
  });
  const jobs = Array.from({ length: Math.max(1, Math.min(Number(values.jobs), orders.length)) }, async () => {
    const worker = new Worker(new URL('worker.js', import.meta.url));
    // Many rewts in one process warn many times over.
    worker.stderr.resume();
    for (let order = orders.shift(); order !== undefined; order = orders.shift()) {
      const tally = tallies.get(order.scenario);
      if (tally === undefined || (values.first && tally.first !== null)) continue;
      add(tally, await ask(worker, order));
    }
    await worker.terminate();
  });
  await Promise.all(jobs);
  return [...tallies.values()];
}

function ask(worker: Worker, order: Order): Promise<Tally> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (tally: Tally) => {
      worker.off('error', reject);
      resolve(tally);
    });
    worker.postMessage(order);
  });
}

function report(tallies: readonly Tally[]): void {
  const columns = [
    'seeds',
    'operations',
    'unavailable',
    'rotations',
    'revocations',
    'lost',
    'late',
    'extra',
    'outage',
    'old',
    'excused',
    'ms',
  ];
  const row = (name: string, cells: readonly (string | number)[]) =>
    console.log(`${name.padEnd(26)}${cells.map((cell) => String(cell).padStart(12)).join('')}`);
  row('scenario', columns);
  for (const { scenario, seeds, operations, unavailable, rotations, revocations, violations, excused, ms } of tallies) {
    const { lost, late, extra, outage, old } = violations;
    const excuses = Object.values(excused).reduce((sum, count) => sum + count, 0);
    row(scenario, [
      seeds,
      operations,
      unavailable,
      rotations,
      revocations,
      lost,
      late,
      extra,
      outage,
      old,
      excuses,
      (ms / seeds).toFixed(1),
    ]);
  }
  console.log('\nexcused');
  for (const { scenario, excused } of tallies) {
    const reasons = Object.entries(excused).sort(([, one], [, other]) => other - one);
    if (reasons.length > 0)
      console.log(`  ${scenario}: ${reasons.map(([why, count]) => `${why} ${count}`).join(', ')}`);
  }
  for (const { scenario, first, red } of tallies) {
    if (first === null) continue;
    const others = red.length > 1 ? `\n  red seeds: ${red.join(', ')}` : '';
    console.log(
      `\n${scenario}: broken promise (${first.promise}) at ${(first.atMs / 1_000).toFixed(3)} s\n  ${first.text}`,
    );
    console.log(`  node scripts/sim.js --scenario '${scenario}' --seed ${first.seed} --trace${others}`);
  }
}
