/**
 * Announcements in Redis: what they cost, when they end, and what another program can put in
 * their place.
 */

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Rewt, type RewtOptions } from '../../../src/index.js';
import { lastAnnounced } from '../../../src/keyring/announcement.js';
import { connectRedis } from '../../../src/stores/redis/clients/from-url.js';
import type { Connection, RedisPort } from '../../../src/stores/redis/clients/port.js';
import { redisNames } from '../../../src/stores/redis/names.js';
import { createPlainReader } from '../../../src/stores/redis/plain-reader.js';
import { redisStore } from '../../../src/stores/redis/redis-store.js';
import { READ } from '../../../src/stores/redis/scripts.js';
import { ANNOUNCEMENT_LIFE_MS, MAX_ANNOUNCEMENTS, type Store } from '../../../src/stores/store.js';
import { createTurnedClock } from '../../../src/testing/clock.js';
import { CLOCK } from '../../../src/time/clock.js';
import { type RedisServer, startRedis, until } from '../../support/servers.js';

/** A busy machine takes its time. */
const limits = { timeoutMs: 60_000 };
const { key, fleet } = redisNames('rewt');

let server: RedisServer;
let store: Store;
beforeAll(async () => {
  server = await startRedis();
  store = redisStore(connectRedis(server.url));
});
afterAll(async () => {
  await store?.close();
  await server?.stop();
});
beforeEach(() => server.cli('FLUSHALL'));

const announce = (id: string, text: string | null): Promise<void> | undefined =>
  store.announce?.('rewt', id, text, limits);
const kept = async () => (await store.announcements?.('rewt', limits)) ?? { nowMs: 0, count: 0, kept: [] };

it('the set ends with its last announcement, and each announcement with its time', async () => {
  await announce('a', 'one');
  const left = Number(await server.cli('PTTL', fleet));
  expect(left).toBeGreaterThan(ANNOUNCEMENT_LIFE_MS - 5_000);
  expect(left).toBeLessThanOrEqual(ANNOUNCEMENT_LIFE_MS);

  const { nowMs } = await kept();
  await server.cli(
    'ZADD',
    fleet,
    String(nowMs - ANNOUNCEMENT_LIFE_MS - 1),
    'old\none',
    String(nowMs - ANNOUNCEMENT_LIFE_MS + 60_000),
    'late\none',
  );
  expect((await kept()).kept.map(({ id }) => id)).toEqual(['late', 'a']);
  expect(await server.cli('ZCARD', fleet)).toBe('3');
  await announce('b', 'one');
  expect(await server.cli('ZCARD', fleet)).toBe('3');
});

it('what never was or never ends is none, and the next announcement removes what never was', async () => {
  await server.cli('ZADD', fleet, '-inf', 'b\nnever', 'inf', 'a\nfor ever');
  expect((await kept()).kept).toEqual([]);
  await announce('c', 'one');
  expect((await kept()).kept.map(({ id }) => id)).toEqual(['c']);
  expect(await server.cli('ZCARD', fleet)).toBe('2');
});

it('one that is to be kept for longer than an hour is, whatever is announced meanwhile', async () => {
  const twoHours = { ...limits, keepMs: 7_200_000 };
  await store.announce?.('rewt', 'patient', 'one', twoHours);
  const [entry = ''] = (await server.cli('ZRANGE', fleet, '0', '-1')).split('\n');
  const at = async (secondsAgo: number) => {
    const { nowMs } = await kept();
    await server.cli('ZADD', fleet, String(nowMs - secondsAgo * 1_000), `${entry}\none`);
    await announce('b', 'two');
    return (await kept()).kept.map(({ id }) => id);
  };
  expect(await at(7_100)).toEqual(['patient', 'b']);
  expect(Number(await server.cli('PTTL', fleet))).toBeGreaterThan(7_000_000);
  const port = connectRedis(server.url);
  const plain = createPlainReader(port);
  expect((await plain.announcements('rewt', limits)).kept.map(({ id }) => id)).toEqual(['patient', 'b']);
  plain.close();
  await port.close();
  expect(await at(7_201)).toEqual(['b']);
  expect(await server.cli('ZCARD', fleet)).toBe('1');
});

it('one from before the clock was set back by hours is among them, until its member announces another', async () => {
  await announce('a', 'one');
  const { nowMs } = await kept();
  await server.cli('ZADD', fleet, String(nowMs + 7_200_000), 'a\none', String(nowMs + 7_200_000), 'b\none');
  const port = connectRedis(server.url);
  const plain = createPlainReader(port);
  for (const found of [await kept(), await plain.announcements('rewt', limits)]) {
    expect(found.kept.map(({ id }) => id).sort()).toEqual(['a', 'b']);
    expect(found.count).toBe(2);
  }
  plain.close();
  await port.close();
  await announce('a', 'two');
  expect((await kept()).kept.map(({ id, atMs }) => [id, atMs > nowMs + 60_000])).toEqual([
    ['a', false],
    ['b', true],
  ]);
});

