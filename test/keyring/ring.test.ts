/** The ring's wire form: kept to the letter, and refused in one of two ways. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../../src/errors.js';
import { formatRing, hasChange, MAX_RETIRED, parseRing, type Ring, ringExpiresAt } from '../../src/keyring/ring.js';
import { CURRENT, NOW_MS, RING, secretNamed } from './samples.js';
import { seeded } from './seeded.js';

const NEWER =
  'The keyring in the store was written by a newer rewt: update rewt here, or replace the keyring ' +
  'with revoke({ replace: "newer" }).';
const UNREADABLE =
  'The keyring in the store is not one of rewt (damaged, or another program uses its key): find ' +
  'out who wrote it, or replace it with revoke({ replace: "unreadable" }).';

/**
 * The code that a text is refused with; null where it is a ring. Fails for any other throw, and for
 * any other words.
 */
function refusalOf(text: string): string | null {
  try {
    parseRing(text);
    return null;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    // Fixed sentences carry nothing of what was read.
    expect(error.message).toBe(error.code === 'ERR_REWT_RING_NEWER' ? NEWER : UNREADABLE);
    expect(error.cause).toBeUndefined();
    return error.code;
  }
}

const counts = fc.maxSafeNat();
const instants = fc.integer({ min: 0, max: 8.64e15 });
const durations = fc.integer({ min: 1, max: 1e13 });
const secrets = fc.oneof(fc.base64String({ minLength: 32 }), fc.string({ unit: 'binary', minLength: 32 }));
const names = fc.string({ minLength: 1 });
const rings: fc.Arbitrary<Ring> = fc.record({
  v: fc.constant<1>(1),
  id: names,
  epoch: counts,
  gen: counts,
  op: names,
  ttl: durations,
  overlap: durations,
  current: fc.record(
    { secret: secrets, expiresAt: instants, owed: instants },
    { requiredKeys: ['secret', 'expiresAt'] },
  ),
  next: fc.record({ secret: secrets, since: instants }),
  retired: fc.array(fc.record({ secret: secrets, until: instants }), { maxLength: MAX_RETIRED }),
});

describe('a ring', () => {
  it('comes back from its wire form as it was', () => {
    fc.assert(
      fc.property(rings, (ring) => {
        expect(parseRing(formatRing(ring))).toEqual(ring);
      }),
      seeded(300),
    );
  });

  it('keeps the fields of a later minor, at the top and in its slots', () => {
    const later = { ...RING, mood: ['calm'], current: { ...RING.current, note: 'x' } };
    expect(parseRing(formatRing(later))).toEqual(later);
    expect(formatRing(parseRing(formatRing(later)))).toBe(formatRing(later));
  });

  it('is plain JSON that another language can read', () => {
    expect(JSON.parse(formatRing(RING))).toEqual(RING);
  });

  it('holds as many as 32 retired secrets, and no more', () => {
    const retired = Array.from({ length: 33 }, (_, n) => ({ secret: secretNamed(`retired-${n}`), until: NOW_MS }));
    expect(MAX_RETIRED).toBe(32);
    expect(refusalOf(formatRing({ ...RING, retired: retired.slice(0, 32) }))).toBeNull();
    expect(refusalOf(formatRing({ ...RING, retired }))).toBe('ERR_REWT_RING_UNREADABLE');
  });

  it('may be dropped by the store one ttl and one overlap after the end of current', () => {
    expect(ringExpiresAt(RING)).toBe(NOW_MS + 30_000 + 60_000 + 12_000);
  });

  it('may not be dropped while current is owed to tokens', () => {
    const current = { ...RING.current, owed: NOW_MS + 500_000 };
    expect(ringExpiresAt({ ...RING, current })).toBe(NOW_MS + 500_000);
  });
});

describe('a ring of a newer format', () => {
  it.each([2, 3, Number.MAX_SAFE_INTEGER])('is a typed error for v %d, whatever else is in it', (v) => {
    expect(refusalOf(JSON.stringify({ ...RING, v }))).toBe('ERR_REWT_RING_NEWER');
    expect(refusalOf(JSON.stringify({ v }))).toBe('ERR_REWT_RING_NEWER');
  });

  it.each([0, -1, 1.5, '2', '1', null, true, [2], undefined])('is not guessed at where v is %j', (v) => {
    expect(refusalOf(JSON.stringify({ ...RING, v }))).toBe('ERR_REWT_RING_UNREADABLE');
  });
});

