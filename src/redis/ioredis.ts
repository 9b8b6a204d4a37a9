/** ioredis 5 and 6 and iovalkey, with a fixed address or through sentinels. */

import type { Caveat } from '../stores/store.js';
import { assertStaysWhereItIs, createPort, type Emitter } from './client-port.js';
import type { Dialect } from './connection.js';
import { sendAll } from './outcomes.js';
import type { RedisPort } from './port.js';

/** What rewt uses of such a client. */
export interface IoredisClient extends Emitter {
  readonly status: string;
  /** Of the connection; absent before the first one. */
  readonly condition?: { readonly select: number } | null;
  /** Of the connection that was lost, until the next one is ready. */
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
  /** False by default; absent where the version knows no such option. */
  readonly failoverDetector?: boolean | undefined;
}

const slowFailover: Caveat = {
  code: 'REWT_CLIENT_SLOW_FAILOVER',
  message:
    'This ioredis client notices a planned failover only when the old master is demoted, some ten seconds later: until then that takes writes, rotations and revocations among them, which are lost. Make the client with failoverDetector: true.',
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
      // The stream is made in the next tick. Over TLS, a mute server never lets it connect.
      setImmediate(unref);
      await connecting;
      // The client selects it as well, and overlooks that Redis has no such database.
      if (client.options.db) await client.call('SELECT', String(client.options.db));
    } catch (error) {
      // It rejects with "Connection is closed." and tells the reason, a wrong password say, in an event only.
      throw reason ?? error;
    }
  },
  subscribe(client, channel, hear) {
    // As text, the names of several keys run into one another.
    client.on('messageBuffer', (_, message) => hear(message));
    return client.subscribe(channel);
  },
  ping: (client) => client.ping(),
  end: (client) => client.disconnect(),
};

const unconnected: ReadonlySet<string> = new Set(['wait', 'connecting', 'connect', 'reconnecting']);

/** Settings of a client of rewt's own: fails at once instead of queueing, repeats nothing, adds nothing to names, hears invalidations (RESP2). */
export function oneShot(sentinels: boolean): object {
  return {
    lazyConnect: true,
    protocol: 2,
    // A connection that is given up leaves at once, instead of keeping the process alive for two seconds.
    disconnectTimeout: 50,
    keyPrefix: '',
    retryStrategy: null,
    sentinelRetryStrategy: null,
    // Its connections to the sentinels would keep the process alive; the user's client is watched instead.
    failoverDetector: false,
    reconnectOnError: null,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: false,
    // With sentinels the check is what notices a demoted master; without, it would only hide that Redis is loading.
    enableReadyCheck: sentinels,
  };
}

export function ioredisPort(client: IoredisClient): RedisPort {
  const { keyPrefix, enableAutoPipelining, sentinels, failoverDetector } = client.options;
  // `call` adds the prefix in some versions and not in others, and auto-pipelining breaks it in version 4.
  const usable = !keyPrefix && !enableAutoPipelining;

  let master: string | undefined;
  /** Where the user's client is connected, or was last. */
  function currentMaster(): string | undefined {
    const { remoteAddress, remotePort } = client.stream ?? {};
    if (remotePort !== undefined) master = `${remoteAddress}:${remotePort}`;
    return master;
  }

  const database = (): number => (client.prevCondition ?? client.condition)?.select ?? client.options.db ?? 0;

  return createPort(ioredis, {
    client,
    keyPrefix: String(keyPrefix ?? ''),
    caveats: sentinels && failoverDetector === false ? [slowFailover] : [],
    // "wait": made with lazyConnect and not connected yet; a command would connect it, and make the user's own `connect()` fail.
    lend() {
      if (unconnected.has(client.status) && !client.prevCondition)
        assertStaysWhereItIs(client, 'connectionReadyHandler');
      if (!usable || client.status === 'wait') return null;
      // With the detector it may end for good when a master dies, although nobody ended it: then it is worked beside.
      if (client.status === 'end' && sentinels && failoverDetector) return null;
      return (commands) => sendAll(([name, ...args]) => client.call(name, ...args), commands);
    },
    create: () => client.duplicate({ ...oneShot(Boolean(sentinels)), db: database() }),
    database,
    // With sentinels these are defaults, and mean nothing.
    address: () => (sentinels || client.options.path ? null : client.options),
    // A fixed address may stand for several hosts; only sentinels name one.
    ...(sentinels ? { ownerOf: currentMaster } : {}),
  });
}
