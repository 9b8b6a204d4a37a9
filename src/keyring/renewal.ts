/** A member's exchanges with its store, and what their answers change: the copy, whether the store counts as away, and what is asked of the ring. */

import type { Clock } from '../clock.js';
import { within } from '../deadline.js';
import { advance } from './advance.js';
import { type Command, grant } from './commands.js';
import { type Errand, type Exchange, mint, type Settled } from './exchange.js';
import type { Holding } from './holding.js';
import type { Lease } from './lease.js';
import type { MemberOptions } from './member-options.js';
import type { Needs } from './needs.js';
import type { Outage } from './outage.js';
import { timedOut } from './refusals.js';
import type { Ring } from './ring.js';
import type { Watching } from './watching.js';

/** What the answers change. */
export interface Renewed {
  readonly holding: Holding;
  readonly outage: Outage;
  readonly needs: Needs;
  readonly watching: Watching;
}

export class Renewal {
  readonly #options: MemberOptions;
  readonly #clock: Clock;
  readonly #exchange: Exchange;
  readonly #renewed: Renewed;
  #ended = false;

  /** What happens with each read of which something is left to decide, whatever it is for. */
  readonly #onRead: Pick<Errand, 'pending' | 'unproven' | 'mayBeDeposed'> = {
    pending: (...read) => this.#renewed.holding.pending(...read),
    unproven: () => this.#renewed.holding.suspect(),
    mayBeDeposed: (error) => {
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
    const { outage, needs, watching } = this.#renewed;
    watching.start();
    const startedMs = this.#clock.monotonicMs();
    const tell = (error: unknown): void =>
      this.#options.listener.refreshed(this.#clock.monotonicMs() - startedMs, error);
    try {
      const propose: Errand['propose'] = (seen, known) => advance(seen, needs.policy, known, mint);
      await this.#exchange.run({ propose, ...this.#onRead }, this.#renew);
      tell(null);
    } catch (error) {
      tell(error);
      watching.check();
      if (!this.#ended) outage.failed(error);
      throw error;
    }
  }

  /** Carries out what a caller wants of the keyring. @throws what the command is refused with; {StoreError} */
  async command(command: Command): Promise<Lease> {
    let lease: Lease;
    try {
      lease = await this.#run(command);
    } catch (error) {
      // Its swap may have happened all the same.
      this.#renewed.holding.suspect();
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
    const { holding, outage, needs, watching } = this.#renewed;
    if (!this.#ended) outage.answered();
    watching.check();
    const lease = holding.renew(settled);
    this.#options.listener.renewed();
    if (!this.#ended && needs.wantsMore(settled.ring)) this.#askForMore(settled.ring);
    return lease;
  };

  /** Asks the ring for a longer `ttl`, beside all operations: none of them depends on a write, and no copy is worse for a lost answer. */
  #askForMore({ ttl: ttlMs }: Ring): void {
    const { needs } = this.#renewed;
    this.#run(grant(needs.policyToVerify)).catch((error) => {
      if (this.#ended || !needs.firstRefusal()) return;
      this.#options.listener.ttlTooShort(ttlMs, needs.leastTtlMs, error);
    });
  }
}
