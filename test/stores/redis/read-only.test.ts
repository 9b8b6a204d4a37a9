/**
 * A member that only reads, on real servers whose user has the rights of a verifier and no others,
 * through every kind of client.
 */

import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rewt } from '../../../src/index.js';
import { connectRedis } from '../../../src/stores/redis/clients/from-url.js';
import { redisNames } from '../../../src/stores/redis/names.js';
import { plainRead } from '../../../src/stores/redis/plain-read.js';
import { redisStore } from '../../../src/stores/redis/redis-store.js';
import { aclRules } from '../../../src/stores/redis/rights.js';
import { codeOf } from '../../interop/fleet.js';
import { type Connect, clientNamed, clients, connectGlide, pools } from '../../support/redis-clients.js';
import { createUser, knowsChannels, refusalsOf } from '../../support/redis-users.js';
import { type RedisServer, serverGroup, until } from '../../support/servers.js';

const namespace = 'shop';
const names = redisNames(namespace);
const shared = { redisNamespace: namespace, storeTimeout: 10, maxStaleness: 20 };
const servers = serverGroup();
afterAll(() => servers.stop());

/** What Redis lets a verifier run, and what clients send to connect. */
const reads = new Set([
  'info',
  'time',
  'get',
  'pttl',
  'subscribe',
  'ping',
  'client',
  'hello',
  'auth',
  'select',
  'quit',
]);

/**
 * A server whose default user is a verifier, since not every client can give a name. The one for
 * tests and members that write is another.
 */
async function verifierServer(keyPrefix = ''): Promise<{ server: RedisServer; admin: string }> {
  const server = await servers.start([]);
  const admin = server.url.replace('//', '//admin:pw@');
  await server.cli('ACL', 'SETUSER', 'admin', 'on', '>pw', '~*', '+@all');
  const isNew = await knowsChannels(server);
  if (isNew) await server.cli('ACL', 'SETUSER', 'admin', '&*');
  const rules = aclRules('verifier', redisNames(namespace, keyPrefix), true).flat();
  const known = isNew ? rules : rules.filter((rule) => !rule.startsWith('&')).map((rule) => rule.replace(/^%R~/, '~'));
  const reset = isNew ? ['resetchannels'] : [];
  const answer = await server.cli('ACL', 'SETUSER', 'default', 'resetkeys', '-@all', ...reset, ...known);
  expect(answer).toBe('OK');
  return { server, admin };
}

let plain: Awaited<ReturnType<typeof verifierServer>>;
beforeAll(async () => {
  plain = await verifierServer();
});

