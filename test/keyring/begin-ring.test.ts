/**
 * protocol.md's table: the rows that begin a ring, or revoke all its secrets, and `revoke()`. The
 * numbers in the titles are the table's.
 */

import { describe, expect, it } from 'vitest';
import { EMPTY_HISTORY } from '../../src/keyring/history.js';
import type { Ring } from '../../src/keyring/ring.js';
import { type PlainContents as Contents, planRevocation, wantedOf } from './decisions.js';
import {
  CURRENT,
  countingMint,
  DUE,
  decide,
  FRESH_1,
  FRESH_2,
  havingSeen,
  LEAD,
  NEXT,
  NOW_MS,
  OTHER,
  POLICY,
  planFor,
  RETIRED,
  RING,
  ringOf,
  seenEmpty,
  seenWith,
  UNUSABLE,
} from './samples.js';

const EXPIRES = RING.current.expiresAt;

describe('row 1, rollback: an epoch lower than this member has seen', () => {
  const known = havingSeen({ ...RING, epoch: 5 });

  it('row 1 revokes again, one epoch beyond the highest that was seen', () => {
    const plan = planFor(seenWith(), { known });
    expect(plan).toMatchObject({ name: 'rollback', revokes: true, unusableSecret: false });
    expect(ringOf(plan)).toEqual({
      ...RING,
      epoch: 6,
      gen: 8,
      op: 'id-2',
      rev: 'id-1',
      changes: [{ at: NOW_MS, cause: 'rollback' }],
      current: { secret: FRESH_1, expiresAt: NOW_MS + 60_000 },
      next: { secret: FRESH_2, since: NOW_MS },
      retired: [],
    });
    expect(wantedOf(plan).key).toEqual({ value: FRESH_1, expiresAtMs: NOW_MS + 60_000 });
  });

  it('row 1 comes before every other row', () => {
    for (const key of [null, { value: NEXT, expiresAtMs: NOW_MS + 1 }, { value: OTHER, expiresAtMs: NOW_MS + 1 }]) {
      for (const nowMs of [NOW_MS, LEAD, DUE]) {
        expect(planFor(seenWith({ nowMs, key }), { known }).name).toBe('rollback');
      }
    }
  });

  it.each([
    ['current', CURRENT],
    ['next', NEXT],
  ])('row 1 replaces a K that is the %s of the ring that came back, however long its TTL', (_slot, value) => {
    const plan = planFor(seenWith({ key: { value, expiresAtMs: NOW_MS + 50_000 } }), { known });
    expect(wantedOf(plan).key).toEqual({ value: FRESH_1, expiresAtMs: NOW_MS + 60_000 });
    expect(ringOf(plan).current.secret).toBe(FRESH_1);
    expect(JSON.stringify(plan)).not.toContain(value);
  });

  it('row 1 makes an operator’s K current, with the TTL that it has', () => {
    const plan = planFor(seenWith({ key: { value: OTHER, expiresAtMs: NOW_MS + 7_000 } }), { known });
    expect(wantedOf(plan).key).toBeNull();
    expect(ringOf(plan)).toMatchObject({
      epoch: 6,
      current: { secret: OTHER, expiresAt: NOW_MS + 7_000 },
      retired: [],
    });
  });

  it('row 1 gives an operator’s K a TTL where it has none', () => {
    const plan = planFor(seenWith({ key: { value: OTHER, expiresAtMs: null } }), { known });
    expect(wantedOf(plan).key).toEqual({ value: OTHER, expiresAtMs: NOW_MS + 60_000 });
    expect(ringOf(plan).current).toEqual({ secret: OTHER, expiresAt: NOW_MS + 60_000 });
  });

  it.each(UNUSABLE)('row 1 replaces an operator’s K that is %s, and says so', (_what, value) => {
    const plan = planFor(seenWith({ key: { value, expiresAtMs: NOW_MS + 7_000 } }), { known });
    expect(plan).toMatchObject({ name: 'rollback', revokes: true, unusableSecret: true });
    expect(wantedOf(plan).key).toEqual({ value: FRESH_1, expiresAtMs: NOW_MS + 60_000 });
  });

  it('row 1 does not concern an equal or a higher epoch', () => {
    expect(decide(seenWith(), { known: havingSeen(RING) })).toBeNull();
    expect(decide(seenWith(), { known: havingSeen({ ...RING, epoch: 2 }) })).toBeNull();
  });

  it('row 1 does not concern a lineage that this member has never seen', () => {
    expect(decide(seenWith(), { known: havingSeen({ ...RING, id: 'lineage-z', epoch: 9 }) })).toBeNull();
  });

  it('row 1 remembers the highest epoch, also where a lower one was seen after it', () => {
    expect(planFor(seenWith(), { known: havingSeen({ ...RING, epoch: 5 }, RING) })).toMatchObject({ name: 'rollback' });
  });
});

