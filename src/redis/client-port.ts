/** A port on top of any client: the borrowed one where it is connected, else a connection of rewt's own, opened at first use. */

import { asStoreError } from './failure.js';
import type { Command, RedisPort, Reply } from './port.js';

/** What differs between the families of clients. */
export interface Dialect<Client> {
  readonly name: RedisPort['dialect'];
  /** Hands one command to the client, which keeps the order of those handed over in one turn. */
  send(client: Client, command: Command): Promise<unknown>;
  /**
   * Connects a client that rewt made, unref'ed, and never to reconnect: a client that reconnects keeps idle processes alive and runs old commands again.
   * Listens to its errors, and calls `lost` when it is over, with the reason if there is one.
   */
  open(client: Client, lost: (reason?: unknown) => void): Promise<unknown>;
  /** Ends a client that rewt made, at once, in whatever state it is. */
  end(client: Client): unknown;
}

/** Where a port's clients come from. */
export interface ClientSource<Client> {
  readonly keyPrefix: string;
  /** The user's client, if it may be used now; null: use one of rewt's own. */
  borrowed(): Client | null;
  /** Makes a client of rewt's own: not yet connected, without key prefix, without reconnection. */
  create(): Client;
}

interface OwnConnection<Client> {
  readonly client: Client;
  readonly opened: Promise<unknown>;
  /** Why it is over. */
  lostBy?: Error;
}

export function createPort<Client>(dialect: Dialect<Client>, source: ClientSource<Client>): RedisPort {
  let own: OwnConnection<Client> | null = null;
  let closed = false;

  function end(connection: OwnConnection<Client> | null): void {
    if (own === connection) own = null;
    if (connection === null) return;
    // A client that is over already may throw or reject here; there is nothing left to do about it.
    void settle(() => dialect.end(connection.client));
  }

  function open(): OwnConnection<Client> {
    const client = source.create();
    let connection: OwnConnection<Client> | null = null;
    const lost = (reason?: unknown): void => {
      if (connection !== null && reason instanceof Error) connection.lostBy ??= reason;
      end(connection);
    };
    connection = { client, opened: Promise.resolve(dialect.open(client, lost)) };
    connection.opened.catch(lost);
    return connection;
  }

  async function sendOwn(commands: readonly Command[]): Promise<readonly (Reply | Error)[]> {
    if (closed) throw new Error('connection is closed');
    own ??= open();
    const connection = own;
    await connection.opened;
    const outcomes = await sendAll(dialect, connection.client, commands);
    return outcomes.map((outcome) => {
      // Of a lost connection some clients say that it is closed, as if somebody had wanted that.
      const isLost = own !== connection && isClosure(outcome);
      return isLost ? (connection.lostBy ?? new Error('connection lost')) : outcome;
    });
  }

  return {
    dialect: dialect.name,
    keyPrefix: source.keyPrefix,
    async send(commands) {
      try {
        const borrowed = source.borrowed();
        return await (borrowed === null ? sendOwn(commands) : sendAll(dialect, borrowed, commands));
      } catch (error) {
        return commands.map(() => asError(error));
      }
    },
    abandon: () => end(own),
    async close() {
      closed = true;
      end(own);
    },
  };
}

/** All commands are handed over before the first answer is waited for. */
function sendAll<Client>(
  dialect: Dialect<Client>,
  client: Client,
  commands: readonly Command[],
): Promise<readonly (Reply | Error)[]> {
  return Promise.all(commands.map((command) => settle(() => dialect.send(client, command))));
}

async function settle(act: () => unknown): Promise<Reply | Error> {
  try {
    return asReply(await act());
  } catch (error) {
    return asError(error);
  }
}

/** Clients can be told to give Buffers where Redis gave strings. */
function asReply(value: unknown): Reply {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map(asReply);
  return String(value);
}

function isClosure(outcome: Reply | Error): boolean {
  return outcome instanceof Error && asStoreError(outcome).code === 'ERR_REWT_STORE_CLOSED';
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('the client failed');
}
