/** All that rewt needs of a Redis client: one narrow port, so that a client's habits end in its own adapter. */

import type { Caveat } from '../stores/store.js';
import type { Address } from './failure.js';

/** Replies as every client can give them: Buffers and numbers are turned into strings by the adapter. */
export type Reply = string | null | readonly Reply[];

/** One command and its arguments, upper-case name first, without any key prefix of the client's. */
export type Command = readonly [name: string, ...args: string[]];

/** One outcome for each command: the reply, or the Error that Redis or the client gave for it. */
export type Outcomes = readonly (Reply | Error)[];

export interface RedisPort {
  /** Which family of clients this is. */
  readonly dialect: 'node-redis' | 'ioredis' | 'redis-callback' | 'glide';
  /** What the user's client puts before every key; rewt folds it into its own names, and `send` never adds it again. */
  readonly keyPrefix: string;
  /** The user's client, or the port itself: ports with the same one can share what is opened beside it. */
  readonly client: object;
  /** What the user ought to know about this client, each with its remedy. */
  readonly caveats: readonly Caveat[];
  /** Why there can be no connection beside this client, in a sentence; null: `connect` makes one. */
  readonly noConnection: string | null;
  /**
   * Sends the commands in order on one connection to the master that holds `key`, without waiting between them. All keys in them share its slot.
   * Never rejects; may be slow, or never settle: the caller brings the deadline.
   */
  send(commands: readonly Command[], key: string): Promise<Outcomes>;
  /** Where the client connects to, for messages; null if it does not show that, or has several servers. */
  address(): Address | null;
  /** The database that the user's client is in now; undefined if it does not show that. */
  database(): number | undefined;
  /** Whether `send` goes through the user's client now. */
  borrows(): boolean;
  /** The connection of rewt's own that serves `key`, the same one until it is lost or given up; opened at first use. Rejects as `connect` does. */
  beside(key: string): Promise<Connection>;
  /** Ends the connection that `beside` gave, if there is one. */
  leave(key: string): void;
  /** Opens a connection beside the client, to the master that holds `key`; the signal ends it, opened or not. Rejects with the client's error where it cannot. */
  connect(key: string, signal: AbortSignal): Promise<Connection>;
  /** What `key` shares with the other keys on its node: one connection serves all keys with the same. */
  scope(key: string): string;
  /**
   * Reports that a call for `key` which began at `begunAtMs` (of `performance.now()`) had no answer in time.
   *
   * A connection of rewt's own for it that was open by then and owes an answer takes no more calls, so that the
   * next `send` opens another; it ends once it owes none, or after some seconds. If one is being opened, another
   * attempt begins beside it. Either happens once a second at most. Does nothing to a borrowed one.
   */
  abandon(key: string, begunAtMs: number): void;
  /** Closes only what the port opened itself, but for what `connect` gave. Idempotent. */
  close(): Promise<void>;
}

/** A connection of rewt's own: opened once and never again, no reason for a process to stay alive. */
export interface Connection {
  /** As `RedisPort.send`, on this connection. Not after `subscribe`. */
  send(commands: readonly Command[]): Promise<Outcomes>;
  /** Calls `hear` with each message on `channel`: whatever the client made of it, to be taken as a hint only. */
  subscribe(channel: string, hear: (message: unknown) => void): Promise<unknown>;
  /** Settles as soon as Redis has answered anything at all, an error reply too; also after `subscribe`. */
  ping(): Promise<unknown>;
  /** Whether this is still the node that the client would send commands for the key to. */
  isOwner(): boolean;
  /** Calls `lost` once, when the connection is over and nobody ended it; at once, where it is over already. */
  onLost(lost: () => void): void;
}
