/** A port on top of any client: the borrowed one where it can be used, else a connection of rewt's own, opened at first use. */

import { processClock } from '../clock.js';
import type { Caveat } from '../stores/store.js';
import { type Dialect, openConnection, unlessAborted } from './connection.js';
import type { Address } from './failure.js';
import { asError } from './outcomes.js';
import type { Command, Connection, Outcomes, RedisPort } from './port.js';

/** Sends commands in order on one connection of the user's client. */
export type Lent = (commands: readonly Command[], key: string) => Promise<Outcomes>;

/** Where a port's connections come from. */
export interface ClientSource<Client> {
  /** The user's client, if there is one. */
  readonly client?: object;
  readonly keyPrefix: string;
  readonly caveats?: readonly Caveat[];
  /** The way through the user's client, if it may be used now; null: a connection of rewt's own. Throws while it is not known where the client will be. */
  lend(): Lent | null;
  /** Makes a client of rewt's own for the master that holds `key`: not yet connected, without key prefix, without reconnection, speaking RESP2. */
  create(key: string): Client | Promise<Client>;
  /** As in `RedisPort`. Absent if there are several servers. */
  address?(): Address | null;
  /** The database that the user's client is in now, as `create` uses it. Absent if the client does not show it. */
  database?(): number;
  /** Names the node that holds `key`, in the client's view. Absent where there is only one. */
  ownerOf?(key: string): string | undefined;
  /** As in `RedisPort`. Absent where all keys are on one node. */
  scope?(key: string): string;
}

/** How long a connection may take to open, whatever its callers' deadlines: longer than a resolver takes for a name server that is gone. */
const OPEN_TIMEOUT_MS = 10_000;

interface OwnConnection {
  readonly opening: Promise<Connection>;
  /** Ends it, opened or not. */
  readonly abort: () => void;
  /** Once it is open. */
  connection?: Connection;
  openedAtMs?: number;
  readonly database: number | undefined;
  /** How many calls on it wait for their answers. */
  unanswered: number;
}

/** What all clients but glide's are. */
export interface Emitter {
  // biome-ignore lint/complexity/noBannedTypes: listeners are told apart by name alone.
  listeners(event: string): readonly Function[];
}

/**
 * Throws if the application does something as soon as its client is connected: that may bring the client to another database, and rewt waits for it.
 *
 * @param own the name of a listener that the client has by itself
 */
export function assertStaysWhereItIs(client: Emitter, own?: string): void {
  const listeners = [...client.listeners('connect'), ...client.listeners('ready')];
  if (listeners.some(({ name }) => name !== own)) throw new Error('the client is not connected yet');
}

export function createPort<Client>(dialect: Dialect<Client>, source: ClientSource<Client>): RedisPort {
  const scope = source.scope ?? (() => '');
  /** By scope. */
  const own = new Map<string, OwnConnection>();
  let closed = false;

  async function connect(key: string, signal: AbortSignal): Promise<Connection> {
    signal.throwIfAborted();
    let owner = source.ownerOf?.(key);
    const isOwner = (): boolean => {
      const current = source.ownerOf?.(key);
      // The user's client may have known of none yet.
      owner ??= current;
      return current === owner;
    };
    const created = source.create(key);
    // One that is there at once may be connecting already: it must not be lost before somebody can end it.
    const client = created instanceof Promise ? await unlessAborted(created, signal) : created;
    return openConnection(dialect, client, isOwner, signal);
  }

  function giveUp(key: string, opened: OwnConnection): void {
    opened.abort();
    if (own.get(key) === opened) own.delete(key);
  }

  function openOwn(key: string): OwnConnection {
    const ending = new AbortController();
    const abort = (): void => ending.abort();
    const database = source.database?.();
    const opened: OwnConnection = { opening: opening(), abort, database, unanswered: 0 };
    own.set(scope(key), opened);
    const cancel = processClock.timer(OPEN_TIMEOUT_MS, abort, 'unheard');
    const forget = (): void => giveUp(scope(key), opened);
    opened.opening
      .then((connection) => {
        opened.connection = connection;
        opened.openedAtMs = performance.now();
        connection.onLost(forget);
      }, forget)
      .finally(() => cancel());
    return opened;

    async function opening(): Promise<Connection> {
      const connection = await connect(key, ending.signal);
      return {
        ...connection,
        async send(commands) {
          opened.unanswered += 1;
          try {
            return await connection.send(commands);
          } finally {
            opened.unanswered -= 1;
          }
        },
      };
    }
  }

  async function beside(key: string): Promise<Connection> {
    for (;;) {
      if (closed) throw new Error('connection is closed');
      let opened = own.get(scope(key));
      if (opened !== undefined && !isInPlace(opened)) {
        giveUp(scope(key), opened);
        opened = undefined;
      }
      opened ??= openOwn(key);
      const connection = await opened.opening;
      // The user's client may have moved meanwhile.
      if (opened.database === source.database?.()) return connection;
    }
  }

  function isInPlace({ database, connection }: OwnConnection): boolean {
    return database === source.database?.() && connection?.isOwner() !== false;
  }

  const port: RedisPort = {
    dialect: dialect.name,
    keyPrefix: source.keyPrefix,
    get client() {
      return source.client ?? port;
    },
    caveats: source.caveats ?? [],
    noConnection: null,
    async send(commands, key) {
      try {
        const lent = source.lend();
        return await (lent === null ? (await beside(key)).send(commands) : lent(commands, key));
      } catch (error) {
        return commands.map(() => asError(error));
      }
    },
    address: () => source.address?.() ?? null,
    database: () => source.database?.(),
    borrows() {
      try {
        return source.lend() !== null;
      } catch {
        return true;
      }
    },
    beside,
    leave(key) {
      const opened = own.get(scope(key));
      if (opened !== undefined) giveUp(scope(key), opened);
    },
    connect,
    scope,
    abandon(begunAtMs) {
      // One that is being opened is what the next call needs; one that was opened since has not had its time.
      for (const [key, opened] of own) {
        if (opened.unanswered > 0 && (opened.openedAtMs ?? begunAtMs) < begunAtMs) giveUp(key, opened);
      }
    },
    async close() {
      closed = true;
      for (const [key, opened] of own) giveUp(key, opened);
    },
  };
  return port;
}
