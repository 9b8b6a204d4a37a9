/**
 * The seal keys of one member: given at the start, or by a function that asks a key management
 * service.
 */

import { detached } from '../async/detached.js';
import { within } from '../async/race.js';
import { isRewtError, StoreError } from '../errors.js';
import type { SealKey } from '../seal/seal-key.js';
import type { Clock } from '../time/clock.js';

/** How long one call of the function may take, whatever waits for it. */
const CALL_TIMEOUT_MS = 10_000;
/** From the end of a call to the next, doubled after each. */
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;
/** Far more than a function returns that has all keys of a keyring. */
const MAX_HELD = 16;

/** Returns all keys that a member opens, the one to seal with first. */
export type SealKeySource = () => Promise<readonly SealKey[]>;

export class SealKeys {
  readonly #source: SealKeySource | null;
  readonly #clock: Clock;
  #held: ReadonlyMap<string, SealKey> = new Map();
  #asking: Promise<void> | null = null;
  #failure = 'has not answered yet';
  #pauseMs = FIRST_PAUSE_MS;
  #nextAtMs = Number.NEGATIVE_INFINITY;

  constructor(given: readonly SealKey[] | SealKeySource, clock: Clock) {
    this.#source = typeof given === 'function' ? given : null;
    this.#clock = clock;
    if (typeof given !== 'function') this.#held = byId(given);
  }

  /** The keys by their ids; empty before the function has answered. */
  get held(): ReadonlyMap<string, SealKey> {
    return this.#held;
  }

  get ids(): readonly string[] {
    return [...this.#held.keys()];
  }

  /** The id of the key to seal with. @throws {StoreError} as `ready` */
  first(): string {
    const [id] = this.#held.keys();
    if (id === undefined) throw this.#away();
    return id;
  }

  /**
   * Waits for the first answer of the function, at most `timeoutMs`.
   *
   * @throws {StoreError} ERR_REWT_RING_SEALED if there is none; the call goes on
   */
  async ready(timeoutMs: number): Promise<void> {
    if (this.#held.size > 0) return;
    await within(timeoutMs, this.#ask(), () => this.#away(), this.#clock);
    if (this.#held.size === 0) throw this.#away();
  }

  /**
   * Calls the function again, because a ring names a key that it did not return. Waits for nothing:
   * a writer of random ids must neither delay a request nor buy calls.
   */
  askAgain(): void {
    if (this.#source !== null) void this.#ask();
  }

  /** Never rejects. */
  #ask(): Promise<void> {
    if (this.#asking !== null) return this.#asking;
    if (this.#source === null || this.#clock.monotonicMs() < this.#nextAtMs) return Promise.resolve();
    const source = this.#source;
    const call = async (): Promise<readonly SealKey[]> => source();
    const late = () => new Error('late');
    this.#asking = detached(() => within(CALL_TIMEOUT_MS, call(), late, this.#clock, 'unref')).then(
      (keys) => this.#answered(keys),
      (error: unknown) => this.#ended(`failed (${errorInWords(error)})`),
    );
    return this.#asking;
  }

  #answered(keys: readonly SealKey[]): void {
    // The ring may be under one that was returned before.
    this.#held = new Map([...byId(keys), ...this.#held].slice(0, MAX_HELD));
    this.#ended('returned no key');
  }

  #ended(failure: string): void {
    this.#failure = failure;
    this.#asking = null;
    this.#nextAtMs = this.#clock.monotonicMs() + this.#pauseMs;
    this.#pauseMs = Math.min(2 * this.#pauseMs, MAX_PAUSE_MS);
  }

  #away(): StoreError {
    return new StoreError(
      'ERR_REWT_RING_SEALED',
      `There is no seal key: the function \`sealKey\` ${this.#failure}. It is called again; check that ` +
        'what it asks can be reached.',
    );
  }
}

function byId(keys: readonly SealKey[]): ReadonlyMap<string, SealKey> {
  return new Map(keys.map((key) => [key.id, key]));
}

/**
 * Says why there is no key: in the words of this option's own errors, by the name of a foreign one.
 * The message of that may contain an address or a secret.
 */
function errorInWords(error: unknown): string {
  try {
    if (isRewtError(error)) return error.message;
    const name = error instanceof Error ? error.name : '';
    return /^[A-Z][A-Za-z]{0,50}(Error|Exception)$/.test(name) ? name : 'Error';
  } catch {
    return 'Error'; // Its name is a symbol, or a getter that throws.
  }
}
