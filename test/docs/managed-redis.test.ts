/**
 * The snippets of docs/managed-redis.md on real servers: TLS with a private authority, alone and as
 * a cluster that names its nodes.
 */

import { Cluster as IoredisCluster, Redis } from 'ioredis';
import { Redis as Iovalkey } from 'iovalkey';
import { createClient, createCluster } from 'redis';
import { createClient as createClient4 } from 'redis4';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rewt } from '../../src/index.js';
import { type Cluster, startCluster } from '../support/cluster.js';
import { freePort, type RedisServer, startRedis } from '../support/servers.js';
import { type Certificates, makeCertificates } from '../support/tls.js';

let certificates: Certificates;
let server: RedisServer;
let cluster: Cluster;
/** Of the server, then of a node of the cluster. */
let ports: number[];

beforeAll(async () => {
  certificates = makeCertificates();
  ports = [];
  const settings = async (): Promise<readonly string[]> => {
    const port = await freePort();
    ports.push(port);
    return certificates.settings(port);
  };
  const named = ['--cluster-announce-hostname', 'localhost', '--cluster-preferred-endpoint-type', 'hostname'];
  server = await startRedis(await settings());
  cluster = await startCluster({ masters: 1, args: [...(await settings()), '--tls-cluster', 'yes', ...named] });
});
afterAll(async () => {
  await server?.stop();
  await cluster?.stop();
  certificates?.remove();
});

async function signsAndVerifies(redisConn: object, end: () => unknown): Promise<void> {
  const rewt = new Rewt({ redisConn, redisNamespace: 'managed', storeTimeout: 5 });
  try {
    expect(await rewt.verify(await rewt.sign({ sub: 'ann' }))).toMatchObject({ sub: 'ann' });
  } finally {
    await rewt.close();
    await end();
  }
}

describe('TLS with a private authority', () => {
  const url = () => `rediss://localhost:${ports[0]}`;

  it('works with redis 6', async () => {
    const client = createClient({ url: url(), socket: { ca: certificates.ca } as never }).on('error', () => {});
    await client.connect();
    await signsAndVerifies(client, () => client.destroy());
  });

  it('works with redis 4', async () => {
    const client = createClient4({ url: url(), socket: { ca: certificates.ca } as never }).on('error', () => {});
    await client.connect();
    await signsAndVerifies(client, () => client.disconnect());
  });

  it('works with ioredis', async () => {
    const client = new Redis(url(), { tls: { ca: certificates.ca } }).on('error', () => {});
    await signsAndVerifies(client, () => client.disconnect());
  });

  it('works with iovalkey', async () => {
    const client = new Iovalkey(url(), { tls: { ca: certificates.ca } }).on('error', () => {});
    await signsAndVerifies(client, () => client.disconnect());
  });
});

describe('a cluster behind TLS that names its nodes', () => {
  it('works with redis 6', async () => {
    const client = createCluster({
      rootNodes: [{ url: `rediss://localhost:${ports[1]}` }],
      defaults: { socket: { tls: true, ca: certificates.ca } as never },
    }).on('error', () => {});
    await client.connect();
    await signsAndVerifies(client, () => client.destroy());
  });

  it('works with ioredis, which must keep the names', async () => {
    const client = new IoredisCluster([{ host: 'localhost', port: ports[1] ?? 0 }], {
      dnsLookup: (address, callback) => callback(null, address),
      redisOptions: { tls: { ca: certificates.ca } },
    }).on('error', () => {});
    await signsAndVerifies(client, () => client.disconnect());
  });
});
