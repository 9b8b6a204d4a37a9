/**
 * Runs the `main` of a module in TypeScript (test/…/main.ts) with the words of the command line,
 * once the library is built.
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createViteServer } from 'vitest/node';

/**
 * @param prepare makes sure of what the module needs; not called if the command line asks for help
 * alone
 */
export async function runMain(path, prepare = () => {}) {
  process.chdir(fileURLToPath(new URL('..', import.meta.url)));
  // What the module starts is ended when this process ends by itself.
  process.once('SIGINT', () => process.exit(130));
  // What runs the tests reads TypeScript; nothing is served.
  const vite = await createViteServer({
    configFile: false,
    logLevel: 'error',
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, ws: false, watch: null },
  });
  try {
    const { main, ordersOf } = await vite.ssrLoadModule(path);
    const orders = ordersOf(process.argv.slice(2));
    if (orders === null) return;
    prepare();
    build();
    process.exitCode = await main(orders);
  } finally {
    await vite.close();
  }
}

/** Unless REWT_DIST names a library that is built already. */
function build() {
  if (process.env.REWT_DIST) return;
  const { status } = spawnSync(process.execPath, ['scripts/build.js'], { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}
