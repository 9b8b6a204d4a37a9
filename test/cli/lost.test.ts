/** Whether a revocation is lost, by the ring that the store shows after it. */

import { describe, expect, it } from 'vitest';
import { isLost } from '../../src/cli/lookup/wait.js';
import type { Session } from '../../src/cli/session.js';
import { formatRing, type Ring } from '../../src/keyring/ring.js';
import { unsealed } from '../../src/keyring/sealing.js';
import { knownSecrets } from '../support/known-ring.js';

const revokedAt = Date.UTC(2026, 10, 29);
const written: Ring = {
  v: 1,
  id: 'lineage',
  epoch: 1,
  rev: 'revocation',
  gen: 7,
  op: 'op',
  ttl: 3_600_000,
  overlap: 365_000,
  current: { secret: knownSecrets.current, expiresAt: revokedAt + 3_600_000 },
  next: { secret: knownSecrets.next, since: revokedAt },
  retired: [],
};
const retired = [{ secret: knownSecrets.retired, until: revokedAt + 366_000 }];

const isLostWith = (ring: Ring | null): Promise<boolean> => {
  const read = async () => ({ nowMs: revokedAt + 2_000, key: null, ring: ring && formatRing(ring), roleUnknown: null });
  // Nothing else of a session is used.
  return isLost({ read, sealing: unsealed } as Pick<Session, 'read' | 'sealing'> as Session, written);
};
const other = (since: number): Ring => ({ ...written, id: 'other', epoch: 0, next: { ...written.next, since } });

describe('a revocation', () => {
  it.each([
    ['as it was written', written, false],
    ['that has rotated since', { ...written, gen: 8, next: other(revokedAt + 1_000).next, retired }, false],
    ['of the lineage before it', { ...written, epoch: 0, rev: 'before' }, true],
    ['of a lineage that began later', other(revokedAt + 1_000), false],
    ['of a lineage that began earlier', other(revokedAt - 1_000), true],
    ['of a lineage that began earlier, and has rotated since', { ...other(revokedAt + 1_000), retired }, true],
    ['no more', null, true],
  ])('is judged lost or not by a ring %s', async (_, ring, expected) => {
    expect(await isLostWith(ring)).toBe(expected);
  });
});
