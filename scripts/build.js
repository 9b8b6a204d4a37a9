/** Compiles src/ twice, file by file: once as ES modules, once as CommonJS. */

import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

rmSync('dist', { recursive: true, force: true });
for (const format of ['esm', 'cjs']) {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', `tsconfig.${format}.json`], {
    stdio: 'inherit',
  });
}

// Inside this folder, .js means CommonJS.
writeFileSync('dist/cjs/package.json', '{"type":"commonjs"}\n');
for (const file of ['index.cjs', 'index.d.cts']) copyFileSync(`src/cjs/${file}`, `dist/cjs/${file}`);
chmodSync('dist/esm/cli/main.js', 0o755);
