/**
 * A member for one verb of the command: on the store itself, or on a copy of what was read there.
 */

import { Rewt, type RewtOptions } from '../../index.js';
import { defaultClockTolerance, defaultMaxStaleness, defaultTokenLifetime } from '../../keyring/policy.js';
import { parseRing, type Ring } from '../../keyring/ring.js';
import { unsealed } from '../../keyring/sealing.js';
import { createRecord, snapshotOf, swapRecord } from '../../stores/record.js';
import type { Store } from '../../stores/store.js';
import type { Session } from '../session.js';
import { type Entries, examine, type Found } from './found.js';

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
export async function lookFirst({ openStore, place, limit, assertNoPrefix }: Session): Promise<Found> {
  const found = examine(await openStore().read(place.namespace, { timeoutMs: limit.leftMs() }));
  if (found.key !== null && found.ringState === 'none') await assertNoPrefix(place.namespace);
  return found;
}

/** Runs `use` with a member, and returns its result. Closes the member afterwards. */
export async function withMember<T>(
  { openStore, place, limit }: Session,
  { ring }: Found,
  manner: Manner,
  use: (rewt: Rewt) => Promise<T>,
): Promise<T> {
  // The verb ends before any push could arrive.
  await using rewt = new Rewt({
    store: openStore(),
    redisNamespace: place.namespace,
    push: false,
    storeTimeout: limit.leftMs() / 1_000,
    ...timesFor(ring, manner),
  });
  return await use(rewt);
}

/**
 * Runs `use` with a member on a copy, and returns its result. The copy is the keyring after the
 * next member's plan. Nothing is written to the store.
 *
 * @throws {StoreError} for a ring that cannot be read.
 */
export async function withCopy<T>(entries: Entries, namespace: string, use: (rewt: Rewt) => Promise<T>): Promise<T> {
  if (entries.ring !== null) parseRing(entries.ring);
  const { plan } = examine(entries);
  const wanted = plan === null ? null : unsealed().contentsFor(plan, 'plain');
  const { nowMs } = entries;
  const store = copyStore({ nowMs, key: wanted?.key ?? entries.key, ring: wanted?.ring.text ?? entries.ring });
  await using rewt = new Rewt({ store, redisNamespace: namespace });
  return await use(rewt);
}

/** Creates a store in memory that begins with these entries, at their instant. */
export function copyStore({ nowMs, key, ring }: Entries): Store {
  const beganMs = performance.now();
  const now = (): number => Math.floor(nowMs + performance.now() - beganMs);
  let record = createRecord(key, ring === null ? null : { text: ring, expiresAtMs: null });
  return {
    kind: 'copy',
    local: true,
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
