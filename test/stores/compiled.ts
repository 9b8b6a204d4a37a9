/** The stores as JavaScript in a folder of their own, for tests that need them in another process. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';

const project = fileURLToPath(new URL('../..', import.meta.url));

/** Answers with the new folder. Without `packages`, nothing that is installed can be found from there. */
export function compileStores({ packages, format }: { packages: boolean; format: 'esm' | 'cjs' }): string {
  const folder = mkdtempSync(join(tmpdir(), 'rewt-compiled-'));
  const module = format === 'esm' ? ModuleKind.ESNext : ModuleKind.CommonJS;
  for (const source of sources()) {
    const { outputText } = transpileModule(readFileSync(join(project, 'src', source), 'utf8'), {
      compilerOptions: { module, target: ScriptTarget.ES2023, esModuleInterop: true },
    });
    const file = join(folder, source.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, outputText);
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: format === 'esm' ? 'module' : 'commonjs' }));
  if (packages) symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'), 'dir');
  return folder;
}

/** All but the command: what a store imports is then there, whatever it is. */
function sources(): string[] {
  const names = readdirSync(join(project, 'src'), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.ts') && !name.startsWith('cli'));
}
