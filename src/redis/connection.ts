/** A client that rewt made, as a connection: opened once, and over for good when it is lost. */

import { asStoreError, whileConnecting } from './failure.js';
import { asError, sendAll, settle } from './outcomes.js';
import type { Command, Connection, Reply } from './port.js';

/** How a family of clients is used where the client is rewt's own. */
export interface Dialect<Client> {
  readonly name: 'node-redis' | 'ioredis' | 'redis-callback';
  /** Hands one command to the client, which keeps the order of those handed over in one turn. */
  send(client: Client, command: Command): Promise<unknown>;
  /**
   * Connects a client that rewt made, unref'ed, and never to reconnect: a client that reconnects keeps idle processes alive and runs old commands again.
   * Listens to its errors, and calls `lost` when it is over, with the reason if there is one.
   */
  open(client: Client, lost: (reason?: unknown) => void): Promise<unknown>;
  /** Subscribes to one channel, and hands over messages as the client gives them: as Buffers where it would spoil them otherwise. */
  subscribe(client: Client, channel: string, hear: (message: unknown) => void): Promise<unknown>;
  /** Also where the client is subscribed, and allows little else. */
  ping(client: Client): Promise<unknown>;
  /** Ends a client that rewt made, at once, in whatever state it is. */
  end(client: Client): unknown;
}

/**
 * Opens a client just made; `signal` ends it, in whatever state it is then.
 * @throws the client's own error, where it cannot be connected
 */
export async function openConnection<Client>(
  dialect: Dialect<Client>,
  client: Client,
  isOwner: () => boolean,
  signal: AbortSignal,
): Promise<Connection> {
  const tellLoss: (() => void)[] = [];
  let isLost = false;
  let reason: Error | undefined;

  // A client that is over already may throw or reject here; there is nothing left to do about it.
  const end = () => void settle(() => dialect.end(client));
  function lose(why?: unknown): void {
    if (why instanceof Error) reason ??= why;
    if (isLost || signal.aborted) return;
    isLost = true;
    end();
    for (const tell of tellLoss) tell();
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
      // Of a lost connection some clients say that it is closed, as if somebody had wanted that.
      return isLost ? outcomes.map((outcome) => (isClosure(outcome) ? lost() : outcome)) : outcomes;
    },
    subscribe: (channel, hear) => dialect.subscribe(client, channel, hear),
    async ping() {
      const answer = await settle(() => dialect.ping(client));
      if (answer instanceof Error && (isLost || signal.aborted)) throw lost();
    },
    isOwner,
    onLost(tell) {
      if (isLost) tell();
      else tellLoss.push(tell);
    },
  };
}

/** Settles as `work` does, or rejects as soon as the signal says so: no client is sure to end what it is about just because it was ended. */
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

/** The failure of an attempt to connect that was given up. */
export function ended(): Error {
  return new Error('timed out, or was ended');
}

function isClosure(outcome: Reply | Error): boolean {
  return outcome instanceof Error && asStoreError(outcome).code === 'ERR_REWT_STORE_CLOSED';
}
