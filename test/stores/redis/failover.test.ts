/**
 * Failovers of real Sentinels and Clusters that provably lost what was acknowledged: a revocation
 * that a live member saw comes back.
 */

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Rewt, type RewtOptions } from '../../../src/index.js';
import { readRedisPort } from '../../../src/stores/redis/clients/detect.js';
import type { NodeRedisCluster } from '../../../src/stores/redis/clients/node-redis-cluster.js';
import { redisNames } from '../../../src/stores/redis/names.js';
import { createPlainReader } from '../../../src/stores/redis/plain-reader.js';
import { type Cluster, type ClusterNode, startCluster } from '../../support/cluster.js';
import { disposedAfterEach } from '../../support/disposals.js';
import { clusterClients, named, sentinelClients } from '../../support/redis-clients.js';
import { type SentinelSetup, startSentinel } from '../../support/sentinel.js';
import { type RedisServer, until } from '../../support/servers.js';

const disposals = disposedAfterEach();

function rewtOn(redisConn: object | string, redisNamespace: string, options: Partial<RewtOptions> = {}): Rewt {
  const rewt = new Rewt({ redisConn, redisNamespace, storeTimeout: 5, ...options });
  disposals.push(() => rewt.close());
  return rewt;
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'accepted',
    (error) => error.code,
  );

/** How many revocations the ring has seen that a server holds. */
async function epochAt(server: RedisServer, namespace: string): Promise<number | null> {
  const ring = await server.cli('GET', redisNames(namespace).ring);
  return ring === '' ? null : JSON.parse(ring).epoch;
}

/**
 * A revocation is lost, and the member that made it goes on: from the first call on, its token is
 * refused wherever it is shown.
 */
async function survives(
  ann: Rewt,
  namespace: string,
  loseWrites: (write: () => Promise<Awaited<ReturnType<Rewt['revoke']>>>) => Promise<{ epoch: number }>,
  server: () => Promise<RedisServer>,
): Promise<void> {
  const token = await ann.sign({ sub: 'a' });
  let revokedAtMs = Number.POSITIVE_INFINITY;
  const { epoch } = await loseWrites(async () => {
    const revoked = await ann.revoke();
    revokedAtMs = performance.now();
    return revoked;
  });
  expect(epoch).toBe(1);
  expect(revokedAtMs).toBeLessThan(Number.POSITIVE_INFINITY);
  const verdicts = new Set<unknown>();
  await until('the revocation is made again', async () => {
    verdicts.add(await codeOf(ann.verify(token)));
    // One more than was lost: had nothing been lost, it would have stayed at 1.
    return (await epochAt(await server(), namespace)) === 2;
  });
  verdicts.add(await codeOf(ann.verify(token)));
  expect(verdicts).not.toContain('accepted');
  expect(verdicts).toContain('ERR_REWT_UNKNOWN_KEY');
  const fresh = rewtOn((await server()).url, namespace, { push: false });
  expect(await codeOf(fresh.verify(token))).toBe('ERR_REWT_UNKNOWN_KEY');
  expect(await codeOf(ann.verify(await fresh.sign({ sub: 'b' })))).toBe('accepted');
}

/** They wait for each other's processes most of the time, so they start at once. */
const starting = {
  failover: startSentinel({ args: ['--min-replicas-to-write', '0'] }),
  replicas: startSentinel({ replicas: 2 }),
  cluster: startCluster({ masters: 3, replicasPerMaster: 1 }),
};
afterAll(async () => {
  for (const started of await Promise.allSettled(Object.values(starting))) {
    if (started.status === 'fulfilled') await started.value.stop();
  }
});

