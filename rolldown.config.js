/** How the JavaScript that is published is put together: the library in one file, since every file costs a start 0.8 ms (docs/adr/0028). */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'rolldown';

const folder = (path) => fileURLToPath(new URL(path, import.meta.url));
const { exports, peerDependencies } = JSON.parse(readFileSync(folder('package.json'), 'utf8'));
/** What `import 'rewt'` and `import 'rewt/…'` give, by the path below src/ and dist/. */
export const entries = Object.values(exports).flatMap(
  (entry) => /^\.\/dist\/cjs\/(.*)\.cjs$/.exec(entry.require?.default ?? '')?.[1] ?? [],
);
const programs = ['cli/main', 'cli/demo/server', 'cli/demo/caller'];

const isBelow = (path) => (file) => file.startsWith(folder(path));
const isEntry = (file) => entries.some((path) => file === folder(`src/${path}.ts`));
const isHttp = isBelow('src/http/');
/** What is measured, which only those load who want it. */
const isMeasuring = (file) => /^(?:metrics|otel|prometheus)/.test(file.split(folder('src/observe/'))[1] ?? '');
/** What only the command needs of what stands beside it: text for people, and the reading without scripts. */
const forCommand = ['src/error-table.ts', 'src/redis/plain-reader.ts', 'src/redis/find.ts'].map(folder);
const isCommand = (file) => isBelow('src/cli/')(file) || forCommand.includes(file);
const isLibrary = (file) =>
  isBelow('src/')(file) &&
  ![isEntry, isHttp, isMeasuring, isBelow('src/testing/'), isCommand].some((isPart) => isPart(file));

export default defineConfig({
  input: Object.fromEntries([...entries, ...programs].map((path) => [path, `src/${path}.ts`])),
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
    // Names stay as they are, for stack traces; the comments are in the types and in the sources.
    // Marks for bundlers too go: they read them in ES modules only. So does indentation: 3 of 211 kB.
    minify: false,
    comments: false,
    plugins: [
      {
        name: 'small',
        renderChunk: (code) => asAscii(withPlainExports(code).replaceAll(/\/\* @__PURE__ \*\/ |^\t+/gm, '')),
      },
    ],
    // So that `const Rewt = require('rewt')` is the class, as it was in the first rewt, and everything else hangs on it by name.
    footer: ({ name }) => (name === 'index' ? 'module.exports = Object.assign(exports.Rewt, exports);' : ''),
    codeSplitting: {
      groups: [
        // A file beside index.cjs, which exports no more than it should: all else needs more.
        { name: 'core', test: isLibrary },
        { name: 'http/shared', test: isHttp, minShareCount: 2 },
        { name: 'observe/metrics', test: isMeasuring, minShareCount: 2 },
        // Apart, so that the command loads nothing of the demo.
        { name: 'cli/address', test: (file) => file === folder('src/cli/address.ts') },
        { name: 'cli/demo/shared', test: isBelow('src/cli/demo/'), minShareCount: 2 },
      ],
    },
  },
});

/** One character beyond Latin-1, and V8 keeps the whole source in two bytes for each. What is left of them stands in strings and patterns. */
function asAscii(code) {
  return code.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** What a file exports, at its end: as a value, which is a quarter as long as a getter. No binding changes once a file has run. */
function withPlainExports(code) {
  return code.replaceAll(
    /^Object\.defineProperty\(exports, "(\w+)", \{\s+enumerable: true,\s+get: function \(\) \{\s+return (\w+);\s+\}\s+\}\);$/gm,
    (_getter, name, binding) => {
      if (new RegExp(`^let ${binding}\\b`, 'm').test(code)) throw new Error(`${name} is exported, and may change.`);
      return `exports.${name} = ${binding};`;
    },
  );
}
