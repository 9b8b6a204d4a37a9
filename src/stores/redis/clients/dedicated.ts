/**
 * The port for any client: it borrows the user's connection if it can, else it opens a dedicated
 * connection at the first use.
 */

import { processClock } from '../../../time/clock.js';
import type { ClientWarning } from '../../store.js';
import type { Address } from '../errors.js';
import { type Dialect, openConnection, unlessAborted } from './connection.js';
import { OPEN_TIMEOUT_MS, type Opening, openByAttempts, PACE_MS } from './opening.js';
import { asError, settle } from './outcomes.js';
import type { Command, Connection, Outcomes, RedisPort } from './port.js';

/** Sends commands in order on one connection of the user's client. */
export type Borrowed = (commands: readonly Command[], key: string) => Promise<Outcomes>;

/** The source of a port's connections. */
export interface ClientSource<Client> {
  /** The user's client, if there is one. */
  readonly client?: object;
  readonly keyPrefix: string;
  readonly clientWarnings?: readonly ClientWarning[];
  /**
   * Returns the way to send through the user's client, or null for a dedicated connection. Throws
   * while the client's database is unknown.
   */
  borrow(): Borrowed | null;
  /**
   * Makes a client of rewt for the master that holds `key`: not yet connected, without key prefix,
   * without reconnection, with RESP2.
   */
  create(key: string): Client | Promise<Client>;
  /** As in `RedisPort`. Absent if there are several servers. */
  address?(): Address | null;
  /**
   * Returns the current database of the user's client, as `create` uses it. Absent if the client
   * does not show it.
   */
  database?(): number;
  /** Names the node that holds `key`, as the client knows it. Absent if there is only one. */
  ownerOf?(key: string): string | undefined;
  /**
   * Makes the user's client look up which node holds `key` now. Absent if there is only one node.
   */
  lookAgain?(key: string): unknown;
  /** As in `RedisPort`. Absent if all keys are on one node. */
  scope?(key: string): string;
}

/** The maximum of connections to one node that timed out and take no more calls. */
const MAX_RETIRED = 4;

interface DedicatedConnection {
  readonly scope: string;
  readonly opening: Opening;
  /** The connection, which counts `unanswered`. */
  readonly connected: Promise<Connection>;
  /** Set once it is open. */
  connection?: Connection;
  openedAtMs?: number;
  readonly database: number | undefined;
  /** The number of calls in flight. */
  unanswered: number;
}

/** An event emitter, like all clients except glide's. */
export interface Emitter {
  // biome-ignore lint/complexity/noBannedTypes: listeners differ by name alone.
  listeners(event: string): readonly Function[];
}

/**
 * Throws if the application acts as soon as its client is connected. It might select another
 * database then, and rewt waits until it has.
 *
 * @param ownListener the name of a listener that the client itself adds
 */
export function assertStaysWhereItIs(client: Emitter, ownListener?: string): void {
  const listeners = [...client.listeners('connect'), ...client.listeners('ready')];
  if (listeners.some(({ name }) => name !== ownListener)) throw new Error('the client is not connected yet');
}

