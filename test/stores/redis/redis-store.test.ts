/**
 * The Redis store keeps the contract of every store, through each family of clients, and holds what
 * other programs are promised to find.
 */
import { afterAll, beforeAll } from 'vitest';
import { readRedisPort } from '../../../src/stores/redis/clients/detect.js';
import { redisNames } from '../../../src/stores/redis/names.js';
import { redisStore } from '../../../src/stores/redis/redis-store.js';
import { storeConformance } from '../../conformance/store.js';
import { type Cluster, startCluster } from '../../support/cluster.js';
import {
  type ConnectedClient,
  clientNamed,
  clusterClients,
  connectGlide,
  named,
  sentinelClients,
} from '../../support/redis-clients.js';
import { type SentinelSetup, startSentinel } from '../../support/sentinel.js';
import { type RedisServer, startRedis } from '../../support/servers.js';

let server: RedisServer;
let sentinel: SentinelSetup;
let cluster: Cluster;
beforeAll(async () => {
  [server, sentinel, cluster] = await Promise.all([startRedis(), startSentinel(), startCluster()]);
});
afterAll(() => Promise.all([server?.stop(), sentinel?.stop(), cluster?.stop()]));

type OwnerOf = (key: string) => Promise<RedisServer>;
const onServer = (name: string) => () => clientNamed(name)(server.port);
const onCluster = (name: string) => () =>
  named(clusterClients, name)(cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })));
const theServer: OwnerOf = async () => server;
const theMaster: OwnerOf = () => sentinel.master();
const theOwner: OwnerOf = (key) => cluster.ownerOf(key);

const families: readonly (readonly [name: string, connect: () => Promise<ConnectedClient>, ownerOf: OwnerOf])[] = [
  ['redis 3.1', onServer('redis 3.1'), theServer],
  ['redis 6', onServer('redis 6'), theServer],
  ['ioredis 6', onServer('ioredis 6'), theServer],
  ['valkey-glide', () => connectGlide(server.port), theServer],
  ['redis 6 with sentinels', () => named(sentinelClients, 'redis 6')(sentinel), theMaster],
  ['redis 6 with a cluster', onCluster('redis 6'), theOwner],
  ['ioredis 6 with a cluster', onCluster('ioredis 6'), theOwner],
];

/** A store closes no client, so that the tests of a family can share theirs. */
const connections: Promise<ConnectedClient>[] = [];
afterAll(async () => {
  for (const connecting of connections) await (await connecting).close();
});

for (const [name, connect, ownerOf] of families) {
  const clients: Promise<ConnectedClient>[] = [];
  storeConformance(`the Redis store through ${name}`, async () => {
    const handles: { close(): Promise<void> }[] = [];
    const open = async () => {
      const at = handles.length;
      const connecting = clients[at] ?? connect();
      if (clients[at] === undefined) connections.push(connecting);
      clients[at] = connecting;
      const store = redisStore(readRedisPort((await connecting).client));
      handles.push(store);
      return store;
    };
    const key = (namespace: string): string => redisNames(namespace).key;
    const cli = async (namespace: string, ...words: string[]): Promise<void> => {
      await (await ownerOf(key(namespace))).cli(...words);
    };
    return {
      store: await open(),
      dispose: async () => {
        for (const handle of handles) await handle.close();
      },
      second: open,
      operatorSet: (namespace, value, ttlMs) =>
        cli(namespace, 'SET', key(namespace), value, ...(ttlMs === null ? [] : ['PX', String(ttlMs)])),
      operatorDelete: (namespace) => cli(namespace, 'DEL', key(namespace)),
    };
  });
}
