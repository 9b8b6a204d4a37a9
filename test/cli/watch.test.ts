/**
 * `rewt status --watch`: its pictures as a table of sizes, its lines and its end as processes, and
 * once on a real terminal.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Fleet } from '../../src/cli/output/fleet.js';
import type { Screen } from '../../src/cli/output/screen.js';
import { frameOf, type Watched } from '../../src/cli/watch/frame.js';
import { Rewt } from '../../src/index.js';
import { type RedisServer, startRedis, until } from '../support/servers.js';
import { rewt } from './command.js';
import { endOf, main, startRewt } from './process.js';

const nowMs = Date.UTC(2026, 10, 26, 12);
const fleet: Fleet = {
  size: 30,
  holdNext: 29,
  members: Array.from({ length: 30 }, (_, n) => ({
    name: `orders-${n}`,
    state: n === 17 ? 'behind' : 'holds next',
    generation: 7,
    announcedSecondsAgo: 3,
    maxStaleness: 60,
    silent: false,
  })),
};
const watched: Watched = {
  look: {
    namespace: 'rewt\u001b[2J',
    store: 'redis',
    server: '127.0.0.1:6379',
    database: 0,
    storeTime: new Date(nowMs),
    due: null,
    key: null,
    sealed: null,
    note: null,
    unknown: [],
    fleet,
    keyring: {
      lineage: 'lineage',
      epoch: 0,
      revocation: null,
      sealed: null,
      changes: [],
      generation: 7,
      ttl: 86_400,
      overlap: 365,
      signing: 'current-kid',
      current: {
        kid: 'current-kid',
        expiresAt: new Date(nowMs + 3_600_000),
        verifiesUntil: new Date(nowMs + 3_965_000),
      },
      next: { kid: 'next-kid-ab', since: new Date(nowMs - 60_000) },
      retired: [{ kid: 'retired-kid', verifiesUntil: new Date(nowMs + 100_000) }],
    },
  },
  push: { state: 'off', reason: 'It was turned off: push is false.' },
  events: Array.from({ length: 50 }, (_, n) => ({
    time: new Date(nowMs),
    event: 'rotated',
    words: `kid ${n}`,
    details: {},
  })),
  answeredMsAgo: 900,
  others: '',
};
const picture = (columns: number, rows: number, over: Partial<Watched> = {}) => {
  const screen: Screen = { columns, rows, unicode: true, paint: (_, words) => words };
  return frameOf({ ...watched, ...over }, screen);
};

describe('a picture', () => {
  it.each([
    [100, 30],
    [80, 24],
    [40, 30],
    [40, 10],
    [30, 3],
    [300, 100],
  ])('of %i columns and %i rows fits', (columns, rows) => {
    for (const over of [{}, { look: { ...watched.look, fleet: null } }, { events: [] }]) {
      const lines = picture(columns, rows, over);
      expect(lines.length).toBeLessThanOrEqual(rows);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
      expect(lines.join('\n')).not.toContain('\u001b');
    }
  });

  it('has the bars, who is behind first, and what happened last', () => {
    const lines = picture(100, 40);
    const at = (part: RegExp): number => lines.findIndex((line) => part.test(line));
    expect(at(/^current .*━/)).toBeGreaterThan(0);
    expect(at(/^orders-17 +behind/)).toBeLessThan(at(/^orders-0 +holds next/));
    expect(at(/rotated: kid 49$/)).toBeGreaterThan(at(/^orders-0/));
    expect(at(/rotated: kid 49$/)).toBeLessThan(at(/rotated: kid 48$/));
    expect(lines.filter((line) => /^and \d+ more$/.test(line))).toHaveLength(2);
  });

  it('says how old the last answer is, first of all, also where there is little room', () => {
    for (const [columns, rows] of [
      [100, 40],
      [80, 12],
      [80, 5],
    ] as const) {
      expect(picture(columns, rows)[2]).not.toMatch(/last answer/);
      expect(picture(columns, rows, { answeredMsAgo: 5_100 }).join('\n')).toMatch(/^store +last answer 5 s ago/m);
    }
  });

  it('shows the newest event if there is room for one alone, and not how many there are', () => {
    for (const [columns, rows] of [
      [80, 12],
      [80, 11],
      [80, 8],
      [40, 12],
    ] as const) {
      for (const look of [watched.look, { ...watched.look, fleet: null }, { ...watched.look, due: 'brake' as const }]) {
        const lines = picture(columns, rows, { look });
        expect(lines.filter((line) => /rotated: kid 49$/.test(line))).toHaveLength(1);
        expect(lines.length).toBeLessThanOrEqual(rows);
      }
    }
  });

  it('leaves out the bars before a row of the table', () => {
    const lines = picture(80, 12);
    for (const name of ['store', 'signing', 'rotates', 'fleet', 'push', 'epoch', 'generation']) {
      expect(lines.filter((line) => line.startsWith(name))).toHaveLength(1);
    }
  });

  it('breaks an event where it is longer than a line, and loses nothing of it', () => {
    const words = `degraded: ${'a long reason '.repeat(12)}end`;
    const events = [{ time: new Date(nowMs), event: 'degraded' as const, words, details: {} }];
    expect(
      picture(100, 30, { events })
        .join('\n')
        .replace(/\n {2}/g, ' '),
    ).toContain(words);
  });

  it('of no keyring says so', () => {
    const look = { ...watched.look, keyring: null, fleet: null };
    expect(picture(80, 24, { look }).join('\n')).toMatch(/keyring +none yet/);
  });

  it('that does not fit says how many lines are missing', () => {
    const lines = picture(80, 6);
    expect(lines).toHaveLength(6);
    expect(lines.at(-1)).toMatch(/^\(\d+ more lines/);
  });
});

describe('on a real Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.stop());
  beforeEach(() => server.cli('FLUSHALL'));

  /** A watch, and what it has printed so far. */
  function startWatch(...more: string[]): { child: ChildProcess; printed(): string; end: ReturnType<typeof endOf> } {
    const child = startRewt(['status', '--watch', ...more], { env: { REWT_URL: server.url } });
    let stdout = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk;
    });
    return { child, printed: () => stdout, end: endOf(child) };
  }
  const printed = (watch: { printed(): string }, what: string | RegExp): Promise<unknown> =>
    until(`printed ${what}`, async () =>
      typeof what === 'string' ? watch.printed().includes(what) : what.test(watch.printed()),
    );

  it('where stdout is no terminal each event is a line, and Ctrl-C ends it with 130', async () => {
    const member = new Rewt({ redisConn: server.url, ttl: '1h', memberName: 'orders-1' });
    const watch = startWatch();
    try {
      await printed(watch, 'began: no keyring yet\n');
      expect(await server.cli('KEYS', '*')).toBe('');
      await member.ready();
      await printed(watch, /Z began: \S{11} signs, and rotates at the latest 20/);
      await printed(watch, 'push: on');
      await printed(watch, 'members: 1 of 1 hold next\n');
      const { kid } = await member.rotate({ force: true });
      await printed(watch, `rotated: ${kid} signs now`);
      await member.revoke();
      await printed(watch, /revoked: every token of before is refused; \S{11} signs now, epoch 1\n/);
      expect(watch.printed()).not.toContain('\u001b');
    } finally {
      await member.close();
      watch.child.kill('SIGINT');
    }
    expect(await watch.end).toMatchObject({ code: 130, stderr: '' });
  });

  it('with --json each is an object, without a secret', async () => {
    await rewt(['sign', '{}'], { env: { REWT_URL: server.url } });
    const watch = startWatch('--json');
    await printed(watch, '"push"');
    await rewt(['rotate', '--force'], { env: { REWT_URL: server.url } });
    await printed(watch, '"rotated"');
    watch.child.kill('SIGTERM');
    const { code, stdout } = await watch.end;
    expect(code).toBe(143);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.map(({ event }) => event)).toEqual(['began', 'push', 'rotated']);
    expect(events[2]).toMatchObject({ kid: expect.any(String), previousKid: events[0].kid });
    const { current, next, retired } = JSON.parse(await server.cli('GET', '{rewt:rewt-secret}:ring'));
    for (const { secret } of [current, next, ...retired]) expect(stdout).not.toContain(secret);
  });

  it('a reader that leaves ends it', async () => {
    const watch = startWatch();
    await printed(watch, 'began');
    watch.child.stdout?.destroy();
    await rewt(['sign', '{}'], { env: { REWT_URL: server.url } });
    expect(await watch.end).toMatchObject({ code: 0, stderr: '' });
  });

  it('an outage is an event, and so is its end', async () => {
    await rewt(['sign', '{}'], { env: { REWT_URL: server.url } });
    const watch = startWatch();
    await printed(watch, 'push: on');
    process.kill(server.pid, 'SIGSTOP');
    try {
      await printed(watch, 'degraded: the store cannot be used (ERR_REWT_STORE_TIMEOUT)');
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    await printed(watch, 'recovered: the store can be used again');
    watch.child.kill('SIGINT');
    expect((await watch.end).code).toBe(130);
  });

  // util-linux's: the one of macOS takes other arguments.
  const hasScript = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false;
  it.runIf(hasScript)(
    'on a real terminal it draws in a separate screen, and Ctrl-C leaves the terminal as it was',
    async () => {
      await rewt(['sign', '{}'], { env: { REWT_URL: server.url } });
      const command = `stty cols 72 rows 20; '${process.execPath}' '${main}' status --watch`;
      const env = { ...process.env, REWT_URL: server.url, LC_ALL: 'C.UTF-8', TERM: 'xterm' };
      const child = spawn('script', ['-q', '-e', '-c', command, '/dev/null'], { env });
      let screen = '';
      child.stdout.on('data', (chunk: Buffer) => {
        screen += chunk;
      });
      const ended = new Promise((resolve) => child.once('close', resolve));
      await until('a picture', async () => screen.includes('━') && screen.includes('push'));
      const before = screen.length;
      await until('the next one', async () => screen.indexOf('━', before) > 0);
      process.kill(server.pid, 'SIGSTOP');
      try {
        // Before the command gives up, which it does after five seconds.
        await until('the age of the answer', async () => /last answer [1-4] s ago/.test(screen));
      } finally {
        process.kill(server.pid, 'SIGCONT');
      }
      child.stdin.write('\u0003');
      expect(await ended).toBe(130);
      expect(screen.startsWith('\u001b[?1049h\u001b[?25l')).toBe(true);
      expect(screen.trimEnd().endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
    },
  );
});
