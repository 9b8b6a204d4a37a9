/**
 * The times of a keyring and of a member's copy: defaults, limits, and what follows from them
 * (protocol.md). Pure.
 */

import { OptionError } from '../errors.js';
import type { Ring } from './ring.js';

export const DEFAULT_TTL_SECONDS = 86_400;
export const DEFAULT_TOKEN_LIFETIME_SECONDS = 300;
export const DEFAULT_CLOCK_TOLERANCE_SECONDS = 5;
const DEFAULT_MAX_STALENESS_SECONDS = 60;
export const DEFAULT_STORE_TIMEOUT_SECONDS = 1;

/**
 * A schedule never retires more secrets than a ring holds: a turn takes at least 3/4 of `ttl`, so
 * at most 22 of 32 are retired.
 */
export const MAX_OVERLAP_PER_TTL = 16;

/** A member in use notices a change after this time, even without push. */
export const MAX_SOFT_AGE_MS = 2_000;

/** Clock tolerance and lead take at most this part of a turn. */
const MAX_PART_OF_TURN = 1 / 4;

/** A scheduled rotation comes after at least this part of a `ttl`, because of the lead. */
export const MIN_TURN_PER_TTL = 1 - MAX_PART_OF_TURN;

/** How a member wants the keyring run. Milliseconds. */
export interface Policy {
  /** How long a secret signs, in a ring that this member begins. */
  readonly ttlMs: number;
  /** How long a retired secret verifies, in a ring that this member begins. */
  readonly overlapMs: number;
  readonly clockToleranceMs: number;
  readonly maxStalenessMs: number;
  /** Soft age + clock tolerance: how long before its end K is rotated. */
  readonly leadMs: number;
  /**
   * The least that a ring must offer before this member signs; null for a member that has not
   * signed.
   */
  readonly minimums: RingTimes | null;
  /** What a ring offers from now on, more or less than before: for `planTimes` only. */
  readonly sets?: RingTimes;
}

/** Times that a ring grants. Milliseconds. */
export interface RingTimes {
  readonly ttlMs: number;
  readonly overlapMs: number;
}

/**
 * The times among the options of a Rewt, each valid by itself. Seconds; null if it was left out.
 */
export interface GivenTimes {
  readonly ttl: number | null;
  readonly tokenLifetime: number;
  readonly maxStaleness: number | null;
  readonly clockTolerance: number;
}

/** What a member works with. Milliseconds. */
export interface MemberTimes {
  readonly policy: Policy & { readonly minimums: RingTimes };
  /**
   * The shortest `ttl` of a ring of which a copy as old as `maxStaleness` cannot have missed a
   * whole turn.
   */
  readonly minTtlMs: number;
  /** Up to this age a copy is used without a read. */
  readonly softAgeMs: number;
  /** How long after a failure the store is tried again. */
  readonly retryMs: number;
}

/** Returns the default `maxStaleness`, lowered to fit the `ttl`. Seconds. */
export function defaultMaxStaleness(ttl: number = DEFAULT_TTL_SECONDS): number {
  return Math.min(DEFAULT_MAX_STALENESS_SECONDS, ttl / 2);
}

/** Returns the default `clockTolerance`, lowered to fit the `ttl`. Seconds. */
export function defaultClockTolerance(ttl: number): number {
  return Math.min(DEFAULT_CLOCK_TOLERANCE_SECONDS, ttl * MAX_PART_OF_TURN);
}

/** Returns the default `tokenLifetime`, lowered to fit the `ttl` with all other times. Seconds. */
export function defaultTokenLifetime(ttl: number): number {
  return Math.min(DEFAULT_TOKEN_LIFETIME_SECONDS, (ttl * MAX_OVERLAP_PER_TTL) / 2);
}