it('a member that is closed is gone, even if what it announced before arrives after that', async () => {
  // A command that a client keeps until it has a connection, with the arguments that it was sent
  // with.
  const client = redisStore(connectRedis(server.url));
  let late: (() => unknown) | null = null;
  const slow: Store = {
    ...store,
    async announce(namespace, id, text, by) {
      if (late !== null) return store.announce?.(namespace, id, text, by);
      late = () => client.announce?.(namespace, id, text, by);
      throw new Error('timed out');
    },
  };
  try {
    const rewt = new Rewt({ store: slow, memberName: 'orders-1' });
    await rewt.sign({});
    const send = await until('the first is given up', async () => late);
    await rewt.close();
    await send();
    expect((await kept()).kept.some(({ text }) => text.includes('orders-1'))).toBe(true);
    for (const all of [false, true]) expect(lastAnnounced(await kept(), all).size).toBe(0);
  } finally {
    await client.close();
  }
});

it('to look leaves nothing behind', async () => {
  await kept();
  expect(await server.cli('KEYS', '*')).toBe('');
});

it('it is one small command, which no push connection hears of', async () => {
  const port = connectRedis(server.url);
  const [scripts, pushed]: [string[], string[]] = [[], []];
  const observed: RedisPort = {
    ...port,
    send(commands, key) {
      for (const [name, script = ''] of commands) if (name === 'EVAL') scripts.push(script);
      return port.send(commands, key);
    },
    async connect(key, signal) {
      const connection = await port.connect(key, signal);
      const subscribe: Connection['subscribe'] = (channel, onMessage) =>
        connection.subscribe(channel, (message) => {
          pushed.push(...[message].flat().map(String));
          onMessage(message);
        });
      return { ...connection, subscribe };
    },
  };
  const own = redisStore(observed);
  let underWay = 0;
  const read: Store['read'] = (...given) => {
    underWay += 1;
    return own.read(...given).finally(() => {
      underWay -= 1;
    });
  };
  const clock = createTurnedClock(0);
  const options = { ttl: '1h', memberName: 'orders-1', storeTimeout: 60, [CLOCK]: clock };
  const rewt = new Rewt({ store: { ...own, read }, ...options } as RewtOptions);
  /** Messages keep their order: before that of this key, all earlier ones have arrived. */
  const allPushed = async (last: string) => {
    await server.cli('SET', last, 'x');
    await until('a message', async () => pushed.includes(last));
    await new Promise(setImmediate);
    // A read may wait for a tenth of a second after the one before it.
    clock.turn(1_000);
    await until('an end of all reads', async () => underWay === 0);
  };
  const evals = async () => Number(/cmdstat_eval:calls=(\d+)/.exec(await server.cli('INFO', 'commandstats'))?.[1]);
  try {
    await rewt.ready();
    await until('push', async () => rewt.status().push.state === 'on');
    await until('an announcement', async () => (await kept()).count === 1);
    await allPushed(`${key}:first`);
    scripts.length = 0;
    pushed.length = 0;
    const before = await evals();
    for (let time = 0; time < 20; time += 1) await announce('other', `${time}`);
    await allPushed(`${key}:last`);
    expect(pushed).toEqual([`${key}:last`]);
    // A member with push messages of them would have read.
    expect(scripts.filter((script) => script === READ)).toEqual([]);
    expect((await evals()) - before - scripts.length).toBe(20);
  } finally {
    await rewt.close();
    await own.close();
  }
  expect((await kept()).kept.map(({ id }) => id)).toEqual(['other']);
});

it('a flood of the set makes no reader read more than it takes', async () => {
  const { nowMs } = await kept();
  const flood =
    "for i = 1, 6000 do redis.call('ZADD', KEYS[1], ARGV[1], 'id' .. i .. '\\n' .. string.rep('x', " + '1000)) end';
  await server.cli('EVAL', flood, '1', fleet, String(nowMs));
  await server.cli(
    'ZADD',
    fleet,
    'inf',
    'a\nfor ever',
    '-inf',
    'b\nnever',
    '1.5',
    'c\nlong ago',
    String(nowMs + 0.5),
    'no line',
  );
  const found = await kept();
  // Those that have ended are counted until a member announces something.
  expect(found.count).toBe(6_003);
  expect(found.kept).toHaveLength(MAX_ANNOUNCEMENTS);
  expect(Math.max(...found.kept.map(({ text }) => text.length))).toBeLessThanOrEqual(512);
});

it('a key of another type is a failure of the announcement alone', async () => {
  await server.cli('SET', fleet, 'x');
  await expect(kept()).rejects.toMatchObject({ code: 'ERR_REWT_STORE_WRONG_TYPE' });
  const rewt = new Rewt({ redisConn: server.url, memberName: 'orders-1' });
  await rewt.verify(await rewt.sign({}));
  await rewt.close();
  expect(await server.cli('GET', fleet)).toBe('x');
});
