/** Text that others chose, in the lines of the command: no terminal obeys it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { finding } from '../../src/cli/doctor/finding.js';
import { addressOf, type Place, placeInWords, placeOf } from '../../src/cli/input/address.js';
import { FailedStore, failureOf } from '../../src/cli/output/errors.js';
import { StoreError } from '../../src/errors.js';
import { rewt } from './command.js';
import { freshState } from './process.js';
import { startServing } from './serving.js';

// An escape sequence, C1 control characters, a line end, DEL, a right-to-left override.
const hostile = 'a\u001b[31m\u009b2J\u0085\n\u007f\u202eb';
const escaped = 'a\\u001b[31m\\u009b2J\\u0085\\u000a\\u007f\\u202eb';
/** Tabs and line ends stand between lines and columns. */
const obeyed = /[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/u;

let state: ReturnType<typeof freshState>;
beforeEach(() => {
  state = freshState();
});
afterEach(() => state.remove());

const folder = (): string => join(state.folder, hostile);
const run = (...words: string[]) => rewt([...words, '--url', `file:${folder()}`], { env: state.env });

describe('the path of a folder', () => {
  it('is escaped in the lines of every verb', async () => {
    mkdirSync(state.folder, { recursive: true });
    const { stdout: token } = await run('sign', '{}');
    const verbs = [
      ['sign', '{}'],
      ['verify', token.trim()],
      ['verify', 'x.y.z'],
      ['explain', token.trim(), '--audience', hostile],
      ['status'],
      ['list'],
      ['doctor'],
      ['rotate', '--force'],
      ['set', '--ttl', '2d'],
      ['revoke', '--yes', '--reason', 'known'],
      ['revoke', '--yes', '--namespace', hostile],
      ['sign', '{}', '--namespace', hostile],
    ];
    for (const words of verbs) {
      const { stdout, stderr } = await run(...words);
      expect(stdout + stderr, words[0]).not.toMatch(obeyed);
      expect(stdout + stderr, words[0]).toContain(escaped);
    }
    const shown = await rewt(['status', '--json', '--url', `file:${folder()}`]);
    expect(JSON.parse(shown.stdout).server).toBe(folder());
  });

  it('is escaped in the error of a store that refuses it', async () => {
    const { code, stderr } = await rewt(['sign', '{}', '--url', `file:${join(folder(), 'none')}`]);
    expect(code).toBe(3);
    expect(stderr).toContain(escaped);
    expect(stderr).not.toMatch(obeyed);
  });

  it('is escaped in the lines of `rewt serve`', async () => {
    mkdirSync(state.folder, { recursive: true });
    const serving = await startServing(['--url', `file:${folder()}`], { env: state.env });
    const { stderr } = await serving.end();
    expect(stderr).toContain(escaped);
    expect(stderr).not.toMatch(obeyed);
  });
});

it('the host that `rewt serve` cannot use is escaped', async () => {
  const { code, stderr } = await rewt(['serve', '--port', '0', '--host', hostile], { env: state.env });
  expect(code).toBe(2);
  expect(stderr).toContain(escaped);
  expect(stderr).not.toMatch(obeyed);
});

describe('a place in Redis', () => {
  const placeIn = (url: string): Place => placeOf(addressOf(url, {}), hostile, hostile);

  /** The characters "[" and ":" end a host. */
  const host = hostile.replace('[', '');

  it.each([
    ['a host', `redis://${host}`],
    ['a node of a cluster', `redis+cluster://one,${host}`],
    ['the master of sentinels', `redis+sentinel://one/${encodeURIComponent(hostile)}`],
  ])('is escaped, with %s', (_, url) => {
    const place = placeIn(url);
    expect(place.server).toMatch(obeyed);
    const { message } = failureOf(new FailedStore(place, new StoreError('ERR_REWT_STORE_DOWN', 'It is down.')));
    for (const text of [placeInWords(place), message]) {
      expect(text).toContain('\\u009b2J\\u0085\\u000a');
      expect(text).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    }
  });
});

it('what a server reports is escaped in a finding of the doctor', () => {
  expect(finding('memory', 'problem', `policy ${hostile}`, `grant ~${hostile}`)).toEqual({
    check: 'memory',
    level: 'problem',
    found: `policy ${escaped}`,
    remedy: `grant ~${escaped}`,
  });
});
