/**
 * A partition with a member on its old side: real servers, a master that needs a replica, and its
 * replica that became one.
 */

import { afterEach, expect, it } from 'vitest';
import { Rewt } from '../../../src/index.js';
import { isInSync, isMaster } from '../../support/replication.js';
import { type RedisServer, serverGroup, until } from '../../support/servers.js';

const MAX_STALENESS_MS = 2_000;
/** min-replicas-max-lag, and the second within which Redis notices that it has passed. */
const NOTICED_MS = 4_000;

const servers = serverGroup();
afterEach(() => servers.stop());

async function pair(): Promise<{ old: RedisServer; young: RedisServer }> {
  const old = await servers.start([
    ...['--repl-diskless-sync-delay', '0', '--min-replicas-to-write', '1', '--min-replicas-max-lag', '3'],
  ]);
  const young = await servers.start(['--replicaof', '127.0.0.1', String(old.port)]);
  await until('the replica follows', () => isInSync(young, old));
  await until('the replica counts', async () => (await good(old)) === 1);
  return { old, young };
}

async function good(server: RedisServer): Promise<number> {
  const [, count] = /min_slaves_good_slaves:(\d+)/.exec(await server.cli('INFO', 'replication')) ?? [];
  return Number(count);
}

/** Promotes the replica, as seen from its own side: the old master does not know. */
async function part({ old, young }: { old: RedisServer; young: RedisServer }): Promise<void> {
  await young.cli('REPLICAOF', 'NO', 'ONE');
  await until('the replica is a master', () => isMaster(young));
  expect(await isMaster(old)).toBe(true);
}

const times = {
  ttl: 60,
  tokenLifetime: 30,
  maxStaleness: MAX_STALENESS_MS / 1_000,
  clockTolerance: 1,
  storeTimeout: 10,
};

it.each([
  ['with all rights', []],
  // NOREPLICAS is then the only sign of it; before Redis 7.0 there is none inside scripts.
  ['without +info', ['-info']],
])(
  'a member on the old side of a partition, as a user %s, ends with maxStaleness after a revocation on the other side',
  async (_, rules) => {
    const { old, young } = await pair();
    const version = /redis_version:(\d+)/.exec(await old.cli('INFO', 'server'))?.[1];
    if (rules.length > 0 && Number(version) < 7) return;
    await old.cli('ACL', 'SETUSER', 'member', 'on', '>pw', '~*', '+@all', ...rules);
    await using rewt = new Rewt({ redisConn: `redis://member:pw@127.0.0.1:${old.port}`, ...times });
    const token = await rewt.sign({ sub: 'leaked' });

    await part({ old, young });
    await using other = new Rewt({ redisConn: young.url, ...times });
    await other.revoke();
    const revokedMs = performance.now();
    await expect(other.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });

    let acceptedMs = 0;
    for (;;) {
      const error = await rewt.verify(token).then(
        () => null,
        (reason: { code: string }) => reason,
      );
      const nowMs = performance.now() - revokedMs;
      if (error !== null) {
        expect(error).toMatchObject({ code: 'ERR_REWT_STORE_READ_ONLY', status: 503 });
        break;
      }
      acceptedMs = nowMs;
      // Some seconds more for a machine that is busy with others; otherwise it would go on as long
      // as the token.
      expect(nowMs).toBeLessThan(NOTICED_MS + MAX_STALENESS_MS + 10_000);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    // It went on for as long as it had reason to.
    expect(acceptedMs).toBeGreaterThan(MAX_STALENESS_MS / 2);
    expect(rewt.status()).toMatchObject({ copy: 'expired', waitsFor: 'replicas' });

    const newToken = await other.sign({ sub: 'after' });
    await expect(rewt.verify(newToken)).rejects.toMatchObject({ code: 'ERR_REWT_STORE_READ_ONLY' });
    await expect(rewt.revoke()).rejects.toMatchObject({ code: 'ERR_REWT_STORE_READ_ONLY' });
  },
);

it('a brake that a master without its replica shows is taken over at once', async () => {
  const { old, young } = await pair();
  // Without push it reads only when it is used.
  await using rewt = new Rewt({ redisConn: old.url, push: false, ...times });
  const token = await rewt.sign({ sub: 'a' });
  await young.stop();
  await until('the replica counts no more', async () => (await good(old)) === 0);
  await old.cli('CONFIG', 'SET', 'min-replicas-to-write', '0');
  await rewt.refresh();
  await old.cli('DEL', 'rewt:rewt-secret');
  await old.cli('CONFIG', 'SET', 'min-replicas-to-write', '1');
  await expect(rewt.refresh()).rejects.toMatchObject({ code: 'ERR_REWT_STORE_READ_ONLY' });
  // None: it was taken away. It would be 'usable' had it been left alone.
  expect(rewt.status()).toMatchObject({ copy: 'none', waitsFor: 'replicas' });
  await expect(rewt.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_STORE_READ_ONLY' });
});

it('a master that has its replica again is read like any other, without a new Rewt', async () => {
  const { old, young } = await pair();
  await using rewt = new Rewt({ redisConn: old.url, ...times });
  const token = await rewt.sign({ sub: 'a' });
  await young.cli('REPLICAOF', 'NO', 'ONE');
  await until('the member stops', () =>
    rewt.verify(token).then(
      () => false,
      ({ code }) => code === 'ERR_REWT_STORE_READ_ONLY',
    ),
  );
  await young.cli('REPLICAOF', '127.0.0.1', String(old.port));
  await until('it goes on', () =>
    rewt.verify(token).then(
      () => true,
      () => false,
    ),
  );
  expect(rewt.status()).toMatchObject({ copy: 'usable', waitsFor: null });
});
