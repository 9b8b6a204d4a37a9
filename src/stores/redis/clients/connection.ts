/** A connection made from a client of rewt: opened once, and ended for good when it is lost. */

import { asStoreError, whileConnecting } from '../errors.js';
import { asError, sendAll, settle } from './outcomes.js';
import type { Command, Connection, Reply } from './port.js';

/** The operations of a client family on a client that rewt made. */
export interface Dialect<Client> {
  readonly name: 'node-redis' | 'ioredis' | 'redis-callback';
  /** Passes one command to the client, which keeps the order of the commands of one turn. */
  send(client: Client, command: Command): Promise<unknown>;
  /**
   * Connects a client that rewt made, unref'd and without reconnection: a client that reconnects
   * keeps idle processes alive and repeats old commands. Listens to its errors, and calls `lost`
   * when it has ended, with the reason if there is one.
   */
  open(client: Client, lost: (reason?: unknown) => void): Promise<unknown>;
  /**
   * Subscribes to one channel, and passes on the messages as the client returns them. They are
   * Buffers if the client would corrupt strings.
   */
  subscribe(client: Client, channel: string, onMessage: (message: unknown) => void): Promise<unknown>;
  /** Sends a PING. Also works on a subscribed client, which allows few other commands. */
  ping(client: Client): Promise<unknown>;
  /** Ends a client that rewt made, at once, in any state. */
  end(client: Client): unknown;
}

/**
 * Opens a new client; `signal` ends it, in any state.
 * @throws the client's own error, if it cannot connect
 */
export async function openConnection<Client>(
  dialect: Dialect<Client>,
  client: Client,
  isOwner: () => boolean,
  signal: AbortSignal,
): Promise<Connection> {
  const onLoss: (() => void)[] = [];
  let isLost = false;
  let reason: Error | undefined;

  // A client that has already ended may throw or reject here; that needs no handling.
  const end = () => void settle(() => dialect.end(client));
  function lose(why?: unknown): void {
    if (why instanceof Error) reason ??= why;
    if (isLost || signal.aborted) return;
    isLost = true;
    end();
    for (const callback of onLoss) callback();
  }
  const lost = (): Error => reason ?? new Error('connection lost');

  signal.addEventListener('abort', end, { once: true });
  try {
    const opening = dialect.open(client, lose);
    if (signal.aborted) end();
    await unlessAborted(opening, signal);
  } catch (error) {
    lose(error);
    throw whileConnecting(asError(error));
  }
  if (isLost || signal.aborted) throw lost();

  return {
    async send(commands) {
      const outcomes = await sendAll((command) => dialect.send(client, command), commands);
      // For a lost connection, some clients report a closure, as if the caller had closed it.
      return isLost ? outcomes.map((outcome) => (isClosure(outcome) ? lost() : outcome)) : outcomes;
    },
    subscribe: (channel, onMessage) => dialect.subscribe(client, channel, onMessage),
    async ping() {
      const answer = await settle(() => dialect.ping(client));
      if (answer instanceof Error && (isLost || signal.aborted)) throw lost();
    },
    isOwner,
    onLost(callback) {
      if (isLost) callback();
      else onLoss.push(callback);
    },
  };
}

/**
 * Settles as `work` does, or rejects as soon as the signal aborts. Ending a client does not always
 * end its work.
 */
export function unlessAborted<T>(work: T | Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(ended());
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}

/** Creates the error of an abandoned attempt to connect. */
export function ended(): Error {
  return new Error('timed out, or was ended');
}

function isClosure(outcome: Reply | Error): boolean {
  return outcome instanceof Error && asStoreError(outcome).code === 'ERR_REWT_STORE_CLOSED';
}
