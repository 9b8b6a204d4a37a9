/** The stores as JavaScript in a folder of their own, for tests that need them in another process. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';

const project = fileURLToPath(new URL('../..', import.meta.url));

/** Answers with the new folder; `packages` false: nothing that is installed can be found from there. */
export function compileStores({ packages }: { packages: boolean }): string {
  const folder = mkdtempSync(join(tmpdir(), 'rewt-compiled-'));
  const stores = readdirSync(join(project, 'src/stores')).filter((name) => name.endsWith('.ts'));
  for (const source of ['errors.ts', ...stores.map((name) => `stores/${name}`)]) {
    const { outputText } = transpileModule(readFileSync(join(project, 'src', source), 'utf8'), {
      compilerOptions: { module: ModuleKind.ESNext, target: ScriptTarget.ES2023, verbatimModuleSyntax: true },
    });
    const file = join(folder, source.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, outputText);
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  if (packages) symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'), 'dir');
  return folder;
}
