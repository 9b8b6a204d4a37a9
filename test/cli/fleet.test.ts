/**
 * What `rewt status` and `rewt rotate` conclude from announcements: as a table, and once with
 * members in separate processes.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replicasInWords } from '../../src/cli/lookup/wait.js';
import { fleetInWords, fleetOf, laggards, mayAccept } from '../../src/cli/output/fleet.js';
import { Rewt } from '../../src/index.js';
import type { KeyringStatus } from '../../src/status.js';
import { type RedisServer, startRedis, until } from '../support/servers.js';
import { rewt } from './command.js';
import { rewtProcess } from './process.js';

const nowMs = Date.UTC(2026, 10, 26, 12);
const keyring: KeyringStatus = {
  lineage: 'lineage',
  epoch: 1,
  revocation: 'x',
  sealed: null,
  changes: [],
  generation: 7,
  ttl: 86_400,
  overlap: 365,
  signing: 'current-kid',
  current: { kid: 'current-kid', expiresAt: new Date(nowMs + 3_600_000), verifiesUntil: new Date(nowMs + 3_965_000) },
  // A minute ago.
  next: { kid: 'next-kid', since: new Date(nowMs - 60_000) },
  retired: [],
};
const holds = { lineage: 'lineage', epoch: 1, revocation: 'x', generation: 7, next: 'next-kid' };

let ids = 0;
const freshId = (): string => {
  ids += 1;
  return `id${ids}`;
};
function said(secondsAgo: number, held: object, id = freshId()) {
  return { id, text: JSON.stringify({ name: 'orders-1', ...holds, ...held }), atMs: nowMs - secondsAgo * 1_000 };
}
const found = (...kept: { id: string; text: string; atMs: number }[]) =>
  fleetOf(keyring, { nowMs, count: kept.length, kept });

describe('a member', () => {
  it.each([
    ['holds next', 10, {}, 'holds next', false],
    ['holds next at an older generation', 10, { generation: 5 }, 'holds next', false],
    ['is ahead of what was read', 0, { generation: 8, next: 'newer' }, 'holds next', false],
    ['is a revocation ahead', 0, { epoch: 2, generation: 1, next: 'newer' }, 'holds next', false],
    [
      'is ahead, of a version without names',
      0,
      { generation: 8, next: 'newer', revocation: undefined },
      'holds next',
      false,
    ],
    ['writes on after another revocation', 10, { generation: 8, next: 'newer', revocation: 'y' }, 'behind', false],
    ['writes on without the revocation', 10, { generation: 8, next: 'newer', revocation: null }, 'behind', false],
    ['holds an older next', 10, { generation: 6, next: 'older' }, 'behind', false],
    ['holds another keyring', 10, { lineage: 'other', generation: 99 }, 'behind', false],
    ['spoke before next was there', 70, { generation: 6, next: 'older' }, 'not announced yet', true],
    ['spoke just when it came', 57, { generation: 6, next: 'older' }, 'not announced yet', true],
    ['held next, and is silent', 50, {}, 'holds next', true],
    ['spoke in the future', -30, {}, 'holds next', false],
    ['told that the store was back', 44, { back: true }, 'holds next', false],
    ['told long ago that the store was back', 50, { back: true }, 'holds next', true],
  ])('is shown with its state if it %s', (_, secondsAgo, held, state, silent) => {
    expect(found(said(secondsAgo, held))?.members).toMatchObject([{ state, silent }]);
  });

  it('is silent only if it was so for that long after the store was back', () => {
    const silentAfter = (backSecondsAgo: number) =>
      found(said(80, { name: 'a' }), said(backSecondsAgo, { name: 'b', back: true }))?.members.map(
        ({ silent }) => silent,
      );
    expect(silentAfter(10)).toEqual([false, false]);
    expect(silentAfter(46)).toEqual([true, true]);
  });

  it('counts once, by what it said last', () => {
    const fleet = found(said(40, { next: 'older', generation: 6 }, 'same'), said(10, {}, 'same'));
    expect(fleet).toMatchObject({ size: 1, holdNext: 1 });
  });
});

it('a member that has left does not count, whatever of it came before or late', () => {
  const left = { id: 'a', text: '', atMs: nowMs - 20_000 };
  const kept = [said(30, {}, 'a'), left, said(10, {}, 'a'), said(10, { name: 'b' }, 'b')];
  for (const all of [false, true]) {
    const fleet = fleetOf(keyring, { nowMs, count: 4, kept }, all);
    expect(fleet?.members.map(({ name }) => name)).toEqual(['b']);
  }
});

it.each([
  ['90 s', {}, 90],
  ['90 s with a short maxStaleness', { maxStaleness: 10_000 }, 90],
  ['its maxStaleness and 45 s, if that is longer', { maxStaleness: 600_000 }, 645],
])('a silent member counts for %s, until no copy of it can be used', (_, more, seconds) => {
  expect(found(said(seconds, more))?.size).toBe(1);
  expect(found(said(seconds + 1, more))).toBeNull();
});

it('of all that are kept, none is forgotten, however long it is silent or ahead', () => {
  const kept = [said(3_000, { maxStaleness: 60_000 }), said(3_000, {}), said(-100, {})];
  expect(fleetOf(keyring, { nowMs, count: 3, kept })).toBeNull();
  expect(fleetOf(keyring, { nowMs, count: 3, kept }, true)?.members.map(({ maxStaleness }) => maxStaleness)).toEqual([
    null,
    60,
    null,
  ]);
});

it.each([
  [0, 15, true],
  [0, 15.001, false],
  [60, 75, true],
  [60, 75.001, false],
  [null, 1e9, true],
])(
  'with a maxStaleness of %s s, a member silent for %s s after a revocation may accept revoked secrets: %s',
  (maxStaleness, seconds, may) => {
    const [member] = found(said(1, maxStaleness === null ? {} : { maxStaleness: maxStaleness * 1_000 }))?.members ?? [];
    expect(member && mayAccept(member, seconds * 1_000)).toBe(may);
  },
);

it('what no member wrote is no member, and no member is no fleet', () => {
  expect(found()).toBeNull();
  expect(found({ id: 'x', text: 'junk', atMs: nowMs })).toBeNull();
});

describe('the fleet in words', () => {
  const words = (...kept: Parameters<typeof found>): string => {
    const fleet = found(...kept);
    return fleet === null ? '' : fleetInWords(fleet);
  };
  it('counts the members that hold next, if all do', () => {
    expect(words(said(1, {}))).toBe('1 of 1 member holds next');
    expect(words(...Array.from({ length: 12 }, () => said(1, {})))).toBe('12 of 12 members hold next');
  });
  it('who is behind is named, in an order that people know', () => {
    const behind = [10, 2, 1, 30, 4, 5, 7].map((n) => said(1, { name: `orders-${n}`, next: 'older', generation: 1 }));
    expect(words(said(1, {}), ...behind)).toBe(
      '1 of 8 members hold next; behind: orders-1, orders-2, orders-4, orders-5, orders-7 and 2 more',
    );
  });
  it('who is silent is named with the time', () => {
    expect(words(said(70, {}))).toBe('1 of 1 member holds next; silent: orders-1 for 1 min 10 s');
  });
  it('names do nothing to a terminal', () => {
    expect(words(said(70, { name: '\u001b[2J\n\u202e' }))).toContain('silent: ?[2J?? for');
  });
  it('more than were read are said to be', () => {
    const fleet = fleetOf(keyring, { nowMs, count: 6_000, kept: [said(1, {})] });
    expect(fleet && fleetInWords(fleet)).toBe('1 of 6000 members hold next; 5999 more not looked at');
  });
  it('laggards are those that did not say that they hold it', () => {
    const fleet = found(said(1, {}), said(1, { name: 'b', next: 'older', generation: 1 }));
    expect(fleet && laggards(fleet).map(({ name }) => name)).toEqual(['b']);
  });
});

describe('on a real Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.stop());

  it('status counts those who hold next, and rotate warns of one that has not said so', async () => {
    const env = { REWT_URL: server.url };
    const members = [1, 2].map(
      (n) => new Rewt({ redisConn: server.url, memberName: `orders-${n}`, ttl: '1h', push: false }),
    );
    try {
      for (const member of members) await member.ready();
      const fleetKey = '{rewt:rewt-secret}';
      await until(
        'both have announced themselves',
        async () => (await server.cli('ZCARD', `rewt-fleet:${fleetKey}`)) === '2',
      );
      expect((await rewt(['status'], { env })).stdout).toContain('\nfleet       2 of 2 members hold next\n');
      const { fleet } = JSON.parse((await rewt(['status', '--json'], { env })).stdout);
      expect(fleet).toMatchObject({ size: 2, holdNext: 2, members: [{ name: 'orders-1' }, { name: 'orders-2' }] });

      // A process prints the warnings of its member too.
      const quiet = await rewtProcess(['rotate', '--force'], { env });
      expect(quiet).toMatchObject({ code: 0, stderr: expect.not.stringContaining('warning') });
      // They are not used and have no push, so they do not know of it.
      const warned = await rewt(['rotate', '--force', '--json'], { env });
      expect(warned.code).toBe(0);
      expect(warned.stderr).toContain('orders-1 (not announced yet');
      expect(JSON.parse(warned.stdout).lagging).toEqual(['orders-1', 'orders-2']);
    } finally {
      for (const member of members) await member.close();
    }
    expect(JSON.parse((await rewt(['status', '--json'], { env })).stdout).fleet).toBeNull();
  });
});

it.each([
  [0, 0, /^No replica is connected/],
  [null, 0, /^No replica is connected/],
  // It came while the command waited.
  [1, 0, /^Acknowledged by 1 of 2/],
  [0, 1, /^Acknowledged by 0 of 2/],
  [null, null, /^Acknowledged by an unknown number of 2/],
])('%j acknowledgements of two, with %j connected at first, are named as they are', (found, connected, words) => {
  expect(replicasInWords(2, found, connected)).toMatch(words);
});
