/**
 * The stores as JavaScript in a separate folder, for tests that need them in another process.
 */
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';

const project = fileURLToPath(new URL('../..', import.meta.url));

const IMPORT = /(?:^(?:import|export)\s(?!type\b)[^'"]*|\bimport\()['"](\.[^'"]+)\.js['"]/gm;

interface Wanted {
  /** Modules below src/, without extension. What they import comes with them. */
  readonly modules: readonly string[];
  readonly packages: boolean;
  readonly format: 'esm' | 'cjs';
}

/**
 * Answers with the new folder. Without `packages`, nothing that is installed can be found from
 * there.
 */
export function compileStores({ modules, packages, format }: Wanted): string {
  const folder = mkdtempSync(join(tmpdir(), 'rewt-compiled-'));
  const module = format === 'esm' ? ModuleKind.ESNext : ModuleKind.CommonJS;
  const sources = new Set(modules);
  for (const source of sources) {
    const text = readFileSync(join(project, 'src', `${source}.ts`), 'utf8');
    for (const [, name = ''] of text.matchAll(IMPORT)) sources.add(normalize(join(dirname(source), name)));
    const { outputText } = transpileModule(text, {
      compilerOptions: { module, target: ScriptTarget.ES2023, esModuleInterop: true },
    });
    const file = join(folder, `${source}.js`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, outputText);
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: format === 'esm' ? 'module' : 'commonjs' }));
  if (packages) symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'), 'dir');
  return folder;
}
