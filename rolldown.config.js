/**
 * Puts together the JavaScript that is published: few files, because each one costs a start, and
 * none that a program loads without need (docs/adr/0031).
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'rolldown';
import { minifySync } from 'rolldown/experimental';

const folder = (path) => fileURLToPath(new URL(path, import.meta.url));
const { exports, peerDependencies } = JSON.parse(readFileSync(folder('package.json'), 'utf8'));
/** What `import 'rewt'` and `import 'rewt/…'` give, by the path below src/ and dist/. */
export const entries = Object.values(exports).flatMap(
  (entry) => /^\.\/dist\/cjs\/(.*)\.cjs$/.exec(entry.require?.default ?? '')?.[1] ?? [],
);
const program = 'cli/main';

const isBelow = (path) => (file) => file.startsWith(folder(path));
const isEntry = (file) => entries.some((path) => file === folder(`src/${path}.ts`));
const isHttp = (file) => isBelow('src/middleware/')(file) || isBelow('src/outgoing/')(file);
/** What is measured, which only those load who want it. */
const isMeasuring = (file) => /^(?:metrics|otel|prometheus)/.test(file.split(folder('src/observe/'))[1] ?? '');
const isOneOf = (paths) => {
  const files = paths.map((path) => folder(`src/${path}.ts`));
  return (file) => files.includes(file);
};
/** The errors alone: a page in a browser may want no more than `isRewtError`. */
const isErrors = isOneOf(['errors']);
/** What the entries and the stores share with the class: they need nothing else of the library. */
const isShared = (file) =>
  ['src/async/', 'src/time/', 'src/validation/'].some((path) => isBelow(path)(file)) ||
  isOneOf(['jwt/registered-claims', 'jwt/sign-options', 'jwt/verify-options', 'observe/channels'])(file) ||
  isOneOf(['stores/announced', 'stores/record', 'stores/store', 'stores/weak-watch'])(file);
/** The command's way to Redis, and its reading without scripts. */
const isCommandOnRedis = isOneOf(['cli/redis-client', 'stores/redis/plain-reader', 'stores/redis/find']);
const isRedis = (file) => isBelow('src/stores/redis/')(file) && !isCommandOnRedis(file);
const isCommand = (file) => isBelow('src/cli/')(file) || isCommandOnRedis(file) || isOneOf(['error-table'])(file);
const isLibrary = (file) =>
  isBelow('src/')(file) &&
  ![isEntry, isHttp, isMeasuring, isBelow('src/testing/'), isCommand].some((isPart) => isPart(file));

export default defineConfig({
  input: Object.fromEntries([...entries, program].map((path) => [path, `src/${path}.ts`])),
  platform: 'node',
  external: Object.keys(peerDependencies),
  transform: { target: 'es2023' },
  output: {
    dir: 'dist/cjs',
    format: 'cjs',
    strict: true,
    exports: 'named',
    entryFileNames: '[name].cjs',
    chunkFileNames: ({ name }) => (name === 'verbs' ? 'cli/verbs.cjs' : '[name].cjs'),
    // Jest's CommonJS has no import().
    dynamicImportInCjs: false,
    minify: false,
    comments: false,
    plugins: [
      {
        name: 'small',
        renderChunk(code, { fileName, name, isEntry }) {
          const small = fileName.startsWith('cli/') ? asCommand : asLibrary;
          const plain = withPlainExports(withLazyStores(code));
          // Node has to find the names of what is imported, and no program imports the others.
          return asAscii(small(fileName, isEntry || name === 'errors' ? plain : withShortExports(plain)));
        },
      },
    ],
    // So that `const Rewt = require('rewt')` is the class, as it was in the first rewt, and
    // everything else hangs on it by name.
    footer: ({ name }) => (name === 'index' ? 'module.exports = Object.assign(exports.Rewt, exports);' : ''),
    codeSplitting: {
      groups: [
        // Each takes what it needs of the modules that no group before it has.
        { name: 'errors', test: isErrors },
        { name: 'base', test: isShared },
        { name: 'redis', test: isRedis },
        { name: 'files', test: isBelow('src/stores/files/') },
        // A file beside index.cjs, which exports no more than it should: all else needs more.
        { name: 'core', test: isLibrary },
        { name: 'cli/redis', test: isCommandOnRedis },
        { name: 'middleware/shared', test: isHttp, minShareCount: 2 },
        { name: 'observe/metrics', test: isMeasuring, minShareCount: 2 },
      ],
    },
  },
});

