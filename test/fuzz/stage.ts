/** Where members are played: a store at the far end of no network, with any contents, and clocks on which only the fuzzer lets time pass. */

import { CLOCK, type Clock } from '../../src/clock.js';
import { Rewt, type RewtOptions } from '../../src/index.js';
import { formatRing } from '../../src/keyring/ring.js';
import { createRecord, type RingEntry, type StoreRecord, snapshotOf, swapRecord } from '../../src/stores/record.js';
import type { KeyEntry, Store } from '../../src/stores/store.js';
import { NOW_MS, RING, SECRETS } from './secrets.js';

/** Longer than the pause between two reads for unknown keys, which nobody here is to wait for. Milliseconds. */
const TURN_MS = 101;

export interface Stage {
  readonly rewt: Rewt;
  /** Called before each operation: time passes, and no timer ever rings. */
  turn(): void;
}

export function openStage(store: Store, options: Partial<RewtOptions> = {}): Stage {
  const { clock, turn } = turnedClock();
  return { rewt: new Rewt({ ...options, store, [CLOCK]: clock } as RewtOptions), turn };
}

/** A member that holds `RING`, and remembers few tokens, so that what it remembers is soon as much as it ever is. */
export function openUsual(options: Partial<RewtOptions> = {}): Stage {
  const key = { value: SECRETS[0], expiresAtMs: RING.current.expiresAt };
  const store = storeWith(key, { text: formatRing(RING), expiresAtMs: null });
  return openStage(store, { ttl: 1e7, tokenCache: 32, ...options });
}

export function turnedClock(): { readonly clock: Clock; turn(): void } {
  let monotonicMs = 0;
  const clock: Clock = { monotonicMs: () => monotonicMs, wallMs: () => NOW_MS, timer: () => () => {} };
  return {
    clock,
    turn() {
      monotonicMs += TURN_MS;
    },
  };
}

/** A register as all stores are, and never local. */
export function storeWith(key: KeyEntry | null, ring: RingEntry | null, nowMs = NOW_MS): Store {
  let record: StoreRecord = createRecord(key, ring);
  return {
    kind: 'fuzzed',
    local: false,
    async read() {
      return snapshotOf(record, nowMs);
    },
    async swap(_namespace, expected, wanted, { notAfterMs }) {
      const { write, answer } = swapRecord(record, nowMs, { expected, wanted, notAfterMs });
      if (write !== null) record = write;
      return answer;
    },
    async close() {},
  };
}
