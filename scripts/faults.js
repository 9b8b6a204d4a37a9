/** `npm run faults [-- --only <fault>] [--json]`: makes sure of a redis-server, builds, and runs the fault suite (test/faults, in TypeScript). */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createViteServer } from 'vitest/node';
import { ensureRedisServer } from './redis-server.js';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
// Servers and members are ended when this process ends by itself.
process.once('SIGINT', () => process.exit(130));

function prepare() {
  try {
    ensureRedisServer();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
  if (process.env.REWT_DIST) return;
  const { status } = spawnSync(process.execPath, ['scripts/build.js'], { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}

// What runs the tests reads TypeScript; nothing is served.
const vite = await createViteServer({
  configFile: false,
  logLevel: 'error',
  optimizeDeps: { noDiscovery: true },
  server: { middlewareMode: true, ws: false, watch: null },
});
try {
  const { main, ordersOf } = await vite.ssrLoadModule('/test/faults/main.ts');
  const orders = ordersOf(process.argv.slice(2));
  if (orders !== null) {
    prepare();
    process.exitCode = await main(orders);
  }
} finally {
  await vite.close();
}
