/**
 * The choice between the two names of a ring with a key prefix (protocol.md, "Names under a key
 * prefix"). Pure.
 */

import { StoreError } from '../../errors.js';
import type { AllRedisNames, RedisNames } from './names.js';

/** The names to use, and those under which there may be another ring. */
export interface Place {
  readonly names: RedisNames;
  /** Null: there is only one set of names. */
  readonly other: RedisNames | null;
  /** True if `names` are those without the leading key prefix. */
  readonly isBefore: boolean;
}

/** The rings that one script found under both names. */
export interface Found {
  readonly ring: string | null;
  readonly digest: string;
  readonly other: string | null;
  /** 'denied' if the user may not read it. */
  readonly otherDigest: string;
}

/** The part that a store's snapshot contains. */
interface Located {
  readonly ring: string | null;
  readonly beside?: string;
  /** Independent of which name was read first. */
  readonly version: string;
}

export function placeAt(names: AllRedisNames, isBefore: boolean): Place {
  const { before } = names;
  if (before === null) return { names, other: null, isBefore: false };
  return isBefore ? { names: before, other: names, isBefore } : { names, other: before, isBefore };
}

/**
 * Selects the ring. One under the name without the prefix stays there: older members know no other.
 */
export function locate(keyDigest: string, { ring, digest, other, otherDigest }: Found, { isBefore }: Place): Located {
  const [before, now] = isBefore ? [ring, other] : [other, ring];
  const digests = isBefore ? [digest, otherDigest] : [otherDigest, digest];
  const version = [keyDigest, ...digests].join(':');
  if (before !== null && now !== null) return { ring: before, beside: now, version };
  return { ring: before ?? now, version };
}

/** Checks if a version shows a ring under the name without the prefix. Null if it shows no ring. */
export function isBeforeIn(version: string): boolean | null {
  const [, before = '', now = ''] = version.split(':');
  if (isDigest(before)) return true;
  return isDigest(now) ? false : null;
}

/** Returns a version as a script compares it: the digest of the ring under its first name first. */
export function asCompared(version: string, { isBefore }: Place): string {
  const [key, before, now] = version.split(':');
  return (isBefore ? [key, before, now] : [key, now, before]).join(':');
}

/** Returns every name of a ring, that of a new keyring first. */
export function ringNames({ ring, before }: AllRedisNames): readonly string[] {
  return before === null ? [ring] : [ring, before.ring];
}

/** Checks for a digest, and not a value that replaces a missing ring (scripts.ts). */
function isDigest(text: string): boolean {
  return !['', '!', 'denied'].includes(text);
}

/** Creates the error if K exists, and the ring may be under a name that this user may not read. */
export function hiddenRing(): StoreError {
  return new StoreError(
    'ERR_REWT_STORE_DENIED',
    'There is a secret in this namespace, and its keyring may be under a name without the key ' +
      'prefix, which this user may not read: run rewt move with a user that may, or let this user read ' +
      '{<prefix><namespace>:rewt-secret}:ring.',
  );
}
