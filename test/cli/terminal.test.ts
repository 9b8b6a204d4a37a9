/** The question that `rewt revoke` asks, and how the progress of a demo looks where it is rewritten in place and where it is not. */
import { spawn, spawnSync } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLive } from '../../src/cli/demo/live.js';
import type { Tally } from '../../src/cli/demo/messages.js';
import { confirm, type Terminal } from '../../src/cli/terminal.js';
import { freshState, main, rewt } from './command.js';

function fakeTerminal(screen: { isTTY?: boolean; columns?: number } = {}) {
  const stdin = new PassThrough();
  const stderr = Object.assign(new PassThrough({ encoding: 'utf8' }), screen);
  const interruption = new AbortController();
  const terminal: Terminal = {
    stdin,
    stdout: new PassThrough(),
    stderr,
    env: {},
    interrupted: interruption.signal,
    print: () => {},
    say: (words) => void stderr.write(`${words}\n`),
    style: (_, words) => words,
    paint: (_, words) => words,
  };
  return { terminal, stdin, interruption, shown: () => String(stderr.read() ?? '') };
}

test.each([
  ['y\n', true],
  ['YES\r\n', true],
  [' yes \nno\n', true],
  ['\n', false],
  ['n\n', false],
  ['yesterday\n', false],
  ['', false],
])('the answer %j to the question means %s', async (answer, meant) => {
  const { terminal, stdin, shown } = fakeTerminal();
  stdin.end(answer);
  expect(await confirm('Sure?', terminal)).toBe(meant);
  expect(shown()).toMatch(/^Sure\? \[y\/N\] \n?$/);
});

test('Ctrl-C at the question is no', async () => {
  const { terminal, interruption } = fakeTerminal();
  const answer = confirm('Sure?', terminal);
  interruption.abort();
  expect(await answer).toBe(false);
});

const latency = { p50Ms: 0.512, p99Ms: 12.3 };
const tally: Tally = {
  calls: 1_234,
  refusedByRotation: 0,
  refusedByRevocation: 0,
  unavailable: 0,
  kid: 'abcdefghijk',
  recent: latency,
  overall: latency,
  oldTokens: { tries: 0, lastAcceptedSentMs: null, firstRefusedMs: null, acceptedAfterRefusal: 0 },
};

/** To the first column, and everything away. */
const rewind = '\r\x1b[K';

test.each([30, 50, 80])('on a terminal of %i columns the progress line never wraps', (columns) => {
  const { terminal, shown } = fakeTerminal({ isTTY: true, columns });
  const live = startLive(terminal);
  live.update(tally);
  const line = shown();
  expect(line).not.toContain('\n');
  expect(line.length).toBeLessThan(columns);
  live.update(tally);
  expect(shown().startsWith(rewind)).toBe(true);
  live.tell('rotated');
  const told = shown();
  expect(told.startsWith(rewind)).toBe(true);
  expect(told.slice(rewind.length)).toMatch(/^ *\d\.\d s {2}rotated\n/);
});

test('elsewhere it is a plain line, not more than one a second', () => {
  const { terminal, shown } = fakeTerminal();
  const live = startLive(terminal);
  live.update(tally);
  live.tell('rotated');
  live.end();
  expect(shown()).toMatch(/^ *\d\.\d s {2}rotated\n$/);
});

// util-linux's: the one of macOS takes other arguments.
const hasScript = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false;
const state = freshState();
beforeAll(() => rewt(['sign', '{}'], { env: state.env }));
afterAll(() => state.remove());

test.runIf(hasScript).each([
  ['y', 0, 'Revoked'],
  ['n', 1, 'Nothing was revoked'],
  ['\x03', 130, '[y/N]'],
])('on a real terminal the key %j ends `rewt revoke` with %i', async (key, code, words) => {
  const { REWT_URL: _, ...env } = process.env;
  const command = `stty cols 60; '${process.execPath}' '${main}' revoke`;
  const child = spawn('script', ['-q', '-e', '-c', command, '/dev/null'], { env: { ...env, ...state.env } });
  let screen = '';
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.stdout.on('data', (chunk: Buffer) => {
    const asked = screen.includes('[y/N]');
    screen += chunk;
    // Only once: what is typed is echoed.
    if (!asked && screen.includes('[y/N]')) child.stdin.write(key === '\x03' ? key : `${key}\r`);
  });
  expect(await ended).toBe(code);
  expect(screen).toContain(words);
  expect(screen).toMatch(/All tokens in flight are refused/);
  const lines = screen.split(/\r?\n/).filter((line) => !line.includes('[y/N]'));
  // The path of the folder is one word.
  expect(lines.filter((line) => line.length > 60 && line.includes(' ') && !line.includes(state.folder))).toEqual([]);
  expect(lines).not.toContainEqual(expect.stringMatching(/^\S{11}$/));
});
