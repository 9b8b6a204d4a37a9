/** `npm run build`: the types by tsc, one file for each source that they need; the JavaScript by rolldown (rolldown.config.js). */

import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import ts from 'typescript';
import programs from '../rolldown.config.js';

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
// What index.d.ts leads to. The same types serve both kinds of module, which package.json tells apart.
for (const { fileName } of ts.createProgram([`${types}/index.d.ts`], { noLib: true, types: [] }).getSourceFiles()) {
  for (const format of ['esm', 'cjs']) cpSync(fileName, join('dist', format, relative(types, fileName)));
}
copyFileSync('src/cjs/index.d.cts', 'dist/cjs/index.d.cts');
writeFileSync('dist/cjs/package.json', '{"type":"commonjs"}\n');

await build(programs);
chmodSync('dist/esm/cli/main.js', 0o755);