describe('row 1, rollback: a lineage that this member has left', () => {
  const known = havingSeen({ ...RING, epoch: 1 }, { ...RING, id: 'lineage-b', epoch: 0 });

  it('row 1 revokes, though the epoch is higher than any that was seen of it', () => {
    const plan = planFor(seenWith(), { known });
    expect(plan).toMatchObject({ name: 'rollback', revokes: true });
    expect(ringOf(plan)).toMatchObject({ epoch: 4, retired: [], current: { secret: FRESH_1 } });
  });

  it('row 1 takes the highest epoch seen of it, where that is higher', () => {
    const higher = havingSeen({ ...RING, epoch: 8 }, { ...RING, id: 'lineage-b', epoch: 0 });
    expect(ringOf(planFor(seenWith(), { known: higher })).epoch).toBe(9);
  });

  it('row 1 begins another lineage, so that the others who left the old one do not revoke once more', () => {
    const { id } = ringOf(planFor(seenWith(), { known }));
    expect(id).not.toBe('lineage-a');
    expect(id).not.toBe('lineage-b');
    const written = ringOf(planFor(seenWith(), { known }));
    const key = { value: written.current.secret, expiresAtMs: written.current.expiresAt };
    expect(decide(seenWith({ key, ring: written }), { known })).toBeNull();
  });
});

describe('row 2, bootstrap: neither K nor R', () => {
  it('row 2 begins a lineage by this member’s own wishes', () => {
    const plan = planFor(seenEmpty());
    expect(plan).toMatchObject({ name: 'bootstrap', revokes: false, unusableSecret: false });
    expect(ringOf(plan)).toEqual({
      v: 1,
      id: 'id-1',
      epoch: 0,
      gen: 1,
      op: 'id-2',
      ttl: 60_000,
      overlap: 12_000,
      current: { secret: FRESH_1, expiresAt: NOW_MS + 60_000 },
      next: { secret: FRESH_2, since: NOW_MS },
      retired: [],
    });
    expect(wantedOf(plan).key).toEqual({ value: FRESH_1, expiresAtMs: NOW_MS + 60_000 });
  });

  it('row 2 grants at once what the member asks for', () => {
    const policy = { ...POLICY, minimums: { ttlMs: 90_000, overlapMs: 20_000 } };
    expect(ringOf(planFor(seenEmpty(), { policy }))).toMatchObject({
      ttl: 90_000,
      overlap: 20_000,
      current: { expiresAt: NOW_MS + 90_000 },
    });
  });

  it('row 2 is a revocation for a member that knew a ring', () => {
    const plan = planFor(seenEmpty(), { known: havingSeen(RING) });
    expect(plan).toMatchObject({ name: 'bootstrap', revokes: true });
    expect(ringOf(plan)).toMatchObject({ id: 'id-1', epoch: 0, gen: 1 });
  });
});

