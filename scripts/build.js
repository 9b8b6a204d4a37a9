/** `npm run build`: the types by tsc, one file for each source that they need; the JavaScript by rolldown (rolldown.config.js). */

import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import ts from 'typescript';
import program, { entries } from '../rolldown.config.js';

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
// What the entries lead to.
const roots = entries.map((path) => `${types}/${path}.d.ts`);
for (const { fileName } of ts.createProgram(roots, { noLib: true, types: [] }).getSourceFiles()) {
  const path = relative(types, fileName);
  // A framework's own types stay where they are.
  if (!path.startsWith('..')) cpSync(fileName, join('dist/cjs', path));
}
copyFileSync('src/cjs/index.d.cts', 'dist/cjs/index.d.cts');
writeFileSync('dist/cjs/package.json', '{"type":"commonjs"}\n');

const { output } = await build(program);
chmodSync('dist/cjs/cli/main.cjs', 0o755);

// What is imported is what is required (docs/adr/0028).
const require = createRequire(import.meta.url);
for (const path of entries) {
  const from = `${'../'.repeat(path.split('/').length)}cjs/${path}`;
  const { default: byDefault, ...named } = require(resolve('dist/cjs', `${path}.cjs`));
  const names = Object.keys(named);
  const alias = names.filter((name) => named[name] === byDefault).map((name) => `${name} as default`);
  // Node 20 reports a failure within CommonJS twice, and the second time nobody can catch it.
  const packages = output.find(({ name }) => name === path).imports.filter((id) => program.external.includes(id));
  const first = packages.map((id) => `import '${id}';\n`).join('');
  const file = join('dist/esm', path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.js`, `${first}export { ${[...alias, ...names].join(', ')} } from '${from}.cjs';\n`);
  const types = alias.map((name) => `export { ${name} } from '${from}.js';\n`);
  writeFileSync(`${file}.d.ts`, [`export * from '${from}.js';\n`, ...types].join(''));
}
