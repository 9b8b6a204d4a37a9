/** node-redis 4 to 6 (`createClient`). One that its user has not opened is left alone: to open it would make the user's own `connect()` fail. */

import { createPort } from './client-port.js';
import type { Dialect } from './connection.js';
import { sendAll } from './outcomes.js';
import type { RedisPort } from './port.js';

/** What rewt uses of such a client. */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  readonly options?: NodeRedisOptions | undefined;
  /** Version 4 with `legacyMode`: where the promises are. Throws without that mode. */
  readonly v4?: Pick<NodeRedisClient, 'sendCommand'>;
  sendCommand(args: readonly string[]): Promise<unknown>;
  subscribe(channel: string, hear: (message: unknown) => void): Promise<unknown>;
  ping(): Promise<unknown>;
  duplicate(overrides: object): NodeRedisClient;
  on(event: string, listener: (error?: unknown) => void): unknown;
  connect(): Promise<unknown>;
  unref(): void;
  /** Version 5 and later. */
  destroy?(): void;
  /** Version 4. */
  disconnect?(): Promise<void>;
}

interface NodeRedisOptions {
  readonly keyPrefix?: string | Buffer | undefined;
  readonly legacyMode?: boolean | undefined;
  readonly socket?: object | undefined;
}

export const nodeRedis: Dialect<NodeRedisClient> = {
  name: 'node-redis',
  send: (client, command) => client.sendCommand(command),
  subscribe: (client, channel, hear) => client.subscribe(channel, hear),
  ping: (client) => client.ping(),
  open(client, lost) {
    client.on('error', lost);
    client.on('end', lost);
    client.unref();
    return client.connect();
  },
  end: (client) => (client.destroy ? client.destroy() : client.disconnect?.()),
};

/** Settings of a client of rewt's own: fails at once instead of queueing, has no timer that keeps a process alive, and hears invalidations (RESP2). */
export function oneShot(socket: object | undefined): object {
  return {
    disableOfflineQueue: true,
    pingInterval: undefined,
    socket: { ...socket, reconnectStrategy: false },
    RESP: 2,
    maintNotifications: 'disabled',
    clientSideCache: undefined,
    emitInvalidate: false,
    commandOptions: {},
    keyPrefix: undefined,
    legacyMode: false,
  };
}

/**
 * From version 4 on, `createClient('redis://…')` takes the string's letters for options and connects to localhost:6379.
 * Where that is what the string said, no harm is done, and the original snippet works; else it would be the wrong Redis, silently.
 */
export function isMisledByUrl({ options }: NodeRedisClient): boolean {
  const letters = Object.entries(options ?? {}).filter(([name]) => /^\d+$/.test(name));
  const url = letters.map(([, letter]) => letter).join('');
  return url !== '' && !/^redis:\/\/(localhost|127\.0\.0\.1)(:6379)?(\/0?)?$/.test(url);
}

export function nodeRedisPort(client: NodeRedisClient): RedisPort {
  let everOpen = false;
  return createPort(nodeRedis, {
    client,
    // `sendCommand` adds no prefix, so that the user's own connection can be used with one.
    keyPrefix: String(client.options?.keyPrefix ?? ''),
    lend() {
      everOpen ||= client.isOpen;
      if (!everOpen) return null;
      const promising = client.options?.legacyMode ? (client.v4 ?? client) : client;
      return (commands) => sendAll((command) => promising.sendCommand(command), commands);
    },
    create: () => client.duplicate(oneShot(client.options?.socket)),
  });
}
