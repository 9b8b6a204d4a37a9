/**
 * The types of `require('rewt')`, made from those of `import 'rewt'`. By `export =`, the class is
 * what TypeScript requires too; a namespace of the same name holds everything else.
 */

import ts from 'typescript';

/**
 * Returns the text of `index.d.cts`, which stands beside `index.d.ts`.
 *
 * @param {ts.TypeChecker} checker
 * @param {ts.SourceFile} index `index.d.ts`, whose default export is the class.
 */
export function requiredTypes(checker, index) {
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(index));
  const names = exported.map(({ name }) => name);
  const main = checker.getAliasedSymbol(exported.find(({ name }) => name === 'default'));
  const { name } = main;
  const [parameters, given] = typeParameters(main, names);
  // An alias is value and type in one, and keeps the hover text.
  const lines = names.map((one) =>
    one === 'default' ? `export { ${name} as default };` : `export import ${one} = api.${one};`,
  );
  return [
    "import * as api from './index.js';",
    `declare class ${name}${parameters} extends api.${name}${given} {}`,
    `declare namespace ${name} {`,
    ...lines.map((line) => `  ${line}`),
    '}',
    `export = ${name};`,
    '',
  ].join('\n');
}

/** Returns the type parameters as declared, with `api.` before exported names, and as given on. */
function typeParameters({ declarations }, names) {
  const [parameters] = declarations.map((one) => one.typeParameters ?? []);
  const own = parameters.map((one) => one.name.text);
  const declared = parameters.map((one) =>
    one
      .getText()
      .replace(/\b[A-Z]\w*/g, (word) => (names.includes(word) && !own.includes(word) ? `api.${word}` : word)),
  );
  return [`<${declared.join(', ')}>`, `<${own.join(', ')}>`];
}
