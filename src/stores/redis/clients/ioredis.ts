/** ioredis 5 and 6 and iovalkey, with a fixed address or through sentinels. */

import type { ClientWarning } from '../../store.js';
import type { Dialect } from './connection.js';
import { assertStaysWhereItIs, createPort, type Emitter } from './dedicated.js';
import { sendAll } from './outcomes.js';
import type { RedisPort } from './port.js';

/** The part of such a client that rewt uses. */
export interface IoredisClient extends Emitter {
  readonly status: string;
  /** The state of the connection; absent before the first one. */
  readonly condition?: { readonly select: number } | null;
  /** The state of the lost connection, until the next one is ready. */
  readonly prevCondition?: { readonly select: number } | null;
  readonly options: IoredisOptions;
  readonly stream?: Stream | undefined;
  call(name: string, ...args: string[]): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  ping(): Promise<unknown>;
  duplicate(overrides: object): IoredisClient;
  on(event: string, listener: (first?: unknown, second?: unknown) => void): unknown;
  connect(): Promise<unknown>;
  disconnect(): void;
}

interface Stream {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  unref?(): void;
}

interface IoredisOptions {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: string | null | undefined;
  readonly db?: number | undefined;
  readonly keyPrefix?: string | Buffer | null | undefined;
  readonly enableAutoPipelining?: boolean | undefined;
  readonly sentinels?: readonly unknown[] | null | undefined;
  /** False by default; absent if the version has no such option. */
  readonly failoverDetector?: boolean | undefined;
}

const slowFailover: ClientWarning = {
  code: 'REWT_CLIENT_SLOW_FAILOVER',
  message:
    'This ioredis client notices a planned failover only when the old master is demoted, some ten ' +
    'seconds later: until then that takes writes, rotations and revocations among them, which are ' +
    'lost. Make the client with failoverDetector: true.',
};

export const ioredis: Dialect<IoredisClient> = {
  name: 'ioredis',
  send: (client, [name, ...args]) => client.call(name, ...args),
  async open(client, lost) {
    let reason: unknown;
    client.on('error', (error) => {
      reason = error;
    });
    const unref = (): void => client.stream?.unref?.();
    client.on('connect', unref);
    client.on('end', lost);
    try {
      const connecting = client.connect();
      // The stream is created in the next tick. Over TLS, a silent server never lets it connect.
      setImmediate(unref);
      await connecting;
      // The client selects it as well, but ignores the error if Redis has no such database.
      if (client.options.db) await client.call('SELECT', String(client.options.db));
    } catch (error) {
      // The client rejects with "Connection is closed." and reports the reason, for example a wrong
      // password, only in an event.
      throw reason ?? error;
    }
  },
  subscribe(client, channel, onMessage) {
    // As text, the names of several keys would run together.
    client.on('messageBuffer', (_, message) => onMessage(message));
    return client.subscribe(channel);
  },
  ping: (client) => client.ping(),
  end: (client) => client.disconnect(),
};

const unconnected: ReadonlySet<string> = new Set(['wait', 'connecting', 'connect', 'reconnecting']);

/**
 * Returns the settings of a client of rewt: it fails at once instead of queueing, repeats nothing,
 * adds no prefix, and receives invalidations (RESP2).
 */
export function oneShot(sentinels: boolean): object {
  return {
    lazyConnect: true,
    protocol: 2,
    // An abandoned connection is dropped at once, instead of keeping the process alive.
    disconnectTimeout: 50,
    keyPrefix: '',
    retryStrategy: null,
    sentinelRetryStrategy: null,
    // Its connections to the sentinels would keep the process alive; the user's client is watched
    // instead.
    failoverDetector: false,
    reconnectOnError: null,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: false,
    // With sentinels, the check detects a demoted master. Without, it would only hide that Redis is
    // loading.
    enableReadyCheck: sentinels,
  };
}

export function ioredisPort(client: IoredisClient): RedisPort {
  const { keyPrefix, enableAutoPipelining, sentinels, failoverDetector } = client.options;
  // `call` adds the prefix only in some versions, and auto-pipelining breaks it in version 4.
  const usable = !keyPrefix && !enableAutoPipelining;

  let master: string | undefined;
  /** Returns the address to which the user's client is, or was last, connected. */
  function currentMaster(): string | undefined {
    const { remoteAddress, remotePort } = client.stream ?? {};
    if (remotePort !== undefined) master = `${remoteAddress}:${remotePort}`;
    return master;
  }

  const database = (): number => (client.prevCondition ?? client.condition)?.select ?? client.options.db ?? 0;

  return createPort(ioredis, {
    client,
    keyPrefix: String(keyPrefix ?? ''),
    clientWarnings: sentinels && failoverDetector === false ? [slowFailover] : [],
    // "wait": made with lazyConnect and not connected yet. A command would connect it, and the
    // user's own `connect()` would fail.
    borrow() {
      if (unconnected.has(client.status) && !client.prevCondition)
        assertStaysWhereItIs(client, 'connectionReadyHandler');
      if (!usable || client.status === 'wait') return null;
      // With the detector, the client may end for good when a master dies, without a call of `end`.
      // A dedicated connection replaces it then.
      if (client.status === 'end' && sentinels && failoverDetector) return null;
      return (commands) => sendAll(([name, ...args]) => client.call(name, ...args), commands);
    },
    create: () => client.duplicate({ ...oneShot(Boolean(sentinels)), db: database() }),
    database,
    // With sentinels these are unused defaults.
    address: () => (sentinels || client.options.path ? null : client.options),
    // A fixed address may belong to several hosts; only sentinels name one.
    ...(sentinels ? { ownerOf: currentMaster } : {}),
  });
}
