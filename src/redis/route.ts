/** Which way commands take: through the borrowed client, or on a connection of rewt's own beside one that has died (docs/adr/0022). */

import { StoreError } from '../errors.js';
import { asStoreError } from './failure.js';
import type { Command, Connection, Outcomes, RedisPort, Reply } from './port.js';

/** Time-outs in a row after which a borrowed client counts as silent. */
const MAX_MISSES = 2;
/** How long after a failed attempt a silent client is tried again. */
const PROBE_EVERY_MS = 1_000;

/** Whether the outcomes of a read show the lineage that the member holds. */
export type ShowsLineage = (outcomes: Outcomes) => boolean;

/** The way to one server of a port. */
export class Route {
  readonly #port: RedisPort;
  readonly #key: string;
  /** Time-outs in a row through the borrowed client. */
  #misses = 0;
  /** The connection beside the client on which a read has shown the lineage. */
  #proven: Connection | null = null;
  /** Whether rewt has worked beside the client, and has not yet seen through it what it saw there. */
  #besideBefore = false;
  /** The database where the member that holds a lineage found it; null: none yet, undefined: the client does not show it. */
  #database: number | undefined | null = null;
  #probing = false;
  #probedAtMs = Number.NEGATIVE_INFINITY;

  /** @param key any key in the scope that this route serves */
  constructor(port: RedisPort, key: string) {
    this.#port = port;
    this.#key = key;
  }

  /** Sends by the way that the last read has shown to be right. */
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

  /** Sends a read, whose outcomes decide on the way. A member that holds no lineage (`null`) takes what its client shows. */
  async read(commands: readonly Command[], shows: ShowsLineage | null): Promise<Outcomes> {
    if (shows !== null && this.#hasMoved()) return [moved()];
    const outcomes = await this.#read(commands, shows);
    // Not before: redis 2 and 3 show what they select once it is answered.
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

  /** Reports that a call which began at `begunAtMs` had no answer in time. */
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
      // A client that noticed its loss connects again by itself.
      this.#misses = 0;
    }
    return outcomes;
  }

  /** Tries the borrowed client again, with one command at a time: an answer ends the detour. */
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

/** Whether a server said this, and not the client alone. */
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
    'The Redis client is now in another database than this keyring, or at another server: connect it and select its database before the first call, or give the database among its options.',
  );
}
