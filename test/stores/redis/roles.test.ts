/**
 * Which servers' answers count: only a master's, whatever its replicas and the rights of the user
 * make of it.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis } from '../../../src/stores/redis/clients/from-url.js';
import { redisNames } from '../../../src/stores/redis/names.js';
import { redisStore } from '../../../src/stores/redis/redis-store.js';
import type { Store } from '../../../src/stores/store.js';
import { isInSync } from '../../support/replication.js';
import { type RedisServer, serverGroup, until } from '../../support/servers.js';

const servers = serverGroup();
/** A replica is asked again until then. */
const limits = { timeoutMs: 500 };
const swapLimits = { ...limits, notAfterMs: Number.MAX_SAFE_INTEGER };
const { key, ring } = redisNames('rewt');
const stores: Store[] = [];
let master: RedisServer;
let replica: RedisServer;
let writable: RedisServer;

beforeAll(async () => {
  master = await servers.start(['--repl-diskless-sync-delay', '0']);
  const follow = ['--replicaof', '127.0.0.1', String(master.port)];
  [replica, writable] = await Promise.all([
    servers.start(follow),
    servers.start([...follow, '--replica-read-only', 'no']),
  ]);
  for (const server of [replica, writable]) await until('the replica follows', () => isInSync(server, master));
});
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await servers.stop();
});

let users = 0;
/** A store as a user with all rights but some. */
async function storeOn(server: RedisServer, ...rules: readonly string[]): Promise<Store> {
  users += 1;
  const user = `user-${users}`;
  await server.cli('ACL', 'SETUSER', user, 'on', '>pw', '~*', '+@all', ...rules);
  const port = connectRedis(`redis://${user}:pw@127.0.0.1:${server.port}`);
  // On a busy machine a connection takes its time, which is not what these tests look at.
  await port.send([['PING']], key);
  const store = redisStore(port);
  stores.push(store);
  return store;
}

function outcome(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'answered',
    (error: { code?: unknown }) => error.code,
  );
}

const noInfo = '-info';
const noWriting = '-pexpireat';
/** The keys that a user needs to read, without those of drafts. */
const keysOfReader = ['resetkeys', `~${key}`, `~${ring}`] as const;

describe('a replica', () => {
  it.each([
    ['with all rights', [], 'READ_ONLY'],
    ['without +info', [noInfo], 'READ_ONLY'],
    ['without +pexpireat', [noWriting], 'READ_ONLY'],
    ['without the names of drafts', keysOfReader, 'READ_ONLY'],
    ['without +info and +pexpireat', [noInfo, noWriting], 'DENIED'],
    ['without +info and the names of drafts', [noInfo, ...keysOfReader], 'DENIED'],
  ])('is never read by a user %s', async (_, rules, code) => {
    const store = await storeOn(replica, ...rules);
    expect(await outcome(store.read('rewt', limits))).toBe(`ERR_REWT_STORE_${code}`);
  });

  it.each([
    ['with all rights', []],
    ['without +pexpireat', [noWriting]],
  ])('is never read if it takes writes (replica-read-only no), by a user %s', async (_, rules) => {
    const store = await storeOn(writable, ...rules);
    expect(await outcome(store.read('rewt', limits))).toBe('ERR_REWT_STORE_READ_ONLY');
  });
});

describe('a master', () => {
  it.each([
    ['with all rights', []],
    ['without +info', [noInfo]],
    ['without +pexpireat', [noWriting]],
    ['without the names of drafts', keysOfReader],
  ])('is read by a user %s', async (_, rules) => {
    const store = await storeOn(master, ...rules);
    await expect(store.read('rewt', limits)).resolves.toMatchObject({ key: null, ring: null });
  });

  it('is not read by a user to whom nothing tells it from a replica', async () => {
    const store = await storeOn(master, noInfo, noWriting);
    expect(await outcome(store.read('rewt', limits))).toBe('ERR_REWT_STORE_DENIED');
  });
});