/** All that a file exports under its own name, in one statement. */
function withShortExports(code) {
  return code.replace(/(?:^exports\.(\w+) = \1;\s*)+/m, (lines) => {
    const names = [...lines.matchAll(/exports\.(\w+)/g)].map(([, name]) => name);
    return `Object.assign(exports, { ${names.join(', ')} });\n`;
  });
}

/**
 * Requires a store where it is used, in place of at the start. What is imported of another file is
 * always written as a property of what that file exports; `new` needs the brackets.
 */
function withLazyStores(code) {
  const required = /^const (require_\w+) = require\("(\S*\/(?:redis|files)\.cjs)"\);\n/gm;
  return [...code.matchAll(required)].reduce((text, [line, name, path]) => {
    const lazy = text
      .replace(line, '')
      .replaceAll(new RegExp(`\\b${name}\\.([\\w$]+)`, 'g'), `(require("${path}").$1)`);
    if (new RegExp(`\\b${name}\\b`).test(lazy)) throw new Error(`${name} is used as a whole.`);
    return lazy;
  }, code);
}

/**
 * Shortens parameters and variables. The names in stack traces stay, and so do lines: a statement
 * on each, under the name of its source.
 */
function asLibrary(fileName, code) {
  // Private methods are marked, because the minifier would rename them.
  const methods = [...code.matchAll(/^\t+(?:async |get |set )*#(\w+)\(/gm)].map(([, name]) => name);
  const privates = new RegExp(`#(?=(?:${methods.join('|')})\\b)`, 'g');
  const marked = code
    .replaceAll(/^\/\/ /gm, '//! ')
    .replaceAll(privates, '$private$$')
    .replaceAll(/\brequire_(?=\w)/g, '$$');
  const small = minified(fileName, marked, {
    compress: false,
    mangle: { toplevel: false, keepNames: true },
    codegen: { removeWhitespace: false, legalComments: 'inline' },
  });
  return small
    .replaceAll('$private$', '#')
    .replaceAll(/^\/\/! /gm, '// ')
    .replaceAll(/^\t+/gm, '');
}

/** Minifies all of it: the command prints no stack trace, and of a failure its class. */
function asCommand(fileName, code) {
  return minified(fileName, code, { mangle: { toplevel: true, keepNames: { function: false, class: true } } });
}

function minified(fileName, code, options) {
  // Marks for bundlers, which read them in ES modules only.
  const result = minifySync(fileName, code.replaceAll('/* @__PURE__ */ ', ''), options);
  if (result.errors.length > 0) throw new Error(`${fileName}: ${result.errors[0].message}`);
  return result.code;
}

/**
 * One character beyond Latin-1, and V8 keeps the whole source in two bytes for each. What is left
 * of them stands in strings and patterns.
 */
function asAscii(code) {
  return code.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * What a file exports, at its end: as a value, which is a quarter as long as a getter. No binding
 * changes once a file has run.
 */
function withPlainExports(code) {
  const [open, get, close] = [
    /^Object\.defineProperty\(exports, "(\w+)", \{\s+enumerable: true,\s+/,
    /get: function \(\) \{\s+return (\w+);\s+\}\s+/,
    /\}\);$/,
  ];
  return code.replaceAll(new RegExp(open.source + get.source + close.source, 'gm'), (_getter, name, binding) => {
    if (new RegExp(`^let ${binding}\\b`, 'm').test(code)) throw new Error(`${name} is exported, and may change.`);
    return `exports.${name} = ${binding};`;
  });
}
