/**
 * A borrowed client stays the user's, whatever its settings; what cannot be used is refused with
 * words that help.
 */
import { randomUUID } from 'node:crypto';
import { Cluster, Redis } from 'ioredis';
import { createClient, createClientPool, createCluster, createSentinel, RESP_TYPES } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OptionError } from '../../../src/errors.js';
import { readRedisPort } from '../../../src/stores/redis/clients/detect.js';
import { redisStore, redisStoreFor } from '../../../src/stores/redis/redis-store.js';
import type { Store, SwapAnswer } from '../../../src/stores/store.js';
import { disposedAfterEach } from '../../support/disposals.js';
import { clientNamed, clients, redis2, redis3, redis4, redis5 } from '../../support/redis-clients.js';
import { type RedisServer, startRedis } from '../../support/servers.js';

const limits = { timeoutMs: 5_000 };
const secret = 'a-secret-of-at-least-thirty-two-bytes-000000';

let server: RedisServer;
const disposals = disposedAfterEach();
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

function storeOf(client: object): Store {
  const store = redisStore(readRedisPort(client));
  disposals.push(() => store.close());
  return store;
}

async function write(store: Store, namespace: string): Promise<SwapAnswer> {
  const { version, nowMs } = await store.read(namespace, limits);
  const expiresAtMs = nowMs + 60_000;
  const wanted = { key: { value: secret, expiresAtMs }, ring: { text: `ring ${randomUUID()}`, expiresAtMs } };
  return store.swap(namespace, version, wanted, { ...limits, notAfterMs: nowMs + 5_000 });
}

const socket = () => ({ host: '127.0.0.1', port: server.port });

describe('a client that is not open yet', () => {
  it('of redis 6 is left alone: rewt works, and its user may connect it later', async () => {
    const client = createClient({ socket: socket() });
    disposals.push(() => client.destroy());
    const store = storeOf(client);
    const namespace = randomUUID();
    expect((await write(store, namespace)).swapped).toBe(true);
    expect(client.isOpen).toBe(false);
    expect(client.listenerCount('error')).toBe(0);
    await client.connect();
    expect(await client.get(`${namespace}:rewt-secret`)).toBe(secret);
    expect((await store.read(namespace, limits)).key?.value).toBe(secret);
  });

  it('of ioredis with lazyConnect is left alone: rewt works, and its user may connect it later', async () => {
    const client = new Redis({ ...socket(), lazyConnect: true });
    disposals.push(() => client.disconnect());
    const store = storeOf(client);
    const namespace = randomUUID();
    expect((await write(store, namespace)).swapped).toBe(true);
    expect(client.status).toBe('wait');
    await client.connect();
    expect(await client.get(`${namespace}:rewt-secret`)).toBe(secret);
    expect((await store.read(namespace, limits)).key?.value).toBe(secret);
  });

  it('opens one connection for calls that arrive at once, and closes it with the store', async () => {
    const name = `rewt-test-${randomUUID().slice(0, 8)}`;
    const client = createClient({ socket: socket(), name });
    const store = storeOf(client);
    const connections = async (): Promise<number> =>
      (await server.cli('CLIENT', 'LIST')).split(`name=${name}`).length - 1;
    await Promise.all(Array.from({ length: 20 }, () => store.read('rewt', limits)));
    expect(await connections()).toBe(1);
    await store.close();
    await expect.poll(connections).toBe(0);
  });

  it('without an error listener survives the loss of the server, and works after its return', async () => {
    const own = await startRedis();
    disposals.push(own.stop);
    const store = storeOf(createClient({ socket: { host: '127.0.0.1', port: own.port } }));
    await store.read('rewt', limits);
    await own.stop();
    for (let n = 0; n < 2; n += 1) {
      await expect(store.read('rewt', { timeoutMs: 1_000 })).rejects.toMatchObject({ code: 'ERR_REWT_STORE_DOWN' });
    }
    const again = await startRedis(['--port', String(own.port)]);
    disposals.push(again.stop);
    expect(await store.read('rewt', limits)).toMatchObject({ key: null });
  });
});

