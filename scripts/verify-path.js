/**
 * `node scripts/verify-path.js`: lists the functions of src/ that one `await rewt.verify(token)`
 * runs, file by file, with a fresh copy of the keyring and a token that was not seen before. The
 * counts are V8's own (precise coverage), of src/ compiled file by file.
 */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

const project = fileURLToPath(new URL('..', import.meta.url));
const cache = join(project, 'node_modules/.cache');
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, 'verify-path-'));

try {
  compile();
  const { memoryStore, Rewt } = await import(pathToFileURL(join(folder, 'index.js')).href);
  // A store that is not local, such as Redis: with a local one, each call compares versions.
  const rewt = new Rewt({ store: { ...memoryStore(), local: false } });
  await rewt.verify(await rewt.sign({ sub: 'ann' }));
  const token = await rewt.sign({ sub: 'bob' });
  const path = await functionsRunBy(() => rewt.verify(token));
  await rewt.close();
  for (const [file, names] of path) console.log(`${file}: ${names.join(', ')}`);
  console.log(`${path.size} files, ${[...path.values()].flat().length} functions`);
} finally {
  rmSync(folder, { recursive: true });
}

function compile() {
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}\n');
  const src = join(project, 'src');
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext };
  for (const file of readdirSync(src, { recursive: true })) {
    if (!/(?<!\.d)\.ts$/.test(file)) continue;
    const { outputText } = ts.transpileModule(readFileSync(join(src, file), 'utf8'), { compilerOptions });
    const target = join(folder, file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
}

async function functionsRunBy(call) {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  await call();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  session.disconnect();
  const files = result.flatMap(({ url, functions }) => {
    if (!url.startsWith(pathToFileURL(folder).href)) return [];
    const ran = functions.filter(({ ranges: [whole] }) => whole.count > 0);
    const names = ran.map(({ functionName }) => functionName || '(anonymous)');
    return names.length === 0 ? [] : [[relative(folder, fileURLToPath(url)).replace(/js$/, 'ts'), names]];
  });
  return new Map(files.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
