/**
 * The port to Redis clients: everything that rewt needs of one, so that the differences stay in the
 * adapters.
 */

import type { ClientWarning } from '../../store.js';
import type { Address } from '../errors.js';

/**
 * A reply in the form that every client supports: the adapter turns Buffers and numbers into
 * strings.
 */
export type Reply = string | null | readonly Reply[];

/** One command and its arguments, the upper-case name first, without the client's key prefix. */
export type Command = readonly [name: string, ...args: string[]];

/** One outcome for each command: the reply, or the Error of Redis or the client. */
export type Outcomes = readonly (Reply | Error)[];

export interface RedisPort {
  /** The family of the client. */
  readonly dialect: 'node-redis' | 'ioredis' | 'redis-callback' | 'glide';
  /**
   * The key prefix of the user's client. It is part of rewt's own names, and `send` never adds it
   * again.
   */
  readonly keyPrefix: string;
  /**
   * The user's client, or the port itself. Ports with the same client can share the connections
   * beside it.
   */
  readonly client: object;
  /** Warnings about this client, each with its remedy. */
  readonly clientWarnings: readonly ClientWarning[];
  /**
   * The reason why no dedicated connection is possible, in a sentence; null: `connect` makes one.
   */
  readonly noConnection: string | null;
  /**
   * Sends the commands in order on one connection to the master that holds `key`, without waiting
   * between them. All their keys share its slot. Never rejects. It may be slow or never settle: the
   * caller sets the deadline.
   */
  send(commands: readonly Command[], key: string): Promise<Outcomes>;
  /**
   * Returns the client's address for messages. Null if it does not show that, or has several
   * servers.
   */
  address(): Address | null;
  /** Returns the current database of the user's client; undefined if it does not show that. */
  database(): number | undefined;
  /** Checks if `send` uses the user's client now. */
  borrows(): boolean;
  /**
   * Returns the dedicated connection that serves `key`, opened at the first use. It stays the same
   * until it is lost or abandoned. Rejects as `connect` does.
   */
  beside(key: string): Promise<Connection>;
  /** Ends the connection that `beside` returned, if there is one. */
  leave(key: string): void;
  /**
   * Opens a connection beside the client, to the master that holds `key`. The signal ends it,
   * opened or not. Rejects with the client's error if it cannot connect.
   */
  connect(key: string, signal: AbortSignal): Promise<Connection>;
  /** Returns the scope of `key`: one connection serves all keys of one scope. */
  scope(key: string): string;
  /**
   * Reports that a call for `key`, started at `begunAtMs` (of `performance.now()`), timed out.
   *
   * If a dedicated connection was open by then and owes a reply, it takes no more calls, and the
   * next `send` opens another. It ends once it owes no reply, or after some seconds. If one is
   * being opened, another attempt starts in parallel. Each happens at most once a second. A
   * borrowed connection is left alone.
   */
  abandon(key: string, begunAtMs: number): void;
  /** Closes only the connections of the port, except those that `connect` returned. Idempotent. */
  close(): Promise<void>;
}

/** A dedicated connection: opened once and never again; it does not keep the process alive. */
export interface Connection {
  /** Sends as `RedisPort.send` does, on this connection. Not after `subscribe`. */
  send(commands: readonly Command[]): Promise<Outcomes>;
  /**
   * Calls `onMessage` with each message on `channel`, in the client's form. A message is
   * only a hint.
   */
  subscribe(channel: string, onMessage: (message: unknown) => void): Promise<unknown>;
  /** Settles as soon as Redis has sent any reply, even an error; also after `subscribe`. */
  ping(): Promise<unknown>;
  /** Checks if the client would still send commands for the key to this node. */
  isOwner(): boolean;
  /**
   * Calls `lost` once when the connection ends without a call of `end`; at once if it has already
   * ended.
   */
  onLost(lost: () => void): void;
}
