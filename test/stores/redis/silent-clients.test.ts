/**
 * As silent-client.test.ts, with clients that have many connections, or look for their server:
 * clusters, sentinels, pools.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rewt, type RewtOptions } from '../../../src/index.js';
import { startCluster } from '../../support/cluster.js';
import { disposedAfterEach } from '../../support/disposals.js';
import { type NetworkProxy, startProxy } from '../../support/proxy.js';
import {
  type ConnectedClient,
  clusterClients,
  connectNodeRedis,
  named,
  redis6,
  sentinelClients,
} from '../../support/redis-clients.js';
import { type RedisServer, serverGroup, until } from '../../support/servers.js';

const group = serverGroup();
const disposals = disposedAfterEach();
let server: RedisServer;
let sentinel: RedisServer;
let node: RedisServer;
let stopCluster: (() => Promise<void>) | undefined;
beforeAll(async () => {
  server = await group.start([]);
  // It never fails over: there is nothing to fail over to.
  sentinel = await group.start(['--sentinel'], `sentinel monitor main 127.0.0.1 ${server.port} 1`);
  const cluster = await startCluster({ masters: 1 });
  stopCluster = cluster.stop;
  node = cluster.nodes[0] as RedisServer;
});
afterAll(() => Promise.all([group.stop(), stopCluster?.()]));

/** Leads a client that looks for `at` to the proxy, by the option that its library has for it. */
function detour(at: RedisServer, proxy: NetworkProxy): object {
  const map = { [`127.0.0.1:${at.port}`]: { host: '127.0.0.1', port: proxy.port } };
  return { nodeAddressMap: map, natMap: map };
}

interface UsedClient extends ConnectedClient {
  /** What the application does with it before that. */
  use?(): Promise<unknown>;
}

type Shape = readonly [name: string, at: () => RedisServer, make: (proxy: NetworkProxy) => Promise<UsedClient>];

const sentinelOf = (name: string) => (proxy: NetworkProxy) =>
  named(sentinelClients, name)(
    { name: 'main', addresses: [{ host: '127.0.0.1', port: sentinel.port }] },
    detour(server, proxy),
  );

const shapes: Shape[] = [
  ...['redis 6', 'ioredis 6'].flatMap((name): Shape[] => [
    [
      `Cluster of ${name}`,
      () => node,
      (proxy) => named(clusterClients, name)([{ host: '127.0.0.1', port: proxy.port }], detour(node, proxy)),
    ],
    [`Sentinel of ${name}`, () => server, sentinelOf(name)],
  ]),
  [
    'Sentinel of redis 6 whose only lease the application holds',
    () => server,
    async (proxy) => {
      const connected = await sentinelOf('redis 6')(proxy);
      return { ...connected, use: () => (connected.client as { acquire(): Promise<unknown> }).acquire() };
    },
  ],
  ...[1, 4].map(
    (maximum): Shape => [
      `pool of redis 6, with ${maximum} at most`,
      () => server,
      (proxy) => connectNodeRedis(redis6.createClientPool({ socket: { port: proxy.port } }, { minimum: 1, maximum })),
    ],
  ),
];

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'accepted',
    (error) => error.code,
  );

describe.each(shapes)('where the network forgot every connection of a %s,', (_, at, make) => {
  it('copies are used, a revocation is noticed in time, calls go on by another way, and close() ends all', async () => {
    const proxy = await startProxy(at().port);
    disposals.push(proxy.stop);
    const { client, close, use } = await make(proxy);
    disposals.push(close);
    const redisNamespace = randomUUID();
    const on = (redisConn: object | string, options: Partial<RewtOptions>): Rewt => {
      const rewt = new Rewt({ redisConn, redisNamespace, ...options });
      disposals.push(() => rewt.close());
      return rewt;
    };
    const other = on(at().url, { storeTimeout: 10 });
    await other.ready();
    const lenient = on(client, { storeTimeout: 0.3, maxStaleness: 600 });
    const rewt = on(client, { storeTimeout: 0.3, maxStaleness: 1 });
    const token = await until('a token', () => lenient.sign({ sub: 'a' }).catch(() => null));
    await until('a copy', () => rewt.verify(token).catch(() => null));

    await use?.();
    proxy.forget();
    expect(await codeOf(lenient.verify(await lenient.sign({ sub: 'b' })))).toBe('accepted');

    const { kid } = await other.revoke();
    const revokedAtMs = performance.now();
    await until('the revocation is noticed', async () => {
      const begunAtMs = performance.now();
      const verdict = await codeOf(rewt.verify(token));
      if (verdict === 'accepted') expect(begunAtMs - revokedAtMs).toBeLessThan(1_000);
      return verdict === 'ERR_REWT_UNKNOWN_KEY';
    });
    await until('a token', () => rewt.sign({ sub: 'c' }).catch(() => null));
    expect(rewt.status().keyring?.signing).toBe(kid);
    const revoked = await until('a revocation', () => rewt.revoke().catch(() => null));
    await other.refresh();
    expect(other.status().keyring?.signing).toBe(revoked.kid);

    await Promise.all([rewt.close(), lenient.close()]);
    await close();
    await until('an end of every connection', async () => proxy.open === 0);
  });
});
