/** What the Redis store does where Redis refuses, is gone, is slow, or holds what is not rewt's. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRedisPort } from '../../../src/stores/redis/clients/detect.js';
import { redisNames } from '../../../src/stores/redis/names.js';
import { redisStore } from '../../../src/stores/redis/redis-store.js';
import type { Snapshot, Store, SwapAnswer, WantedState } from '../../../src/stores/store.js';
import { disposedAfterEach } from '../../support/disposals.js';
import { type Connect, clients, connectGlide } from '../../support/redis-clients.js';
import { isInSync } from '../../support/replication.js';
import { type RedisServer, serverGroup, startRedis, until } from '../../support/servers.js';

const limits = { timeoutMs: 5_000 };
const secret = 'a-secret-of-at-least-thirty-two-bytes-000000';

const group = serverGroup();
let shared: RedisServer;
let replica: RedisServer;
const disposals = disposedAfterEach();
beforeAll(async () => {
  shared = await group.start([]);
  replica = await group.start(['--replicaof', '127.0.0.1', String(shared.port)]);
  // Until then the old clients wait, and do not send.
  await until('a replica in sync', () => isInSync(replica, shared));
});
afterAll(() => group.stop());

async function ownServer(args: readonly string[] = []): Promise<RedisServer> {
  const server = await startRedis(args);
  disposals.push(server.stop);
  return server;
}

async function storeOn(port: number, connect: Connect, options: object = {}): Promise<Store> {
  const { client, close } = await connect(port, options);
  const store = redisStore(readRedisPort(client));
  disposals.push(close, () => store.close());
  return store;
}

function wish(from: Snapshot, key: string | null = secret, text = `ring ${randomUUID()}`): WantedState {
  return {
    key: key === null ? null : { value: key, expiresAtMs: from.nowMs + 60_000 },
    ring: { text, expiresAtMs: from.nowMs + 90_000 },
  };
}

async function write(store: Store, namespace: string, key: string | null = secret): Promise<SwapAnswer> {
  const from = await store.read(namespace, limits);
  return store.swap(namespace, from.version, wish(from, key), { ...limits, notAfterMs: from.nowMs + 5_000 });
}

const someSnapshot = (): Snapshot => ({ nowMs: Date.now(), key: null, ring: null, version: ':' });
const swapBlindly = (store: Store, namespace: string, from = someSnapshot(), by = limits): Promise<SwapAnswer> =>
  store.swap(namespace, from.version, wish(from), { ...by, notAfterMs: from.nowMs + 60_000 });

const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no error',
    (error) => error.code,
  );

/**
 * One of each family; what the versions of one have in common is the port's conformance suite to
 * say.
 */
const families = clients.filter(([name]) => ['redis 2.8', 'redis 3.1', 'redis 6', 'ioredis 6'].includes(name));

