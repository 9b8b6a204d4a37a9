/**
 * What `rewt status` draws: bars over time that are right at any width, with and without Unicode.
 */
import { expect, it } from 'vitest';
import { foreignName, spanOf } from '../../src/cli/output/format.js';
import { viewKeyring } from '../../src/cli/output/keyring.js';
import { type Screen, screenOf } from '../../src/cli/output/screen.js';
import { wrap } from '../../src/cli/output/table.js';
import { drawTimeline } from '../../src/cli/output/timeline.js';
import { createCopy } from '../../src/keyring/copy.js';
import { type KeyringStatus, keyringStatusOf } from '../../src/status.js';
import { RING } from '../keyring/samples.js';

const nowMs = Date.UTC(2026, 10, 26, 12);
const inSeconds = (seconds: number): Date => new Date(nowMs + seconds * 1_000);

function keyring(over: Partial<KeyringStatus> = {}): KeyringStatus {
  return {
    lineage: 'lineage',
    epoch: 0,
    revocation: null,
    sealed: null,
    changes: [],
    generation: 3,
    ttl: 86_400,
    overlap: 365,
    signing: 'current-kid',
    current: { kid: 'current-kid', expiresAt: inSeconds(3_600), verifiesUntil: inSeconds(3_965) },
    next: { kid: 'next-kid-ab', since: inSeconds(-60) },
    retired: [{ kid: 'retired-kid', verifiesUntil: inSeconds(100) }],
    ...over,
  };
}

const look = {
  namespace: 'rewt',
  store: 'redis',
  server: '127.0.0.1:6379',
  database: 0,
  storeTime: new Date(nowMs),
  due: null,
  key: null,
  sealed: null,
  note: null,
  keyring: keyring(),
  fleet: null,
  unknown: [],
} as const;

function screen(columns: number, unicode = true): Screen {
  return { columns, rows: 24, unicode, paint: (_, words) => words };
}

it('each secret is a bar: what signs, what only verifies, what is held', () => {
  const [labels, retired, current, next, legend] = drawTimeline(keyring(), nowMs, screen(70));
  expect(labels).toMatch(/^ {22}now +\+1 min 40 s +\+1 h +\+1 h 6 min$/);
  expect(retired).toMatch(/^retired {2}retired-kid {2}─+┤$/);
  expect(current).toMatch(/^current {2}current-kid {2}━+─+┤$/);
  expect(next).toMatch(/^next {5}next-kid-ab {2}┄+━+►$/);
  expect(legend?.trim()).toBe('━ signs  ─ verifies  ┄ held');
  // Next signs from the column on in which current ends.
  expect(current?.indexOf('─')).toBe(next?.indexOf('━'));
});

it('a current secret that is owed a longer overlap ends there, in the bars and in the table', () => {
  const ring = { ...RING, current: { secret: 'c'.repeat(43), expiresAt: nowMs + 3_600_000, owed: nowMs + 7_200_000 } };
  const shown = keyringStatusOf(createCopy(ring), nowMs);
  expect(shown.current.verifiesUntil).toEqual(inSeconds(7_200));
  expect(drawTimeline(shown, nowMs, screen(70))[0]).toMatch(/\+1 h +\+2 h$/);
  expect(viewKeyring({ ...look, keyring: shown }, null)).toMatch(/^current .* verifies until 2026-11-26T14:00:00Z/m);
});

it('where there is no Unicode it is ASCII', () => {
  expect(drawTimeline(keyring(), nowMs, screen(70, false)).join('')).toMatch(/^[ -~]*$/);
});

it.each([20, 30, 40, 59, 60, 80, 100, 300])(
  'at %i columns no line of bars is longer, and none is missing',
  (columns) => {
    const retired = Array.from({ length: 32 }, (_, n) => ({ kid: `retired-k${n}`, verifiesUntil: inSeconds(10 + n) }));
    for (const found of [keyring(), keyring({ retired })]) {
      const lines = drawTimeline(found, nowMs, screen(columns));
      expect(lines.filter((line) => /^(retired|current|next)/.test(line)).length).toBe(
        found.retired.length === 1 ? 3 : columns === 20 ? 4 : 8,
      );
      for (const line of lines) {
        if (/^(retired|current|next)/.test(line)) expect(line.length).toBeLessThanOrEqual(Math.max(columns, 22));
      }
    }
  },
);

it('a current that has ended signs no more, and a secret that never ends breaks nothing', () => {
  const [, current, next] = drawTimeline(
    keyring({ retired: [], current: { kid: 'current-kid', expiresAt: inSeconds(-10), verifiesUntil: inSeconds(355) } }),
    nowMs,
    screen(70),
  );
  expect(current).not.toContain('━');
  expect(next).not.toContain('┄');
  const never = new Date(Number.NaN);
  const endless = keyring({ current: { kid: 'current-kid', expiresAt: never, verifiesUntil: never } });
  expect(drawTimeline(endless, nowMs, screen(70)).join('\n')).toContain('━►');
});

it('the table is broken at spaces on a narrow screen, and not at all elsewhere', () => {
  for (const line of viewKeyring(look, screen(40)).split('\n')) expect(line.length).toBeLessThanOrEqual(40);
  const plain = viewKeyring(look, null);
  expect(plain).toContain('\ncurrent     current-kid  verifies until 2026-11-26T13:06:05Z (in 1 h 6 min)\n');
  expect(plain).not.toMatch(/[━─┄]/);
});

it('text is wrapped at spaces, and what is in brackets stays together', () => {
  expect(wrap('one two (in 5 min) three', 12)).toEqual(['one two', '(in 5 min)', 'three']);
  expect(wrap('one (maxclients), two', 15)).toEqual(['one', '(maxclients),', 'two']);
  expect(wrap('a  bbbbbbbbbbbbbb c', 5)).toEqual(['a', 'bbbbb', 'bbbbb', 'bbbb', 'c']);
  expect(wrap('', 5)).toEqual(['']);
});

it.each([
  [0, '0 s'],
  [400, '0 s'],
  [61_000, '1 min 1 s'],
  [3_600_000, '1 h'],
  [90_061_000, '1 d 1 h'],
  [Number.POSITIVE_INFINITY, 'for ever'],
])('%i ms are said as %j', (ms, words) => {
  expect(spanOf(ms)).toBe(words);
});

it('a foreign name can do nothing to a terminal', () => {
  expect(foreignName('orders-1')).toBe('orders-1');
  expect(foreignName('\u001b[2J\u202eevil\n\u2028x')).toBe('?[2J?evil??x');
  expect(foreignName('x'.repeat(100))).toHaveLength(40);
});

const tty = { isTTY: true, columns: 40 };
it.each([
  ['nothing to draw on without a terminal', { isTTY: false }, {}, 'linux', null],
  ['nothing on a dumb one', tty, { TERM: 'dumb' }, 'linux', null],
  ['ASCII in the locale C', tty, {}, 'linux', false],
  ['Unicode where LANG says so', tty, { LANG: 'de_DE.UTF-8' }, 'linux', true],
  ['ASCII where LC_ALL says otherwise', tty, { LANG: 'de_DE.UTF-8', LC_ALL: 'C' }, 'linux', false],
  ['Unicode in the terminal of Windows', tty, { WT_SESSION: 'x' }, 'win32', true],
] as const)('a timeline draws %s', (_, stdout, env, platform, unicode) => {
  const found = screenOf({ stdout, env, paint: (_format: unknown, words: string) => words } as never, platform);
  expect(found?.unicode ?? null).toBe(unicode);
});
