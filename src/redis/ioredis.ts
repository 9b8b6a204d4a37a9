/** ioredis 4 to 6 and iovalkey, with a fixed address or through sentinels. */

import { createPort } from './client-port.js';
import type { Dialect } from './connection.js';
import { sendAll } from './outcomes.js';
import type { RedisPort } from './port.js';

/** What rewt uses of such a client. */
export interface IoredisClient {
  readonly status: string;
  readonly options: IoredisOptions;
  readonly stream?: { unref?(): void } | undefined;
  call(name: string, ...args: string[]): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  ping(): Promise<unknown>;
  duplicate(overrides: object): IoredisClient;
  on(event: string, listener: (first?: unknown, second?: unknown) => void): unknown;
  connect(): Promise<unknown>;
  disconnect(): void;
}

interface IoredisOptions {
  readonly keyPrefix?: string | Buffer | null | undefined;
  readonly enableAutoPipelining?: boolean | undefined;
  readonly sentinels?: readonly unknown[] | null | undefined;
}

export const ioredis: Dialect<IoredisClient> = {
  name: 'ioredis',
  send: (client, [name, ...args]) => client.call(name, ...args),
  async open(client, lost) {
    let reason: unknown;
    client.on('error', (error) => {
      reason = error;
    });
    client.on('connect', () => client.stream?.unref?.());
    client.on('end', lost);
    try {
      await client.connect();
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
    reconnectOnError: null,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: false,
    // With sentinels the check is what notices a demoted master; without, it would only hide that Redis is loading.
    enableReadyCheck: sentinels,
  };
}

export function ioredisPort(client: IoredisClient): RedisPort {
  const { keyPrefix, enableAutoPipelining, sentinels } = client.options;
  // `call` adds the prefix in some versions and not in others, and auto-pipelining breaks it in version 4.
  const usable = !keyPrefix && !enableAutoPipelining;
  return createPort(ioredis, {
    client,
    keyPrefix: String(keyPrefix ?? ''),
    // "wait": made with lazyConnect and not connected yet; a command would connect it, and make the user's own `connect()` fail.
    lend() {
      if (!usable || client.status === 'wait') return null;
      return (commands) => sendAll(([name, ...args]) => client.call(name, ...args), commands);
    },
    create: () => client.duplicate(oneShot(Boolean(sentinels))),
  });
}
