/**
 * docs/command.md and the runbook in docs/operations.md, held to what the command prints and takes.
 */

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { variables } from '../../src/cli/input/link.js';
import { plansInWords } from '../../src/cli/lookup/found.js';
import type { MemberState } from '../../src/cli/output/fleet.js';
import { tokenErrors } from '../../src/error-table.js';
import { Rewt } from '../../src/index.js';
import { createSealKey } from '../../src/seal/seal-key.js';
import { rewt } from '../cli/command.js';
import { type RedisServer, startRedis, until } from '../support/servers.js';

const page = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), 'utf8');

/** The names in the first column of the table under a heading. */
function documented(heading: string): string[] {
  const [, section = ''] = page('command.md').split(`### ${heading}\n`);
  const rows = (section.split(/\n###? /)[0] ?? '').split('\n').filter((line) => line.startsWith('| `'));
  return rows
    .flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''))
    .sort();
}

/** The paths of all values, elements of a list under `[]`. */
function pathsIn(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) {
    const inside = value.flatMap((element) => pathsIn(element, `${path}[]`));
    return inside.length > 0 && inside.every((name) => name !== `${path}[]`) ? inside : [path];
  }
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, inner]) => pathsIn(inner, path === '' ? name : `${path}.${name}`));
}

let server: RedisServer;
let member: Rewt;
let env: Record<string, string>;
let token: string;
beforeAll(async () => {
  server = await startRedis();
  env = { REWT_URL: server.url, REWT_NAMESPACE: 'shop' };
  member = new Rewt({ redisConn: server.url, redisNamespace: 'shop', memberName: 'orders-1', storeTimeout: 10 });
  token = await member.sign({ user: 'ann' });
  await member.rotate({ force: true, reason: 'a test' });
  await until('it is announced', async () =>
    /orders-1/.test(await server.cli('ZRANGE', 'rewt-fleet:{shop:rewt-secret}', '0', '-1')),
  );
});
afterAll(async () => {
  await member?.close();
  await server?.stop();
});

it.each([
  ['sign', ['{}']],
  ['explain', []],
  ['status', []],
  ['list', []],
  ['doctor', []],
  ['acl', ['--role', 'member']],
  ['rotate', ['--force']],
  ['set', ['--overlap', '1h']],
  ['revoke', ['--yes']],
  ['seal-key', []],
  ['reseal', ['--yes', '--force']],
] as const)('rewt %s --json prints the names in its table, and no others', async (verb, words) => {
  const namespaced = verb === 'list' ? { REWT_URL: env.REWT_URL ?? '' } : env;
  // The keyring of the other rows stays plain text.
  const sealed = { ...env, REWT_NAMESPACE: 'sealed', REWT_SEAL_KEY: createSealKey(randomBytes) };
  if (verb === 'reseal') await rewt(['sign', '{}'], { env: sealed });
  const { stdout } = await rewt([verb, ...words, '--json'], {
    env: verb === 'reseal' ? sealed : namespaced,
    input: verb === 'explain' ? token : '',
  });
  const printed = [...new Set(pathsIn(JSON.parse(stdout)))].sort();
  expect(printed).toEqual(documented(`\`rewt ${verb} --json\``));
});

it('the findings of the doctor in operations.md are as the command prints them', async () => {
  const { stdout } = await rewt(['doctor', '--json'], { env });
  const plain = (text: string) =>
    text
      .replace(/\s+/g, ' ')
      .replace(/\d+(\.\d+)*/g, '0')
      .replace('ahead of', 'behind');
  const [, sample = ''] = page('operations.md').split('$ rewt doctor');
  const findings = JSON.parse(stdout).findings as { check: string; found: string }[];
  // Of a server that evicts, and of other members.
  for (const { check, found } of findings.filter(({ check }) => check !== 'eviction' && check !== 'members')) {
    expect(plain(sample.split('```')[0] ?? '')).toContain(plain(`${check} ${found}`));
  }
});

