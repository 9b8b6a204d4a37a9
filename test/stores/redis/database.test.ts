/**
 * The keyring is in the database where the client is, through whichever connection it is read and
 * written.
 */
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { Redis as Iovalkey } from 'iovalkey';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rewt, type RewtOptions } from '../../../src/index.js';
import { disposedAfterEach } from '../../support/disposals.js';
import { type NodeRedisShape, redis2, redis3, redis4, redis5, redis6 } from '../../support/redis-clients.js';
import { isInSync } from '../../support/replication.js';
import { type RedisServer, startRedis, until } from '../../support/servers.js';

let server: RedisServer;
const disposals = disposedAfterEach();
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

const namespaceOf = (): string => `ns-${randomUUID()}`;

function rewtOn(redisConn: object, redisNamespace: string, options: Partial<RewtOptions> = {}): Rewt {
  const rewt = new Rewt({ redisConn, redisNamespace, storeTimeout: 10, ...options });
  disposals.push(() => rewt.close());
  return rewt;
}

/** The databases that hold something of a namespace. */
async function databasesOf(namespace: string): Promise<number[]> {
  const found = [];
  for (const database of [0, 3, 5]) {
    if ((await server.cli('-n', String(database), 'KEYS', `*${namespace}:rewt-secret*`)) !== '') found.push(database);
  }
  return found;
}

type Selecting = NodeRedisShape & { select(database: number): Promise<unknown> };

describe('a client that selects its database as soon as it is connected has its keyring there', () => {
  it.each([
    ['redis 4', redis4],
    ['redis 5', redis5],
    ['redis 6', redis6],
  ])('%s, with a first call before connect()', async (_, module) => {
    const client = module.createClient({ socket: { port: server.port } }) as Selecting;
    disposals.push(() => (client.destroy ? client.destroy() : client.disconnect?.()));
    client.on('error', () => {});
    client.on('connect', () => void client.select(3));
    const namespace = namespaceOf();
    const rewt = rewtOn(client, namespace);
    const signing = rewt.sign({ sub: 'a' });
    await client.connect();
    await expect(rewt.verify(await signing)).resolves.toMatchObject({ sub: 'a' });
    expect(await databasesOf(namespace)).toEqual([3]);
  });

  it.each<[string, typeof Redis]>([
    ['ioredis 5', Redis5 as unknown as typeof Redis],
    ['ioredis 6', Redis],
    ['iovalkey', Iovalkey as unknown as typeof Redis],
  ])('%s, with a first call at once, with and without a key prefix', async (_, Client) => {
    for (const keyPrefix of ['', 'app:']) {
      const client = new Client({ port: server.port, keyPrefix });
      disposals.push(() => client.disconnect());
      client.on('connect', () => void client.select(3));
      const namespace = namespaceOf();
      await rewtOn(client, namespace).sign({ sub: 'a' });
      expect(await databasesOf(namespace)).toEqual([3]);
    }
  });

  it.each([
    ['redis 2.8', redis2],
    ['redis 3.1', redis3],
  ])('%s, with a first call at once, with and without a prefix', async (_, module) => {
    for (const prefix of [undefined, 'app:']) {
      const client = module.createClient({ port: server.port, prefix }) as ReturnType<typeof module.createClient> & {
        select(database: number): unknown;
      };
      disposals.push(() => client.end(true));
      client.on('error', () => {});
      client.on('connect', () => client.select(3));
      const namespace = namespaceOf();
      await rewtOn(client, namespace).sign({ sub: 'a' });
      expect(await databasesOf(namespace)).toEqual([3]);
    }
  });
});

it('ioredis with a key prefix, after select(3), has its keyring there, and after select(5) is read there', async () => {
  const client = new Redis({ port: server.port, keyPrefix: 'app:' });
  disposals.push(() => client.disconnect());
  const namespace = namespaceOf();
  await client.select(3);
  await rewtOn(client, namespace).sign({ sub: 'a' });
  expect(await databasesOf(namespace)).toEqual([3]);
  await client.select(5);
  await rewtOn(client, namespace).sign({ sub: 'a' });
  expect(await databasesOf(namespace)).toEqual([3, 5]);
});

