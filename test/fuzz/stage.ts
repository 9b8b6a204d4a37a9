/**
 * Where members are played: a store at the far end of no network, with any contents, and clocks on
 * which only the fuzzer lets time pass.
 */

import { Rewt, type RewtOptions } from '../../src/index.js';
import { formatRing } from '../../src/keyring/ring.js';
import { createRecord, type StoreRecord, snapshotOf, swapRecord } from '../../src/stores/record.js';
import type { KeyEntry, Store } from '../../src/stores/store.js';
import { CLOCK, type Clock } from '../../src/time/clock.js';
import { NOW_MS, RING, SECRETS } from './secrets.js';
import { type Outcome, outcomeOf } from './target.js';

/** Longer than the pause between two reads for unknown keys. */
const TURN_MS = 101;

/** Lets time pass and calls an operation; no timer ever rings. */
export type Call = <T>(operation: () => Promise<T> | T) => Promise<Outcome<T>>;

export interface Stage {
  readonly rewt: Rewt;
  readonly call: Call;
}

export function openStage(store: Store, options: Partial<RewtOptions> = {}): Stage {
  const { clock, call } = turnedClock();
  return { rewt: new Rewt({ ...options, store, [CLOCK]: clock } as RewtOptions), call };
}

/** A member that holds `RING`, and remembers few tokens, so that it soon has as many as ever. */
export function openUsual(options: Partial<RewtOptions> = {}): Stage {
  const key = { value: SECRETS[0], expiresAtMs: RING.current.expiresAt };
  return openStage(storeWith(key, formatRing(RING)), { ttl: 1e7, tokenCache: 32, ...options });
}

export function turnedClock(): { readonly clock: Clock; readonly call: Call } {
  let monotonicMs = 0;
  const call: Call = (operation) => {
    monotonicMs += TURN_MS;
    return outcomeOf(operation);
  };
  return { clock: { monotonicMs: () => monotonicMs, wallMs: () => NOW_MS, timer: () => () => {} }, call };
}

export const recordWith = (key: KeyEntry | null, ring: string | null): StoreRecord =>
  createRecord(key, ring === null ? null : { text: ring, expiresAtMs: null });

/** A register as all stores are, and never local. */
export function storeWith(key: KeyEntry | null, ring: string | null): Store {
  let record = recordWith(key, ring);
  return {
    kind: 'fuzzed',
    local: false,
    read: async () => snapshotOf(record, NOW_MS),
    async swap(_namespace, expected, wanted, { notAfterMs }) {
      const { write, answer } = swapRecord(record, NOW_MS, { expected, wanted, notAfterMs });
      record = write ?? record;
      return answer;
    },
    close: async () => {},
  };
}