it('the table of places in command.md has each flag with its variable', async () => {
  const help = (await rewt(['help', 'status'])).stdout;
  for (const [flag, variable] of Object.entries(variables)) {
    expect(page('command.md')).toMatch(new RegExp(`^\\|.*\\| .*\\x60--${flag} .*\\| \\x60${variable}\\x60 \\|$`, 'm'));
    expect(help).toContain(variable);
  }
});

it('rewt verify --json prints the names in its table, and an error those of the table of errors', async () => {
  const fresh = (await rewt(['sign', '{"user":"ann"}'], { env })).stdout;
  const { stdout } = await rewt(['verify', '--json'], { env, input: fresh });
  expect(Object.keys(JSON.parse(stdout)).sort()).toEqual(documented('`rewt verify --json`'));
  const failed = await rewt(['sign', '{}', '--expires-in', 'soon', '--json'], { env });
  expect(pathsIn(JSON.parse(failed.stdout)).sort()).toEqual(documented('Errors'));
});

it('a refused token comes with the remedy that errors.md has for its code', async () => {
  const fresh = (await rewt(['sign', '{}'], { env })).stdout;
  const refused = await rewt(['verify'], { env, input: `${fresh.trim()}AAAA` });
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(tokenErrors.ERR_REWT_MALFORMED.remedy) });
  const json = await rewt(['verify', '--json'], { env, input: `${fresh.trim()}AAAA` });
  const { code, remedy } = JSON.parse(json.stdout).error;
  expect({ code, remedy }).toEqual({
    code: 'ERR_REWT_MALFORMED',
    remedy: tokenErrors.ERR_REWT_MALFORMED.remedy,
  });
});

it('each word that status shows is explained in one table of operations.md', () => {
  const [, section = ''] = page('operations.md').split('### Terms of `status`\n');
  const words = (section.split('\n\nIf ')[0] ?? '').split('\n').map((row) => row.split(' | ')[1] ?? '');
  const explained = words.flatMap((cell) => cell.split(', '));
  const states: readonly MemberState[] = ['behind', 'not announced yet'];
  const shown = [...Object.keys(plansInWords), ...states, 'silent', 'rotate', 'revoke', 'adopt', 'bootstrap'];
  // Where the plan is a revocation by a member that knew more, status shows the row that led to it.
  expect(shown.filter((word) => word !== 'revocation' && !explained.includes(word))).toEqual([]);
});

it('each command of the runbook is a verb with these flags', async () => {
  const [, runbook = ''] = page('operations.md').split('## Runbook\n');
  const lines = [...(runbook.split('\n## ')[0] ?? '').matchAll(/`(rewt [^`]+)`|^(rewt .*)$/gm)].map(
    ([, inline, line]) => inline ?? line ?? '',
  );
  expect(lines.length).toBeGreaterThan(12);
  const helps = new Map<string, string>();
  for (const line of lines) {
    const [, verb = '', ...words] = line.replace(/#.*$/, '').trim().split(/\s+/);
    const help = helps.get(verb) ?? (await rewt(['help', verb])).stdout;
    helps.set(verb, help);
    expect({ line, isVerb: help.includes(`\nrewt ${verb}`) || help.startsWith(`rewt ${verb}`) }).toEqual({
      line,
      isVerb: true,
    });
    for (const flag of words.filter((word) => word.startsWith('--'))) {
      expect({ line, flag, isFlag: new RegExp(`${flag}\\b`).test(help) }).toEqual({ line, flag, isFlag: true });
    }
  }
});

it('each exit code of the table in command.md is in the help, of a verb too, and no other is', async () => {
  const [, section = ''] = page('command.md').split('## Exit codes\n');
  const rows = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => /^\| \d/.test(line));
  const codes = rows.flatMap((row) => row.split(' | ')[0]?.match(/\d+/g) ?? []);
  for (const words of [['--help'], ['revoke', '--help']]) {
    const [, listed = ''] = (await rewt(words)).stdout.split('Exit codes:');
    expect({ words, codes: listed.match(/\d+/g) }).toEqual({ words, codes });
  }
});
