/**
 * `npm run faults [-- --only <fault>] [--json]`: makes sure of a redis-server, builds, and runs the
 * fault suite (test/faults, in TypeScript).
 */

import { runMain } from './main-in-typescript.js';
import { ensureRedisServer } from './redis-server.js';

await runMain('/test/faults/main.ts', () => {
  try {
    ensureRedisServer();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
});