describe('a borrowed client', () => {
  it.each(clients)('of %s gets no listener of ours, and is open after close()', async (_, connect) => {
    const { client, close } = await connect(server.port);
    disposals.push(close);
    const emitter = client as { listenerCount(event: string): number; eventNames(): string[] };
    const count = (): number[] => emitter.eventNames().map((event) => emitter.listenerCount(event));
    const other = storeOf(client);
    await other.read('rewt', limits);
    const before = count();
    const store = redisStore(readRedisPort(client));
    await write(store, randomUUID());
    await store.close();
    expect(count()).toEqual(before);
    expect(await other.read('rewt', limits)).toMatchObject({ ring: null });
  });

  it.each([
    ['redis 2.8', (prefix: string) => clientNamed('redis 2.8')(server.port, { prefix })],
    ['redis 3.1', (prefix: string) => clientNamed('redis 3.1')(server.port, { prefix })],
    ['redis 6', (keyPrefix: string) => clientNamed('redis 6')(server.port, { keyPrefix })],
    ['ioredis 6', (keyPrefix: string) => clientNamed('ioredis 6')(server.port, { keyPrefix })],
  ])('of %s with a key prefix has it in front of every key once, as its user sees it', async (_, connect) => {
    const prefix = `${randomUUID()}:`;
    const { client, close } = await connect(prefix);
    disposals.push(close);
    expect((await write(storeOf(client), 'rewt')).swapped).toBe(true);
    const names = (await server.cli('KEYS', `*${prefix}*`)).split('\n').sort();
    expect(names).toEqual([`${prefix}rewt-ring:{${prefix}rewt:rewt-secret}`, `${prefix}rewt:rewt-secret`]);
  });

  it.each([
    ['redis 2.8 with return_buffers', () => clientNamed('redis 2.8')(server.port, { return_buffers: true })],
    ['redis 3.1 with return_buffers', () => clientNamed('redis 3.1')(server.port, { return_buffers: true })],
    ['redis 3.1 with string_numbers', () => clientNamed('redis 3.1')(server.port, { string_numbers: true })],
    [
      'redis 6 that maps strings to Buffers',
      () =>
        clientNamed('redis 6')(server.port, {
          commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
        }),
    ],
    ['redis 6 on RESP2', () => clientNamed('redis 6')(server.port, { RESP: 2, maintNotifications: 'disabled' })],
    ['ioredis 6 with auto-pipelining', () => clientNamed('ioredis 6')(server.port, { enableAutoPipelining: true })],
    ['ioredis 6 on RESP2', () => clientNamed('ioredis 6')(server.port, { protocol: 2 })],
    ['ioredis 6 with stringNumbers', () => clientNamed('ioredis 6')(server.port, { stringNumbers: true })],
  ])('of %s reads and writes like any other', async (_, connect) => {
    const { client, close } = await connect();
    disposals.push(close);
    const store = storeOf(client);
    const namespace = randomUUID();
    const { swapped, snapshot } = await write(store, namespace);
    expect(swapped).toBe(true);
    expect(snapshot.key?.value).toBe(secret);
    expect(await store.read(namespace, limits)).toMatchObject({ ring: snapshot.ring, version: snapshot.version });
  });
});

const rootNodes = { rootNodes: [{ url: 'redis://127.0.0.1:1' }] };