describe('a Sentinel failover', () => {
  let setup: SentinelSetup;
  beforeAll(async () => {
    setup = await starting.failover;
  });

  it.each(['redis 6', 'ioredis 6', 'ioredis 5'])(
    'that loses a revocation does not bring the secret back, through %s',
    async (name) => {
      await setup.inSync();
      const { client, close } = await named(sentinelClients, name)(setup);
      disposals.push(close);
      const namespace = randomUUID();
      const ann = rewtOn(client, namespace);
      await ann.ready();
      await setup.inSync();
      const lose = async (write: () => Promise<Awaited<ReturnType<Rewt['revoke']>>>) => {
        const old = await setup.master();
        const revoked = await setup.loseWrites(write);
        await setup.demote(old);
        return revoked;
      };
      await survives(ann, namespace, lose, () => setup.master());
    },
  );

  it('is followed while the application holds the only lease of a client of redis 6', async () => {
    await setup.inSync();
    const { client, close } = await named(sentinelClients, 'redis 6')(setup);
    disposals.push(close);
    const namespace = randomUUID();
    const ann = rewtOn(client, namespace, { storeTimeout: 1 });
    await until('a keyring', () => ann.sign({}).catch(() => null));
    await setup.inSync();
    await (client as { acquire(): Promise<unknown> }).acquire();
    const old = await setup.master();
    const master = await setup.failover();
    await setup.demote(old);
    const { kid } = await rewtOn(master.url, namespace).revoke();
    await until('a revocation on the new master is noticed', async () => {
      await ann.refresh().catch(() => {});
      return ann.status().keyring?.signing === kid;
    });
  });

  it('keeps a revocation that waited for its replica', async () => {
    await setup.inSync();
    const { client, close } = await named(sentinelClients, 'ioredis 6')(setup);
    disposals.push(close);
    const namespace = randomUUID();
    const ann = rewtOn(client, namespace);
    const token = await ann.sign({ sub: 'a' });
    const old = await setup.master();
    expect(await ann.revoke({ replicas: 1, timeout: 20 })).toMatchObject({ epoch: 1, replicas: 1 });
    const master = await setup.failover();
    expect(await epochAt(master, namespace)).toBe(1);
    await setup.demote(old);
    await until('the member follows', async () => (await codeOf(ann.verify(token))) === 'ERR_REWT_UNKNOWN_KEY');
    expect(await epochAt(master, namespace)).toBe(1);
  });
});

describe('replicas', () => {
  let setup: SentinelSetup;
  beforeAll(async () => {
    setup = await starting.replicas;
  });

  it('that were asked for and do not acknowledge are not waited for longer than was said', async () => {
    await setup.inSync();
    const master = await setup.master();
    const ann = rewtOn(master.url, randomUUID());
    expect(await ann.revoke({ replicas: 2, timeout: 20 })).toMatchObject({ replicas: 2 });
    const replica = setup.nodes.find((node) => node !== master) as RedisServer;
    process.kill(replica.pid, 'SIGSTOP');
    try {
      expect(await ann.revoke({ replicas: 1, timeout: 20 })).toMatchObject({ replicas: 1 });
      const { replicas } = await ann.revoke({ replicas: 2, timeout: 0.5 });
      expect(replicas).toBe(1);
      // No number was asked for: a timeout changes nothing.
      expect(await ann.revoke({ timeout: 20 })).toMatchObject({ replicas: 1 });
      // Waiting is done beside the client's connection: others do not queue behind it.
      const order: string[] = [];
      const waiting = ann.revoke({ replicas: 2, timeout: 60 }).then(() => order.push('revoked'));
      await until('the revocation waits', async () => (await master.cli('CLIENT', 'LIST')).includes('cmd=wait'));
      await ann.sign({ sub: 'a' });
      await rewtOn(master.url, randomUUID()).ready();
      order.push('used');
      process.kill(replica.pid, 'SIGCONT');
      await waiting;
      expect(order).toEqual(['used', 'revoked']);
    } finally {
      process.kill(replica.pid, 'SIGCONT');
    }
  });

  it.each<[object]>([[{ replicas: -1 }], [{ replicas: 1.5 }], [{ timeout: 0 }], [{ replica: 1 }]])(
    'are asked for in whole numbers: %o is refused before anything is revoked',
    async (options) => {
      const ann = rewtOn((await setup.master()).url, randomUUID());
      expect(await codeOf(ann.revoke(options))).toBe('ERR_REWT_OPTION');
      expect(ann.status().keyring).toBeNull();
    },
  );

  it('are never read, also by a client that was given the address of one', async () => {
    await setup.inSync();
    const master = await setup.master();
    const namespace = randomUUID();
    await rewtOn(master.url, namespace).ready();
    await setup.inSync();
    const replica = setup.nodes.find((node) => node !== master) as RedisServer;
    expect(await epochAt(replica, namespace)).toBe(0);
    const astray = rewtOn(replica.url, namespace, { storeTimeout: 2 });
    // On a busy machine a first connection may take longer than that.
    await until('it is refused', async () => (await codeOf(astray.ready())) === 'ERR_REWT_STORE_READ_ONLY');
  });

  it('are found, as masters are, without the client if a failover detector has ended it', async () => {
    const { client, close } = await named(sentinelClients, 'ioredis 6')(setup, { failoverDetector: true });
    disposals.push(close);
    const rewt = rewtOn(client, randomUUID());
    const token = await rewt.sign({ sub: 'a' });
    (client as { disconnect(): void }).disconnect();
    await until('it has ended', async () => (client as { status: string }).status === 'end');
    const { epoch } = await rewt.revoke();
    expect(epoch).toBe(1);
    expect(await codeOf(rewt.verify(token))).toBe('ERR_REWT_UNKNOWN_KEY');
  });

  it('hear nothing of reads, which change nothing', async () => {
    const master = await setup.master();
    const rewt = rewtOn(master.url, randomUUID(), { maxStaleness: 0 });
    const token = await rewt.sign({ sub: 'a' });
    const changes = async (): Promise<string | undefined> =>
      /rdb_changes_since_last_save:(\d+)/.exec(await master.cli('INFO', 'persistence'))?.[1];
    const before = await changes();
    for (let n = 0; n < 200; n += 1) await rewt.verify(token);
    expect(await changes()).toBe(before);
  });
});

