/** `npm test`: makes sure of redis-server, nginx and promtool, builds (some tests run what is published), and runs every test. */

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
run('node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2));
