/** A member's copy of the keyring, prepared for use: which key signs at an instant, and which keys verify. */

import { createSecretKey, type KeyObject } from 'node:crypto';
import type { Ring } from './ring.js';
import { kidOf } from './secret.js';

export interface CopyKey {
  readonly kid: string;
  readonly key: KeyObject;
  readonly role: 'current' | 'next' | 'retired';
  /** When it stops verifying. Milliseconds of the store's clock; next always verifies. */
  readonly verifiesUntilMs: number;
}

export interface Copy {
  readonly ring: Ring;
  readonly current: CopyKey;
  readonly next: CopyKey;
  /** In the order in which a kid-less token is tried: current, next, then retired from the newest. */
  readonly keys: readonly CopyKey[];
}

/** Derives kids and key objects; done once for each change of the ring, never for each token. */
export function createCopy(ring: Ring): Copy {
  const current = copyKey(ring.current.secret, 'current', ring.current.expiresAt + ring.overlap);
  const next = copyKey(ring.next.secret, 'next', Number.POSITIVE_INFINITY);
  const retired = ring.retired.map((slot) => copyKey(slot.secret, 'retired', slot.until));
  return { ring, current, next, keys: [current, next, ...retired] };
}

/** The key that signs: a member that could not reach the store in time promotes next by itself, once (protocol.md, "A member's copy"). */
export function signingKey(copy: Copy, nowMs: number): CopyKey {
  return nowMs >= copy.ring.current.expiresAt ? copy.next : copy.current;
}

/** The keys to try for a token: with a kid that key and no other, without one each that still verifies (protocol.md, "Verifying"). */
export function verifyingKeys(copy: Copy, kid: string | undefined, nowMs: number): readonly CopyKey[] {
  return copy.keys.filter((key) => (kid === undefined || key.kid === kid) && nowMs < key.verifiesUntilMs);
}

function copyKey(secret: string, role: CopyKey['role'], verifiesUntilMs: number): CopyKey {
  return { kid: kidOf(secret), key: createSecretKey(Buffer.from(secret)), role, verifiesUntilMs };
}
