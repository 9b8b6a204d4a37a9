/** Exchanges of one member with stores in memory whose answers a test can hold back. */

import { memoryStore, type Store } from '../../src/index.js';
import { advance } from '../../src/keyring/advance.js';
import { revocation, rotation } from '../../src/keyring/commands.js';
import { Exchange, mint, type Task } from '../../src/keyring/exchange.js';
import { unsealed } from '../../src/keyring/sealing.js';
import { processClock } from '../../src/time/clock.js';
import { POLICY } from './samples.js';

export const refresh: Task = {
  decide: (seen, history) => advance(seen, { policy: POLICY, history, mint }),
  onPlan() {},
  onUnproven() {},
  onMayBeDeposed() {},
};

export const revoke = (): Task => ({
  ...refresh,
  ...revocation(() => POLICY, { reason: null, replace: null }),
});
export const rotate = (): Task => ({ ...refresh, ...rotation(() => POLICY, { force: true, reason: null }) });

export function exchangeOn(store: Store) {
  const exchange = new Exchange(store, 'rewt', 1_000, processClock, unsealed());
  return { run: (task: Task) => exchange.run(task, (settled) => settled) };
}

export const limits = { timeoutMs: 1, notAfterMs: Number.POSITIVE_INFINITY };

/**
 * A store that goes to whichever master it is led to, and whose next answer to a read may be on its
 * way for as long as a test likes.
 */
export function slowStore() {
  const masters = { one: memoryStore(), other: memoryStore() };
  let master = masters.one;
  let heldMs = 0;
  const store: Store = {
    ...master,
    async read(...by) {
      const ms = heldMs;
      heldMs = 0;
      const snapshot = await master.read(...by);
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
      return snapshot;
    },
    swap: (...by) => master.swap(...by),
  };
  return {
    ...masters,
    store,
    hold(ms: number) {
      heldMs = ms;
    },
    follow(next: Store) {
      master = next;
    },
  };
}

/** Puts these texts there, whatever was there. */
export async function put(store: Store, key: string, ring: string, expiresAtMs = Date.now() + 1e7): Promise<void> {
  const { version } = await store.read('rewt', limits);
  const wanted = { key: { value: key, expiresAtMs }, ring: { text: ring, expiresAtMs: Date.now() + 1e7 } };
  await store.swap('rewt', version, wanted, limits);
}
