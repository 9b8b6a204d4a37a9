/**
 * `rewt status` on a real terminal: bars as wide as it is, in colour unless that is unwanted; and
 * as before where there is none.
 */

import { spawn, spawnSync } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshState, main, rewtProcess } from './process.js';

const state = freshState();
beforeAll(async () => {
  await rewtProcess(['sign', '{}'], { env: state.env });
  await rewtProcess(['rotate', '--force'], { env: state.env });
});
afterAll(() => state.remove());

// util-linux's: the one of macOS takes other arguments.
const hasScript = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false;

function onTerminal(columns: number, env: Record<string, string>): Promise<string> {
  const command = `stty cols ${columns} rows 24; '${process.execPath}' '${main}' status`;
  const child = spawn('script', ['-q', '-e', '-c', command, '/dev/null'], {
    // Nothing of ours: NO_COLOR, FORCE_COLOR, CI, and more decide on colours.
    env: { PATH: process.env.PATH, ...state.env, TERM: 'xterm-256color', ...env },
  });
  let screen = '';
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk;
  });
  return new Promise((resolve) => child.once('close', () => resolve(screen.replaceAll('\r', ''))));
}

it.runIf(hasScript).each([40, 100])('on a terminal of %i columns it draws bars that fit', async (columns) => {
  const screen = await onTerminal(columns, { LC_ALL: 'C.UTF-8' });
  const lines = stripVTControlCharacters(screen).split('\n');
  expect(screen).toContain('\u001b[32m');
  expect(lines.some((line) => /^current .*━+─+┤$/.test(line))).toBe(true);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
});

it.runIf(hasScript)('with NO_COLOR it has none, and in the locale C only ASCII', async () => {
  const screen = await onTerminal(80, { LC_ALL: 'C', NO_COLOR: '1' });
  expect(screen).toMatch(/^current .*=+-+\|$/m);
  expect(screen).toMatch(/^[ -~\n]*$/);
});

it('elsewhere it is the table alone, in plain ASCII', async () => {
  const { stdout } = await rewtProcess(['status'], { env: { ...state.env, LC_ALL: 'C.UTF-8' } });
  expect(stdout).toMatch(/^namespace {3}rewt\nstore {7}file\nserver {6}.*\nsigning /);
  expect(stdout).toMatch(/^[ -~\n]*$/);
});

it('with --json it is one object with the documented names', async () => {
  const { stdout } = await rewtProcess(['status', '--json'], { env: state.env });
  const status = JSON.parse(stdout);
  expect(Object.keys(status)).toEqual([
    ...[
      'store',
      'server',
      'database',
      'namespace',
      'urlMissing',
      'storeTime',
      'due',
      'key',
      'sealed',
      'keyring',
      'fleet',
      'unknown',
    ],
  ]);
  expect(Object.keys(status.keyring)).toEqual([
    ...[
      'lineage',
      'epoch',
      'revocation',
      'generation',
      'ttl',
      'overlap',
      'signing',
      'current',
      'next',
      'retired',
      'sealed',
      'changes',
    ],
  ]);
});