describe('a master that lacks the replicas it needs', () => {
  it.each([
    ['with all rights', []],
    ['without +info, by NOREPLICAS', [noInfo]],
    ['without +pexpireat, by INFO', [noWriting]],
  ])('is read by a user %s as one that may have been replaced', async (_, rules) => {
    const alone = await servers.start(['--min-replicas-to-write', '1']);
    const isOld = (await alone.cli('INFO', 'server')).includes('redis_version:6.');
    const store = await storeOn(alone, ...rules);
    // Redis 6 has no NOREPLICAS inside scripts.
    const mayBeDeposed = !(isOld && rules.includes(noInfo));
    await expect(store.read('rewt', limits)).resolves.toMatchObject({ mayBeDeposed });
    await alone.cli('CONFIG', 'SET', 'min-replicas-to-write', '0');
    await expect(store.read('rewt', limits)).resolves.toMatchObject({ mayBeDeposed: false });
  });

  it('is read as one that may have been replaced if one of two is there, which INFO does not show', async () => {
    const needsTwo = await servers.start(['--min-replicas-to-write', '2', '--repl-diskless-sync-delay', '0']);
    const one = await servers.start(['--replicaof', '127.0.0.1', String(needsTwo.port)]);
    await until('the replica follows', () => isInSync(one, needsTwo));
    const isOld = (await needsTwo.cli('INFO', 'server')).includes('redis_version:6.');
    const store = await storeOn(needsTwo);
    await until('the replica is in step', async () =>
      (await needsTwo.cli('INFO', 'replication')).includes('min_slaves_good_slaves:1'),
    );
    await expect(store.read('rewt', limits)).resolves.toMatchObject({ mayBeDeposed: !isOld });
  });
});

describe('what else is read from a replica says nothing', () => {
  it.each([
    ['read-only', () => replica, []],
    ['read-only, by a user without +info', () => replica, [noInfo]],
    ['writable', () => writable, []],
  ] as const)('a swap that has come there by replication is not called done (%s)', async (_, server, rules) => {
    const wanted = { key: null, ring: { text: `ring ${users}`, expiresAtMs: Date.now() + 60_000 } };
    const written = await storeOn(master);
    const { version } = await written.read('rewt', limits);
    await expect(written.swap('rewt', version, wanted, swapLimits)).resolves.toMatchObject({ swapped: true });
    await until('the replica has it', () => isInSync(server(), master));
    const astray = await storeOn(server(), ...rules);
    expect(await outcome(astray.swap('rewt', version, wanted, swapLimits))).toBe('ERR_REWT_STORE_READ_ONLY');
  });

  it('a writable replica takes no swap', async () => {
    const store = await storeOn(writable);
    const wanted = { key: null, ring: { text: 'never', expiresAtMs: Date.now() + 60_000 } };
    const { version } = await (await storeOn(master)).read('rewt', limits);
    expect(await outcome(store.swap('rewt', version, wanted, swapLimits))).toBe('ERR_REWT_STORE_READ_ONLY');
    expect(await writable.cli('GET', ring)).not.toBe('never');
  });

  it.each([
    ['read-only', () => replica],
    ['writable', () => writable],
  ])('announcements are neither taken nor told (%s)', async (_, server) => {
    const store = await storeOn(server());
    expect(await outcome(store.announce?.('rewt', 'id', 'text', limits) ?? Promise.resolve())).toBe(
      'ERR_REWT_STORE_READ_ONLY',
    );
    expect(await outcome(store.announcements?.('rewt', limits) ?? Promise.resolve())).toBe('ERR_REWT_STORE_READ_ONLY');
  });

  it.each([
    ['read-only', () => replica],
    ['writable', () => writable],
  ])('the number of replicas that have a change is unknown (%s)', async (_, server) => {
    const store = await storeOn(server());
    for (const replicas of [0, 1]) {
      expect(await store.acknowledged?.('rewt', { replicas, waitMs: 50, ...limits, hasChange: () => true })).toBeNull();
    }
  });
});
