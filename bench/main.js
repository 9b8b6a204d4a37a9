/** `npm run bench [-- <name> …]`: measures, and prints what the documentation may say. */

import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const benches = { fleet: () => import('./fleet.js') };

const names = process.argv.slice(2);
const unknown = names.find((name) => !Object.hasOwn(benches, name));
if (unknown === undefined) {
  for (const name of names.length > 0 ? names : Object.keys(benches)) await (await benches[name]()).run();
} else {
  console.error(`There is no bench called '${unknown}': there are ${Object.keys(benches).join(', ')}.`);
  process.exitCode = 2;
}
