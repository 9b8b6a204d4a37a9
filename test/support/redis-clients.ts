/** The Redis clients that tests run against, each made as its users make it. */

import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5';
import { Redis as Iovalkey, Cluster as IovalkeyCluster } from 'iovalkey';
import * as redis from 'redis';

const require = createRequire(import.meta.url);

export interface ConnectedClient {
  /** What a user would hand to rewt. */
  readonly client: object;
  /** Closes it as its user would. */
  close(): Promise<void>;
}

/** Versions 2 and 3 of redis come without types. */
export interface CallbackModule {
  createClient(options: object): {
    on(event: string, listener: (error?: unknown) => void): unknown;
    end(flush: boolean): void;
  };
}
export const redis2 = require('redis2') as CallbackModule;
export const redis3 = require('redis3') as CallbackModule;

/** What tests use of node-redis 4 to 6, whose types differ. */
export interface NodeRedisModule {
  createClient(options: object): NodeRedisShape;
  /** From version 5 on. */
  createClientPool(options: object, poolOptions?: object): NodeRedisShape;
  createCluster(options: object): NodeRedisShape;
  /** From version 5 on. */
  createSentinel(options: object): NodeRedisShape;
}
export interface NodeRedisShape {
  readonly isOpen: boolean;
  on(event: string, listener: (error?: unknown) => void): unknown;
  connect(): Promise<unknown>;
  /** From version 5 on. */
  destroy?(): unknown;
  disconnect?(): unknown;
}
export const redis4 = require('redis4') as NodeRedisModule;
export const redis5 = require('redis5') as NodeRedisModule;
export const redis6 = redis as unknown as NodeRedisModule;

/** An ioredis client of any version, or one of iovalkey. */
interface IoredisShape {
  readonly status: string;
  on(event: string, listener: (error?: unknown) => void): unknown;
  once(event: string, listener: (error?: unknown) => void): unknown;
  disconnect(): void;
}
type IoredisClass = new (options: object) => IoredisShape;
type IoredisClusterClass = new (nodes: Address[], options?: object) => IoredisShape;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What sentinels are asked for, and where they are. */
export interface SentinelAddress {
  readonly name: string;
  readonly addresses: readonly Address[];
}

/**
 * Makes a client, connected, with more options than what it needs to find its server, cluster or
 * master.
 */
export type ConnectTo<Place> = (place: Place, options?: object) => Promise<ConnectedClient>;
export type Connect = ConnectTo<number>;
export type Named<Place> = readonly (readonly [name: string, connect: ConnectTo<Place>])[];

const host = '127.0.0.1';
const ignore = (): void => {};

function connectCallback(module: CallbackModule): Connect {
  return async (port, options = {}) => {
    const client = module.createClient({ port, host, ...options });
    client.on('error', ignore);
    return { client, close: async () => client.end(true) };
  };
}

export async function connectNodeRedis(client: NodeRedisShape): Promise<ConnectedClient> {
  client.on('error', ignore);
  await client.connect();
  return {
    client,
    async close() {
      if (client.isOpen) await (client.destroy ? client.destroy() : client.disconnect?.());
    },
  };
}

function connectIoredis(client: IoredisShape): ConnectedClient {
  client.on('error', ignore);
  return { client, close: async () => client.disconnect() };
}

/** Nodes of a cluster are first known when it is ready. */
async function connectIoredisCluster(client: IoredisShape): Promise<ConnectedClient> {
  client.on('error', ignore);
  if (client.status !== 'ready') await new Promise((resolve) => client.once('ready', resolve));
  return {
    client,
    async close() {
      if (client.status === 'end') return;
      const ended = new Promise((resolve) => client.once('end', resolve));
      client.disconnect();
      // One that was about to reconnect never emits it.
      await Promise.race([ended, sleep(5_000, undefined, { ref: false })]);
    },
  };
}

const oneNodeRedis =
  (module: NodeRedisModule): Connect =>
  (port, options) =>
    connectNodeRedis(module.createClient({ socket: { port, host }, ...options }));