describe('row 4, adopt: a K without R', () => {
  it('row 4 makes K’s value current with the TTL that it has, in a new lineage', () => {
    const plan = planFor(seenEmpty({ value: OTHER, expiresAtMs: NOW_MS + 44_000 }));
    expect(plan).toMatchObject({ name: 'adopt', revokes: false, unusableSecret: false });
    expect(wantedOf(plan).key).toBeNull();
    expect(ringOf(plan)).toEqual({
      v: 1,
      id: 'id-1',
      epoch: 0,
      gen: 1,
      op: 'id-2',
      ttl: 60_000,
      overlap: 12_000,
      current: { secret: OTHER, expiresAt: NOW_MS + 44_000 },
      next: { secret: FRESH_1, since: NOW_MS },
      retired: [],
    });
  });

  it('row 4 gives K a TTL where it has none', () => {
    const plan = planFor(seenEmpty({ value: OTHER, expiresAtMs: null }));
    expect(wantedOf(plan).key).toEqual({ value: OTHER, expiresAtMs: NOW_MS + 60_000 });
    expect(ringOf(plan).current).toEqual({ secret: OTHER, expiresAt: NOW_MS + 60_000 });
  });

  it('row 4 is a revocation for a member that knew a ring', () => {
    const known = havingSeen(RING);
    expect(planFor(seenEmpty({ value: OTHER, expiresAtMs: null }), { known })).toMatchObject({
      name: 'adopt',
      revokes: true,
    });
  });

  it.each(UNUSABLE)('row 4 replaces a K that is %s by a fresh secret, and says so', (_what, value) => {
    const plan = planFor(seenEmpty({ value, expiresAtMs: NOW_MS + 44_000 }));
    expect(plan.unusableSecret).toBe(true);
    expect(wantedOf(plan).key).toEqual({ value: FRESH_1, expiresAtMs: NOW_MS + 60_000 });
    expect(ringOf(plan)).toMatchObject({ current: { secret: FRESH_1 }, next: { secret: FRESH_2 } });
  });

  it('row 4 takes a K of 32 bytes', () => {
    const value = 'x'.repeat(32);
    const plan = planFor(seenEmpty({ value, expiresAtMs: null }));
    expect(plan.unusableSecret).toBe(false);
    expect(ringOf(plan).current.secret).toBe(value);
  });
});

describe('row 8, brake: K was deleted before its time', () => {
  it('row 8 drops every secret, in the same lineage, one epoch on', () => {
    const plan = planFor(seenWith({ key: null }));
    expect(plan).toMatchObject({ name: 'brake', revokes: true, unusableSecret: false });
    expect(ringOf(plan)).toEqual({
      ...RING,
      epoch: 4,
      gen: 8,
      op: 'id-2',
      rev: 'id-1',
      changes: [{ at: NOW_MS, cause: 'brake' }],
      current: { secret: FRESH_1, expiresAt: NOW_MS + 60_000 },
      next: { secret: FRESH_2, since: NOW_MS },
      retired: [],
    });
    expect(wantedOf(plan).key).toEqual({ value: FRESH_1, expiresAtMs: NOW_MS + 60_000 });
    for (const secret of [CURRENT, NEXT, RETIRED]) expect(JSON.stringify(plan)).not.toContain(secret);
  });

  it('row 8 goes by the ring’s ttl and overlap, and grants larger wishes', () => {
    const ring = { ...RING, ttl: 70_000, overlap: 15_000 };
    expect(ringOf(planFor(seenWith({ key: null, ring })))).toMatchObject({
      ttl: 70_000,
      overlap: 15_000,
      current: { expiresAt: NOW_MS + 70_000 },
    });
    const policy = { ...POLICY, minimums: { ttlMs: 90_000, overlapMs: 20_000 } };
    expect(ringOf(planFor(seenWith({ key: null, ring }), { policy }))).toMatchObject({
      ttl: 90_000,
      overlap: 20_000,
      current: { expiresAt: NOW_MS + 90_000 },
    });
  });

  it('row 8 keeps the fields of a later version', () => {
    const plan = planFor(seenWith({ key: null, ring: { ...RING, mood: 'calm' } as Ring }));
    expect(ringOf(plan)).toHaveProperty('mood', 'calm');
  });
});

