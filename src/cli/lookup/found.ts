/**
 * The state of a namespace: its keyring in kids and times, and what the next member would do. Pure.
 */

import { isRewtError, type StoreError } from '../../errors.js';
import { advance } from '../../keyring/advance.js';
import { type Contents, markedKid, seenIn } from '../../keyring/contents.js';
import { createCopy } from '../../keyring/copy.js';
import { ringWasSealed, tooFewReplicas } from '../../keyring/errors.js';
import { mint } from '../../keyring/exchange.js';
import { EMPTY_HISTORY } from '../../keyring/history.js';
import type { Plan } from '../../keyring/plan.js';
import { policyFor } from '../../keyring/policy.js';
import type { Ring } from '../../keyring/ring.js';
import { type Sealing, unsealed } from '../../keyring/sealing.js';
import { isUsableSecret, kidOf } from '../../keyring/secret.js';
import { ringOfTwo } from '../../keyring/two-names.js';
import { sealedBy } from '../../seal/envelope.js';
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

/** The envelope of a sealed ring. */
export interface SealedState {
  /** The id of the seal key that opens it. */
  readonly keyId: string;
  /** Whether the keys of this run open it. */
  readonly opens: boolean;
}

export interface Found {
  readonly entries: Entries;
  readonly nowMs: number;
  /**
   * K. Its kid is null for a value that never signs. `marks`: it only names the secret, as beside a
   * sealed ring.
   */
  readonly key: { readonly kid: string | null; readonly expiresAt: Date | null; readonly marks: boolean } | null;
  /** 'sealed': under a seal key that this run does not have. */
  readonly ringState: 'none' | 'readable' | 'unreadable' | 'newer' | 'sealed';
  /** Null for a plain ring, and without one. */
  readonly sealed: SealedState | null;
  /** Null for a ring that is missing or cannot be read. */
  readonly ring: Ring | null;
  /** Why this run cannot use the keyring; null: it can, or there is none. */
  readonly refusal: StoreError | null;
  /** The same as `status()` returns for `ring`. */
  readonly keyring: KeyringStatus | null;
  /** The write of the next member to read this; null: none, or this run cannot read the ring. */
  readonly plan: Plan | null;
}

/** @param sealing opens what the entries hold */
export function examine(entries: Entries, sealing: Sealing = unsealed()): Found {
  const { nowMs, key, ring: text, beside } = entries;
  const [first, second] = [readRing(text, sealing), readRing(beside ?? null, sealing)];
  // Members reject both if one is of a later version, or under a key that they do not have.
  const isBarred = second.ringState === 'newer' || (first.refusal === null && second.ringState === 'sealed');
  const isSecond =
    isBarred || (first.ring !== null && second.ring !== null && ringOfTwo(first.ring, second.ring, key) !== first.ring);
  const { ring, ringState, sealed, refusal } = isSecond ? second : first;
  const kid = key === null ? null : kidIn(key.value);
  const isReadable = ringState === 'none' || ringState === 'readable';
  const marks = kid?.marks === true;
  const seals = ring === null ? marks : sealed !== null;
  return {
    entries,
    nowMs,
    key:
      key === null || kid === null
        ? null
        : { ...kid, expiresAt: key.expiresAtMs === null ? null : new Date(key.expiresAtMs) },
    ringState,
    sealed,
    ring,
    refusal: ringState === 'none' && marks && sealing.ids.length === 0 ? ringWasSealed() : refusal,
    keyring: ring === null ? null : keyringStatusOf(createCopy(ring), nowMs, sealed?.keyId),
    plan: isReadable ? planFor({ nowMs, key, ring, sealed: seals, isForeign: false }) : null,
  };
}

function kidIn(value: string | null): { readonly kid: string | null; readonly marks: boolean } {
  const marked = value === null ? null : markedKid(value);
  return { kid: marked ?? (isUsableSecret(value) ? kidOf(value) : null), marks: marked !== null };
}

function planFor(contents: Contents): Plan | null {
  const context = { policy: policyFor(contents.ring), history: EMPTY_HISTORY, mint };
  return advance(seenIn(contents, EMPTY_HISTORY), context);
}

/**
 * Checks that this run can use the keyring, or may replace it. @throws {StoreError}
 *
 * @param replace the state that the verb replaces
 */
export function assertUsable({ ringState, refusal }: Found, replace?: string): void {
  const state = ringState === 'none' ? 'sealed' : ringState;
  if (refusal !== null && state !== replace) throw refusal;
}

/** Checks if the namespace has any entry. */
export function isThere({ key, ringState }: Found): boolean {
  return key !== null || ringState !== 'none';
}

/** Returns the name of the plan, unless it only begins a keyring in an empty namespace. */
export function dueOf(found: Found): Plan['name'] | null {
  return isThere(found) ? (found.plan?.name ?? null) : null;
}

/** Returns the name and the meaning of the plan, as `dueOf`. */
export function dueInWords(found: Found): string | null {
  const due = dueOf(found);
  return due === null ? null : planInWords(due, found.key);
}

/** Returns a plan's name and its meaning for tokens. */
export function planInWords(plan: Plan['name'], key: { readonly marks: boolean } | null): string {
  return `${plan}: ${plan === 'adopt' && key?.marks ? LOST_RING : plansInWords[plan]}`;
}

const LOST_RING =
  'the sealed ring is gone, and its mark is there; a member that knows the ring writes it back, and ' +
  'after two seconds another one begins anew, which refuses every token of before';

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

function readRing(text: string | null, sealing: Sealing): Pick<Found, 'ring' | 'ringState' | 'sealed' | 'refusal'> {
  if (text === null) return { ring: null, ringState: 'none', sealed: null, refusal: null };
  const keyId = sealedBy(text);
  const sealedAs = (opens: boolean): SealedState | null => (keyId === null ? null : { keyId, opens });
  try {
    const { ring } = sealing.open(text);
    return { ring, ringState: 'readable', sealed: sealedAs(true), refusal: null };
  } catch (error) {
    if (!isRewtError(error) || error.status !== 503) throw error;
    const state = error.code === 'ERR_REWT_RING_NEWER' ? 'newer' : 'unreadable';
    const ringState = error.code === 'ERR_REWT_RING_SEALED' ? 'sealed' : state;
    return { ring: null, ringState, sealed: sealedAs(false), refusal: error as StoreError };
  }
}
