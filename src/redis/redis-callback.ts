/** node-redis 2.8 to 3.1: callbacks, and a client that connects by itself. */

import { type ClientSource, createPort, type Dialect } from './client-port.js';
import type { RedisPort } from './port.js';

/** What rewt uses of such a client. */
export interface CallbackClient {
  readonly options: { readonly prefix?: string | null | undefined };
  send_command(name: string, args: string[], callback: (error: Error | null, reply: unknown) => void): unknown;
  duplicate(overrides: object): CallbackClient;
  on(event: string, listener: (error?: unknown) => void): unknown;
  unref(): void;
  end(flush: boolean): void;
}

export const redisCallback: Dialect<CallbackClient> = {
  name: 'redis-callback',
  send: (client, [name, ...args]) =>
    new Promise((resolve, reject) => {
      client.send_command(name, args, (error, reply) => (error ? reject(error) : resolve(reply)));
    }),
  open: (client, lost) =>
    new Promise((resolve, reject) => {
      client.on('error', (error) => {
        lost(error);
        reject(error);
      });
      client.on('end', () => {
        lost();
        // Comes before the error that would tell the reason. After "ready" it changes nothing here.
        reject(new Error('cannot connect'));
      });
      client.on('ready', () => resolve(undefined));
      client.unref();
    }),
  // Not in the turn of an error event: the client may be in the midst of a chunk of replies, and throws at those whose commands are gone.
  end: (client) => setImmediate(() => client.end(true)),
};

/** Settings of a client of rewt's own: fails at once instead of queueing, and adds nothing to names. */
export const oneShot = {
  prefix: null,
  no_ready_check: true,
  enable_offline_queue: false,
  retry_unfulfilled_commands: false,
  // Asked once the connection is over; no number means that there will be no other.
  retry_strategy: () => undefined,
};

export function redisCallbackPort(client: CallbackClient): RedisPort {
  const { prefix } = client.options;
  const source: ClientSource<CallbackClient> = {
    keyPrefix: prefix ?? '',
    // This family puts its prefix before the keys of every command.
    borrowed: () => (prefix ? null : client),
    create: () => client.duplicate(oneShot),
  };
  return createPort(redisCallback, source);
}
