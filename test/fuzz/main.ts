/**
 * The command of the fuzzer (`npm run fuzz --`): plays every target and prints what came of it.
 * `--help` lists its options.
 */

import { ordersIn } from '../support/orders.js';
import { freshSeed } from '../support/seeds.js';
import type { Fault } from './player.js';
import { targetNames } from './targets.js';
import { playInput, playTarget, type Session } from './watch.js';

const HELP = `npm run fuzz -- [options]

  --seconds 60     how long all of it may take, but for compiling and for all kinds of long texts
  --target ring    plays this target only
  --seed 7         plays the same inputs again
  --input '...'    plays one input of a target, as it was printed
  --json           prints the results as JSON
  -h, --help       prints this`;

const options = {
  seconds: { type: 'string', default: '60' },
  seed: { type: 'string' },
  target: { type: 'string' },
  input: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;
const values = ordersIn(process.argv.slice(2), options, HELP) ?? process.exit();
const seed = Number(values.seed ?? freshSeed());
const seconds = Number(values.seconds);
const chosen = targetNames.filter((name) => values.target === undefined || name === values.target);
const [only] = chosen;

if (!Number.isSafeInteger(seed) || !(seconds > 0) || only === undefined) {
  console.error(`--seed is a whole number, --seconds more than 0, --target one of ${targetNames.join(', ')}`);
  process.exitCode = 2;
} else if (values.input === undefined) {
  await playAll();
} else {
  const input: unknown = JSON.parse(values.input);
  const message = await playInput(only, input);
  if (message === null) console.log(`Nothing is wrong with this one, target ${only}.`);
  else printFault(only, { message, input });
}

async function playAll(): Promise<void> {
  if (!values.json) console.log(`seed ${seed}\n`);
  const sessions: Session[] = [];
  // One after the other: two would measure each other.
  for (const name of chosen) sessions.push(await playTarget(name, seed, seconds / chosen.length));
  if (values.json) console.log(JSON.stringify({ seed, sessions }));
  else sessions.forEach(printSession);
  for (const { target, fault } of sessions) if (fault !== null) printFault(target, fault);
}

function printSession({ target, played }: Session): void {
  if (played === null) return;
  const { inputs, outcomes, heapBytes, slowestMs } = played;
  const heap = heapBytes === null ? '-' : `${Math.round(heapBytes / 1_000)} kB`;
  console.log(
    `${target}: ${inputs} inputs, ${Math.round(inputs / played.seconds)} a second, ${slowestMs.toFixed(1)} ms at most`,
  );
  const sorted = Object.entries(outcomes).sort(([, count], [, other]) => other - count);
  console.log(
    `  heap ${heap}; ${sorted.map(([code, count]) => `${code.replace('ERR_REWT_', '')} ${count}`).join(', ')}`,
  );
}

function printFault(target: string, { message, input }: Fault): void {
  process.exitCode = 1;
  if (values.json) return;
  const json = JSON.stringify(input);
  const again = json === undefined ? `--seed ${seed}` : `--input '${json.replaceAll("'", "'\\''")}'`;
  console.log(`\n${target}, seed ${seed}: ${message}\n  npm run fuzz -- --target ${target} ${again}`);
}