async function withAdmin<T>(admin: string, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(admin);
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

/** The names of all commands that `work` makes others than `admin` send. */
async function commandsDuring(url: string, work: (redis: Redis) => Promise<void>): Promise<ReadonlySet<string>> {
  return withAdmin(url, (redis) =>
    withAdmin(url, async (other) => {
      const own = /addr=(\S+)/.exec(String(await redis.call('CLIENT', 'INFO').catch(() => '')))?.[1];
      const monitor = await other.monitor();
      const sent = new Set<string>();
      let ended = false;
      monitor.on('monitor', (_time: string, [name = '', ...args]: string[], source: string) => {
        if (source !== own && name) sent.add(name.toLowerCase());
        if (args.includes('the end')) ended = true;
      });
      await work(redis);
      // What MONITOR shows comes in order.
      await redis.echo('the end');
      await until('all is seen', async () => ended);
      monitor.disconnect();
      return sent;
    }),
  );
}

const families: readonly (readonly [name: string, connect: Connect, pushes: boolean])[] = [
  ...clients.map(([name, connect]) => [name, connect, true] as const),
  ...pools.map(([name, connect]) => [`the pool of ${name}`, connect, true] as const),
  ['valkey-glide', connectGlide, false],
];

describe.each(families)('through %s', (_, connect, pushes) => {
  it('verifies, notices what others change, and sends nothing but reads', async () => {
    const { server, admin } = plain;
    await withAdmin(admin, (redis) => redis.flushall());
    await using writer = new Rewt({ ...shared, redisConn: admin, push: false });
    const { client, close } = await connect(server.port);
    const reader = new Rewt({ ...shared, redisConn: client, readOnly: true });
    try {
      expect(await codeOf(reader.ready())).toBe('ERR_REWT_RING_AWAITED');
      const token = await writer.sign({ sub: 'a' });
      await until('it is noticed', async () => (await codeOf(reader.ready())) === 'no error');
      expect(await reader.verify(token)).toMatchObject({ sub: 'a' });
      if (pushes) await until('push is on', async () => reader.status().push.state === 'on');
      else expect(reader.status().push.state).toBe('off');
      await writer.rotate({ force: true });
      expect(await reader.verify(await writer.sign({ sub: 'b' }))).toMatchObject({ sub: 'b' });
      expect(await reader.verify(token)).toMatchObject({ sub: 'a' });
      await writer.revoke();
      await until('it is revoked', async () => (await codeOf(reader.verify(token))) === 'ERR_REWT_UNKNOWN_KEY');

      // All that is due, which another member would write; with the writer at rest.
      const since = await writer.sign({ sub: 'c' });
      await reader.verify(since);
      const sent = await commandsDuring(admin, async (redis) => {
        await redis.persist(names.key);
        await reader.refresh();
        expect(await codeOf(reader.verify(since))).toBe('no error');
        await redis.pexpire(names.key, 500);
        await reader.refresh();
        expect(await codeOf(reader.verify(since))).toBe('no error');
        await redis.del(names.key);
        await until('the brake is noticed', async () => (await codeOf(reader.refresh())) === 'ERR_REWT_RING_AWAITED');
        expect(await codeOf(reader.verify(since))).toBe('ERR_REWT_RING_AWAITED');
        expect(reader.status()).toMatchObject({ copy: 'none', waitsFor: 'member' });
      });
      expect([...sent].filter((name) => !reads.has(name) && name !== 'echo')).toEqual([]);
      expect(sent).toContain('get');
    } finally {
      await reader.close();
      await close();
    }
  });
});

it('was refused nothing by Redis', async () => {
  const { server, admin } = plain;
  const refused = await refusalsOf({ ...server, url: admin }, { name: 'default', url: server.url });
  expect(refused).toEqual([]);
});

it.each([
  ['redis 6', 'app:'],
  ['ioredis 6', 'app:'],
])('reads under the key prefix of %s', async (name, keyPrefix) => {
  const { server, admin } = await verifierServer(keyPrefix);
  const writing = await clientNamed(name)(server.port, { keyPrefix, username: 'admin', password: 'pw' });
  const reading = await clientNamed(name)(server.port, { keyPrefix });
  try {
    await using writer = new Rewt({ ...shared, redisConn: writing.client, push: false });
    await using reader = new Rewt({ ...shared, redisConn: reading.client, readOnly: true });
    const token = await writer.sign({ sub: 'a' });
    // The user has no right to the names without the prefix.
    expect(await reader.verify(token)).toMatchObject({ sub: 'a' });
    await writer.revoke();
    await until('it is revoked', async () => (await codeOf(reader.verify(token))) === 'ERR_REWT_UNKNOWN_KEY');
    expect(await withAdmin(admin, (redis) => redis.keys('*'))).toEqual(
      expect.arrayContaining([`${keyPrefix}${names.key}`]),
    );
  } finally {
    await Promise.all([writing.close(), reading.close()]);
  }
});

describe('with its rights', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await servers.start([]);
    await using writer = new Rewt({ ...shared, redisConn: server.url, push: false });
    await writer.ready();
  });
  const rules = aclRules('verifier', names).flat();

  it.each([
    ['+get', '+get'],
    ['+pttl', '+pttl'],
    ['+time', '+time'],
    ['+info', '+info'],
    [`%R~${names.key}`, `%R~${names.key} %R~${names.ring}`],
    [`%R~${names.ring}`, `%R~${names.key} %R~${names.ring}`],
  ])('without %s the error names what to grant', async (missing, named) => {
    const user = await createUser(
      server,
      rules.filter((rule) => rule !== missing),
    );
    await using reader = new Rewt({ ...shared, redisConn: user.url, readOnly: true, push: false });
    await expect(reader.ready()).rejects.toMatchObject({
      code: 'ERR_REWT_STORE_DENIED',
      message: expect.stringContaining(`grant ${named} with ACL SETUSER`),
    });
  });

  it('a member with a name announces itself if it may, and publishes that it may not', async () => {
    const user = await createUser(server, rules);
    await using reader = new Rewt({ ...shared, redisConn: user.url, readOnly: true, push: false, memberName: 'edge' });
    await reader.ready();
    await until('it was refused', async () => (await refusalsOf(server, user)).includes('eval'));
    expect(await server.cli('EXISTS', names.fleet)).toBe('0');
    expect(reader.status().copy).toBe('usable');
    const named = await createUser(server, [...rules, ...aclRules('member', names).flat()]);
    await using other = new Rewt({ ...shared, redisConn: named.url, readOnly: true, push: false, memberName: 'edge' });
    await other.ready();
    await until('it is announced', async () => (await server.cli('EXISTS', names.fleet)) === '1');
  });
});

