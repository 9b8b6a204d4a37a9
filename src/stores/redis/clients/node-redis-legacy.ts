/** node-redis 2.8 to 3.1: callbacks, and a client that connects by itself. */

import type { Address } from '../errors.js';
import type { Dialect } from './connection.js';
import { assertStaysWhereItIs, type Borrowed, createPort, type Emitter } from './dedicated.js';
import { sendAll } from './outcomes.js';
import type { Command, RedisPort } from './port.js';

/** The part of such a client that rewt uses. */
export interface CallbackClient extends Emitter {
  readonly ready: boolean;
  /** The database of the last SELECT; a duplicate keeps it. */
  readonly selected_db?: number | undefined;
  readonly options: { readonly prefix?: string | null | undefined; retry_strategy?: unknown };
  readonly connection_options?: Address | undefined;
  send_command(name: string, args: string[], callback: (error: Error | null, reply: unknown) => void): unknown;
  duplicate(overrides: object): CallbackClient;
  on(event: string, listener: (first?: unknown, second?: unknown) => void): unknown;
  readonly stream: { unref(): void };
  end(flush: boolean): void;
}

export const redisCallback: Dialect<CallbackClient> = {
  name: 'redis-callback',
  send,
  subscribe(client, channel, onMessage) {
    client.on('message', (_, message) => onMessage(message));
    return send(client, ['subscribe', channel]);
  },
  ping: (client) => send(client, ['ping']),
  open: (client, lost) =>
    new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        lost(error);
        reject(error);
      };
      client.on('error', fail);
      // Called when the connection has ended, with the reason, before "end". Returning no number
      // prevents another connection.
      client.options.retry_strategy = ({ error }: { error?: unknown }) => fail(error ?? new Error('connection lost'));
      client.on('ready', () => {
        const database = client.selected_db ?? 0;
        // The client selects it as well, but ignores the error if Redis has no such database.
        resolve(database === 0 ? undefined : send(client, ['select', String(database)]));
      });
      // The client's own `unref` would wait until it is connected.
      client.stream.unref();
    }),
  // Not in the turn of an error event: the client may be parsing replies, and would throw at those
  // whose commands are gone.
  end: (client) => setImmediate(() => client.end(true)),
};

function send(client: CallbackClient, [name, ...args]: Command): Promise<unknown> {
  return new Promise((resolve, reject) => {
    client.send_command(name, args, (error, reply) => (error ? reject(error) : resolve(reply)));
  });
}

/**
 * Settings of a client of rewt: it fails at once instead of queueing, adds no prefix, and survives
 * the message of a FLUSHALL.
 */
export const oneShot = {
  return_buffers: true,
  prefix: null,
  no_ready_check: true,
  enable_offline_queue: false,
  retry_unfulfilled_commands: false,
  retry_strategy: () => undefined,
};

export function redisCallbackPort(client: CallbackClient): RedisPort {
  const { prefix } = client.options;
  const through: Borrowed = (commands) => sendAll((command) => send(client, command), commands);
  let everReady = false;
  return createPort(redisCallback, {
    client,
    keyPrefix: prefix ?? '',
    borrow() {
      everReady ||= client.ready;
      if (!everReady) assertStaysWhereItIs(client);
      // This family adds its prefix to the keys of every command.
      return prefix ? null : through;
    },
    create: () => client.duplicate(oneShot),
    database: () => client.selected_db ?? 0,
    address: () => client.connection_options ?? null,
  });
}