it.each<[string, number]>([
  ['a strict member', 0],
  ['a member', 4],
])('each call of %s on a client that is not connected says so, not only the first one', async (_, maxStaleness) => {
  const client = redis6.createClient({ socket: { port: server.port } });
  client.on('error', () => {});
  client.on('connect', () => {});
  const rewt = rewtOn(client, namespaceOf(), { storeTimeout: 0.5, maxStaleness });
  const failing = async () => rewt.sign({ sub: 'a' }).catch((error) => error);
  const errors = [...(await Promise.all([failing(), failing()])), await failing(), await failing()];
  for (const error of errors) expect(error).toMatchObject({ code: 'ERR_REWT_STORE_DOWN' });
  for (const error of errors) expect(error.message).toContain('await its connect()');
});

describe('a client that was not connected at the first call', () => {
  const kinds: [string, () => { client: object; open(database: number): Promise<unknown> }][] = [
    [
      'redis 6',
      () => {
        const client = redis6.createClient({ socket: { port: server.port } }) as Selecting;
        disposals.push(() => client.destroy?.());
        return { client, open: (database) => client.connect().then(() => client.select(database)) };
      },
    ],
    [
      'ioredis 6',
      () => {
        const client = new Redis({ port: server.port, lazyConnect: true });
        disposals.push(() => client.disconnect());
        return { client, open: (database) => client.connect().then(() => client.select(database)) };
      },
    ],
  ];

  it.each(kinds)('goes on with the same keyring once it is (%s)', async (_, make) => {
    const { client, open } = make();
    const namespace = namespaceOf();
    const rewt = rewtOn(client, namespace, { maxStaleness: 0, push: false });
    const token = await rewt.sign({ sub: 'a' });
    await open(0);
    const open0 = async () =>
      (await server.cli('CLIENT', 'LIST')).split('\n').filter((line) => /cmd=(eval|set)/.test(line));
    await expect(rewt.verify(token)).resolves.toMatchObject({ sub: 'a' });
    await expect.poll(open0).toHaveLength(1);
    expect(await databasesOf(namespace)).toEqual([0]);
  });

  it.each(kinds)(
    'is refused if it has another database since, and no second keyring is begun (%s)',
    async (_, make) => {
      const { client, open } = make();
      const namespace = namespaceOf();
      const rewt = rewtOn(client, namespace, { maxStaleness: 0, push: false });
      const token = await rewt.sign({ sub: 'a' });
      await open(3);
      await expect(rewt.verify(token)).rejects.toMatchObject({
        code: 'ERR_REWT_STORE_DOWN',
        message: expect.stringMatching(/another database/),
      });
      expect(await databasesOf(namespace)).toEqual([0]);
    },
  );

  it('begins another keyring if it finds its own flushed', async () => {
    const alone = await startRedis();
    disposals.push(alone.stop);
    const client = redis6.createClient({ socket: { port: alone.port } }) as Selecting;
    disposals.push(() => client.destroy?.());
    const rewt = rewtOn(client, namespaceOf(), { maxStaleness: 0, push: false });
    const token = await rewt.sign({ sub: 'a' });
    await alone.cli('FLUSHALL');
    await client.connect();
    await expect(rewt.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  });
});

it('revoke({ replicas }) counts replicas in the database that the client selected', async () => {
  const replica = await startRedis(['--replicaof', '127.0.0.1', String(server.port)]);
  disposals.push(replica.stop);
  await until('a replica in sync', () => isInSync(replica, server));
  const client = redis6.createClient({ socket: { port: server.port } }) as Selecting;
  disposals.push(() => client.destroy?.());
  await client.connect();
  await client.select(3);
  const rewt = rewtOn(client, namespaceOf());
  expect(await rewt.revoke({ replicas: 1, timeout: 10 })).toMatchObject({ replicas: 1 });
});