describe('a client', () => {
  const sentinel = { name: 'x', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] };
  it.each([
    ['redis 4', () => redis4.createClient({}), 'node-redis'],
    ['a pool of redis 5', () => redis5.createClientPool({}), 'node-redis'],
    ['a pool of redis 6', () => createClientPool(), 'node-redis'],
    ['a sentinel client of redis 5', () => redis5.createSentinel(sentinel), 'node-redis'],
    ['a sentinel client of redis 6', () => createSentinel(sentinel), 'node-redis'],
    ['a cluster client of redis 6', () => createCluster(rootNodes), 'node-redis'],
    ['ioredis', () => new Redis({ lazyConnect: true }), 'ioredis'],
    ['a cluster client of ioredis', () => new Cluster([{ port: 1 }], { lazyConnect: true }), 'ioredis'],
    ['valkey-glide', () => ({ customCommand() {}, invokeScript() {} }), 'glide'],
  ])('%s is recognised before it is connected', (_, make, dialect) => {
    const port = readRedisPort(make());
    expect(port.dialect).toBe(dialect);
    expect(port.clientWarnings).toEqual([]);
  });

  it.each([
    ['a client', () => createClient({ keyPrefix: 'app:' })],
    ['a pool', () => createClientPool({ keyPrefix: 'app:' })],
    ['a cluster client', () => createCluster({ ...rootNodes, keyPrefix: 'app:' })],
    ['a sentinel client', () => createSentinel({ ...sentinel, keyPrefix: 'app:' })],
    ['a cluster client of ioredis', () => new Cluster([{ port: 1 }], { lazyConnect: true, keyPrefix: 'app:' })],
  ])('%s is recognised with its key prefix', (_, make) => {
    expect(readRedisPort(make()).keyPrefix).toBe('app:');
  });
});

describe('what cannot be used is refused at once', () => {
  it.each([
    ['the legacy view of a client', () => createClient().legacy(), 'legacy()'],
    ['the module', () => redis2, 'not a Redis client that rewt knows'],
    ['the other module', () => redis3, 'not a Redis client that rewt knows'],
    ['an empty object', () => ({}), 'not a Redis client that rewt knows'],
    ['null', () => null, 'it is null'],
    ['a number', () => 6379, 'of type number'],
    ['a cluster client of redis 4', () => redis4.createCluster(rootNodes), 'createCluster of redis 6'],
    ['a cluster client of redis 5', () => redis5.createCluster(rootNodes), 'createCluster of redis 6'],
  ])('%s is refused at once', (_, make, words) => {
    const refusal = (() => {
      try {
        return readRedisPort(make());
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toBeInstanceOf(OptionError);
    expect(refusal).toMatchObject({ option: 'redisConn', message: expect.stringContaining(words) });
    expect(refusal).toMatchObject({ message: expect.stringContaining('ioredis') });
  });

  it('what throws when it is looked at is refused without its words', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const failing = {
      get sendCommand(): never {
        throw new Error('a password');
      },
    };
    for (const client of [proxy, failing]) {
      expect(() => redisStoreFor(client, 'rewt')).toThrow(
        new OptionError('redisConn: cannot be read, because a getter or a proxy in it throws', { option: 'redisConn' }),
      );
    }
  });

  it('a namespace that the prefix of the client makes impossible is refused', () => {
    expect(() => redisStoreFor(createClient({ keyPrefix: 'a}:' }), 'rewt')).toThrow(
      expect.objectContaining({ option: 'redisNamespace' }),
    );
  });
});

describe('createClient(url) of redis 6, which reads the string as letters and connects to localhost:6379,', () => {
  // Its types refuse a string; the original snippet is JavaScript.
  const clientOf = (url: string) => createClient(url as never);

  it.each(['redis://localhost:6379', 'redis://localhost', 'redis://127.0.0.1:6379/0'])(
    'is taken where %s means that',
    (url) => {
      expect(readRedisPort(clientOf(url)).dialect).toBe('node-redis');
    },
  );

  it.each([
    'redis://redis:6379',
    'redis://localhost:6380',
    'redis://:hunter2@localhost:6379',
    'rediss://localhost:6379',
    'redis://localhost:6379/5',
  ])('is refused where %s meant another place', (url) => {
    expect(() => readRedisPort(clientOf(url))).toThrow(/createClient\(\{ url \}\)/);
    expect(() => readRedisPort(clientOf(url))).not.toThrow(/hunter2/);
  });
});
