/**
 * `npm run faults`: plays every fault on real servers and prints a row for each; fails where a
 * promise was broken.
 */
import { ordersIn } from '../support/orders.js';
import { brokenPromises, play } from './stage.js';
import { faults } from './suite.js';
import { heading, line, plain } from './table.js';

const HELP = `npm run faults -- [options]

  --only stopped  plays this fault only; may be given more than once
  --json          prints a line of JSON for each
  -h, --help      prints this`;

export interface Orders {
  readonly names: readonly string[];
  readonly json: boolean;
}

/** Null: there is nothing to play, and the exit code is set. */
export function ordersOf(args: readonly string[]): Orders | null {
  const options = { only: { type: 'string', multiple: true }, json: { type: 'boolean', default: false } } as const;
  const values = ordersIn(args, options, HELP);
  if (values === null) return null;
  const names = values.only ?? faults.map(({ name }) => name);
  const unknown = names.filter((name) => !faults.some((fault) => fault.name === name));
  if (unknown.length > 0) {
    console.error(`There is no fault ${unknown}. There are: ${faults.map(({ name }) => name).join(', ')}.`);
    process.exitCode = 2;
    return null;
  }
  return { names, json: values.json };
}

export async function main({ names, json }: Orders): Promise<number> {
  if (!json) console.log(heading);
  let failed = 0;
  for (const fault of faults.filter(({ name }) => names.includes(name))) {
    try {
      const row = await play(fault);
      console.log(json ? JSON.stringify(plain(row)) : line(row));
      const broken = brokenPromises(row);
      if (broken.length === 0) continue;
      console.error(`${fault.name}: ${broken.join('; ')}`);
    } catch (error) {
      console.error(`${fault.name}:`, error);
    }
    failed = 1;
  }
  return failed;
}
