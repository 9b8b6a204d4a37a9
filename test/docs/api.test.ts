/** docs/api.md and the types have the options of the code, with their defaults. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { memoryStore } from '../../src/index.js';
import { readOptions, rewtReaders } from '../../src/options.js';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const { namespace, tokenLifetimeSeconds, push, maxTokenBytes, tokenCache, member } = readOptions({
  store: memoryStore(),
});
const { maxStalenessMs, clockToleranceMs, ttlMs } = member.policy;

const defaults = {
  redisNamespace: `'${namespace}'`,
  tokenLifetime: `${tokenLifetimeSeconds} s`,
  maxStaleness: `${maxStalenessMs / 1_000} s`,
  clockTolerance: `${clockToleranceMs / 1_000} s`,
  storeTimeout: `${member.storeTimeoutMs / 1_000} s`,
  push: `${push}`,
  maxTokenBytes: `${maxTokenBytes}`,
  tokenCache: `${tokenCache}`,
};

const table = /^\| option \| default \|.*\n\|[-|]+\n((?:\|.*\n)+)/m.exec(read('docs/api.md'))?.[1] ?? '';
const rows = table
  .trim()
  .split('\n')
  .map((row) => row.split('|').map((cell) => cell.trim()))
  .flatMap(([, names = '', value = '']) => names.split(', ').map((name) => [name.replaceAll('`', ''), value] as const));

it('docs/api.md has a row for each option of a Rewt', () => {
  // `algorithms` has one value, and is there for programs written for jsonwebtoken.
  const names = Object.keys(rewtReaders).filter((name) => name !== 'algorithms');
  expect(rows.map(([name]) => name).toSorted()).toEqual(names.toSorted());
});

it('each row of docs/api.md, and each comment of RewtOptions, has the default of the code', () => {
  const given = Object.fromEntries(rows);
  const options = /interface RewtOptions\b.*?\{(.*?)\n\}/s.exec(read('src/options.ts'))?.[1] ?? '';
  const comments = Object.fromEntries(
    [...options.matchAll(/\/\*\*(.*?)\*\/\s+(\w+)\?:/gs)].map(([, text = '', name = '']) => [
      name,
      text.replaceAll(/\s+\*\s+|\s+/g, ' '),
    ]),
  );
  for (const [name, value] of Object.entries(defaults)) {
    const begins = new RegExp(`^\`?${value}\\b|^\`${value}\``);
    expect({ name, value: given[name] }).toEqual({ name, value: expect.stringMatching(begins) });
    expect({ name, comment: comments[name] }).toEqual({
      name,
      comment: expect.stringMatching(new RegExp(`Default: \`?${value}(?!\\w)`)),
    });
  }
  expect([ttlMs, given.ttl]).toEqual([86_400_000, expect.stringContaining('one day')]);
});
