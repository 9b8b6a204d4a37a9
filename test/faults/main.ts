/** `npm run faults`: plays every fault on real servers and prints a row for each; fails where a promise was broken. */
import { parseArgs } from 'node:util';
import { brokenPromises, play } from './stage.js';
import { faults } from './suite.js';
import { heading, line, plain } from './table.js';

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: 'string', multiple: true }, json: { type: 'boolean', default: false } },
  });
  const names = values.only ?? faults.map(({ name }) => name);
  const unknown = names.filter((name) => !faults.some((fault) => fault.name === name));
  if (unknown.length > 0) {
    console.error(`There is no fault ${unknown}. There are: ${faults.map(({ name }) => name).join(', ')}.`);
    return 2;
  }
  if (!values.json) console.log(heading);
  let failed = 0;
  for (const fault of faults.filter(({ name }) => names.includes(name))) {
    try {
      const row = await play(fault);
      console.log(values.json ? JSON.stringify(plain(row)) : line(row));
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
