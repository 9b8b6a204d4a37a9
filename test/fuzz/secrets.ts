/**
 * The secrets that the fuzzer signs with, the ring that has them, and the instant at which
 * everything happens: fixed, so that a seed always means the same inputs.
 */

import { createHmac } from 'node:crypto';
import type { Ring } from '../../src/keyring/ring.js';

/** The wall clock and the store's clock. Milliseconds. */
export const NOW_MS = 1_800_000_000_000;

/**
 * Current, next, two retired ones (the second past a block's length, and not ASCII), one whose time
 * is over, and one of another fleet.
 */
export const SECRETS = [
  'canary-secret-current-0123456789-0123456789',
  'canary-secret-next-0123456789-0123456789-01',
  'canary-secret-retired-0123456789-0123456789',
  `canary-secret-žluťoučký-${'kůň'.repeat(20)}`,
  'canary-secret-ended-0123456789-0123456789-0',
  'canary-secret-foreign-0123456789-0123456789',
] as const;

/** How many of them verify. */
export const LIVE_SECRETS = 4;

const [current, next, retired, long, ended] = SECRETS;

export const RING: Ring = {
  v: 1,
  id: 'lineage-of-the-fuzzer',
  epoch: 3,
  gen: 7,
  op: 'op-7',
  ttl: 1e10,
  overlap: 1e9,
  current: { secret: current, expiresAt: NOW_MS + 5e9 },
  next: { secret: next, since: NOW_MS - 5e9 },
  retired: [
    { secret: retired, until: NOW_MS + 5e8 },
    { secret: long, until: NOW_MS + 4e8 },
    { secret: ended, until: NOW_MS - 1 },
  ],
};

/** As protocol.md has it ("Terms"), and not as the code has it. */
export const KIDS = SECRETS.map((secret) =>
  createHmac('sha256', secret).update('rewt kid').digest().subarray(0, 8).toString('base64url'),
);

/** The MAC of a JWS under one of the secrets (RFC 7515 §5.1). */
export const macBy = (secret: number, signedPart: string): string =>
  createHmac('sha256', SECRETS[secret] ?? '')
    .update(signedPart)
    .digest('base64url');
