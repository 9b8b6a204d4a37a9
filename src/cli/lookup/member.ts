/**
 * A member for one verb of the command: on the store itself, or on a copy of what was read there.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { isRewtError } from '../../errors.js';
import { Rewt, type RewtOptions } from '../../index.js';
import {
  defaultClockTolerance,
  defaultMaxStaleness,
  defaultTokenLifetime,
  MAX_SOFT_AGE_MS,
} from '../../keyring/policy.js';
import type { Ring } from '../../keyring/ring.js';
import { createRecord, snapshotOf, swapRecord } from '../../stores/record.js';
import type { Store } from '../../stores/store.js';
import type { Session } from '../session.js';
import { type Entries, examine, type Found } from './found.js';
import { sealsFor } from './sealing.js';

/** More than a member waits for the ring, which it counts by the store's clock. */
const BEGIN_MS = 1_000;
const BEGIN_POLL_MS = 100;

/** The differences between verbs. Times are in seconds. */
export interface Manner {
  /** The ttl of a keyring that this verb begins. */
  readonly ttl?: number | undefined;
  /** The lifetime of the token to sign. */
  readonly tokenLifetime?: number | undefined;
  /** Judges as a member of the fleet would, whose copies become old. */
  readonly asFleet?: boolean;
  /** A `ttl` that its own times must fit, beside that of the keyring. */
  readonly fits?: number | undefined;
}

/**
 * Reads the state before a member changes it, by the script that members read with. @throws
 * {StoreError}
 */
export async function lookFirst({ openStore, place, limit, sealing, assertNoPrefix }: Session): Promise<Found> {
  const found = examine(await openStore().read(place.namespace, { timeoutMs: limit.leftMs() }), sealing());
  if (found.key !== null && found.ringState === 'none') await assertNoPrefix(place.namespace);
  return found;
}

/** Runs `use` with a member, and returns its result. Closes the member afterwards. */
export async function withMember<T>(
  { openStore, place, limit, keys }: Session,
  found: Found,
  manner: Manner,
  use: (rewt: Rewt) => Promise<T>,
): Promise<T> {
  // The verb ends before any push could arrive.
  await using rewt = new Rewt({
    store: openStore(),
    redisNamespace: place.namespace,
    push: false,
    storeTimeout: limit.leftMs() / 1_000,
    ...timesFor(found.ring, manner),
    ...sealsFor(keys, found),
  });
  const isLost = found.ring === null && found.key !== null && keys.length > 0;
  return await (isLost ? onceBegun(() => use(rewt)) : use(rewt));
}

/** Repeats what a member refuses while another one may write a lost sealed ring back. */
async function onceBegun<T>(act: () => Promise<T>): Promise<T> {
  const giveUpMs = performance.now() + MAX_SOFT_AGE_MS + BEGIN_MS;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      const mayBegin = isRewtError(error) && error.code === 'ERR_REWT_STORE_DOWN';
      if (!mayBegin || performance.now() > giveUpMs) throw error;
      await sleep(BEGIN_POLL_MS);
    }
  }
}

/**
 * Runs `use` with a member on a copy, and returns its result. The copy is the keyring after the
 * next member's plan. Nothing is written to the store.
 *
 * @throws {StoreError} for a ring that cannot be read.
 */
export async function withCopy<T>(
  { place, keys, sealing }: Pick<Session, 'place' | 'keys' | 'sealing'>,
  found: Found,
  use: (rewt: Rewt) => Promise<T>,
): Promise<T> {
  const { entries, plan, refusal, sealed } = found;
  if (refusal !== null) throw refusal;
  const forms = sealing();
  const form = sealed === null ? 'plain' : { keyId: sealed.keyId };
  const wanted = plan === null ? null : forms.contentsFor(plan, form);
  const { nowMs } = entries;
  const copy = { nowMs, key: wanted?.key ?? entries.key, ring: wanted?.ring.text ?? entries.ring };
  const store = copyStore(copy, forms.keyName);
  await using rewt = new Rewt({ store, redisNamespace: place.namespace, ...sealsFor(keys, found) });
  return await use(rewt);
}

/**
 * Creates a store in memory that begins with these entries, at their instant.
 *
 * @param keyName the full name of K in the store that they come from
 */
export function copyStore({ nowMs, key, ring }: Entries, keyName: string): Store {
  const beganMs = performance.now();
  const now = (): number => Math.floor(nowMs + performance.now() - beganMs);
  let record = createRecord(key, ring === null ? null : { text: ring, expiresAtMs: null });
  return {
    kind: 'copy',
    local: true,
    keyName: () => keyName,
    async read() {
      return snapshotOf(record, now());
    },
    async swap(_, expected, wanted, { notAfterMs }) {
      const { write, answer } = swapRecord(record, now(), { expected, wanted, notAfterMs });
      record = write ?? record;
      return answer;
    },
    async close() {},
  };
}

/**
 * Returns the maximum lifetime of a token signed now, so that its secret verifies until the token
 * ends. Seconds.
 */
export function grantedLifetime({ ttl, overlap }: Ring): number {
  return overlap / 1_000 - defaultClockTolerance(ttl / 1_000);
}

/**
 * Returns the times. A verb has no copy that becomes old, and never changes the times of an
 * existing keyring.
 */
function timesFor(
  ring: Ring | null,
  { ttl, tokenLifetime, asFleet = false, fits = Number.POSITIVE_INFINITY }: Manner,
): Partial<RewtOptions> {
  const turn = Math.min(fits, ring === null ? (ttl ?? Number.POSITIVE_INFINITY) : ring.ttl / 1_000);
  const clockTolerance = defaultClockTolerance(turn);
  const maxStaleness = asFleet ? defaultMaxStaleness(turn) : 0;
  const granted = ring === null ? Number.POSITIVE_INFINITY : grantedLifetime(ring) - maxStaleness;
  const usual = Math.min(defaultTokenLifetime(turn), granted);
  return {
    ...(ring === null && ttl !== undefined ? { ttl } : {}),
    maxStaleness,
    clockTolerance,
    tokenLifetime: Math.max(tokenLifetime ?? usual, 0.001),
  };
}
