/**
 * What a member decides by, and the plan that comes of it: one write of a ring.
 *
 * Pure: the store's clock comes with the snapshot, randomness comes from `mint`.
 */

import { type History, isReplayed, isRolledBack } from './history.js';
import { grantedTimes, type Policy } from './policy.js';
import type { CurrentSecret, NextSecret, Ring } from './ring.js';

/**
 * The role of K's value: in the ring that was read, or without one in the ring that this member
 * knows.
 *
 * - 'none': K is absent.
 * - 'lost': this member saw it in a ring, and the one that was read does not have it.
 * - 'revoked': this member saw it revoked.
 * - 'unusable': too short, or not UTF-8.
 * - 'other': an old rewt member or an operator put it there.
 *
 * Beside a sealed ring K is a mark, which names a secret. There is one role more, and one differs:
 *
 * - 'unmarked': the text of current or next, where its mark should be.
 * - 'unknown': the mark of a secret that neither ring has.
 */
export type KeyRole =
  | 'none'
  | 'current'
  | 'next'
  | 'retired'
  | 'lost'
  | 'revoked'
  | 'unusable'
  | 'other'
  | 'unmarked'
  | 'unknown';

/** K as the decisions see it. */
export interface SeenKey {
  readonly role: KeyRole;
  /**
   * The secret that would sign if it were adopted; null for one that never signs, and beside a
   * sealed ring.
   */
  readonly secret: string | null;
  /** When the store drops it, by its clock. Milliseconds; null: it has no TTL. */
  readonly expiresAtMs: number | null;
}

/** What was read, as the decisions see it. */
export interface Seen {
  readonly nowMs: number;
  readonly key: SeenKey;
  readonly ring: Ring | null;
  /** Whether the ring is sealed, or is going to be. */
  readonly sealed: boolean;
  /** There is a plain ring, and this member takes sealed ones only. Then `ring` is null. */
  readonly isForeign: boolean;
}

/** How a ring is written: in plain text, or under the seal key of this id. */
export type Form = 'plain' | { readonly keyId: string };

/** The source of new secrets and ids. */
export interface Mint {
  secret(): string;
  id(): string;
}

/** The member that decides: what it needs, and what it has seen. */
export interface Context {
  readonly policy: Policy;
  readonly history: History;
  readonly mint: Mint;
}

/** The part of a context that a write takes. */
export type WriteContext = Pick<Context, 'policy' | 'mint'>;

/** The name of a row in the table, or 'revocation' for `revoke()`. For people; see `Effects`. */
export type PlanName =
  | 'rollback'
  | 'bootstrap'
  | 'repair'
  | 'adopt'
  | 'late rotation'
  | 'rotation'
  | 'reschedule'
  | 'brake'
  | 'foreign rotation'
  | 'reseal'
  | 'revocation';

/** How a plan changes what a member remembers and publishes. */
interface Effects {
  /** 'own': next signs. 'foreign': a secret that an old rewt member put into K signs. */
  readonly rotates: 'own' | 'foreign' | null;
  /** Row 1: no secret that was read, or held before, is trusted again. */
  readonly distrusts: boolean;
  /** A brake: the revocation stays due if this write fails. */
  readonly staysDue: boolean;
  /** A call of `revoke()` wants it, and nothing that was read. */
  readonly isCalledFor: boolean;
}

const NO_EFFECTS: Effects = { rotates: null, distrusts: false, staysDue: false, isCalledFor: false };

const effects: Readonly<Partial<Record<PlanName, Partial<Effects>>>> = {
  rollback: { distrusts: true },
  brake: { staysDue: true },
  revocation: { isCalledFor: true },
  rotation: { rotates: 'own' },
  'late rotation': { rotates: 'own' },
  'foreign rotation': { rotates: 'foreign' },
};

/** A write that is due. */
export interface Plan extends Effects {
  readonly name: PlanName;
  /**
   * Whether secrets are taken away: then the member stops until this is written. Otherwise it can
   * wait until `maxStaleness`.
   */
  readonly revokes: boolean;
  /** K held a value that must not sign: too short, not UTF-8, revoked, or beside a sealed ring. */
  readonly unusableSecret: boolean;
  readonly ring: Ring;
  /** Whether K is to hold the current secret until its end. Otherwise K stays as it is. */
  readonly writesKey: boolean;
  /** How the ring is written; null: as the one that it replaces. */
  readonly form: Form | null;
}

/** Tests whether an operator has to know of what K holds: it was not used, and is overwritten. */
export function isReported({ role, secret }: SeenKey): boolean {
  return secret === null && (role === 'unusable' || role === 'revoked' || role === 'other');
}

/** Row 1: the store lost writes, or an old sealed ring was put back. */
export function isOld({ sealed, nowMs }: Seen, ring: Ring, history: History): boolean {
  return isRolledBack(ring, history) || (sealed && isReplayed(ring, history, nowMs));
}

/** The current secret of a ring from now on. */
export function currentFrom(
  { nowMs, sealed }: Pick<Seen, 'nowMs' | 'sealed'>,
  secret: string,
  expiresAt: number,
): CurrentSecret {
  return sealed ? { secret, expiresAt, since: nowMs } : { secret, expiresAt };
}

export function freshNext(nowMs: number, { mint }: WriteContext): NextSecret {
  return { secret: mint.secret(), since: nowMs };
}

/**
 * One more write of this ring, which also grants what this member needs. Fields of a later
 * version are kept.
 */
export function amend(ring: Ring, { policy, mint }: WriteContext): Ring {
  return { ...ring, gen: ring.gen + 1, op: mint.id(), ...grantedTimes(ring, policy) };
}

export function createPlan(name: PlanName, revokes: boolean, writesKey: boolean, ring: Ring): Plan {
  return {
    ...NO_EFFECTS,
    ...effects[name],
    name,
    revokes,
    unusableSecret: false,
    ring,
    writesKey,
    form: null,
  };
}
