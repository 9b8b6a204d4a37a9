/**
 * A member's copy of the keyring, prepared for use: which key signs at an instant, and which keys
 * verify.
 */

import { createTokenKey, type VerifyingKey } from '../jwt/authenticate.js';
import { createMac } from '../jwt/mac.js';
import { currentVerifiesUntil, type Ring } from './ring.js';
import { kidOf } from './secret.js';

export interface CopyKey extends VerifyingKey {
  readonly role: 'current' | 'next' | 'retired';
}

export interface Copy {
  readonly ring: Ring;
  readonly current: CopyKey;
  readonly next: CopyKey;
  /**
   * In the order in which a kid-less token is tried: current, next, then retired from the newest.
   */
  readonly keys: readonly CopyKey[];
}

/** Derives kids and prepares MACs; done once for each change of the ring, never for each token. */
export function createCopy(ring: Ring): Copy {
  const current = copyKey(ring.current.secret, 'current', currentVerifiesUntil(ring));
  const next = copyKey(ring.next.secret, 'next', Number.POSITIVE_INFINITY);
  const retired = ring.retired.map((slot) => copyKey(slot.secret, 'retired', slot.until));
  return { ring, current, next, keys: [current, next, ...retired] };
}

/**
 * The key that signs: a member that could not reach the store in time promotes next by itself, once
 * (protocol.md, "A member's copy").
 */
export function signingKey(copy: Copy, nowMs: number): CopyKey {
  return nowMs >= copy.ring.current.expiresAt ? copy.next : copy.current;
}

/** Returns the kids of all secrets of a ring. */
export function kidsOf(ring: Ring): string[] {
  return [ring.current, ring.next, ...ring.retired].map(({ secret }) => kidOf(secret));
}

function copyKey(secret: string, role: CopyKey['role'], verifiesUntilMs: number): CopyKey {
  return { ...createTokenKey(kidOf(secret), createMac(Buffer.from(secret))), role, verifiesUntilMs };
}
