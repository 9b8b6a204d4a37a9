/**
 * The state of a namespace: its keyring in kids and times, and what the next member would do. Pure.
 */

import { isRewtError } from '../../errors.js';
import { advance } from '../../keyring/advance.js';
import { type Contents, plainContents, seenIn } from '../../keyring/contents.js';
import { createCopy } from '../../keyring/copy.js';
import { tooFewReplicas } from '../../keyring/errors.js';
import { mint } from '../../keyring/exchange.js';
import { EMPTY_HISTORY } from '../../keyring/history.js';
import type { Plan } from '../../keyring/plan.js';
import { policyFor } from '../../keyring/policy.js';
import { parseRing, type Ring } from '../../keyring/ring.js';
import { isUsableSecret, kidOf } from '../../keyring/secret.js';
import { ringOfTwo } from '../../keyring/two-names.js';
import { type KeyringStatus, keyringStatusOf } from '../../status.js';
import type { Snapshot } from '../../stores/store.js';

/** The entries of a namespace, at one instant of the store's clock. */
export type Entries = Pick<Snapshot, 'nowMs' | 'key' | 'ring' | 'beside' | 'mayBeDeposed'>;

/**
 * Checks the source. @throws {StoreError} for the state of a master that may have been replaced: it
 * decides on no token.
 */
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
  /** The same as `status()` returns for `ring`. */
  readonly keyring: KeyringStatus | null;
  /** The write of the next member to read this; null: none, or it cannot read the ring. */
  readonly plan: Plan | null;
}

export function examine(entries: Entries): Found {
  const { nowMs, key, ring: text, beside } = entries;
  const [first, second] = [readRing(text), readRing(beside ?? null)];
  // Members reject both if one is of a later version.
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
    plan: isReadable ? planFor(plainContents({ nowMs, key, ring })) : null,
  };
}

function planFor(contents: Contents): Plan | null {
  const context = { policy: policyFor(contents.ring), history: EMPTY_HISTORY, mint };
  return advance(seenIn(contents, EMPTY_HISTORY), context);
}

/** Checks if the namespace has any entry. */
export function isThere({ key, ringState }: Found): boolean {
  return key !== null || ringState !== 'none';
}

/** Returns the name of the plan, unless it only begins a keyring in an empty namespace. */
export function dueOf(found: Found): Plan['name'] | null {
  return isThere(found) ? (found.plan?.name ?? null) : null;
}

/** The meaning of each plan of the next member for tokens. */
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
    'the secret was deleted or replaced by hand; a member that reads this accepts no token until it ' +
    'has written the revocation',
  'foreign rotation': 'an original rewt has rotated; the next member adopts its secret',
  reseal: 'the keyring is going to be under another seal key',
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
