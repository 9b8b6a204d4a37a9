/** The client for a link, made with redis or ioredis, whichever is installed. */

import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '../async/race.js';
import { OptionError, StoreError } from '../errors.js';
import { readRedisPort } from '../stores/redis/clients/detect.js';
import { loadBesideApplication } from '../stores/redis/clients/from-url.js';
import { asError } from '../stores/redis/clients/outcomes.js';
import type { RedisPort } from '../stores/redis/clients/port.js';
import { asStoreError, isRefusal, whileConnecting } from '../stores/redis/errors.js';
import type { Host, Link } from './input/link.js';

/** The maximum time for a client to end. */
const END_TIMEOUT_MS = 1_000;
/** The additional time that the other hosts get after the first has connected. */
const OTHERS_MS = 100;

/** The methods that are used of a client of either kind. */
interface Client {
  on(event: 'error', listener: (error: unknown) => void): unknown;
  emit?(event: 'error', error: unknown): unknown;
  connect(): Promise<unknown>;
  destroy?(): unknown;
  disconnect?(): unknown;
}

interface NodeRedis {
  readonly RedisClient?: { readonly prototype?: object };
  createClient(options: object): Client;
  createCluster?(options: object): Client;
  createSentinel?(options: object): Client;
}

type Constructor = new (...args: readonly unknown[]) => Client;

/** The part of an ioredis client that makes the clients for its sentinels. */
interface Connector {
  connectToSentinel?(...args: readonly unknown[]): Client;
}

export interface Connected {
  readonly port: RedisPort;
  close(): Promise<void>;
}

/**
 * Connects a client. @throws {OptionError} if no suitable client is installed; {StoreError} if it
 * cannot connect
 */
export async function connectLink(link: Link, keyPrefix: string, timeoutMs: number): Promise<Connected> {
  const giveUpMs = performance.now() + timeoutMs;
  const leftMs = (): number => Math.max(1, giveUpMs - performance.now());
  const hosts = await hostsThatAnswer(link, timeoutMs);
  const reached = { ...link, hosts };
  const client = fromNodeRedis(reached, keyPrefix) ?? fromIoredis(reached, keyPrefix);
  if (client === null) throw noClient(link);
  let cause: unknown;
  const failed = new Promise<never>((_, reject) => {
    client.on('error', (error) => {
      // A client for sentinels wraps the error of its master.
      const ofMaster = error instanceof Error && error.cause instanceof Error ? error.cause : null;
      const met = asError(ofMaster ?? error);
      // For an unreachable sentinel, ioredis reports that, and then "closed".
      if (cause === undefined || !/connection is closed/i.test(met.message)) cause = met;
      // Another of several hosts may reply; in a failover, another master.
      if (ofMaster === null ? link.hosts.length === 1 : isRefusal(ofMaster)) reject(cause);
    });
  });
  failed.catch(() => {});
  const end = async (): Promise<void> => {
    try {
      const ending = Promise.resolve(client.destroy?.() ?? client.disconnect?.());
      // A client may wait for a silent sentinel.
      await within(END_TIMEOUT_MS, ending, () => new Error('timed out'));
    } catch {
      // It has already ended, or waits for a silent server.
    }
  };
  try {
    const connecting = client.connect();
    connecting.catch(() => {});
    const connected = Promise.race([connecting, failed]).catch(async (error: unknown) => {
      // After a client has ended, "closed" is less specific than its earlier error.
      cause ??= error;
      // ioredis hides why a node of a cluster closed a connection: a client of that node alone
      // reports it.
      if (link.kind === 'cluster' && whileConnecting(asError(cause)) !== cause)
        await (await connectLink({ ...link, kind: 'server', hosts: hosts.slice(0, 1) }, '', leftMs())).close();
      throw error;
    });
    await within(leftMs(), connected, () => new Error('timed out'));
  } catch (error) {
    await end();
    // A sentinel's address is not the master's, and any of several hosts may have failed.
    const address = link.kind === 'sentinel' || link.hosts.length > 1 ? null : link.hosts[0];
    throw asStoreError(whileConnecting(asError(error instanceof StoreError ? error : (cause ?? error))), address);
  }
  const port = readRedisPort(client);
  return {
    port,
    async close() {
      await port.close();
      await end();
    },
  };
}

/**
 * Returns the hosts that can be connected, or all if none can: clients wait for ever for one that
 * hangs. Sentinels are tried in their order, so the others follow. They may only be slow, or be
 * needed when these are unreachable.
 */
