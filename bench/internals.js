/**
 * Gives what is inside of the library, which what is published keeps to itself: compiled file by
 * file, beside the other things that are made anew.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('..', import.meta.url));
const folder = `${project}node_modules/.cache/rewt-bench`;
let isCompiled = false;

/** @param {string} file as below src/, without its ending: 'jwt/mac'. */
export async function internal(file) {
  if (!isCompiled) compile();
  return import(new URL(`file://${folder}/${file}.js`));
}

function compile() {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/package.json`, '{"type":"module"}\n');
  const tsc = `${project}node_modules/typescript/bin/tsc`;
  execFileSync(process.execPath, [tsc, '-p', `${project}tsconfig.build.json`, '--outDir', folder], {
    stdio: 'inherit',
  });
  isCompiled = true;
}