it.each(['redis 6', 'ioredis 6', 'valkey-glide'])('leaves a WATCH of the application on %s alone', async (name) => {
  const { server, admin } = plain;
  await withAdmin(admin, (redis) => redis.flushall());
  await using writer = new Rewt({ ...shared, redisConn: admin, push: false });
  await writer.ready();
  const { client, close } = await (name === 'valkey-glide' ? connectGlide : clientNamed(name))(server.port);
  const send = (...words: string[]): Promise<unknown> => {
    const any = client as Record<'sendCommand' | 'call' | 'customCommand', (...args: unknown[]) => Promise<unknown>>;
    if (name === 'redis 6') return any.sendCommand(words);
    return name === 'ioredis 6' ? any.call(...words) : any.customCommand(words);
  };
  const reader = new Rewt({ ...shared, redisConn: client, readOnly: true, push: false });
  try {
    await reader.ready();
    await withAdmin(admin, (redis) => redis.call('ACL', 'SETUSER', 'default', '+watch', '+multi', '+exec', '~mine'));
    await send('WATCH', 'mine');
    await reader.refresh();
    await withAdmin(admin, (redis) => redis.set('mine', 'changed'));
    await send('MULTI');
    await send('GET', 'mine');
    expect(await send('EXEC')).toBeNull();
  } finally {
    await reader.close();
    await close();
    await withAdmin(admin, (redis) => redis.call('ACL', 'SETUSER', 'default', '-watch', '-multi', '-exec'));
  }
});

describe('a replica', () => {
  it.each(['yes', 'no'])('is never read (replica-read-only %s)', async (readOnly) => {
    const master = await servers.start(['--repl-diskless-sync-delay', '0']);
    const follow = ['--replicaof', '127.0.0.1', String(master.port), '--replica-read-only', readOnly];
    const replica = await servers.start(follow);
    await using reader = new Rewt({ ...shared, storeTimeout: 1, redisConn: replica.url, readOnly: true, push: false });
    expect(await codeOf(reader.ready())).toBe('ERR_REWT_STORE_READ_ONLY');
  });

  it('that a master lacks makes it one that may be deposed', async () => {
    const alone = await servers.start(['--min-replicas-to-write', '1']);
    await using reader = new Rewt({ ...shared, redisConn: alone.url, readOnly: true, push: false });
    expect(await codeOf(reader.ready())).toBe('ERR_REWT_STORE_READ_ONLY');
    expect(reader.status().waitsFor).toBe('replicas');
  });
});

it('reads on while Redis is full', async () => {
  const server = await servers.start([]);
  await using writer = new Rewt({ ...shared, redisConn: server.url, push: false });
  await using reader = new Rewt({ ...shared, redisConn: server.url, readOnly: true, push: false });
  const token = await writer.sign({ sub: 'a' });
  await server.cli('CONFIG', 'SET', 'maxmemory', '1');
  await reader.refresh();
  expect(await reader.verify(token)).toMatchObject({ sub: 'a' });
});

it('asks again if Redis loads, is a replica by now, or the ring changes during the read', async () => {
  const server = await servers.start([]);
  await using writer = new Rewt({ ...shared, redisConn: server.url, push: false });
  await writer.ready();
  const port = connectRedis(server.url);
  const usual = await port.send(plainRead(names.key, [names.ring]), names.key);
  const replica = usual.map((outcome, index) => (index === 0 ? 'role:slave\r\n' : outcome));
  const torn = usual.map((outcome, index) => (index === 1 ? 'the ring of before' : outcome));
  const failing = [[new Error('LOADING Redis is loading the dataset in memory')], replica, torn];
  const store = redisStore(
    { ...port, send: async (...call) => failing.shift() ?? port.send(...call) },
    { readOnly: true },
  );
  try {
    const { ring } = await store.read(namespace, { timeoutMs: 20_000 });
    expect(ring).toBe(await server.cli('GET', names.ring));
    expect(failing).toEqual([]);
  } finally {
    await store.close();
  }
});
