/**
 * `npm run build`: the types by tsc, one file for each source that they need; the JavaScript by
 * rolldown (rolldown.config.js).
 */

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import ts from 'typescript';
import program, { entries } from '../rolldown.config.js';
import { requiredTypes } from './required-types.js';

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
const declarations = ts.createProgram(roots, { noLib: true, types: [] });
const checker = declarations.getTypeChecker();
const index = declarations.getSourceFile(`${types}/index.d.ts`);
const exported = new Set(
  roots.flatMap((root) =>
    checker
      .getExportsOfModule(checker.getSymbolAtLocation(declarations.getSourceFile(root)))
      .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
      .flatMap((symbol) => symbol.declarations),
  ),
);
for (const source of declarations.getSourceFiles()) {
  const path = relative(types, source.fileName);
  // A framework's own types stay where they are.
  if (path.startsWith('..')) continue;
  const file = join('dist/cjs', path);
  mkdirSync(dirname(file), { recursive: true });
  const published = source.statements.map(publishedText).join('');
  // An alias of `index.d.cts` may not lead to an `export type`.
  const text = source === index ? published.replace(/\btype (?=[{\w])/g, '') : published;
  writeFileSync(file, `${text.replace(/^(?: {4})+/gm, tabs)}\n`);
}
writeFileSync('dist/cjs/index.d.cts', requiredTypes(checker, index));
// Bundlers read no other package.json for the files beside it.
writeFileSync('dist/cjs/package.json', '{"type":"commonjs","sideEffects":false}\n');

const { output } = await build(program);
chmodSync('dist/cjs/cli/main.cjs', 0o755);

// What is imported is what is required (docs/adr/0028).
const require = createRequire(import.meta.url);
const errors = Object.keys(require(resolve('dist/cjs/errors.cjs')));
// Some tools run an imported file once more, but never a required one.
writeFileSync('dist/cjs/imported-errors.cjs', '"use strict";\nmodule.exports = require("./errors.cjs");\n');
for (const path of entries) {
  const from = `${'../'.repeat(path.split('/').length)}cjs/${path}`;
  const { default: byDefault, ...named } = require(resolve('dist/cjs', `${path}.cjs`));
  const names = Object.keys(named);
  const alias = names.filter((name) => named[name] === byDefault).map((name) => `${name} as default`);
  // Node 20 reports a failure within CommonJS twice, and the second one cannot be caught.
  const packages = output.find(({ name }) => name === path).imports.filter((id) => program.external.includes(id));
  const first = packages.map((id) => `import '${id}';\n`).join('');
  const file = join('dist/esm', path);
  mkdirSync(dirname(file), { recursive: true });
  // The errors from a separate file: a bundler cannot leave out a part of CommonJS.
  const others = [...alias, ...names.filter((name) => !errors.includes(name))];
  const lines = [
    reExport(
      names.filter((name) => errors.includes(name)),
      `${dirname(from)}/imported-errors`,
    ),
    reExport(others, from),
  ];
  writeFileSync(`${file}.js`, `${first}${lines.join('')}`);
  const types = alias.map((name) => `export { ${name} } from '${from}.js';\n`);
  writeFileSync(`${file}.d.ts`, [`export * from '${from}.js';\n`, ...types].join(''));
}

function reExport(names, from) {
  return names.length === 0 ? '' : `export { ${names.join(', ')} } from '${from}.cjs';\n`;
}

/** Returns a statement, without comments if it is a function or class that no entry exports. */
function publishedText(statement) {
  const text = statement.getFullText();
  const isOwn = (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) && !exported.has(statement);
  return isOwn ? text.replaceAll(/\s*\/\*\*.*?\*\//gs, '') : text;
}

function tabs(spaces) {
  return '\t'.repeat(spaces.length / 4);
}
