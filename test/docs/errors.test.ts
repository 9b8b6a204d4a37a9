/** docs/errors.md is made of the table of error codes. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { sentencesIn } from '../../scripts/prose.js';
import { callerErrors, type ErrorRow, storeErrors, tokenErrors } from '../../src/error-table.js';
import { OptionError, StoreError, TokenError } from '../../src/errors.js';
import { failures } from '../../src/stores/redis/error-causes.js';

const classes = [
  {
    name: 'TokenError',
    status: new TokenError({ code: 'ERR_REWT_MALFORMED', message: '' }).status,
    table: tokenErrors,
    about: 'The token is refused. Answer 401.',
  },
  {
    name: 'StoreError',
    status: new StoreError('ERR_REWT_STORE_DOWN', '').status,
    table: storeErrors,
    about: 'The store cannot be used. This says nothing about a token: answer 503, never 401.',
  },
  {
    name: 'OptionError',
    status: new OptionError('').status,
    table: callerErrors,
    about: 'The calling program is at fault. It is no answer to a client: mend the program.',
  },
];

const opening =
  'One heading per `code`. Recognise an error of rewt by `isRewtError(error)`, then look at ' +
  '`code`, never at the message. The page is made from `src/error-table.ts`.';

const rows: readonly ErrorRow[] = classes.flatMap(({ table }) => Object.values<ErrorRow>(table));

function entry([code, row]: [string, ErrorRow]): string {
  return [
    `### ${code}`,
    lines(row.meaning),
    [`- Cause: ${lines(row.cause, '  ')}`, `- Remedy: ${lines(row.remedy, '  ')}`, `- Retry: ${row.retry}.`].join('\n'),
  ].join('\n\n');
}

/** One sentence a line. */
const lines = (text: string, indent = '') => sentencesIn(text).join(`\n${indent}`);

function page(): string {
  const parts = classes.flatMap(({ name, status, table, about }) => [
    `## ${name}: ${status}`,
    lines(about),
    ...Object.entries(table).map(entry),
  ]);
  return `${['# Errors', lines(opening), ...parts].join('\n\n')}\n`;
}

it('docs/errors.md has a heading for each error code, with its cause, its remedy and whether to retry', async () => {
  // After a change of the table: npx vitest run test/docs/errors.test.ts -u
  await expect(page()).toMatchFileSnapshot('../../docs/errors.md');
});

it('each error code has one row, with whole sentences', () => {
  const codes = classes.flatMap(({ table }) => Object.keys(table));
  expect(new Set(codes).size).toBe(codes.length);
  for (const { meaning, cause, remedy } of rows) {
    for (const sentence of [meaning, cause, remedy]) expect(sentence).toMatch(/^[A-Z`].*\.$/);
  }
});

it('each section of the runbook that an error names is there, and a full Redis names that of the brake', () => {
  const runbook = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const words = [...rows.map(({ remedy }) => remedy), ...failures.map(({ message }) => message)];
  const named = words.flatMap((text) => [...text.matchAll(/"([^"]+)" in (?:the runbook|docs\/operations\.md)/g)]);
  const sections = named.map(([, section]) => section);
  expect(sections).toContain('Redis is full');
  for (const section of sections) expect(runbook).toContain(`\n### ${section}\n`);
});
