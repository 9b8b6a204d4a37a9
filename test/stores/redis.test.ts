/** The Redis store keeps the contract of every store, through each family of clients, and holds what other programs are promised to find. */
import { afterAll, beforeAll } from 'vitest';
import { asRedisPort } from '../../src/redis/detect.js';
import { redisNames } from '../../src/redis/names.js';
import { redisStore } from '../../src/stores/redis.js';
import { type Cluster, startCluster } from '../cluster.js';
import { storeConformance } from '../conformance/store.js';
import {
  type ConnectedClient,
  clientNamed,
  clusterClients,
  connectGlide,
  named,
  sentinelClients,
} from '../redis/clients.js';
import { type SentinelSetup, startSentinel } from '../sentinel.js';
import { type RedisServer, startRedis } from '../servers.js';

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

for (const [name, connect, ownerOf] of families) {
  storeConformance(`the Redis store through ${name}`, async () => {
    const handles: { close(): Promise<void> }[] = [];
    const open = async () => {
      const connected = await connect();
      const store = redisStore(asRedisPort(connected.client));
      handles.push(store, connected);
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
