/** `npm run build`: the types by tsc, one file for each source that they need; the JavaScript by rolldown (rolldown.config.js). */

import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import ts from 'typescript';
import programs, { subpaths } from '../rolldown.config.js';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
rmSync('dist', { recursive: true, force: true });

const types = 'node_modules/.cache/rewt-types';
const tsc = [
  'node_modules/typescript/bin/tsc',
  '-p',
  'tsconfig.build.json',
  '--emitDeclarationOnly',
  '--outDir',
  types,
];
execFileSync(process.execPath, tsc, { stdio: 'inherit' });
// What the entries lead to. The same types serve both kinds of module, which package.json tells apart.
const entries = ['index', ...subpaths].map((path) => `${types}/${path}.d.ts`);
for (const { fileName } of ts.createProgram(entries, { noLib: true, types: [] }).getSourceFiles()) {
  const path = relative(types, fileName);
  // A framework's own types stay where they are.
  if (path.startsWith('..')) continue;
  for (const format of ['esm', 'cjs']) cpSync(fileName, join('dist', format, path));
}
copyFileSync('src/cjs/index.d.cts', 'dist/cjs/index.d.cts');
writeFileSync('dist/cjs/package.json', '{"type":"commonjs"}\n');

await build(programs);
chmodSync('dist/esm/cli/main.js', 0o755);
