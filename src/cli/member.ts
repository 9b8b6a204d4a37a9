/** A member for as long as one verb of the command needs it: on the store itself, or on a copy of what was read there. */

import { Rewt, type RewtOptions } from '../index.js';
import { parseRing, type Ring } from '../keyring/ring.js';
import { createRecord, snapshotOf, swapRecord } from '../stores/record.js';
import type { Store } from '../stores/store.js';
import { type Entries, examine, type Found } from './found.js';
import type { Session } from './session.js';

export const DEFAULT_TOKEN_LIFETIME_SECONDS = 300;

/** How a verb differs from the others. Seconds. */
export interface Manner {
  /** Of a keyring that this verb begins. */
  readonly ttl?: number | undefined;
  /** The life of the token to sign. */
  readonly tokenLifetime?: number | undefined;
  /** Judges as a member of the fleet would, whose copies grow old. */
  readonly asFleet?: boolean;
  /** A `ttl` that its own times have to fit, beside that of the keyring. */
  readonly fits?: number | undefined;
}

/** What is there before a member touches it, by the script that members read with. @throws {StoreError} */
export async function lookFirst({ openStore, place, limit, assertNoPrefix }: Session): Promise<Found> {
  const found = examine(await openStore().read(place.namespace, { timeoutMs: limit.leftMs() }));
  if (found.key !== null && found.ringState === 'none') await assertNoPrefix(place.namespace);
  return found;
}

/** What `use` returns. The member is closed afterwards. */
export async function withMember<T>(
  { openStore, place, limit }: Session,
  { ring }: Found,
  manner: Manner,
  use: (rewt: Rewt) => Promise<T>,
): Promise<T> {
  // Whatever there could be to be pushed, the verb is over before.
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
 * What `use` returns, with a member on a copy: the keyring as it is once the next member has done what is due. Nothing is written to the store.
 *
 * @throws {StoreError} for a ring that cannot be read.
 */
export async function withCopy<T>(entries: Entries, namespace: string, use: (rewt: Rewt) => Promise<T>): Promise<T> {
  if (entries.ring !== null) parseRing(entries.ring);
  const wanted = examine(entries).plan?.wanted;
  const { nowMs } = entries;
  const store = copyStore({ nowMs, key: wanted?.key ?? entries.key, ring: wanted?.ring.text ?? entries.ring });
  await using rewt = new Rewt({ store, redisNamespace: namespace });
  return await use(rewt);
}

/** A store in memory that begins with what was read, at that instant. */
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

/** How long a token may live that is signed now, so that its secret verifies to the end of it. Seconds. */
export function grantedLifetime({ ttl, overlap }: Ring): number {
  return overlap / 1_000 - toleranceFor(ttl / 1_000);
}

/** The usual one, as far as it fits. Seconds. */
function toleranceFor(ttl: number): number {
  return Math.min(5, ttl / 4);
}

/** A verb has no copy that could grow old, and never changes the times of a keyring that is there. */
function timesFor(
  ring: Ring | null,
  { ttl, tokenLifetime, asFleet = false, fits = Number.POSITIVE_INFINITY }: Manner,
): Partial<RewtOptions> {
  const turn = Math.min(fits, ring === null ? (ttl ?? Number.POSITIVE_INFINITY) : ring.ttl / 1_000);
  const clockTolerance = toleranceFor(turn);
  const maxStaleness = asFleet ? Math.min(60, turn / 2) : 0;
  const granted = ring === null ? Number.POSITIVE_INFINITY : grantedLifetime(ring) - maxStaleness;
  const usual = Math.min(DEFAULT_TOKEN_LIFETIME_SECONDS, 8 * turn, granted);
  return {
    ...(ring === null && ttl !== undefined ? { ttl } : {}),
    maxStaleness,
    clockTolerance,
    tokenLifetime: Math.max(tokenLifetime ?? usual, 0.001),
  };
}
