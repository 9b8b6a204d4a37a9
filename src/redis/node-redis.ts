/** node-redis 4 to 6 (`createClient`), and what its pools, clusters and sentinels share. One that its user has not opened is left alone: to open it would make the user's own `connect()` fail. */

import { assertStaysWhereItIs, createPort, type Emitter } from './client-port.js';
import type { Dialect } from './connection.js';
import type { Address } from './failure.js';
import { sendAll } from './outcomes.js';
import type { Command, Outcomes, RedisPort } from './port.js';

/** What rewt uses of such a client. */
export interface NodeRedisClient extends Emitter {
  readonly isOpen: boolean;
  /** Absent in the first of version 4. */
  readonly isReady?: boolean | undefined;
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
  readonly socket?: Address | undefined;
  readonly url?: string | undefined;
}

export const nodeRedis: Dialect<NodeRedisClient> = {
  name: 'node-redis',
  send: (client, command) => client.sendCommand(command),
  subscribe: (client, channel, hear) => client.subscribe(channel, hear),
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
    // Ended earlier, it would connect all the same, and could not be ended any more.
    if (connecting.has(client)) client.on(endableFrom(client), () => destroy(client));
    else return destroy(client);
  },
};

/** Version 4, ended before it is ready, rejects promises that nobody can catch. */
function endableFrom(client: NodeRedisClient): string {
  return client.destroy ? 'connect' : 'ready';
}

/** Those of rewt's own that cannot be ended yet. */
const connecting = new WeakSet<NodeRedisClient>();

function destroy(client: NodeRedisClient): unknown {
  return client.destroy ? client.destroy() : client.disconnect?.();
}

/** Settings of a client of rewt's own: fails at once instead of queueing, has no timer that keeps a process alive, and hears invalidations (RESP2). */
export function oneShot(socket: object | undefined): object {
  return {
    disableOfflineQueue: true,
    pingInterval: undefined,
    // On a connection that only listens, silence is no failure.
    socket: { ...socket, reconnectStrategy: false, socketTimeout: undefined },
    RESP: 2,
    maintNotifications: 'disabled',
    clientSideCache: undefined,
    emitInvalidate: false,
    // Its own deadline, which rewt has too, would cost each command 10 µs.
    commandOptions: { timeout: undefined },
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

/** Without `socket` and `url` the client connects to its default, which it does not show. */
function addressOf({ socket, url }: NodeRedisOptions = {}): Address | null {
  if (socket?.host !== undefined || socket?.port !== undefined) return socket;
  if (url === undefined || !URL.canParse(url)) return null;
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port || 6379) };
}

/** A client among those that a pool, a cluster or a sentinel client has, as one of rewt's own. */
export function duplicateOf(
  client: NodeRedisClient,
  socket: Address | undefined = client.options?.socket,
): NodeRedisClient {
  return client.duplicate(oneShot(socket));
}

type Execute = <T>(task: (client: NodeRedisClient) => Promise<T>) => Promise<T>;

/**
 * Keeps the client that ran a task last, to be duplicated even if all of them wait for answers that never come.
 *
 * @param socketOf the options of a socket to the right server, by those of that client; null if it is not known
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

/** What the shapes that hold several clients have in common. */
export interface ManyClients {
  readonly isOpen: boolean;
  /** Version 6. `sendCommand` adds no prefix. */
  readonly _keyPrefix?: string | Buffer | undefined;
}

/**
 * Throws while such a client is not open: of one that was never open, rewt has no options to make a client of its own.
 * Their own errors then are of no use (a TypeError, say).
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
    lend() {
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
