/** What a look at a namespace finds: its keyring in kids and times, and what the next member would do. Pure. */

import { isRewtError } from '../errors.js';
import { advance, type Plan, type Policy } from '../keyring/advance.js';
import { createCopy } from '../keyring/copy.js';
import { mint } from '../keyring/exchange.js';
import { NOTHING_KNOWN } from '../keyring/known.js';
import { tooFewReplicas } from '../keyring/refusals.js';
import { parseRing, type Ring } from '../keyring/ring.js';
import { isUsableSecret, kidOf } from '../keyring/secret.js';
import { ringOfTwo } from '../keyring/two-names.js';
import { type KeyringStatus, keyringStatusOf } from '../status.js';
import type { Snapshot } from '../stores/store.js';

/** What was read of a namespace, at one instant of the store's clock. */
export type Entries = Pick<Snapshot, 'nowMs' | 'key' | 'ring' | 'beside' | 'mayBeDeposed'>;

/** @throws {StoreError} for what a master shows that may have been replaced: it decides on no token. */
export function assertCounts({ mayBeDeposed }: Entries): void {
  if (mayBeDeposed) throw tooFewReplicas();
}

export interface Found {
  readonly entries: Entries;
  readonly nowMs: number;
  /** K. Its kid is null for a value that never signs. */
  readonly key: { readonly kid: string | null; readonly expiresAt: Date | null } | null;
  readonly ringState: 'none' | 'readable' | 'unreadable' | 'newer';
  /** Null for a ring that is missing or cannot be read. */
  readonly ring: Ring | null;
  /** `ring` as `status()` would show it. */
  readonly keyring: KeyringStatus | null;
  /** What the next member that reads this writes; null: nothing, or it cannot read the ring. */
  readonly plan: Plan | null;
}

export function examine(entries: Entries): Found {
  const { nowMs, key, ring: text, beside } = entries;
  const [first, second] = [readRing(text), readRing(beside ?? null)];
  // Members refuse both for one of a later version.
  const { ring: one, ringState } = second.ringState === 'newer' ? second : first;
  const ring = one === null || second.ring === null ? one : ringOfTwo(one, second.ring, key);
  const isReadable = ringState === 'none' || ringState === 'readable';
  return {
    entries,
    nowMs,
    key:
      key === null
        ? null
        : {
            kid: isUsableSecret(key.value) ? kidOf(key.value) : null,
            expiresAt: key.expiresAtMs === null ? null : new Date(key.expiresAtMs),
          },
    ringState,
    ring,
    keyring: ring === null ? null : keyringStatusOf(createCopy(ring), nowMs),
    plan: isReadable ? advance({ nowMs, key, ring }, policyFor(ring), NOTHING_KNOWN, mint) : null,
  };
}

/** Whether there is anything at all in the namespace. */
export function isThere({ key, ringState }: Found): boolean {
  return key !== null || ringState !== 'none';
}

/** The name of the plan, if it is more than to begin a keyring in an empty namespace. */
export function dueOf(found: Found): Plan['name'] | null {
  return isThere(found) ? (found.plan?.name ?? null) : null;
}

/** What each plan of the next member means for tokens. */
export const plansInWords: Readonly<Record<Plan['name'], string>> = {
  rollback: 'the keyring is older than one that a member has seen; that member revokes again',
  revocation: 'a revocation is due',
  bootstrap: 'there is no keyring yet; the first sign begins it',
  repair: 'the ring is gone and the secret is there; a member that knows the ring writes it back',
  adopt: 'there is a secret and no ring, as an original rewt leaves it; the first member of this rewt adopts it',
  rotation: 'the next member that is used rotates; no token is refused for it',
  'late rotation': 'the rotation is overdue, because no member was used; the next one rotates, and no token is refused',
  reschedule: 'the TTL of the secret was changed by hand; the next member follows it',
  brake:
    'the secret was deleted or replaced by hand; a member that reads this accepts no token until it has written the revocation',
  'foreign rotation': 'an original rewt has rotated; the next member adopts its secret',
};

function readRing(text: string | null): Pick<Found, 'ring' | 'ringState'> {
  if (text === null) return { ring: null, ringState: 'none' };
  try {
    return { ring: parseRing(text), ringState: 'readable' };
  } catch (error) {
    const isNewer = isRewtError(error) && error.code === 'ERR_REWT_RING_NEWER';
    return { ring: null, ringState: isNewer ? 'newer' : 'unreadable' };
  }
}

/** That of a member which needs no more than the ring grants, with the usual times as far as they fit it. */
function policyFor(ring: Ring | null): Policy {
  const ttlMs = ring?.ttl ?? 86_400_000;
  const clockToleranceMs = Math.min(5_000, ttlMs / 4);
  const maxStalenessMs = Math.min(60_000, ttlMs / 2);
  const leadMs = Math.min(2_000, maxStalenessMs / 2) + clockToleranceMs;
  return { ttlMs, overlapMs: ring?.overlap ?? 365_000, clockToleranceMs, maxStalenessMs, leadMs, asks: null };
}
