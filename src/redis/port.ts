/** All that rewt needs of a Redis client: one narrow port, so that a client's habits end in its own adapter. */

/** Replies as every client can give them: Buffers and numbers are turned into strings by the adapter. */
export type Reply = string | null | readonly Reply[];

/** One command and its arguments, upper-case name first, without any key prefix of the client's. */
export type Command = readonly [name: string, ...args: string[]];

export interface RedisPort {
  /** Which family of clients this is. */
  readonly dialect: 'node-redis' | 'ioredis' | 'redis-callback';
  /** What the user's client puts before every key; rewt folds it into its own names, and `send` never adds it again. */
  readonly keyPrefix: string;
  /**
   * Sends the commands in order on one connection to the master that holds `key`, without waiting between them, and answers with one outcome each:
   * the reply, or the Error that Redis or the client gave for it. Never rejects; may be slow, or never settle: the caller brings the deadline.
   */
  send(commands: readonly Command[], key: string): Promise<readonly (Reply | Error)[]>;
  /** Gives up a connection that did not answer in time, so that the next `send` opens another. Does nothing to a borrowed one. */
  abandon(): void;
  /** Closes only what the port opened itself. Idempotent. */
  close(): Promise<void>;
}
