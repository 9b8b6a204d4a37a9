/** Publishes each call on `rewt:operation`. Measures nothing if the channel has no subscriber. */

import type { RewtError } from '../errors.js';
import type { Clock } from '../time/clock.js';
import { type OperationMessage, publish } from './channels.js';

type Operation = OperationMessage['operation'];

export interface OperationsOptions {
  readonly namespace: string;
  readonly clock: Clock;
  /** Returns the kind of secret that signed a token that was just verified. */
  secretOf(token: string): OperationMessage['secret'];
}

export class Operations {
  readonly #options: OperationsOptions;

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  /** Runs `work` and publishes its outcome. `token` is the verified token, if there is one. */
  async trace<T>(operation: Operation, work: () => Promise<T>, token?: string): Promise<T> {
    const publishEnd = this.#begin(operation, token);
    try {
      const result = await work();
      publishEnd(null);
      return result;
    } catch (error) {
      publishEnd(error);
      throw error;
    }
  }

  traceSync<T>(operation: Operation, work: () => T, token?: string): T {
    const publishEnd = this.#begin(operation, token);
    try {
      const result = work();
      publishEnd(null);
      return result;
    } catch (error) {
      publishEnd(error);
      throw error;
    }
  }

  #begin(operation: Operation, token: string | undefined): (error: unknown) => void {
    const { namespace, clock, secretOf } = this.#options;
    const startedMs = clock.monotonicMs();
    return (error) => {
      const durationMs = clock.monotonicMs() - startedMs;
      const secret = error === null && token !== undefined ? secretOf(token) : null;
      publish('operation', { namespace, operation, ...outcomeOf(error), durationMs, secret });
    };
  }
}

function outcomeOf(error: unknown): Pick<OperationMessage, 'outcome' | 'fault'> {
  if (error === null) return { outcome: 'ok', fault: null };
  // The public API throws only rewt's errors, unless a schema or a custom store is hostile.
  const { code, status } = (error ?? {}) as Partial<RewtError>;
  return { outcome: code ?? 'ERR_REWT_OPTION', fault: FAULTS[status ?? 500] };
}

const FAULTS = { 401: 'token', 503: 'store', 500: 'caller' } as const;
