/** Which ring counts if there are two under one K. */
import { describe, expect, it } from 'vitest';
import { examine } from '../../src/cli/lookup/found.js';
import { formatRing, type Ring } from '../../src/keyring/ring.js';
import { ringOfTwo } from '../../src/keyring/two-names.js';

const [a, b, c] = ['a', 'b', 'c'].map((letter) => letter.repeat(43)) as [string, string, string];
const ring = (over: Partial<Ring> = {}): Ring => ({
  v: 1,
  id: 'lineage',
  epoch: 0,
  gen: 3,
  op: 'op',
  ttl: 60_000,
  overlap: 10_000,
  current: { secret: a, expiresAt: 1_000_000 },
  next: { secret: b, since: 0 },
  retired: [],
  ...over,
});
const key = (value: string | null) => ({ value, expiresAtMs: 1_000_000 });
const holding = (secret: string, over: Partial<Ring> = {}) =>
  ring({
    id: secret,
    current: { secret, expiresAt: 1_000_000 },
    next: { secret: secret.replace(/./, 'n'), since: 0 },
    ...over,
  });

describe('of two rings under one K', () => {
  it.each([
    ['of one lineage the later write', ring({ gen: 3 }), ring({ gen: 4 }), key(a), 'prefixed'],
    ['of one lineage and one write the old name', ring(), ring(), key(a), 'old'],
    ['of one lineage the later revocation', ring({ epoch: 1, gen: 3 }), ring({ gen: 9 }), key(a), 'old'],
    [
      'of one lineage the later revocation, under the prefix too',
      ring({ gen: 9 }),
      ring({ epoch: 1 }),
      key(a),
      'prefixed',
    ],
    [
      'of one current secret the ring that it was adopted from',
      holding(a),
      holding(a, { id: 'other' }),
      key(a),
      'prefixed',
    ],
    [
      'of one current secret the adopting ring if the other was moved',
      holding(a),
      holding(a, { id: 'other', moved: true }),
      key(a),
      'old',
    ],
    ['the ring whose current secret K holds', holding(a), holding(c), key(c), 'prefixed'],
    ['the ring whose next secret K holds', holding(a), holding(c), key(holding(c).next.secret), 'prefixed'],
    ['the old name if K holds its secret', holding(a), holding(c), key(a), 'old'],
    ['the old name if K holds neither', holding(a), holding(c), key(b), 'old'],
    ['the old name if there is no K', holding(a), holding(c), null, 'old'],
  ] as const)('%s counts', (_, old, prefixed, found, which) => {
    expect(ringOfTwo(old, prefixed, found)).toBe(which === 'old' ? old : prefixed);
  });
});

describe('a look at two rings', () => {
  const text = formatRing(ring());
  const later = JSON.stringify({ v: 2 });
  it.each([
    ['a later version beside a readable one', text, later, 'newer'],
    ['a later version beside junk', 'junk', later, 'newer'],
    ['junk beside a readable one', text, 'junk', 'readable'],
  ])('shows %s as members take it', (_, old, prefixed, ringState) => {
    const found = examine({ nowMs: 0, key: key(a), ring: old, beside: prefixed });
    expect(found.ringState).toBe(ringState);
    expect(found.ring === null).toBe(ringState === 'newer');
  });
});
