/** What a secret is, how one is made, and the name (kid) that any member can derive from it. */

import { createHmac, randomBytes } from 'node:crypto';

/** HS256 keys shorter than its output are a MUST NOT (RFC 7518 section 3.2). */
const MIN_SECRET_BYTES = 32;
const KID_BYTES = 8;

/**
 * 32 random bytes as base64url: 43 characters, plain ASCII, so every client and shell carries them
 * unharmed.
 */
export function createSecret(): string {
  return randomBytes(32).toString('base64url');
}

/**
 * 11 characters that name a secret and reveal nothing about it; no registry needed, also for a
 * secret that was adopted.
 */
export function kidOf(secret: string): string {
  return createHmac('sha256', secret).update('rewt kid').digest().subarray(0, KID_BYTES).toString('base64url');
}

/** Tests whether a value found in the store may sign at all (protocol.md, "unusable"). */
export function isUsableSecret(value: string | null): value is string {
  return value !== null && Buffer.byteLength(value) >= MIN_SECRET_BYTES;
}
