/**
 * Loads one package and prints what that took. `start.js` puts a copy of this file beside the
 * packages, so that their names are found as an application's would be.
 */

import { createRequire } from 'node:module';

const [, , how, name] = process.argv;
const require = createRequire(import.meta.url);
const before = process.memoryUsage();
const startedMs = performance.now();
if (how === 'require') require(name);
else if (how === 'import') await import(name);
const ms = performance.now() - startedMs;
const after = process.memoryUsage();
console.log(JSON.stringify({ ms, heap: after.heapUsed - before.heapUsed, rss: after.rss - before.rss }));
