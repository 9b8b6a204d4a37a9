/** `npm run fuzz`: compiles src/ and the fuzzer (test/fuzz) into node_modules/.cache, and runs it there. Its options are in test/fuzz/main.ts. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('..', import.meta.url));
// REWT_FUZZ_DIST names another folder, for instance while somebody else compiles.
const folder = process.env.REWT_FUZZ_DIST ?? `${project}node_modules/.cache/rewt-fuzz`;

function run(...command) {
  const { status } = spawnSync(process.execPath, command, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

mkdirSync(folder, { recursive: true });
writeFileSync(`${folder}/package.json`, '{"type":"module"}\n');
run(
  `${project}node_modules/typescript/bin/tsc`,
  '-p',
  `${project}test/fuzz/tsconfig.json`,
  '--outDir',
  folder,
  '--tsBuildInfoFile',
  `${folder}/.tsbuildinfo`,
);
run('--no-warnings', `${folder}/test/fuzz/main.js`, ...process.argv.slice(2));
