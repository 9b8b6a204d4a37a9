import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { breaks } from './breaks.js';

const project = fileURLToPath(new URL('../..', import.meta.url));
const { config } = ts.readConfigFile(`${project}tsconfig.json`, ts.sys.readFile);
const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, project);
// A single file does not show that it is an ES module.
const compilerOptions = { ...options, module: ts.ModuleKind.ESNext };

/** As `npm run sim` compiles it. */
function compiled(file: string): string {
  const fileName = `${project}src/${file}.ts`;
  return ts.transpileModule(readFileSync(fileName, 'utf8'), { compilerOptions, fileName }).outputText;
}

it.each(breaks)('has one place to break: $file, $what', ({ file, find, put }) => {
  expect(compiled(file).split(find)).toHaveLength(2);
  expect(put).not.toBe(find);
});

it('no break stands twice in the table of docs/testing.md, and each has its row', () => {
  const page = readFileSync(`${project}docs/testing.md`, 'utf8');
  const rows = page.match(/^\| \d \| .* \| \d+ \|$/gm) ?? [];
  const inPage = rows.map((row) => row.split(' | ').slice(0, 2).join(' | ').replace('| ', ''));
  expect(inPage).toEqual(breaks.map(({ promise, what }) => `${promise} | ${what}`));
});
