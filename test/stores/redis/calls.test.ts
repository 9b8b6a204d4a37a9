/**
 * One call to the Redis store: what becomes of it when it is late, sent twice, given up, or
 * answered after `close()`.
 */

import { randomUUID } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { readRedisPort } from '../../../src/stores/redis/clients/detect.js';
import { connectRedis } from '../../../src/stores/redis/clients/from-url.js';
import type { RedisPort } from '../../../src/stores/redis/clients/port.js';
import { redisNames } from '../../../src/stores/redis/names.js';
import { redisStore } from '../../../src/stores/redis/redis-store.js';
import type { Snapshot, WantedState } from '../../../src/stores/store.js';
import { clients } from '../../support/redis-clients.js';
import { isInSync } from '../../support/replication.js';
import { serverGroup, until } from '../../support/servers.js';

const servers = serverGroup();
const disposals: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const dispose of disposals.splice(0).reverse()) await dispose();
  await servers.stop();
});

const limits = { timeoutMs: 5_000 };
const { ring } = redisNames('rewt');

function wish({ nowMs }: Snapshot): WantedState {
  return { key: null, ring: { text: `ring ${randomUUID()}`, expiresAtMs: nowMs + 90_000 } };
}

function storeOn(port: RedisPort) {
  const store = redisStore(port);
  disposals.push(() => store.close());
  return store;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

it('a swap that arrives after its caller gave up, but before its last instant, still finds its draft', async () => {
  const server = await servers.start([]);
  const port = connectRedis(server.url);
  const timeoutMs = 300;
  // The connection stalls between the draft and the script.
  const stalling: RedisPort = {
    ...port,
    async send(commands, key) {
      if (commands.length < 2) return port.send(commands, key);
      const draft = await port.send(commands.slice(0, 1), key);
      await pause(2 * timeoutMs);
      return [...draft, ...(await port.send(commands.slice(1), key))];
    },
  };
  const store = storeOn(stalling);
  const from = await store.read('rewt', limits);
  const wanted = wish(from);
  const swap = store.swap('rewt', from.version, wanted, { timeoutMs, notAfterMs: from.nowMs + 60_000 });
  await expect(swap).rejects.toMatchObject({ code: 'ERR_REWT_STORE_TIMEOUT' });
  await until('it is written', async () => (await server.cli('GET', ring)) === wanted.ring.text);
});

it('a swap that was done is done, even if a server that is full by now denies the second sending', async () => {
  const server = await servers.start(['--maxmemory-policy', 'noeviction']);
  const store = storeOn(connectRedis(server.url));
  const from = await store.read('rewt', limits);
  const wanted = wish(from);
  const swapLimits = { ...limits, notAfterMs: from.nowMs + 60_000 };
  await expect(store.swap('rewt', from.version, wanted, swapLimits)).resolves.toMatchObject({ swapped: true });
  await server.cli('CONFIG', 'SET', 'maxmemory', '1');
  await expect(store.swap('rewt', from.version, wanted, swapLimits)).resolves.toMatchObject({ swapped: true });
  const other = store.swap('rewt', from.version, wish(from), swapLimits);
  await expect(other).rejects.toMatchObject({ code: 'ERR_REWT_STORE_FULL' });
});

it('an answer that comes after close() counts no more, although the client is open', async () => {
  const server = await servers.start([]);
  const connect = clients.find(([name]) => name === 'ioredis 6')?.[1];
  if (connect === undefined) throw new Error('no client');
  const { client, close } = await connect(server.port);
  disposals.push(close);
  const store = storeOn(readRedisPort(client));
  await store.read('rewt', limits);
  process.kill(server.pid, 'SIGSTOP');
  const reading = store.read('rewt', limits);
  await pause(20);
  await store.close();
  process.kill(server.pid, 'SIGCONT');
  await expect(reading).rejects.toMatchObject({ code: 'ERR_REWT_STORE_CLOSED' });
});

it('a call that has failed sends nothing afterwards, although it would have been worth another attempt', async () => {
  const master = await servers.start(['--repl-diskless-sync-delay', '0']);
  const replica = await servers.start(['--replicaof', '127.0.0.1', String(master.port)]);
  await until('the replica follows', () => isInSync(replica, master));
  const store = storeOn(connectRedis(replica.url));
  const scripts = async () => Number(/cmdstat_eval:calls=(\d+)/.exec(await replica.cli('INFO', 'commandstats'))?.[1]);
  const code = 'ERR_REWT_STORE_READ_ONLY';
  await expect(store.read('rewt', { timeoutMs: 2_000 })).rejects.toMatchObject({ code });
  const first = await scripts();
  await expect(store.read('rewt', { timeoutMs: 500 })).rejects.toMatchObject({ code });
  const before = await scripts();
  expect(before).toBeGreaterThan(first + 1);
  await pause(600);
  expect(await scripts()).toBe(before);
});
