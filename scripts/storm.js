/**
 * `npm run storm [-- --seconds 120] [--seed 7]`: builds, and plays a storm (test/storm, in
 * TypeScript).
 */

import { runMain } from './main-in-typescript.js';

await runMain('/test/storm/main.ts');
