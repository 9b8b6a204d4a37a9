/**
 * `npm test`: makes sure of redis-server, nginx and promtool, builds (some tests run what is
 * published), and runs every test, or those of the files that are named.
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureNginx } from './nginx.js';
import { ensurePromtool } from './promtool.js';
import { ensureRedisServer } from './redis-server.js';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

function run(...command) {
  const { status } = spawnSync(process.execPath, command, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

try {
  ensureRedisServer();
  ensureNginx();
  ensurePromtool();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
run('scripts/build.js');
const given = process.argv.slice(2);
const test = (...args) => run('node_modules/vitest/vitest.mjs', 'run', ...args, ...given);
if (given.some((arg) => !arg.startsWith('-'))) test();
else {
  // The pure files have to be covered by what takes seconds, and everything else takes less time
  // without being counted.
  test('--project=quick*', '--coverage');
  test('--project=rest');
}
