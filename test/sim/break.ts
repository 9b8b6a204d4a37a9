/**
 * Breaks each promise once, in a copy of the compiled code, to show that the simulation can fail,
 * and which scenarios see it.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { breaks } from './breaks.js';
import type { Scenario } from './scenario.js';
import type { Tally } from './tally.js';

export async function breakEachPromise(seeds: string, some: readonly Scenario[], match: string): Promise<void> {
  const compiled = fileURLToPath(new URL('../..', import.meta.url));
  console.log('| promise | broken | noticed by | scenarios |\n|---|---|---|---|');
  const chosen = breaks.filter(({ what }) => what.includes(match));
  for (const { promise, what, file, find, put } of chosen) {
    const folder = mkdtempSync(join(tmpdir(), 'rewt-break-'));
    try {
      cpSync(compiled, folder, { recursive: true });
      const path = join(folder, 'src', `${file}.js`);
      const source = readFileSync(path, 'utf8');
      if (source.split(find).length !== 2) throw new Error(`${file} has '${find}' not once: mend breaks.ts`);
      writeFileSync(
        path,
        source.replace(find, () => put),
      );
      const found = some.length === 1 && some[0] ? ['--scenario', some[0].name] : [];
      const command = [join(folder, 'test/sim/main.js'), '--first', '--json', '--seeds', seeds, ...found];
      const { stdout } = spawnSync(process.execPath, command, { encoding: 'utf8', maxBuffer: 1e8 });
      const tallies = JSON.parse(stdout) as Tally[];
      const noticed = tallies
        .flatMap(({ scenario, first }) => (first === null ? [] : [{ scenario, ...first }]))
        .sort((one, other) => one.seed - other.seed)
        .map(({ scenario, seed }) => `${scenario} (${seed})`);
      const first = noticed.length === 0 ? 'NOTHING' : noticed.slice(0, 3).join(', ');
      console.log(`| ${promise} | ${what} | ${first} | ${noticed.length} |`);
      if (noticed.length === 0) process.exitCode = 1;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
