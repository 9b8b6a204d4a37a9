/** What rewt has to tell of ioredis clients, and what it keeps from its own. */
import { Cluster, Redis } from 'ioredis';
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5';
import { Redis as Iovalkey, Cluster as IovalkeyCluster } from 'iovalkey';
import { afterEach, describe, expect, it } from 'vitest';
import { readRedisPort } from '../../../src/stores/redis/clients/detect.js';
import { asStoreError, isPassing } from '../../../src/stores/redis/errors.js';

const sentinels = [{ host: '127.0.0.1', port: 26_379 }];
const made: { disconnect(): void }[] = [];
afterEach(() => {
  for (const client of made.splice(0)) client.disconnect();
});

type One = new (options: object) => { disconnect(): void };
type Many = new (nodes: { host: string; port: number }[], options: object) => { status: string; disconnect(): void };

describe.each<[name: string, client: One, cluster: Many]>([
  ['ioredis 5', Redis5, Cluster5],
  ['ioredis 6', Redis, Cluster],
  ['iovalkey', Iovalkey, IovalkeyCluster],
])('%s', (_, Client, ClusterClient) => {
  function warningsOf(options: object): readonly string[] {
    const client = new Client({ lazyConnect: true, ...options });
    made.push(client);
    return readRedisPort(client).clientWarnings.map(({ code }) => code);
  }

  it('with sentinels is said to be slow to notice a failover, unless it has its detector', () => {
    expect(warningsOf({ sentinels, name: 'mymaster' })).toEqual(['REWT_CLIENT_SLOW_FAILOVER']);
    expect(warningsOf({ sentinels, name: 'mymaster', failoverDetector: true })).toEqual([]);
    expect(warningsOf({})).toEqual([]);
  });

  it('as a cluster that its user has not connected is not connected by rewt either, and waited for', async () => {
    const cluster = new ClusterClient([{ host: '127.0.0.1', port: 7_000 }], { lazyConnect: true });
    made.push(cluster);
    const port = readRedisPort(cluster);
    const [outcome] = await port.send([['GET', 'key']], 'key');
    expect(isPassing(outcome)).toBe(true);
    expect(asStoreError(outcome).message).toContain('await its connect()');
    await expect(port.connect('key', new AbortController().signal)).rejects.toBeInstanceOf(Error);
    expect(cluster.status).toBe('wait');
  });
});