/** Returns the policy of a member with default times as far as they fit, that changes no ring. */
export function policyFor(ring: Ring | null): Policy {
  const ttl = ring === null ? DEFAULT_TTL_SECONDS : ring.ttl / 1_000;
  const { policy } = memberTimes({
    ttl,
    tokenLifetime: defaultTokenLifetime(ttl),
    maxStaleness: null,
    clockTolerance: defaultClockTolerance(ttl),
  });
  return { ...policy, overlapMs: ring?.overlap ?? policy.overlapMs, minimums: null };
}

/** @throws {OptionError} for times that do not fit each other. */
export function memberTimes(given: GivenTimes): MemberTimes {
  const { tokenLifetime, clockTolerance } = given;
  const ttl = given.ttl ?? DEFAULT_TTL_SECONDS;
  const maxStaleness = given.maxStaleness ?? defaultMaxStaleness(ttl);
  const overlap = tokenLifetime + maxStaleness + clockTolerance;

  const inconsistent = (option: Exclude<keyof GivenTimes, 'ttl'>, rule: string): OptionError => {
    const seconds = { tokenLifetime, maxStaleness, clockTolerance }[option];
    const fault = `${option} (${seconds} s) does not fit ttl (${ttl} s): it must be ${rule}`;
    return new OptionError(`${fault}. Lower ${option}, or raise ttl`, { option });
  };

  // Of a copy that old, half a turn is left: all that has signed meanwhile is in it.
  const leastTtlToVerify = 2 * maxStaleness;
  if (leastTtlToVerify > ttl) {
    throw inconsistent('maxStaleness', 'at most half of it, or a member could miss a whole turn');
  }
  if (clockTolerance > ttl * MAX_PART_OF_TURN) {
    throw inconsistent(
      'clockTolerance',
      'at most a quarter of it, or the end of a secret could not be told from its being pulled',
    );
  }
  if (overlap > ttl * MAX_OVERLAP_PER_TTL) {
    throw inconsistent(
      'tokenLifetime',
      `at most ${MAX_OVERLAP_PER_TTL} times it, less maxStaleness and clockTolerance, or too many ` +
        'retired secrets would have to go on verifying',
    );
  }

  const softAgeMs = Math.min(MAX_SOFT_AGE_MS, inMs(maxStaleness) / 2);
  // Without the option `ttl` a member follows the keyring's, if that is long enough for its other
  // times.
  const leastTtl = Math.max(leastTtlToVerify, clockTolerance / MAX_PART_OF_TURN, overlap / MAX_OVERLAP_PER_TTL);
  return {
    softAgeMs,
    retryMs: softAgeMs / 2,
    minTtlMs: inMs(leastTtlToVerify),
    policy: {
      ttlMs: inMs(ttl),
      overlapMs: inMs(overlap),
      clockToleranceMs: inMs(clockTolerance),
      maxStalenessMs: inMs(maxStaleness),
      leadMs: softAgeMs + inMs(clockTolerance),
      minimums: { ttlMs: inMs(given.ttl ?? leastTtl), overlapMs: inMs(overlap) },
    },
  };
}

/** Whole milliseconds, never less than the seconds given. */
export function inMs(seconds: number): number {
  return Math.ceil(seconds * 1_000);
}

/** How long before its end a current secret counts as over. Milliseconds. */
export function toleranceIn({ ttl }: Ring, { clockToleranceMs }: Policy): number {
  return Math.min(clockToleranceMs, ttl * MAX_PART_OF_TURN);
}

/** How long before its end a current secret is rotated. Milliseconds. */
export function leadIn({ ttl }: Ring, { leadMs }: Policy): number {
  return Math.min(leadMs, ttl * MAX_PART_OF_TURN);
}

/**
 * What a ring grants from the next write on: what it granted before, and what this member needs.
 */
export function grantedTimes({ ttl, overlap }: Pick<Ring, 'ttl' | 'overlap'>, { sets, minimums }: Policy) {
  return {
    ttl: sets?.ttlMs ?? Math.max(ttl, minimums?.ttlMs ?? 0),
    overlap: sets?.overlapMs ?? Math.max(overlap, minimums?.overlapMs ?? 0),
  };
}
