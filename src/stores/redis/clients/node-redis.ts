/**
 * node-redis 4 to 6 (`createClient`), and what its pools, clusters and sentinels share. An unopened
 * client is left alone: opening it would make the user's own `connect()` fail.
 */

import type { Address } from '../errors.js';
import type { Dialect } from './connection.js';
import { assertStaysWhereItIs, createPort, type Emitter } from './dedicated.js';
import { sendAll } from './outcomes.js';
import type { Command, Outcomes, RedisPort } from './port.js';

/** The part of such a client that rewt uses. */
export interface NodeRedisClient extends Emitter {
  readonly isOpen: boolean;
  /** Absent in the first releases of version 4. */
  readonly isReady?: boolean | undefined;
  readonly options?: NodeRedisOptions | undefined;
  /** Version 4 with `legacyMode`: the promise API. Throws without that mode. */
  readonly v4?: Pick<NodeRedisClient, 'sendCommand'>;
  sendCommand(args: readonly string[]): Promise<unknown>;
  subscribe(channel: string, onMessage: (message: unknown) => void): Promise<unknown>;
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
  readonly socket?: Address | undefined;
  readonly url?: string | undefined;
}

export const nodeRedis: Dialect<NodeRedisClient> = {
  name: 'node-redis',
  send: (client, command) => client.sendCommand(command),
  subscribe: (client, channel, onMessage) => client.subscribe(channel, onMessage),
  ping: (client) => client.ping(),
  open(client, lost) {
    client.on('error', lost);
    client.on('end', lost);
    connecting.add(client);
    client.on(endableFrom(client), () => connecting.delete(client));
    client.unref();
    return client.connect();
  },
  end(client) {
    // If ended earlier, it would still connect, and could no longer be ended.
    if (connecting.has(client)) client.on(endableFrom(client), () => destroy(client));
    else return destroy(client);
  },
};

/**
 * Returns the event after which the client can be ended. If version 4 is ended before it is ready,
 * it rejects promises that no caller can catch.
 */
function endableFrom(client: NodeRedisClient): string {
  return client.destroy ? 'connect' : 'ready';
}

/** The clients of rewt that cannot be ended yet. */
const connecting = new WeakSet<NodeRedisClient>();

function destroy(client: NodeRedisClient): unknown {
  return client.destroy ? client.destroy() : client.disconnect?.();
}

/**
 * Returns the settings of a client of rewt: it fails at once instead of queueing, has no timer that
 * keeps the process alive, and receives invalidations (RESP2).
 */
export function oneShot(socket: object | undefined): object {
  return {
    disableOfflineQueue: true,
    pingInterval: undefined,
    // On a connection that only subscribes, silence is no failure.
    socket: { ...socket, reconnectStrategy: false, socketTimeout: undefined },
    RESP: 2,
    maintNotifications: 'disabled',
    clientSideCache: undefined,
    emitInvalidate: false,
    // The client's own deadline is redundant beside rewt's, and slows each command down.
    commandOptions: { timeout: undefined },
    keyPrefix: undefined,
    legacyMode: false,
  };
}

/**
 * Checks for `createClient('redis://…')`: from version 4 on, it reads the characters of the string
 * as options and connects to localhost:6379. If the string names that address, the client is right,
 * and the snippet for old versions works. Otherwise it would silently use the wrong Redis.
 */
export function isMisledByUrl({ options }: NodeRedisClient): boolean {
  const letters = Object.entries(options ?? {}).filter(([name]) => /^\d+$/.test(name));
  const url = letters.map(([, letter]) => letter).join('');
  return url !== '' && !/^redis:\/\/(localhost|127\.0\.0\.1)(:6379)?(\/0?)?$/.test(url);
}

/**
 * Returns the client's address. Without `socket` and `url` the client connects to its default,
 * which it does not show.
 */
function addressOf({ socket, url }: NodeRedisOptions = {}): Address | null {
  if (socket?.host !== undefined || socket?.port !== undefined) return socket;
  if (url === undefined || !URL.canParse(url)) return null;
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port || 6379) };
}

/** Duplicates a client of a pool, a cluster or a sentinel client, with the settings of rewt. */
export function duplicateOf(
  client: NodeRedisClient,
  socket: Address | undefined = client.options?.socket,
): NodeRedisClient {
  return client.duplicate(oneShot(socket));
}

type Execute = <T>(task: (client: NodeRedisClient) => Promise<T>) => Promise<T>;

/**
 * Remembers the client that ran a task last. It can be duplicated even if all clients wait for
 * replies that never come.
 *
 * @param socketOf returns the options of a socket to the right server, from those of that client;
 * null if unknown
 */
export function keepingLast(
  execute: Execute,
  socketOf: (last: NodeRedisClient) => Address | null | undefined,
): { readonly execute: Execute; duplicate(): NodeRedisClient | Promise<NodeRedisClient> } {
  let last: NodeRedisClient | undefined;
  const kept: Execute = (task) =>
    execute((client) => {
      last = client;
      return task(client);
    });
  return {
    execute: kept,
    duplicate() {
      const socket = last && socketOf(last);
      return last && socket !== null ? duplicateOf(last, socket) : kept(async (client) => duplicateOf(client));
    },
  };
}

/** Sends all commands on this one connection. */
export function sendOn(client: Pick<NodeRedisClient, 'sendCommand'>, commands: readonly Command[]): Promise<Outcomes> {
  return sendAll((command) => client.sendCommand(command), commands);
}

/** The common part of the clients that hold several clients. */
export interface ManyClients {
  readonly isOpen: boolean;
  /** From version 6 on. `sendCommand` adds no prefix. */
  readonly _keyPrefix?: string | Buffer | undefined;
}

/**
 * Returns a check that throws while such a client is not open. A client that was never open shows
 * no options for a duplicate, and its own errors mislead (for example a TypeError).
 */
export function opennessOf(client: ManyClients): () => void {
  let everOpen = false;
  return () => {
    everOpen ||= client.isOpen;
    if (!client.isOpen) throw new Error(everOpen ? 'the client is closed' : 'the client is not open yet');
  };
}

export function nodeRedisPort(client: NodeRedisClient): RedisPort {
  let everOpen = false;
  let everReady = false;
  return createPort(nodeRedis, {
    client,
    // `sendCommand` adds no prefix, so that the user's own connection can be used with one.
    keyPrefix: String(client.options?.keyPrefix ?? ''),
    borrow() {
      everOpen ||= client.isOpen;
      everReady ||= client.isReady ?? client.isOpen;
      if (!everReady) assertStaysWhereItIs(client);
      if (!everOpen) return null;
      const promising = client.options?.legacyMode ? (client.v4 ?? client) : client;
      return (commands) => sendOn(promising, commands);
    },
    create: () => duplicateOf(client),
    address: () => addressOf(client.options),
  });
}