const oneIoredis =
  (Client: IoredisClass): Connect =>
  async (port, options) =>
    connectIoredis(new Client({ port, host, ...options }));

/** By the name that titles show: every client of one server that rewt promises to work with. */
export const clients: Named<number> = [
  ['redis 2.8', connectCallback(redis2)],
  ['redis 3.1', connectCallback(redis3)],
  ['redis 4', oneNodeRedis(redis4)],
  ['redis 5', oneNodeRedis(redis5)],
  ['redis 6', oneNodeRedis(redis6)],
  ['ioredis 5', oneIoredis(Redis5)],
  ['ioredis 6', oneIoredis(Redis)],
  ['iovalkey', oneIoredis(Iovalkey)],
];

export function clientNamed(name: string): Connect {
  return named(clients, name);
}

const poolOf =
  (module: NodeRedisModule): Connect =>
  (port, options) =>
    connectNodeRedis(module.createClientPool({ socket: { port, host }, ...options }));

export const pools: Named<number> = [
  ['redis 5', poolOf(redis5)],
  ['redis 6', poolOf(redis6)],
];

const clusterOfNodeRedis =
  (module: NodeRedisModule): ConnectTo<readonly Address[]> =>
  (addresses, options) =>
    connectNodeRedis(module.createCluster({ rootNodes: addresses.map((socket) => ({ socket })), ...options }));

const clusterOfIoredis =
  (Client: IoredisClusterClass): ConnectTo<readonly Address[]> =>
  (addresses, options) =>
    connectIoredisCluster(new Client([...addresses], options));

export const clusterClients: Named<readonly Address[]> = [
  ['redis 6', clusterOfNodeRedis(redis6)],
  ['ioredis 5', clusterOfIoredis(Cluster5)],
  ['ioredis 6', clusterOfIoredis(Cluster)],
  ['iovalkey', clusterOfIoredis(IovalkeyCluster)],
];

const sentinelOfNodeRedis =
  (module: NodeRedisModule): ConnectTo<SentinelAddress> =>
  ({ name, addresses }, options) =>
    connectNodeRedis(module.createSentinel({ name, sentinelRootNodes: [...addresses], ...options }));

const sentinelOfIoredis =
  (Client: IoredisClass): ConnectTo<SentinelAddress> =>
  async ({ name, addresses }, options) =>
    connectIoredis(new Client({ name, sentinels: [...addresses], ...options }));

export const sentinelClients: Named<SentinelAddress> = [
  ['redis 5', sentinelOfNodeRedis(redis5)],
  ['redis 6', sentinelOfNodeRedis(redis6)],
  ['ioredis 5', sentinelOfIoredis(Redis5)],
  ['ioredis 6', sentinelOfIoredis(Redis)],
  ['iovalkey', sentinelOfIoredis(Iovalkey)],
];

/** Takes a while to load, which only the tests that use it should wait for. */
const loadGlide = () => import('@valkey/valkey-glide');

/** A busy machine takes its time to connect. */
const patience = { advancedConfiguration: { connectionTimeout: 20_000 } };

export const connectGlide: Connect = async (port, options) => {
  const { GlideClient } = await loadGlide();
  const client = await GlideClient.createClient({
    addresses: [{ host, port }],
    requestTimeout: 5_000,
    ...patience,
    ...options,
  });
  return { client, close: async () => client.close() };
};

export const connectGlideCluster: ConnectTo<readonly Address[]> = async (addresses, options) => {
  const { GlideClusterClient } = await loadGlide();
  const client = await GlideClusterClient.createClient({
    addresses: [...addresses],
    requestTimeout: 5_000,
    ...patience,
    ...options,
  });
  return { client, close: async () => client.close() };
};

/** One of a list. */
export function named<Place>(list: Named<Place>, name: string): ConnectTo<Place> {
  const [, connect] = list.find(([other]) => other === name) ?? [];
  if (!connect) throw new Error(`no client is called ${name}`);
  return connect;
}
