/** How the JavaScript that is published is put together: the library in one file for each kind of module, since every file costs a start 0.8 ms (docs/adr/0011). */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'rolldown';

const folder = (path) => fileURLToPath(new URL(path, import.meta.url));
const { exports, peerDependencies } = JSON.parse(readFileSync(folder('package.json'), 'utf8'));
/** What `import 'rewt/…'` gives, by the path below src/ and dist/: whatever package.json names beside the library itself. */
export const subpaths = Object.values(exports)
  .map((entry) => entry.import?.default.match(/^\.\/dist\/esm\/(.*)\.js$/)[1])
  .filter((path) => path !== undefined && path !== 'index');
const inputs = Object.fromEntries(subpaths.map((path) => [path, `src/${path}.ts`]));
/** The table of errors, and reading without scripts: of what is published, only the command uses them. */
const commandOnly = ['src/error-table.ts', 'src/redis/plain-reader.ts'].map(folder);
const isCommand = (file) => file.startsWith(folder('src/cli/')) || commandOnly.includes(file);
const isHttp = (file) => file.startsWith(folder('src/http/'));
/** What `rewt/fetch` shares with `rewt/testing`: in CommonJS no reason for a file of its own. */
const isClock = (file) => file === folder('src/clock.ts');
/** What is measured, which only those load who want it. */
const isMeasuring = (file) => /^(?:metrics|otel|prometheus)/.test(file.split(folder('src/observe/'))[1] ?? '');
const isForTests = (file) => file.startsWith(folder('src/testing/'));
const isLibrary = (file) =>
  file.startsWith(folder('src/')) &&
  !isCommand(file) &&
  !isHttp(file) &&
  !isMeasuring(file) &&
  !isForTests(file) &&
  !Object.values(inputs).some((input) => file === folder(input));

const common = { platform: 'node', external: Object.keys(peerDependencies), transform: { target: 'es2023' } };
/** Names stay as they are, for stack traces; the comments are in the types and in the sources. */
const readable = { minify: false, comments: false, plugins: [{ name: 'ascii', renderChunk: asAscii }] };

export default defineConfig(
  [
    {
      ...common,
      input: {
        index: 'src/index.ts',
        ...inputs,
        'cli/main': 'src/cli/main.ts',
        'cli/demo/server': 'src/cli/demo/server.ts',
        'cli/demo/caller': 'src/cli/demo/caller.ts',
      },
      output: {
        ...readable,
        dir: 'dist/esm',
        chunkFileNames: '[name].js',
        codeSplitting: {
          groups: [
            // A file beside index.js, which exports no more than it should: the command needs more.
            { name: 'core', test: isLibrary },
            { name: 'http/shared', test: isHttp, minShareCount: 2 },
            { name: 'observe/metrics', test: isMeasuring, minShareCount: 2 },
            { name: 'cli/demo/shared', test: isCommand, minShareCount: 2 },
          ],
        },
      },
    },
    {
      ...common,
      input: 'src/index.ts',
      output: {
        ...readable,
        file: 'dist/cjs/index.cjs',
        format: 'cjs',
        strict: true,
        exports: 'named',
        // Jest's CommonJS has no import().
        dynamicImportInCjs: false,
        // So that `const Rewt = require('rewt')` is the class, as it was in the first rewt, and everything else hangs on it by name.
        footer: 'module.exports = Object.assign(Rewt, exports);',
      },
    },
    // In one build, so that what they share is there once. They know the library as a type or, those that stand beside it, by its public names.
    subpaths.length > 0 && {
      ...common,
      external: [...common.external, /\/index\.js$/],
      input: inputs,
      output: {
        ...readable,
        dir: 'dist/cjs',
        format: 'cjs',
        strict: true,
        exports: 'named',
        dynamicImportInCjs: false,
        entryFileNames: '[name].cjs',
        chunkFileNames: '[name].cjs',
        paths: (id) => (id.endsWith('/index.js') ? './index.cjs' : id),
        codeSplitting: {
          groups: [{ name: 'http/shared', test: (file) => isHttp(file) || isClock(file), minShareCount: 2 }],
        },
      },
    },
  ].filter(Boolean),
);

/** One character beyond Latin-1, and V8 keeps the whole source in two bytes for each. What is left of them stands in strings and patterns. */
function asAscii(code) {
  return code.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