describe('row 10, brake: the operator put a new secret', () => {
  it('row 10 revokes, with that value as current and the TTL that it has', () => {
    const plan = planFor(seenWith({ key: { value: OTHER, expiresAtMs: NOW_MS + 7_000 } }));
    expect(plan).toMatchObject({ name: 'brake', revokes: true, unusableSecret: false });
    expect(wantedOf(plan).key).toBeNull();
    expect(ringOf(plan)).toEqual({
      ...RING,
      epoch: 4,
      gen: 8,
      op: 'id-2',
      rev: 'id-1',
      changes: [{ at: NOW_MS, cause: 'brake' }],
      current: { secret: OTHER, expiresAt: NOW_MS + 7_000 },
      next: { secret: FRESH_1, since: NOW_MS },
      retired: [],
    });
  });

  it('row 10 gives a value without TTL one', () => {
    const plan = planFor(seenWith({ key: { value: OTHER, expiresAtMs: null } }));
    expect(wantedOf(plan).key).toEqual({ value: OTHER, expiresAtMs: NOW_MS + 60_000 });
    expect(ringOf(plan)).toMatchObject({ epoch: 4, current: { secret: OTHER, expiresAt: NOW_MS + 60_000 } });
  });

  it('row 10 is for any other value, a retired secret among them', () => {
    expect(planFor(seenWith({ key: { value: RETIRED, expiresAtMs: EXPIRES } })).name).toBe('brake');
  });

  it.each(UNUSABLE)('row 10 replaces a K that is %s by a fresh secret, and says so', (_what, value) => {
    const plan = planFor(seenWith({ key: { value, expiresAtMs: null } }));
    expect(plan).toMatchObject({ name: 'brake', revokes: true, unusableSecret: true });
    expect(wantedOf(plan).key).toEqual({ value: FRESH_1, expiresAtMs: NOW_MS + 60_000 });
    expect(ringOf(plan)).toMatchObject({ epoch: 4, current: { secret: FRESH_1 }, next: { secret: FRESH_2 } });
  });

  it('row 10 takes a K of 32 bytes, also one of 16 two-byte characters', () => {
    for (const value of ['x'.repeat(32), 'é'.repeat(16)]) {
      const plan = planFor(seenWith({ key: { value, expiresAtMs: null } }));
      expect(plan.unusableSecret).toBe(false);
      expect(ringOf(plan).current.secret).toBe(value);
    }
  });
});

describe('revoke()', () => {
  const planned = (seen: Contents, known = EMPTY_HISTORY) =>
    planRevocation(seen, { policy: POLICY, history: known, mint: countingMint() });

  it('drops every secret of the ring, K’s value too, one epoch on', () => {
    for (const key of [null, { value: CURRENT, expiresAtMs: EXPIRES }, { value: OTHER, expiresAtMs: null }]) {
      const plan = planned(seenWith({ key }));
      expect(plan).toMatchObject({ name: 'revocation', revokes: true, unusableSecret: false });
      expect(wantedOf(plan).key).toEqual({ value: FRESH_1, expiresAtMs: NOW_MS + 60_000 });
      expect(ringOf(plan)).toEqual({
        ...RING,
        epoch: 4,
        gen: 8,
        op: 'id-2',
        rev: 'id-1',
        changes: [{ at: NOW_MS, cause: 'revoke' }],
        current: { secret: FRESH_1, expiresAt: NOW_MS + 60_000 },
        next: { secret: FRESH_2, since: NOW_MS },
        retired: [],
      });
    }
  });

  it('begins a lineage where there is no ring, or none that could be read', () => {
    const plan = planned(seenWith({ ring: null }), havingSeen(RING));
    expect(plan).toMatchObject({ name: 'revocation', revokes: true });
    expect(wantedOf(plan).key).toEqual({ value: FRESH_1, expiresAtMs: NOW_MS + 60_000 });
    expect(ringOf(plan)).toMatchObject({ id: 'id-1', epoch: 0, gen: 1, current: { secret: FRESH_1 }, retired: [] });
  });

  it('goes one epoch beyond the highest that was seen, where the store was rolled back', () => {
    const plan = planned(seenWith({ key: { value: OTHER, expiresAtMs: null } }), havingSeen({ ...RING, epoch: 5 }));
    expect(plan).toMatchObject({ name: 'rollback', revokes: true });
    expect(ringOf(plan)).toMatchObject({ id: 'lineage-a', epoch: 6, current: { secret: FRESH_1 } });
  });

  it('does not enter a lineage that this member has left', () => {
    const plan = planned(seenWith(), havingSeen(RING, { ...RING, id: 'lineage-b', epoch: 0 }));
    expect(plan.name).toBe('rollback');
    expect(ringOf(plan)).toMatchObject({ id: 'id-1', epoch: 4 });
  });

  it('says nothing of K, which it replaces whatever it is', () => {
    expect(planned(seenWith({ key: { value: null, expiresAtMs: null } })).unusableSecret).toBe(false);
  });
});
