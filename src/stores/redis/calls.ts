/**
 * The calls of a store: each by the route to its server, again after a passing failure, and over
 * within its deadline.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '../../async/race.js';
import { StoreError } from '../../errors.js';
import { asError } from './clients/outcomes.js';
import type { Outcomes, RedisPort } from './clients/port.js';
import { Route } from './clients/route.js';
import { asStoreError, isPassing } from './errors.js';
import { keyRules, type Role } from './rights.js';

const FIRST_PAUSE_MS = 25;
const MAX_PAUSE_MS = 200;
/**
 * The margin before the deadline in which the last error of Redis is reported; later there is only
 * a time-out to report.
 */
const GRACE_MS = 25;

/** One call. It may be sent several times. */
export interface Call<T> {
  /** A key of the server that is to answer. */
  readonly key: string;
  readonly timeoutMs: number;
  send(route: Route): Promise<Outcomes>;
  /** Returns the answer, or the error that is its place. Throws for replies of another kind. */
  answerOf(outcomes: Outcomes): T | Error;
}

export class Calls {
  readonly #port: RedisPort;
  readonly #role: Role;
  /** By scope. */
  readonly #routes = new Map<string, Route>();
  #closed = false;

  /** @param role whose rights an error names */
  constructor(port: RedisPort, role: Role) {
    this.#port = port;
    this.#role = role;
  }

  routeFor(key: string): Route {
    const scope = this.#port.scope(key);
    const route = this.#routes.get(scope) ?? new Route(this.#port, key);
    this.#routes.set(scope, route);
    return route;
  }

  /**
   * Sends until there is an answer or a lasting failure. Throws at the deadline, whatever the
   * client does.
   */
  async ask<T>({ key, timeoutMs, send, answerOf }: Call<T>): Promise<T> {
    const port = this.#port;
    const route = this.routeFor(key);
    const begunAtMs = performance.now();
    const deadlineMs = begunAtMs + timeoutMs;
    let last: StoreError | undefined;
    const sending = async (): Promise<T> => {
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
        this.#assertOpen();
        const outcomes = await send(route).catch((error: unknown) => [asError(error)]);
        this.#assertOpen();
        const answer = answerOf(outcomes);
        if (!(answer instanceof Error)) return answer;
        last = asStoreError(answer, port.address(), keyRules(key, port.keyPrefix, this.#role));
        if (!isPassing(answer) || performance.now() + pauseMs + GRACE_MS >= deadlineMs) throw last;
        await sleep(pauseMs);
      }
    };
    return within(timeoutMs, sending(), () => {
      route.timedOut(begunAtMs);
      // The earlier error of Redis is more specific than its silence now.
      if (last !== undefined) return last;
      return new StoreError(
        'ERR_REWT_STORE_TIMEOUT',
        'Redis did not answer in time: check that it is up and reachable, and that it speaks TLS if the ' +
          'client does (rediss://).',
      );
    });
  }

  /** Calls that are under way fail once they have an answer. */
  close(): void {
    this.#closed = true;
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreError('ERR_REWT_STORE_CLOSED', 'The store has been closed.');
  }
}
