/**
 * A member's exchanges with its store, and what their answers change: the copy, whether the store
 * counts as away, and what the ring must grant.
 */

import { within } from '../async/race.js';
import type { Clock } from '../time/clock.js';
import { advance } from './advance.js';
import type { ChangeListener } from './change-listener.js';
import { type Command, grant } from './commands.js';
import type { CopyState } from './copy-state.js';
import { ringAwaited, timedOut } from './errors.js';
import { type Exchange, mint, type Settled, type Task } from './exchange.js';
import type { Lease } from './lease.js';
import type { MemberOptions } from './member-options.js';
import type { Needs } from './needs.js';
import type { Outage } from './outage.js';
import type { Ring } from './ring.js';

/** What the answers change. */
export interface Renewed {
  readonly copyState: CopyState;
  readonly outage: Outage;
  readonly needs: Needs;
  readonly changes: ChangeListener;
}

export class Renewal {
  readonly #options: MemberOptions;
  readonly #clock: Clock;
  readonly #exchange: Exchange;
  readonly #renewed: Renewed;
  #ended = false;

  /** What happens with each read of which something is left to decide, whatever it is for. */
  readonly #onRead: Pick<Task, 'onPlan' | 'onUnproven' | 'onMayBeDeposed'> = {
    onPlan: (...read) => this.#renewed.copyState.onPlan(...read),
    onUnproven: () => this.#renewed.copyState.markStale(),
    onMayBeDeposed: (error) => {
      if (!this.#ended) this.#renewed.outage.mayBeDeposed(error);
    },
  };

  constructor(options: MemberOptions, exchange: Exchange, renewed: Renewed) {
    this.#options = options;
    this.#clock = options.clock;
    this.#exchange = exchange;
    this.#renewed = renewed;
  }

  /** Reads the keyring, and writes what is due by the protocol's table. @throws {StoreError} */
  async refresh(): Promise<void> {
    const { outage, needs, changes } = this.#renewed;
    changes.start();
    const startedMs = this.#clock.monotonicMs();
    const report = (error: unknown): void =>
      this.#options.listener.refreshed(this.#clock.monotonicMs() - startedMs, error);
    try {
      const decide: Task['decide'] = (seen, history) => advance(seen, { policy: needs.policy, history, mint });
      await this.#exchange.run({ decide, ...this.#onRead }, this.#renew);
      report(null);
    } catch (error) {
      report(error);
      changes.check();
      if (!this.#ended) outage.failed(error);
      throw error;
    }
  }

  /**
   * Carries out what a caller wants of the keyring. @throws what the command is refused with;
   * {StoreError}
   */
  async command(command: Command): Promise<Lease> {
    let lease: Lease;
    try {
      lease = await this.#run(command);
    } catch (error) {
      // Its swap may still have happened.
      this.#renewed.copyState.markStale();
      throw error;
    }
    const refusal = command.refusal?.() ?? null;
    if (refusal !== null) throw refusal;
    return lease;
  }

  /** Nothing that comes from now on is published. */
  end(): void {
    this.#ended = true;
  }

  #run(command: Command): Promise<Lease> {
    const run = this.#exchange.run({ ...command, ...this.#onRead }, this.#renew);
    return within(this.#options.storeTimeoutMs, run, timedOut, this.#clock);
  }

  readonly #renew = (settled: Settled): Lease => {
    const { copyState, outage, needs, changes } = this.#renewed;
    if (!this.#ended) outage.answered(settled.isBehind);
    changes.check();
    const lease = copyState.renew(settled);
    this.#options.listener.renewed();
    if (!this.#ended && needs.wantsMore(settled.ring)) this.#askForMore(settled.ring);
    return lease;
  };

  /**
   * Requests a longer `ttl`, or reports that it cannot, beside all operations: none of them depends
   * on a write, and no copy is worse for a lost answer.
   */
  #askForMore({ ttl: ttlMs }: Ring): void {
    const { needs } = this.#renewed;
    const asked = this.#options.readOnly
      ? Promise.reject(ringAwaited('grant'))
      : this.#run(grant(needs.policyToVerify));
    asked.catch((error) => {
      if (this.#ended || !needs.firstRefusal()) return;
      this.#options.listener.ttlTooShort(ttlMs, needs.minTtlMs, error);
    });
  }
}
