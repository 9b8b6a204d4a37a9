/**
 * The choice between the borrowed client and a dedicated connection beside a dead one
 * (docs/adr/0022).
 */

import { StoreError } from '../../../errors.js';
import { asStoreError } from '../errors.js';
import type { Command, Connection, Outcomes, RedisPort, Reply } from './port.js';

/** The number of time-outs in a row after which a borrowed client counts as silent. */
const MAX_MISSES = 2;
/** The time after a failed attempt until a silent client is tried again. */
const PROBE_EVERY_MS = 1_000;

/** Checks if the outcomes of a read show the lineage that the member holds. */
export type ShowsLineage = (outcomes: Outcomes) => boolean;

/** The route to one server of a port. */
export class Route {
  readonly #port: RedisPort;
  readonly #key: string;
  /** Time-outs in a row through the borrowed client. */
  #misses = 0;
  /** The dedicated connection on which a read has shown the lineage. */
  #proven: Connection | null = null;
  /**
   * True if rewt has used a dedicated connection, and has not yet read the same state through the
   * client.
   */
  #besideBefore = false;
  /**
   * The database in which the member found its lineage; null: none yet, undefined: the client does
   * not show it.
   */
  #database: number | undefined | null = null;
  #probing = false;
  #probedAtMs = Number.NEGATIVE_INFINITY;

  /** @param key any key in the scope of this route */
  constructor(port: RedisPort, key: string) {
    this.#port = port;
    this.#key = key;
  }

  /** Sends on the route that the last read proved right. */
  async send(commands: readonly Command[]): Promise<Outcomes> {
    if (this.#hasMoved()) return [moved()];
    if (!this.#port.borrows()) return this.#port.send(commands, this.#key);
    if (this.#besideBefore) return this.#beside(commands);
    if (this.#isSilent && this.#proven !== null) {
      const connection = await this.#port.beside(this.#key);
      if (connection === this.#proven) return connection.send(commands);
    }
    return this.#borrowed(commands);
  }

  /**
   * Sends a read, whose outcomes decide the route. A member without a lineage (`null`) accepts what
   * its client shows.
   */
  async read(commands: readonly Command[], shows: ShowsLineage | null): Promise<Outcomes> {
    if (shows !== null && this.#hasMoved()) return [moved()];
    const outcomes = await this.#read(commands, shows);
    // Not before: redis 2 and 3 show the selected database only after the reply.
    if (shows === null) this.#database = this.#port.database();
    return outcomes;
  }

  async #read(commands: readonly Command[], shows: ShowsLineage | null): Promise<Outcomes> {
    if (!this.#port.borrows()) {
      this.#besideBefore ||= this.#port.client !== this.#port;
      return this.#port.send(commands, this.#key);
    }
    if (this.#isSilent && shows !== null) {
      this.#probe();
      const connection = await this.#port.beside(this.#key);
      const outcomes = await connection.send(commands);
      if (connection === this.#proven || shows(outcomes)) {
        this.#proven = connection;
        return outcomes;
      }
    }
    const outcomes = await this.#borrowed(commands);
    if (!this.#besideBefore || outcomes.some(isError)) return outcomes;
    const hasMoved = shows !== null && !shows(outcomes) && shows(await this.#beside(commands));
    if (hasMoved) return [moved()];
    this.#besideBefore = false;
    this.#port.leave(this.#key);
    return outcomes;
  }

  /** Reports that a call started at `begunAtMs` timed out. */
  timedOut(begunAtMs: number): void {
    this.#port.abandon(this.#key, begunAtMs);
    this.#misses += 1;
  }

  #hasMoved(): boolean {
    return this.#database !== null && this.#port.database() !== this.#database;
  }

  get #isSilent(): boolean {
    return this.#misses >= MAX_MISSES && this.#port.noConnection === null;
  }

  async #beside(commands: readonly Command[]): Promise<Outcomes> {
    return (await this.#port.beside(this.#key)).send(commands);
  }

  async #borrowed(commands: readonly Command[]): Promise<Outcomes> {
    const outcomes = await this.#port.send(commands, this.#key);
    if (outcomes.some(isAnswer)) {
      if (this.#isSilent) this.#port.leave(this.#key);
      this.#misses = 0;
      this.#proven = null;
    } else if (outcomes.some(isTimeout)) {
      this.#misses += 1;
    } else if (!this.#isSilent) {
      // A client that noticed the loss reconnects by itself.
      this.#misses = 0;
    }
    return outcomes;
  }

  /**
   * Tries the borrowed client again, with one command at a time. A reply ends the use of the
   * dedicated connection.
   */
  #probe(): void {
    if (this.#probing || performance.now() - this.#probedAtMs < PROBE_EVERY_MS) return;
    this.#probing = true;
    void this.#borrowed([['PING']]).then(() => {
      this.#probing = false;
      this.#probedAtMs = performance.now();
    });
  }
}

function isError(outcome: Reply | Error): boolean {
  return outcome instanceof Error;
}

/** Checks if a server sent this, not the client alone. */
function isAnswer(outcome: Reply | Error): boolean {
  if (!(outcome instanceof Error)) return true;
  const { code } = asStoreError(outcome);
  return code !== 'ERR_REWT_STORE_TIMEOUT' && code !== 'ERR_REWT_STORE_DOWN' && code !== 'ERR_REWT_STORE_CLOSED';
}

function isTimeout(outcome: Reply | Error): boolean {
  return outcome instanceof Error && asStoreError(outcome).code === 'ERR_REWT_STORE_TIMEOUT';
}

function moved(): StoreError {
  return new StoreError(
    'ERR_REWT_STORE_DOWN',
    'The Redis client is now in another database than this keyring, or at another server: connect it ' +
      'and select its database before the first call, or give the database among its options.',
  );
}