describe('a Cluster', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await starting.cluster;
  });

  async function connected(name: string, options?: object): Promise<object> {
    const addresses = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
    const { client, close } = await named(clusterClients, name)(addresses, options);
    disposals.push(close);
    return client;
  }

  it.each(['redis 6', 'ioredis 6', 'iovalkey'])(
    'whose failover loses a revocation does not bring the secret back, through %s',
    async (name) => {
      await cluster.inSync();
      const client = await connected(name);
      const namespace = randomUUID();
      const { key } = redisNames(namespace);
      const ann = rewtOn(client, namespace);
      await ann.ready();
      await cluster.inSync();
      // A fresh member with one address: only the owner answers it.
      await survives(
        ann,
        namespace,
        (write) => cluster.loseWrites(key, write),
        () => cluster.ownerOf(key),
      );
    },
  );

  it.each(['redis 6', 'ioredis 6', 'iovalkey'])(
    'whose owner hangs is followed to the replica that took over, by members and by plain readers, through %s',
    async (name) => {
      await cluster.inSync();
      const client = await connected(name);
      const namespace = randomUUID();
      const { key } = redisNames(namespace);
      const ann = rewtOn(client, namespace, { storeTimeout: 0.5 });
      const port = readRedisPort(client);
      disposals.push(() => port.close());
      const reader = createPlainReader(port);
      disposals.push(async () => reader.close());
      const look = () => reader.read(namespace, { timeoutMs: 500 }).catch(() => null);
      await until('a keyring', () => ann.sign({ sub: 'a' }).catch(() => null));
      await until('the reader has seen it', async () => (await look())?.ring);
      const [owner, replica] = [await cluster.ownerOf(key), await cluster.replicaOf(key)];
      await cluster.inSync();
      process.kill(owner.pid, 'SIGSTOP');
      try {
        await replica.cli('CLUSTER', 'FAILOVER', 'TAKEOVER');
        const { epoch } = await until('a revocation', () => ann.revoke().catch(() => null), 20_000);
        expect(await epochAt(replica, namespace)).toBe(epoch);
        await until('the reader sees it', async () => JSON.parse((await look())?.ring ?? '{}').epoch === epoch);
      } finally {
        process.kill(owner.pid, 'SIGCONT');
      }
    },
  );

  it('whose owner died is followed, though only rewt uses a client with a key prefix', async () => {
    await cluster.inSync();
    const client = await connected('ioredis 6', { keyPrefix: 'team:' });
    const namespace = randomUUID();
    const { key } = redisNames(namespace, 'team:');
    const ann = rewtOn(client, namespace, { push: false });
    await ann.ready();
    await cluster.inSync();
    const [owner, replica] = [await cluster.ownerOf(key), await cluster.replicaOf(key)];
    await owner.kill();
    try {
      await replica.cli('CLUSTER', 'FAILOVER', 'TAKEOVER');
      expect(await until('a revocation', () => ann.revoke().catch(() => null))).toMatchObject({ epoch: 1 });
    } finally {
      await owner.restart();
    }
  });

  it('is looked at by redis 6 once a second, not at the silent node, nor once it is closed', async () => {
    await cluster.inSync();
    const client = await connected('redis 6');
    const redis = client as NodeRedisCluster & { close(): Promise<void> };
    const port = readRedisPort(client);
    disposals.push(() => port.close());
    const owner = await cluster.ownerOf('a');
    let another = 'b';
    while ((await cluster.ownerOf(another)) !== owner) another += 'b';
    await cluster.failover('a');
    const rediscover = vi.spyOn(redis._slots as { rediscover(): unknown }, 'rediscover').mockResolvedValue(null);
    for (let times = 0; times < 3; times += 1) port.abandon('a', performance.now());
    const others = redis.masters.filter(({ address }) => address !== `127.0.0.1:${owner.port}`);
    await until('both are done', async () => rediscover.mock.calls.length >= others.length);
    let closed: Promise<void> | undefined;
    for (const { client: node } of others) {
      const send = node?.sendCommand.bind(node);
      Object.assign(node ?? {}, {
        sendCommand(args: string[]) {
          const answer = send?.(args);
          closed ??= redis.close();
          return answer;
        },
      });
    }
    port.abandon(another, performance.now());
    await until('the other nodes are asked', async () => closed !== undefined);
    await closed;
    await new Promise(setImmediate);
    const silent = new Set([`127.0.0.1:${owner.port}`]);
    expect(rediscover.mock.calls).toEqual(others.map(() => [expect.anything(), silent]));
  });

  it('that is moving the slot, however long that takes, replies as long as the keys are together', async () => {
    await cluster.inSync();
    const { client, close } = await named(
      clusterClients,
      'redis 6',
    )(cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })));
    disposals.push(close);
    const namespace = randomUUID();
    const { key } = redisNames(namespace);
    const ann = rewtOn(client, namespace, { maxStaleness: 0 });
    const token = await ann.sign({ sub: 'a' });
    const owner = await cluster.ownerOf(key);
    const owners = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => cluster.ownerOf(name)));
    const to = owners.find((node) => node !== owner) as ClusterNode;
    const slot = String(await cluster.slotOf(key));
    await to.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', owner.id);
    await owner.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
    try {
      expect(await codeOf(ann.verify(token))).toBe('accepted');
    } finally {
      for (const node of [owner, to]) await node.cli('CLUSTER', 'SETSLOT', slot, 'STABLE');
    }
  });

  it.each(['redis 6', 'ioredis 6', 'iovalkey'])(
    'that moves the slot to another node goes on pushing from there, through %s',
    async (name) => {
      await cluster.inSync();
      const client = await connected(name);
      const namespace = randomUUID();
      const { key } = redisNames(namespace);
      const ann = rewtOn(client, namespace);
      const token = await ann.sign({ sub: 'a' });
      const owner = await cluster.ownerOf(key);
      const isPushedFrom = async (node: RedisServer): Promise<boolean> =>
        (await node.cli('CLIENT', 'LIST')).includes('name=rewt-push');
      await until('push is on', () => isPushedFrom(owner));
      const owners = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => cluster.ownerOf(name)));
      const to = owners.find((node) => node !== owner) as ClusterNode;
      await cluster.migrate(key, to);
      const verdicts = new Set<unknown>();
      // A client may change its mind on who owns the slot as long as the nodes do; a member in use
      // follows.
      await until('push is on at the new owner, and nowhere else', async () => {
        verdicts.add(await codeOf(ann.verify(token)));
        return (await isPushedFrom(to)) && !(await isPushedFrom(owner));
      });
      expect([...verdicts]).toEqual(['accepted']);
      await to.cli('DEL', key);
      await until('the brake is heard without a call', async () => ann.status().keyring?.epoch === 1);
    },
  );
});
