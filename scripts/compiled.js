/**
 * Compiles src/ and a program of test/ into node_modules/.cache, and runs its main there with the
 * words of the command line.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('..', import.meta.url));

export function runCompiled(name) {
  // REWT_SIM_DIST, for one, names another folder, for instance while another process compiles.
  const folder = process.env[`REWT_${name.toUpperCase()}_DIST`] ?? `${project}node_modules/.cache/rewt-${name}`;
  const config = `${project}test/${name}/tsconfig.json`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/package.json`, '{"type":"module"}\n');
  const outputs = ['--outDir', folder, '--tsBuildInfoFile', `${folder}/.tsbuildinfo`];
  run(`${project}node_modules/typescript/bin/tsc`, '-p', config, ...outputs);
  run('--no-warnings', `${folder}/test/${name}/main.js`, ...process.argv.slice(2));
}

function run(...command) {
  const { status } = spawnSync(process.execPath, command, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
