/** Which key signs at an instant, and which keys verify. */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { verifyingKeys } from '../../src/jwt/authenticate.js';
import { createCopy, signingKey } from '../../src/keyring/copy.js';
import { kidOf } from '../../src/keyring/secret.js';
import { CURRENT, NEXT, NOW_MS, OTHER, RETIRED, RING } from './samples.js';

const copy = createCopy({ ...RING, retired: [...RING.retired, { secret: OTHER, until: NOW_MS + 1_000 }] });
const { expiresAt } = RING.current;

function rolesOf(kid: string | undefined, nowMs: number): string[] {
  return verifyingKeys(copy.keys, kid, nowMs).map((key) => key.role);
}

describe('a copy', () => {
  it('keeps the ring that it was made from', () => {
    expect(createCopy(RING).ring).toBe(RING);
  });

  it('holds every secret of the ring, in the order in which a kid-less token is tried', () => {
    expect(copy.keys.map(({ role, kid }) => [role, kid])).toEqual([
      ['current', kidOf(CURRENT)],
      ['next', kidOf(NEXT)],
      ['retired', kidOf(RETIRED)],
      ['retired', kidOf(OTHER)],
    ]);
    expect(copy.keys[0]).toBe(copy.current);
    expect(copy.keys[1]).toBe(copy.next);
  });

  it('has for a key the UTF-8 bytes of the secret', () => {
    const secret = `${'é'.repeat(20)} of an operator`;
    const { current } = createCopy({ ...RING, current: { ...RING.current, secret } });
    expect(current.mac('a')).toBe(createHmac('sha256', Buffer.from(secret, 'utf8')).update('a').digest('base64url'));
  });
});

describe('current', () => {
  it('verifies for as long as it is owed, if that is longer than its overlap', () => {
    const end = expiresAt + RING.overlap;
    const untilOf = (owed: number) =>
      createCopy({ ...RING, current: { ...RING.current, owed } }).current.verifiesUntilMs;
    expect(untilOf(end + 1)).toBe(end + 1);
    expect(untilOf(end - 1)).toBe(end);
  });
});

describe('signing', () => {
  it('is done with current to the last millisecond before its end', () => {
    expect(signingKey(copy, NOW_MS)).toBe(copy.current);
    expect(signingKey(copy, expiresAt - 1)).toBe(copy.current);
  });

  it('is done with next from that end on, however late', () => {
    expect(signingKey(copy, expiresAt)).toBe(copy.next);
    expect(signingKey(copy, expiresAt + 1_000_000_000)).toBe(copy.next);
  });
});

describe('verifying', () => {
  it('tries for a kid the secret of that name and no other', () => {
    expect(verifyingKeys(copy.keys, kidOf(NEXT), NOW_MS)).toEqual([copy.next]);
    expect(verifyingKeys(copy.keys, kidOf(RETIRED), NOW_MS)).toEqual([copy.keys[2]]);
  });

  it('tries nothing for a kid that the copy does not hold, be it empty', () => {
    expect(rolesOf('unknown-kid', NOW_MS)).toEqual([]);
    expect(rolesOf('', NOW_MS)).toEqual([]);
  });

  it('tries without a kid each secret that still verifies, the newest first', () => {
    expect(rolesOf(undefined, NOW_MS)).toEqual(['current', 'next', 'retired', 'retired']);
    expect(rolesOf(undefined, NOW_MS + 1_000)).toEqual(['current', 'next', 'retired']);
  });

  it('ends for current one overlap after its end', () => {
    expect(rolesOf(kidOf(CURRENT), expiresAt + RING.overlap - 1)).toEqual(['current']);
    expect(rolesOf(kidOf(CURRENT), expiresAt + RING.overlap)).toEqual([]);
  });

  it('ends for a retired secret at its `until`', () => {
    expect(rolesOf(kidOf(RETIRED), NOW_MS + 4_999)).toEqual(['retired']);
    expect(rolesOf(kidOf(RETIRED), NOW_MS + 5_000)).toEqual([]);
  });

  it('never ends for next', () => {
    expect(rolesOf(undefined, Number.MAX_SAFE_INTEGER)).toEqual(['next']);
  });
});