async function hostsThatAnswer(link: Link, timeoutMs: number): Promise<readonly Host[]> {
  if (link.kind === 'server' || link.hosts.length === 1) return link.hosts;
  // A sentinel receives no password.
  const login = link.kind === 'sentinel' ? { username: null, password: null, database: 0 } : {};
  const answered = new Set<Host>();
  const attempts = link.hosts.map(async (host) => {
    const { close } = await connectLink({ ...link, ...login, kind: 'server', hosts: [host] }, '', timeoutMs / 2);
    answered.add(host);
    await close();
  });
  const all = Promise.allSettled(attempts);
  await Promise.any(attempts).catch(() => {});
  await Promise.race([all, sleep(OTHERS_MS)]);
  const silent = link.hosts.filter((host) => !answered.has(host));
  return answered.size > 0 && link.kind === 'cluster' ? [...answered] : [...answered, ...silent];
}

function fromNodeRedis(link: Link, keyPrefix: string): Client | null {
  const redis = loadBesideApplication('redis') as NodeRedis | null;
  // Before version 4 it uses callbacks, and has neither clusters nor sentinels.
  const hasCallbacks = 'internal_send_command' in (redis?.RedisClient?.prototype ?? {});
  if (redis === null || hasCallbacks) return null;
  const { hosts, master, database } = link;
  const secure = link.tls === null ? {} : { tls: true, ...link.tls };
  const prefix = keyPrefix === '' ? {} : { keyPrefix };
  const login = given({ username: link.username, password: link.password });
  switch (link.kind) {
    case 'server':
      return redis.createClient({ ...login, ...prefix, database, socket: { ...hosts[0], ...secure } });
    case 'cluster': {
      const rootNodes = hosts.map((host) => ({ socket: { ...host, ...secure } }));
      const defaults = { ...login, socket: secure };
      // Otherwise it waits for every master, and one dead master blocks the keys of the others.
      const cluster = redis.createCluster?.({ rootNodes, ...prefix, defaults, minimizeConnections: true }) ?? null;
      return cluster !== null && isUsable(cluster) ? cluster : null;
    }
    case 'sentinel':
      return (
        redis.createSentinel?.({
          name: master,
          sentinelRootNodes: hosts,
          passthroughClientErrorEvents: true,
          ...prefix,
          nodeClientOptions: { ...login, database, socket: secure },
          sentinelClientOptions: { socket: secure },
        }) ?? null
      );
  }
}

function fromIoredis(link: Link, keyPrefix: string): Client | null {
  const module = loadBesideApplication('ioredis') as (Constructor & { Cluster: Constructor; default?: unknown }) | null;
  if (module === null) return null;
  const Redis = (module.default ?? module) as Constructor & { Cluster: Constructor };
  const { hosts, master, tls, database: db } = link;
  const secure = tls === null ? {} : { tls };
  const prefix = keyPrefix === '' ? {} : { keyPrefix };
  const login = given({ username: link.username, password: link.password });
  const lazy = { lazyConnect: true };
  switch (link.kind) {
    case 'server':
      return new Redis({ ...hosts[0], ...login, ...secure, ...prefix, ...lazy, db });
    case 'cluster':
      // It would wait silently for a cluster that is down.
      return new Redis.Cluster(hosts, {
        ...prefix,
        ...lazy,
        enableReadyCheck: false,
        redisOptions: { ...login, ...secure },
      });
    case 'sentinel': {
      const sentinel = tls === null ? {} : { sentinelTLS: tls, enableTLSForSentinelMode: true };
      // A command ends before the detector could do harm. Without it, a demoted master is noticed
      // late.
      const failoverDetector = true;
      const client = new Redis({
        sentinels: hosts,
        name: master,
        failoverDetector,
        ...login,
        ...secure,
        ...sentinel,
        ...prefix,
        ...lazy,
        db,
      });
      return quietly(client);
    }
  }
}

/**
 * Handles the errors of each client for a sentinel: without a listener, ioredis prints them with a
 * stack trace.
 */
function quietly(client: Client & { readonly connector?: Connector }): Client {
  const { connector } = client;
  const connect = connector?.connectToSentinel?.bind(connector);
  if (!connector || !connect) return client;
  connector.connectToSentinel = (...args) => {
    const sentinel = connect(...args);
    sentinel.on('error', (error) => client.emit?.('error', error));
    return sentinel;
  };
  return client;
}

/** Checks the version: a cluster client of redis 4 and 5 is rejected. */
function isUsable(client: Client): boolean {
  try {
    readRedisPort(client);
    return true;
  } catch {
    return false;
  }
}

function given(options: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(options).filter((entry): entry is [string, string] => entry[1] !== null));
}

function noClient({ kind }: Link): OptionError {
  const wanted = { server: 'redis 4 or later', cluster: 'redis 6', sentinel: 'redis 5 or later' }[kind];
  return new OptionError(
    '--url needs a Redis client, looked for beside the command and in the current folder: npm ' +
      `install redis (${wanted}), or ioredis`,
    { option: 'url' },
  );
}
