/** What a program loads of rewt: by each subpath, with each store, and in a bundle. */

import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'rolldown';
import { quietAndMedian } from './quantiles.js';
import { shuffled } from './random.js';

const RUNS = 21;
/** As npm counts. */
const KILOBYTE = 1_000;
/** All but `rewt/otel`, which needs a package beside it. */
const subpaths = (exports) =>
  Object.keys(exports)
    .filter((path) => !['.', './otel', './package.json'].includes(path))
    .map((path) => `rewt${path.slice(1)}`);
const stores = [
  ['rewt', "require('rewt');"],
  ['rewt, and a store in memory', "const { memoryStore } = require('rewt'); memoryStore();"],
  ['rewt, and a store in a folder', "const { fileStore } = require('rewt'); fileStore({ path: 'keyring' });"],
  [
    'rewt, and a store on Redis',
    "const { Rewt } = require('rewt'); try { new Rewt({ redisConn: {} }); } catch {} // no client",
  ],
];

/** `folder` is one in which rewt is installed, of which `exports` are those of its package.json. */
export async function parts(folder, random) {
  const { exports } = JSON.parse(await readFile(join(folder, 'node_modules/rewt/package.json'), 'utf8'));
  const programs = [...stores, ...subpaths(exports).map((name) => [name, `require('${name}');`])];
  const loads = await Promise.all(programs.map((program, at) => loadOf(program, join(folder, `part-${at}.cjs`))));
  for (let n = 0; n < RUNS; n += 1) {
    for (const load of shuffled(loads, random)) load.found.push(await start(load.file));
  }
  const rows = loads.map(({ name, found }) => ({
    name,
    kB: found[0].bytes / KILOBYTE,
    files: found[0].files,
    'ms p10 / median': quietAndMedian(found.map(({ ms }) => ms)),
  }));
  return {
    id: 'start parts',
    title: 'What a program loads of rewt',
    columns: ['kB', 'files', 'ms p10 / median'],
    rows: [...rows, { name: 'a bundle of isRewtError', kB: (await bundled(folder, 'isRewtError')) / KILOBYTE }],
  };
}

async function loadOf([name, load], file) {
  await writeFile(
    file,
    `const startedMs = performance.now();
${load}
const ms = performance.now() - startedMs;
const loaded = Object.keys(require.cache).filter((path) => path.includes('/node_modules/rewt/'));
const bytes = loaded.reduce((sum, path) => sum + require('node:fs').statSync(path).size, 0);
console.log(JSON.stringify({ ms, bytes, files: loaded.length }));
`,
  );
  return { name, file, found: [] };
}

async function start(file) {
  const { stdout } = await promisify(execFile)(process.execPath, [file]);
  return JSON.parse(stdout);
}

/** The size of a bundle that uses one export, not minified. */
async function bundled(folder, name) {
  const input = join(folder, 'bundled.js');
  await writeFile(input, `import { ${name} } from 'rewt';\nconsole.log(${name});\n`);
  const output = { codeSplitting: false };
  const bundle = await build({ input, platform: 'node', logLevel: 'silent', write: false, output });
  return bundle.output[0].code.length;
}
