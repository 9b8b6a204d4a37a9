/** A port on top of any client: the borrowed one where it can be used, else a connection of rewt's own, opened at first use. */

import { processClock } from '../clock.js';
import type { Caveat } from '../stores/store.js';
import { type Dialect, openConnection, unlessAborted } from './connection.js';
import type { Address } from './failure.js';
import { OPEN_TIMEOUT_MS, type Opening, openByAttempts, PACE_MS } from './opening.js';
import { asError, settle } from './outcomes.js';
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
  /** Has the user's client look which node holds `key` now. Absent if there is only one node. */
  lookAgain?(key: string): unknown;
  /** As in `RedisPort`. Absent where all keys are on one node. */
  scope?(key: string): string;
}

/** Connections at once to one node that take no more calls, because they were silent. */
const MAX_RETIRED = 4;

interface OwnConnection {
  readonly scope: string;
  readonly opening: Opening;
  /** The connection, with `unanswered` counted. */
  readonly connected: Promise<Connection>;
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
  /** Each with what cancels its end. */
  const retired = new Map<OwnConnection, () => void>();
  /** By scope, when the last one was retired. */
  const retiredAtMs = new Map<string, number>();
  /** By scope, when the user's client was last made to look again. */
  const lookedAtMs = new Map<string, number>();
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
    try {
      return await openConnection(dialect, client, isOwner, signal);
    } catch (error) {
      // Through this connection alone, the user's client learns nothing of a new owner.
      if (!signal.aborted) lookAgain(key);
      throw error;
    }
  }

  function lookAgain(key: string): void {
    if (isPaced(lookedAtMs, scope(key))) void settle(() => source.lookAgain?.(key));
  }

  function giveUp(opened: OwnConnection): void {
    opened.opening.abort();
    if (own.get(opened.scope) === opened) own.delete(opened.scope);
    retired.get(opened)?.();
    retired.delete(opened);
  }

  /** Keeps it from new calls. Those that wait on it may still get their answers: each has its own deadline. */
  function retire(opened: OwnConnection): void {
    if (!isPaced(retiredAtMs, opened.scope)) return;
    own.delete(opened.scope);
    const end = (): void => giveUp(opened);
    retired.set(opened, processClock.timer(OPEN_TIMEOUT_MS, end, 'unheard'));
    const [oldest, ...others] = [...retired.keys()].filter((one) => one.scope === opened.scope);
    if (others.length >= MAX_RETIRED && oldest !== undefined) giveUp(oldest);
  }

  function openOwn(key: string): OwnConnection {
    const opening = openByAttempts((signal) => connect(key, signal));
    const opened: OwnConnection = {
      scope: scope(key),
      opening,
      connected: opening.connection.then(counted),
      database: source.database?.(),
      unanswered: 0,
    };
    own.set(opened.scope, opened);
    const forget = (): void => giveUp(opened);
    opened.connected.then((connection) => {
      opened.connection = connection;
      opened.openedAtMs = performance.now();
      connection.onLost(forget);
    }, forget);
    return opened;

    function counted(connection: Connection): Connection {
      return {
        ...connection,
        async send(commands) {
          opened.unanswered += 1;
          try {
            return await connection.send(commands);
          } finally {
            opened.unanswered -= 1;
            if (opened.unanswered === 0 && retired.has(opened)) forget();
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
        giveUp(opened);
        opened = undefined;
      }
      opened ??= openOwn(key);
      const connection = await opened.connected;
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
      if (opened !== undefined) giveUp(opened);
    },
    connect,
    scope,
    abandon(key, begunAtMs) {
      lookAgain(key);
      const opened = own.get(scope(key));
      if (opened === undefined) return;
      if (opened.openedAtMs === undefined) {
        // All attempts of one opening have to lead to the same database.
        if (isInPlace(opened)) opened.opening.tryAgain();
      } else if (opened.unanswered > 0 && opened.openedAtMs < begunAtMs) {
        // One that was opened since has not had its time.
        retire(opened);
      }
    },
    async close() {
      closed = true;
      for (const opened of [...own.values(), ...retired.keys()]) giveUp(opened);
    },
  };
  return port;
}

/** Tests whether this was not done in the last `PACE_MS`, and notes that it is done now. */
function isPaced(atMs: Map<string, number>, scope: string): boolean {
  const nowMs = performance.now();
  if (nowMs - (atMs.get(scope) ?? Number.NEGATIVE_INFINITY) < PACE_MS) return false;
  atMs.set(scope, nowMs);
  return true;
}
