/** `npm run storm [-- --seconds 120] [--seed 7]`: builds, and plays a storm (test/storm, in TypeScript). */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createViteServer } from 'vitest/node';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
// Writers and readers are ended when this process ends by itself.
process.once('SIGINT', () => process.exit(130));

function prepare() {
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
  const { main, ordersOf } = await vite.ssrLoadModule('/test/storm/main.ts');
  const orders = ordersOf(process.argv.slice(2));
  if (orders !== null) {
    prepare();
    process.exitCode = await main(orders);
  }
} finally {
  await vite.close();
}
