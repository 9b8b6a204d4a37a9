/** The question that `rewt revoke` asks. */
import { spawn, spawnSync } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { confirm, type Terminal } from '../../src/cli/output/terminal.js';
import { freshState, main, rewtProcess } from './process.js';

function fakeTerminal() {
  const stdin = new PassThrough();
  const stderr = new PassThrough({ encoding: 'utf8' });
  const interruption = new AbortController();
  const terminal: Terminal = {
    stdin,
    stdout: new PassThrough(),
    stderr,
    env: {},
    interrupted: interruption.signal,
    print: () => {},
    report: (words) => void stderr.write(`${words}\n`),
    style: (_, words) => words,
    paint: (_, words) => words,
  };
  return { terminal, stdin, interruption, shown: () => String(stderr.read() ?? '') };
}

it.each([
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

it('Ctrl-C at the question is no', async () => {
  const { terminal, interruption } = fakeTerminal();
  const answer = confirm('Sure?', terminal);
  interruption.abort();
  expect(await answer).toBe(false);
});

// util-linux's: the one of macOS takes other arguments.
const hasScript = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false;
const state = freshState();
beforeAll(() => rewtProcess(['sign', '{}'], { env: state.env }));
afterAll(() => state.remove());

it.runIf(hasScript).each([
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