export function createPort<Client>(dialect: Dialect<Client>, source: ClientSource<Client>): RedisPort {
  const scope = source.scope ?? (() => '');
  /** By scope. */
  const dedicated = new Map<string, DedicatedConnection>();
  /** Each with the function that cancels its end. */
  const retired = new Map<DedicatedConnection, () => void>();
  /** The time of the last retirement, by scope. */
  const retiredAtMs = new Map<string, number>();
  /** The time of the last forced lookup by the user's client, by scope. */
  const lookedAtMs = new Map<string, number>();
  let closed = false;

  async function connect(key: string, signal: AbortSignal): Promise<Connection> {
    signal.throwIfAborted();
    let owner = source.ownerOf?.(key);
    const isOwner = (): boolean => {
      const current = source.ownerOf?.(key);
      // The user's client may have known no owner before.
      owner ??= current;
      return current === owner;
    };
    const created = source.create(key);
    // A client that is returned at once may be connecting already. It must not be lost before it
    // can be ended.
    const client = created instanceof Promise ? await unlessAborted(created, signal) : created;
    try {
      return await openConnection(dialect, client, isOwner, signal);
    } catch (error) {
      // A dedicated connection alone does not inform the user's client of a new owner.
      if (!signal.aborted) lookAgain(key);
      throw error;
    }
  }

  function lookAgain(key: string): void {
    if (isPaced(lookedAtMs, scope(key))) void settle(() => source.lookAgain?.(key));
  }

  function giveUp(opened: DedicatedConnection): void {
    opened.opening.abort();
    if (dedicated.get(opened.scope) === opened) dedicated.delete(opened.scope);
    retired.get(opened)?.();
    retired.delete(opened);
  }

  /**
   * Sends no new calls on the connection. Calls in flight may still get their replies: each has its
   * own deadline.
   */
  function retire(opened: DedicatedConnection): void {
    if (!isPaced(retiredAtMs, opened.scope)) return;
    dedicated.delete(opened.scope);
    const end = (): void => giveUp(opened);
    retired.set(opened, processClock.timer(OPEN_TIMEOUT_MS, end, 'unref'));
    const [oldest, ...others] = [...retired.keys()].filter((one) => one.scope === opened.scope);
    if (others.length >= MAX_RETIRED && oldest !== undefined) giveUp(oldest);
  }

  function openDedicated(key: string): DedicatedConnection {
    const opening = openByAttempts((signal) => connect(key, signal));
    const opened: DedicatedConnection = {
      scope: scope(key),
      opening,
      connected: opening.connection.then(counted),
      database: source.database?.(),
      unanswered: 0,
    };
    dedicated.set(opened.scope, opened);
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
      let opened = dedicated.get(scope(key));
      if (opened !== undefined && !isInPlace(opened)) {
        giveUp(opened);
        opened = undefined;
      }
      opened ??= openDedicated(key);
      const connection = await opened.connected;
      // The user's client may have changed its database meanwhile.
      if (opened.database === source.database?.()) return connection;
    }
  }

  function isInPlace({ database, connection }: DedicatedConnection): boolean {
    return database === source.database?.() && connection?.isOwner() !== false;
  }

  const port: RedisPort = {
    dialect: dialect.name,
    keyPrefix: source.keyPrefix,
    get client() {
      return source.client ?? port;
    },
    clientWarnings: source.clientWarnings ?? [],
    noConnection: null,
    async send(commands, key) {
      try {
        const borrowed = source.borrow();
        return await (borrowed === null ? (await beside(key)).send(commands) : borrowed(commands, key));
      } catch (error) {
        return commands.map(() => asError(error));
      }
    },
    address: () => source.address?.() ?? null,
    database: () => source.database?.(),
    borrows() {
      try {
        return source.borrow() !== null;
      } catch {
        return true;
      }
    },
    beside,
    leave(key) {
      const opened = dedicated.get(scope(key));
      if (opened !== undefined) giveUp(opened);
    },
    connect,
    scope,
    abandon(key, begunAtMs) {
      lookAgain(key);
      const opened = dedicated.get(scope(key));
      if (opened === undefined) return;
      if (opened.openedAtMs === undefined) {
        // All attempts of one opening must lead to the same database.
        if (isInPlace(opened)) opened.opening.tryAgain();
      } else if (opened.unanswered > 0 && opened.openedAtMs < begunAtMs) {
        // A connection that was opened since then must get its time.
        retire(opened);
      }
    },
    async close() {
      closed = true;
      for (const opened of [...dedicated.values(), ...retired.keys()]) giveUp(opened);
    },
  };
  return port;
}

/** Checks that this was not done in the last `PACE_MS`, and records that it is done now. */
function isPaced(atMs: Map<string, number>, scope: string): boolean {
  const nowMs = performance.now();
  if (nowMs - (atMs.get(scope) ?? Number.NEGATIVE_INFINITY) < PACE_MS) return false;
  atMs.set(scope, nowMs);
  return true;
}
