/** `npm run prose` finds each kind of fault, and the pages have none. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { faultsIn, sentencesIn } from '../../scripts/prose.js';

const project = fileURLToPath(new URL('../..', import.meta.url));
const long = `${'word '.repeat(26)}.`;

it.each([
  ['a line of code of 121 columns', 'src/a.ts', 'x'.repeat(121)],
  ['a comment of 101 columns', 'src/a.ts', `// ${'x'.repeat(98)}`],
  ['a comment that names no one who acts', 'src/a.ts', '// Nobody waits.'],
  ['a test file of 401 lines', 'test/a.ts', 'x\n'.repeat(401)],
  ['a heading that is a question', 'docs/a.md', '## What it does'],
  ['two sentences in one line', 'docs/a.md', 'It reads. It writes.'],
  ['a sentence in two lines', 'docs/a.md', 'It reads\nand writes.'],
  ['a sentence of 26 words', 'docs/a.md', long],
  ['the same in a list', 'docs/a.md', `* ${long}`],
  ['a cell of 81 characters', 'docs/a.md', `| a | ${'x'.repeat(81)} |`],
  ['a link to no file', 'docs/a.md', '[a](none.md)'],
  ['a link to no heading', 'docs/a.md', '[a](protocol.md#none)'],
])('%s is one fault', (_kind, file, text) => {
  expect(faultsIn(file, text)).toHaveLength(1);
});

it.each([
  ['code, in a fence and in a line', 'docs/a.md', `\`\`\`\n${long}\n\`\`\`\n\`nobody. Or somebody\``],
  ['a test file of 400 lines', 'test/a.ts', 'x\n'.repeat(400)],
  ['a link that is long by its target', 'docs/a.md', `| [a](https://example.com/${'x'.repeat(81)}) |`],
  ['a heading that is there', 'docs/a.md', '[a](protocol.md#names)'],
  ['a decision of long ago', 'docs/adr/0001-a.md', 'Nobody waits. Nobody writes.'],
])('%s is none', (_kind, file, text) => {
  expect(faultsIn(file, text)).toEqual([]);
});

it('a sentence ends at its dot, and not at one in code or in a number', () => {
  expect(sentencesIn('Run `a. B` 7.0 times. `c` is next.')).toEqual(['Run `a. B` 7.0 times.', '`c` is next.']);
});

it('the pages have no fault', () => {
  const below = ['docs', 'examples'].flatMap((folder) =>
    readdirSync(`${project}${folder}`, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  );
  const pages = [...readdirSync(project), ...below].filter((name) => /^(?!.*node_modules).*\.md$/.test(name));
  expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/operations.md', 'examples/nginx/README.md']));
  expect(pages.flatMap((page) => faultsIn(page, readFileSync(`${project}${page}`, 'utf8')))).toEqual([]);
});
