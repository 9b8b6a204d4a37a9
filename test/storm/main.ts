/**
 * `npm run storm`: plays a storm for as long as is wanted and prints what happened; fails if the
 * store broke a promise.
 */

import { ways } from '../processes/members.js';
import { ordersIn } from '../support/orders.js';
import { freshSeed } from '../support/seeds.js';
import { type Outcome, play, type Storm } from './storm.js';

const HELP = `npm run storm -- [options]

  --seconds 120  how long it lasts
  --seed 7       the seed of who is killed and stopped, and when
  -h, --help     prints this`;

export interface Orders {
  readonly seconds: number;
  readonly seed: number;
}

/** Eight writers and two readers in separate processes. */
export function stormOf({ seconds, seed }: Orders): Storm {
  const forks = (count: number) => Array.from({ length: count }, () => ways.fork);
  return { seed, seconds, writers: forks(8), readers: forks(2), faultsPerSecond: 25 };
}

/** Null: there is nothing to play, and the exit code is set. */
export function ordersOf(words: readonly string[]): Orders | null {
  const options = { seconds: { type: 'string' }, seed: { type: 'string' } } as const;
  const values = ordersIn(words, options, HELP);
  if (values === null) return null;
  const seconds = Number(values.seconds ?? 120);
  const seed = Number(values.seed ?? freshSeed());
  if (seconds > 0 && Number.isSafeInteger(seed)) return { seconds, seed };
  console.error(`--seconds is a number above 0, --seed a whole number.\n\n${HELP}`);
  process.exitCode = 2;
  return null;
}

export async function main(orders: Orders): Promise<number> {
  console.log(`${orders.seconds} s, seed ${orders.seed}`);
  const outcome = await play(stormOf(orders));
  console.log(textOf(outcome));
  for (const each of outcome.broken) console.error(each);
  return outcome.broken.length === 0 ? 0 : 1;
}

export function textOf(outcome: Outcome): string {
  const { kills, stops, swaps, conflicts, unknown, unanswered, late, reads, broken } = outcome;
  return [
    `${kills} kills, ${stops} stops`,
    `${swaps} swaps, ${conflicts} conflicts, ${unknown} that may or may not have happened, ` +
      `${unanswered} without an answer`,
    `${late} late records, ${reads} reads`,
    `${broken.length} promises broken`,
  ].join('\n');
}
