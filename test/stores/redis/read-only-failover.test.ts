/**
 * A member that only reads, through cluster and sentinel clients whose user has the rights of a
 * verifier: it follows its keyring to another master.
 */

import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Rewt } from '../../../src/index.js';
import { redisNames } from '../../../src/stores/redis/names.js';
import { aclRules } from '../../../src/stores/redis/rights.js';
import { codeOf } from '../../interop/fleet.js';
import { type Cluster, startCluster } from '../../support/cluster.js';
import {
  type ConnectedClient,
  clusterClients,
  connectGlideCluster,
  named,
  sentinelClients,
} from '../../support/redis-clients.js';
import { knowsChannels } from '../../support/redis-users.js';
import { type SentinelSetup, startSentinel } from '../../support/sentinel.js';
import { type RedisServer, until } from '../../support/servers.js';

const user = { username: 'verifier', password: 'pw' };
/** What the clients themselves need in a cluster (docs/clients.md). */
const ofClusters = ['+cluster|slots', '+cluster|info', '+readonly', '+asking'];

/** ACL users are not replicated. */
async function createOnAll(nodes: readonly RedisServer[], namespace: string): Promise<void> {
  for (const node of nodes) {
    const isNew = await knowsChannels(node);
    const rules = aclRules('verifier', redisNames(namespace), true).flat();
    const known = isNew ? ['resetchannels', ...rules] : rules.filter((rule) => !rule.startsWith('&'));
    const written = isNew ? known : known.map((rule) => rule.replace(/^%R~/, '~'));
    const all = ['ACL', 'SETUSER', user.username, 'reset', 'on', `>${user.password}`, '-@all', ...written];
    expect(await node.cli(...all, ...ofClusters)).toBe('OK');
  }
}

/** Reads what `writing` writes, before and after `change` of the master. */
async function follows(
  reading: ConnectedClient,
  writing: ConnectedClient,
  namespace: string,
  change: () => Promise<unknown>,
): Promise<void> {
  const shared = { redisNamespace: namespace, storeTimeout: 10, maxStaleness: 20 };
  await using writer = new Rewt({ ...shared, redisConn: writing.client, push: false });
  await using reader = new Rewt({ ...shared, redisConn: reading.client, readOnly: true });
  try {
    const token = await writer.sign({ sub: 'a' });
    expect(await reader.verify(token)).toMatchObject({ sub: 'a' });
    await change();
    await until('the member that writes is at the new master', async () => {
      await writer.revoke().catch(() => null);
      return (await codeOf(writer.verify(token))) === 'ERR_REWT_UNKNOWN_KEY';
    });
    await until('it is revoked', async () => (await codeOf(reader.verify(token))) === 'ERR_REWT_UNKNOWN_KEY');
    const since = await writer.sign({ sub: 'b' });
    await until('the reader is at the new master', async () => (await codeOf(reader.verify(since))) === 'no error');
    await reader.refresh();
  } finally {
    await Promise.all([reading.close(), writing.close()]);
  }
}

describe('in a cluster', () => {
  // One for each test, because replicas may go to another master that has none.
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await startCluster({ replicasPerMaster: 1 });
  });
  afterEach(() => cluster?.stop());

  it.each([
    ['redis 6', named(clusterClients, 'redis 6'), { defaults: user }],
    ['ioredis 6', named(clusterClients, 'ioredis 6'), { redisOptions: user }],
    ['valkey-glide', connectGlideCluster, { credentials: user }],
  ] as const)('through %s it follows a failover and a slot that moves', async (_, connect, options) => {
    const namespace = `n-${randomUUID()}`;
    const { key } = redisNames(namespace);
    await createOnAll(cluster.nodes, namespace);
    const addresses = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
    const [reading, writing] = await Promise.all([connect(addresses, options), connect(addresses)]);
    await follows(reading, writing, namespace, async () => {
      await cluster.failover(key);
      const owner = await cluster.ownerOf(key);
      const masters = await Promise.all(
        cluster.nodes.map(async (node) => ((await node.cli('ROLE')).startsWith('master') ? [node] : [])),
      );
      const other = masters.flat().find((node) => node !== owner);
      if (other === undefined) throw new Error('there is one master only');
      await cluster.migrate(key, other);
    });
  });
});

describe('behind sentinels', () => {
  let sentinel: SentinelSetup;
  beforeAll(async () => {
    sentinel = await startSentinel();
  });
  afterAll(() => sentinel?.stop());

  it.each([
    ['redis 6', { nodeClientOptions: user }],
    ['ioredis 6', user],
  ] as const)('through %s it follows a failover', async (name, options) => {
    const namespace = `n-${randomUUID()}`;
    await createOnAll(sentinel.nodes, namespace);
    const connect = named(sentinelClients, name);
    const [reading, writing] = await Promise.all([connect(sentinel, options), connect(sentinel)]);
    await follows(reading, writing, namespace, async () => {
      const old = await sentinel.master();
      await sentinel.failover();
      await sentinel.demote(old);
      await sentinel.inSync();
    });
  });
});
