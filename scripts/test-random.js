/**
 * `npm run test:random`: the tests that take a seed, with a fresh one (`REWT_SEED=random`) unless
 * it is set. `REWT_RUNS` is how much longer they look.
 */

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts'))
  .map((path) => `test/${path}`)
  .filter((path) => /from '.*\/(?:seeds|seeded)\.js'/.test(readFileSync(path, 'utf8')));
const { status } = spawnSync(process.execPath, ['scripts/test.js', ...files, ...process.argv.slice(2)], {
  env: { REWT_SEED: 'random', ...process.env },
  stdio: 'inherit',
});
process.exit(status ?? 1);
