/** Under which of its two names a ring is kept, if there is a key prefix (protocol.md, "Names under a key prefix"). Pure. */

import { StoreError } from '../errors.js';
import type { AllRedisNames, RedisNames } from './names.js';

/** The names to use, and those under which there may be another ring. */
export interface Place {
  readonly names: RedisNames;
  /** Null: there is only one set of names. */
  readonly other: RedisNames | null;
  /** Whether `names` are those without the key prefix in front. */
  readonly isBefore: boolean;
}

/** What one script found under both names. */
export interface Found {
  readonly ring: string | null;
  readonly digest: string;
  readonly other: string | null;
  /** 'denied' if the user may not read it. */
  readonly otherDigest: string;
}

/** What the contract of a store shows of it. */
interface Located {
  readonly ring: string | null;
  readonly beside?: string;
  /** The same whichever name was asked for first. */
  readonly version: string;
}

export function placeAt(names: AllRedisNames, isBefore: boolean): Place {
  const { before } = names;
  if (before === null) return { names, other: null, isBefore: false };
  return isBefore ? { names: before, other: names, isBefore } : { names, other: before, isBefore };
}

/** A ring under the name without the prefix stays there: old members know no other. */
export function locate(keyDigest: string, { ring, digest, other, otherDigest }: Found, { isBefore }: Place): Located {
  const [before, now] = isBefore ? [ring, other] : [other, ring];
  const digests = isBefore ? [digest, otherDigest] : [otherDigest, digest];
  const version = [keyDigest, ...digests].join(':');
  if (before !== null && now !== null) return { ring: before, beside: now, version };
  return { ring: before ?? now, version };
}

/** Whether a version shows a ring under the name without the prefix, under the other one, or none. */
export function isBeforeIn(version: string): boolean | null {
  const [, before = '', now = ''] = version.split(':');
  if (isDigest(before)) return true;
  return isDigest(now) ? false : null;
}

/** A version as a script compares it: the digest of the ring under its first name first. */
export function asCompared(version: string, { isBefore }: Place): string {
  const [key, before, now] = version.split(':');
  return (isBefore ? [key, before, now] : [key, now, before]).join(':');
}

/** Every name of a ring, for whoever watches them. */
export function ringNames({ ring, before }: AllRedisNames): readonly string[] {
  return before === null ? [ring] : [ring, before.ring];
}

/** Not what stands for no ring in its place (scripts.ts). */
function isDigest(text: string): boolean {
  return !['', '!', 'denied'].includes(text);
}

/** What is said if K exists, and the ring may be under a name that this user may not read. */
export function hiddenRing(): StoreError {
  return new StoreError(
    'ERR_REWT_STORE_DENIED',
    'There is a secret in this namespace, and its keyring may be under a name without the key prefix, which this user may not read: run rewt move with a user that may, or let this user read {<prefix><namespace>:rewt-secret}:ring.',
  );
}