describe('what is no ring is refused as unreadable', () => {
  it.each(['', ' ', '{', 'null', 'true', '7', '"text"', '[]', '{}', 'undefined', CURRENT, `[${formatRing(RING)}]`])(
    'the text %j is no ring',
    (text) => {
      expect(refusalOf(text)).toBe('ERR_REWT_RING_UNREADABLE');
    },
  );

  it('a ring whose list of exposed kids is of another type', () => {
    expect(refusalOf(formatRing({ ...RING, exposed: ['x'] }))).toBeNull();
    for (const exposed of [7, [7], {}, null]) {
      expect(refusalOf(JSON.stringify({ ...RING, exposed }))).toBe('ERR_REWT_RING_UNREADABLE');
    }
  });

  const fields = Object.keys(RING) as (keyof Ring)[];
  it.each(fields)('a ring without %s is no ring', (field) => {
    expect(refusalOf(JSON.stringify({ ...RING, [field]: undefined }))).toBe('ERR_REWT_RING_UNREADABLE');
  });

  const counts = ['epoch', 'gen', 'ttl', 'overlap'] as const;
  const noCounts = [-1, 0.5, 2 ** 53, '7', null, true, {}, []];
  it.each(counts.flatMap((field) => noCounts.map((value) => [field, value] as const)))(
    'a ring with %s %j is no ring',
    (field, value) => {
      expect(refusalOf(JSON.stringify({ ...RING, [field]: value }))).toBe('ERR_REWT_RING_UNREADABLE');
    },
  );

  it.each(['id', 'op'].flatMap((field) => ['', 7, null, {}, ['a']].map((value) => [field, value] as const)))(
    'a ring with the %s %j is no ring',
    (field, value) => {
      expect(refusalOf(JSON.stringify({ ...RING, [field]: value }))).toBe('ERR_REWT_RING_UNREADABLE');
    },
  );

  it.each([-1, 0.5, 2 ** 53, '7', null, {}])('a ring whose current is owed until %j is no ring', (owed) => {
    const text = JSON.stringify({ ...RING, current: { ...RING.current, owed } });
    expect(refusalOf(text)).toBe('ERR_REWT_RING_UNREADABLE');
  });

  it('a ring with a time that JSON would round is no ring', () => {
    const rounded = formatRing(RING).replace(String(RING.current.expiresAt), '9007199254740993');
    expect(refusalOf(rounded)).toBe('ERR_REWT_RING_UNREADABLE');
  });

  const short = 'x'.repeat(31);
  const noSlots: readonly unknown[] = [null, 7, 'text', [], {}, { secret: CURRENT }, { secret: CURRENT, time: -1 }];
  const noSecrets: readonly unknown[] = [null, 7, '', short, {}, [CURRENT], Array.from({ length: 40 }, () => 'x')];
  const slots = [
    ['current', 'expiresAt'],
    ['next', 'since'],
  ] as const;
  it.each(slots.flatMap(([field]) => noSlots.map((slot) => [field, slot] as const)))(
    'a ring whose %s is %j is no ring',
    (field, slot) => {
      expect(refusalOf(JSON.stringify({ ...RING, [field]: slot }))).toBe('ERR_REWT_RING_UNREADABLE');
    },
  );
  it.each(slots.flatMap(([field, time]) => noSecrets.map((secret) => [field, time, secret] as const)))(
    'a ring whose %s has its %s and the secret %j is no ring',
    (field, time, secret) => {
      const text = JSON.stringify({ ...RING, [field]: { secret, [time]: NOW_MS } });
      expect(refusalOf(text)).toBe('ERR_REWT_RING_UNREADABLE');
    },
  );
  it.each(noSlots)('a ring with a retired secret of %j, even beside a good one, is no ring', (slot) => {
    expect(refusalOf(JSON.stringify({ ...RING, retired: [...RING.retired, slot] }))).toBe('ERR_REWT_RING_UNREADABLE');
  });
  it.each([null, {}, 'text', 7])('a ring whose list of retired secrets is %j is no ring', (retired) => {
    expect(refusalOf(JSON.stringify({ ...RING, retired }))).toBe('ERR_REWT_RING_UNREADABLE');
  });
  it('a ring whose retired secrets are only like a list is no ring', () => {
    const retired = { length: 0 };
    expect(refusalOf(JSON.stringify({ ...RING, retired }))).toBe('ERR_REWT_RING_UNREADABLE');
  });
});

describe('a damaged ring', () => {
  it('is either still a ring or refused in one of the two ways, and its text shows in no message', () => {
    const text = formatRing(RING);
    const damages = fc.record({ at: fc.nat(text.length), cut: fc.nat(8), put: fc.string({ maxLength: 4 }) });
    fc.assert(
      fc.property(fc.array(damages, { minLength: 1, maxLength: 4 }), (all) => {
        const damaged = all.reduce((left, { at, cut, put }) => left.slice(0, at) + put + left.slice(at + cut), text);
        const code = refusalOf(damaged);
        expect([null, 'ERR_REWT_RING_NEWER', 'ERR_REWT_RING_UNREADABLE']).toContain(code);
      }),
      seeded(1_000),
    );
  });

  it('is unreadable wherever it was cut short', () => {
    const text = formatRing(RING);
    for (let length = 0; length < text.length; length += 1) {
      expect(refusalOf(text.slice(0, length))).toBe('ERR_REWT_RING_UNREADABLE');
    }
  });

  it('never makes anything else of arbitrary JSON', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        expect(refusalOf(text)).not.toBeNull();
      }),
      seeded(500),
    );
  });
});

describe('a change that was written', () => {
  const written: Ring = { ...RING, rev: 'ours' };
  const { epoch, current } = written;
  const other = { ...current, secret: secretNamed('another') };
  const retired = { secret: current.secret, until: NOW_MS + 1 };
  const isIn = (ring: Ring) => hasChange(ring, written);

  it.each([
    ['that ring', written],
    ['a later write of it', { ...written, gen: written.gen + 5, op: 'later' }],
    ['one whose secret has retired since', { ...written, current: other, retired: [retired] }],
    ['one of a later revocation', { ...written, epoch: epoch + 1, rev: 'next', current: other }],
  ])('is found in %s', (_, ring) => {
    expect(isIn(ring)).toBe(true);
  });

  it.each([
    ['another lineage', { ...written, id: 'another', epoch: epoch + 1 }],
    ['the ring before a revocation', { ...written, epoch: epoch - 1 }],
    ['one of another revocation', { ...written, rev: 'theirs' }],
    ['the ring before a rotation', { ...written, current: other, retired: [] }],
  ])('is not in %s', (_, ring) => {
    expect(isIn(ring)).toBe(false);
  });
});