describe.each(families)('through %s', (name, connect) => {
  it('redis-cli finds K and R under their names, with their times, and no draft', async () => {
    const server = await ownServer();
    const store = await storeOn(server.port, connect);
    const { snapshot } = await write(store, 'rewt');
    expect(await server.cli('GET', 'rewt:rewt-secret')).toBe(secret);
    expect(await server.cli('GET', '{rewt:rewt-secret}:ring')).toBe(snapshot.ring);
    const expiry =
      "local t = redis.call('TIME') return t[1] * 1000 + math.floor(t[2] / 1000) + redis.call('PTTL', KEYS[1])";
    const expiryMs = Number(await server.cli('EVAL', expiry, '1', 'rewt:rewt-secret'));
    expect(Math.abs(expiryMs - (snapshot.key?.expiresAtMs ?? 0))).toBeLessThanOrEqual(5);
    expect(Number(await server.cli('PTTL', '{rewt:rewt-secret}:ring'))).toBeGreaterThan(60_000);
    const conflict = await swapBlindly(store, 'rewt');
    const late = await store.swap('rewt', snapshot.version, wish(snapshot), { ...limits, notAfterMs: 1 });
    expect([conflict.swapped, late.swapped]).toEqual([false, false]);
    expect((await server.cli('KEYS', '*')).split('\n').sort()).toEqual(['rewt:rewt-secret', '{rewt:rewt-secret}:ring']);
  });

  it('a K that is not UTF-8 has no value, but is there; one that is empty or large is read as it is', async () => {
    const store = await storeOn(shared.port, connect);
    const namespace = randomUUID();
    const { key } = redisNames(namespace);
    await shared.cli('SET', key, Buffer.from([0x66, 0xff, 0xfe, 0x80]));
    const odd = await store.read(namespace, limits);
    expect(odd.key).toEqual({ value: null, expiresAtMs: null });
    await shared.cli('SET', key, Buffer.from('f\ufffd\ufffd\ufffd'));
    const replaced = await store.read(namespace, limits);
    expect(replaced.key?.value).toBe('f\ufffd\ufffd\ufffd');
    expect(replaced.version).not.toBe(odd.version);
    await shared.cli('SET', key, '');
    expect((await store.read(namespace, limits)).key?.value).toBe('');
    const large = 'ü'.repeat(500_000);
    await shared.cli('SET', key, Buffer.from(large));
    expect((await store.read(namespace, limits)).key?.value).toBe(large);
    const { swapped, snapshot } = await write(store, namespace, `${large}!`);
    expect([swapped, snapshot.key?.value]).toEqual([true, `${large}!`]);
  });

  it('a K or R that is not a string is a typed error that says so, and stays as it is', async () => {
    const store = await storeOn(shared.port, connect);
    for (const which of ['key', 'ring'] as const) {
      const namespace = randomUUID();
      const { key, ring } = redisNames(namespace);
      const odd = which === 'key' ? key : ring;
      await shared.cli('LPUSH', odd, 'x');
      expect(await codeOf(store.read(namespace, limits))).toBe('ERR_REWT_STORE_WRONG_TYPE');
      expect(await codeOf(swapBlindly(store, namespace))).toBe('ERR_REWT_STORE_WRONG_TYPE');
      expect(await shared.cli('TYPE', odd)).toBe('list');
      expect(await shared.cli('EXISTS', key, ring)).toBe('1');
    }
  });

  it('a server that stops replying costs at most the deadline, and what timed out does not happen later', async () => {
    const server = await ownServer();
    const store = await storeOn(server.port, connect);
    const from = await store.read('rewt', limits);
    process.kill(server.pid, 'SIGSTOP');
    const startedMs = performance.now();
    const swap = store.swap('rewt', from.version, wish(from), { timeoutMs: 150, notAfterMs: from.nowMs + 200 });
    expect(await codeOf(swap)).toBe('ERR_REWT_STORE_TIMEOUT');
    // The clients themselves would wait for ever.
    expect(performance.now() - startedMs).toBeLessThan(20_000);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, from.nowMs + 210 - Date.now())));
    process.kill(server.pid, 'SIGCONT');
    const after = await store.read('rewt', limits);
    expect(after).toMatchObject({ key: null, ring: null });
    expect(await server.cli('DBSIZE')).toBe('0');
  });

  it('a server that is gone is a typed error within the deadline', async () => {
    const server = await ownServer();
    const store = await storeOn(server.port, connect);
    await store.read('rewt', limits);
    await server.stop();
    for (let n = 0; n < 3; n += 1) {
      expect(await codeOf(store.read('rewt', { timeoutMs: 300 }))).toMatch(/^ERR_REWT_STORE_(DOWN|TIMEOUT)$/);
    }
  });

  it('a client that its user closed is a typed error', async () => {
    const { client, close } = await connect(shared.port);
    const store = redisStore(readRedisPort(client));
    await store.read('rewt', limits);
    await close();
    expect(await codeOf(store.read('rewt', { timeoutMs: 500 }))).toBe('ERR_REWT_STORE_CLOSED');
    await store.close();
  });

  it('a full server refuses swaps and goes on with reads', async () => {
    const server = await ownServer(['--maxmemory-policy', 'noeviction']);
    const store = await storeOn(server.port, connect);
    const { snapshot } = await write(store, 'rewt');
    await server.cli('CONFIG', 'SET', 'maxmemory', '1');
    const before = await store.read('rewt', limits);
    expect(before.version).toBe(snapshot.version);
    expect(await codeOf(swapBlindly(store, 'rewt', before))).toBe('ERR_REWT_STORE_FULL');
    expect((await store.read('rewt', limits)).version).toBe(before.version);
  });

  it('a replica refuses swaps', async () => {
    const store = await storeOn(replica.port, connect);
    // Until then it is asked again: it could become the master.
    const brief = { timeoutMs: 1_000 };
    expect(await codeOf(swapBlindly(store, 'rewt', someSnapshot(), brief))).toBe('ERR_REWT_STORE_READ_ONLY');
  });

  it('a master without the replicas that it needs refuses swaps before anything is written', async () => {
    const server = await ownServer(['--min-replicas-to-write', '1']);
    const store = await storeOn(server.port, connect);
    expect(await codeOf(swapBlindly(store, 'rewt'))).toBe('ERR_REWT_STORE_READ_ONLY');
    expect(await server.cli('DBSIZE')).toBe('0');
  });

  // redis 2.8 knows no users: it would go in as the default one, which has every right.
  const rights = name === 'redis 2.8' ? [] : ['set', 'pexpireat', 'eval', 'get'];
  it.each(rights)(
    'a user without the right to %s gets a typed error, and half of a swap never happens',
    async (right) => {
      const user = `user-${randomUUID()}`;
      await shared.cli('ACL', 'SETUSER', user, 'on', '>pw', '~*', '+@all', `-${right}`);
      const options = { username: user, user, password: 'pw' };
      const store = await storeOn(shared.port, connect, options);
      const namespace = randomUUID();
      expect(await codeOf(swapBlindly(store, namespace))).toBe('ERR_REWT_STORE_DENIED');
      const { key, ring } = redisNames(namespace);
      expect(await shared.cli('EXISTS', key, ring)).toBe('0');
    },
  );

  it('a busy server is asked again within the deadline', async () => {
    const server = await ownServer(['--lua-time-limit', '10']);
    const store = await storeOn(server.port, connect);
    await store.read('rewt', limits);
    const endless = server.cli('EVAL', 'while true do end', '0').catch(() => {});
    let asked: string;
    do asked = await server.cli('PING').catch((error) => String(error));
    while (!asked.includes('BUSY'));
    const reading = store.read('rewt', limits);
    await new Promise((resolve) => setTimeout(resolve, 40));
    await server.cli('SCRIPT', 'KILL');
    expect(await reading).toMatchObject({ key: null, ring: null });
    await endless;
  });
});

it('a refusal of Redis has its code through valkey-glide too, whose core writes it in its own way', async () => {
  const server = await ownServer(['--maxmemory-policy', 'noeviction']);
  const store = await storeOn(server.port, connectGlide);
  await server.cli('LPUSH', redisNames('odd').key, 'x');
  expect(await codeOf(store.read('odd', limits))).toBe('ERR_REWT_STORE_WRONG_TYPE');
  await server.cli('CONFIG', 'SET', 'min-replicas-to-write', '1');
  expect(await codeOf(swapBlindly(store, 'rewt'))).toBe('ERR_REWT_STORE_READ_ONLY');
  await server.cli('CONFIG', 'SET', 'min-replicas-to-write', '0');
  await server.cli('CONFIG', 'SET', 'maxmemory', '1');
  expect(await codeOf(swapBlindly(store, 'rewt'))).toBe('ERR_REWT_STORE_FULL');
  await server.cli('ACL', 'SETUSER', 'default', '-eval');
  await expect(store.read('rewt', limits)).rejects.toMatchObject({
    code: 'ERR_REWT_STORE_DENIED',
    message: expect.stringContaining('grant +eval'),
  });
});
