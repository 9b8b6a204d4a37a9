/**
 * protocol.md's table: the rows by which secrets take turns, and `rotate()`. The numbers in the
 * titles are the table's.
 */

import { describe, expect, it } from 'vitest';
import { MAX_RETIRED, type Ring } from '../../src/keyring/ring.js';
import { planRotation, wantedOf } from './decisions.js';
import {
  CURRENT,
  countingMint,
  DUE,
  decide,
  FRESH_1,
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
  secretNamed,
  seenWith,
  UNUSABLE,
} from './samples.js';

const EXPIRES = RING.current.expiresAt;

describe('row 5, late rotation', () => {
  const lateMs = EXPIRES + 8_000;

  it('row 5 lets the old current verify from the end that this member read last, if a failover lost an EXPIRE', () => {
    const known = havingSeen({ ...RING, current: { secret: CURRENT, expiresAt: EXPIRES + 5_000 } });
    const [old] = ringOf(planFor(seenWith({ nowMs: lateMs, key: null }), { known })).retired;
    expect(old).toEqual({ secret: CURRENT, until: EXPIRES + 5_000 + RING.overlap });
  });

  it('row 5 lets it verify for as long as it did before, where a failover lost its retirement', () => {
    const rotated = {
      ...RING,
      current: { secret: NEXT, expiresAt: EXPIRES + 60_000 },
      next: { secret: OTHER, since: EXPIRES },
      retired: [{ secret: CURRENT, until: EXPIRES + 3_000 + RING.overlap }],
    };
    const [old] = ringOf(planFor(seenWith({ nowMs: lateMs, key: null }), { known: havingSeen(rotated) })).retired;
    expect(old).toEqual({ secret: CURRENT, until: EXPIRES + 3_000 + RING.overlap });
  });

  it.each([[null], [{ value: NEXT, expiresAtMs: lateMs + 50_000 }], [{ value: OTHER, expiresAtMs: lateMs + 50_000 }]])(
    'rows 5 and 9 let it verify until it is owed, whatever this member saw before (K: %j)',
    (key) => {
      const ring = { ...RING, current: { ...RING.current, owed: lateMs + 90_000 } };
      const [old] = ringOf(planFor(seenWith({ nowMs: lateMs, key, ring }), { known: havingSeen(RING) })).retired;
      expect(old).toEqual({ secret: CURRENT, until: lateMs + 90_000 });
    },
  );

  it('row 5 never takes an end later than now for that, nor an earlier one than the ring’s', () => {
    const until = (expiresAt: number) => {
      const known = havingSeen({ ...RING, current: { secret: CURRENT, expiresAt } });
      return ringOf(planFor(seenWith({ nowMs: lateMs, key: null }), { known })).retired[0]?.until;
    };
    expect(until(lateMs + 60_000)).toBe(lateMs + RING.overlap);
    expect(until(EXPIRES - 10_000)).toBe(EXPIRES + RING.overlap);
  });

  it('row 5 begins to the millisecond one clock tolerance before the end of current', () => {
    expect(planFor(seenWith({ nowMs: DUE - 1, key: null })).name).toBe('brake');
    expect(planFor(seenWith({ nowMs: DUE, key: null })).name).toBe('late rotation');
  });

  it('row 5 counts at most a quarter of the ring’s ttl as due, or no DEL under a short ttl would be a brake', () => {
    const policy = { ...POLICY, clockToleranceMs: 40_000 };
    expect(planFor(seenWith({ nowMs: EXPIRES - 15_001, key: null }), { policy }).name).toBe('brake');
    expect(planFor(seenWith({ nowMs: EXPIRES - 15_000, key: null }), { policy }).name).toBe('late rotation');
  });

  it('row 5 makes next current, with a turn that begins now', () => {
    const plan = planFor(seenWith({ nowMs: DUE, key: null }));
    expect(plan).toMatchObject({ revokes: false, unusableSecret: false });
    expect(wantedOf(plan).key).toEqual({ value: NEXT, expiresAtMs: DUE + 60_000 });
    expect(ringOf(plan)).toEqual({
      ...RING,
      gen: 8,
      op: 'id-1',
      current: { secret: NEXT, expiresAt: DUE + 60_000 },
      next: { secret: FRESH_1, since: DUE },
      retired: [{ secret: CURRENT, until: DUE + 12_000 }],
    });
  });

  it('row 5 lets the old current verify for one overlap from its end, where that has passed', () => {
    const plan = planFor(seenWith({ nowMs: EXPIRES + 5_000, key: null }));
    expect(ringOf(plan).retired).toEqual([{ secret: CURRENT, until: EXPIRES + 12_000 }]);
  });

  it('row 5 drops the old current where even its overlap has passed', () => {
    const latest = EXPIRES + RING.overlap;
    expect(ringOf(planFor(seenWith({ nowMs: latest - 1, key: null }))).retired).toHaveLength(1);
    expect(ringOf(planFor(seenWith({ nowMs: latest, key: null }))).retired).toEqual([]);
  });

  it('row 5 completes a swap that wrote K and not R, and K’s own TTL stands', () => {
    const plan = planFor(seenWith({ key: { value: NEXT, expiresAtMs: NOW_MS + 59_000 } }));
    expect(plan.name).toBe('late rotation');
    expect(plan.revokes).toBe(false);
    expect(wantedOf(plan).key).toBeNull();
    expect(ringOf(plan)).toEqual({
      ...RING,
      gen: 8,
      op: 'id-1',
      current: { secret: NEXT, expiresAt: NOW_MS + 59_000 },
      next: { secret: FRESH_1, since: NOW_MS },
      retired: [
        { secret: CURRENT, until: NOW_MS + 12_000 },
        { secret: RETIRED, until: NOW_MS + 5_000 },
      ],
    });
  });

  it('row 5 completes it also where the old current ended long ago', () => {
    const nowMs = EXPIRES + 4_000;
    const plan = planFor(seenWith({ nowMs, key: { value: NEXT, expiresAtMs: nowMs + 50_000 } }));
    expect(ringOf(plan).retired).toEqual([{ secret: CURRENT, until: EXPIRES + 12_000 }]);
  });

  it('row 5 puts a TTL on a K that is next and has none', () => {
    const plan = planFor(seenWith({ key: { value: NEXT, expiresAtMs: null } }));
    expect(plan.name).toBe('late rotation');
    expect(wantedOf(plan).key).toEqual({ value: NEXT, expiresAtMs: NOW_MS + 60_000 });
    expect(ringOf(plan).current).toEqual({ secret: NEXT, expiresAt: NOW_MS + 60_000 });
  });
});

describe('row 6, rotation: before K expires', () => {
  /** K and R agree that current ends at the same time. */
  const steady = (nowMs: number) => seenWith({ nowMs });

  it('row 6 begins to the millisecond one lead before the end', () => {
    expect(decide(steady(LEAD - 1))).toBeNull();
    expect(planFor(steady(LEAD)).name).toBe('rotation');
  });

  it('row 6 takes no more than a quarter of the ring’s ttl for its lead', () => {
    const policy = { ...POLICY, leadMs: 15_001 };
    expect(decide(steady(EXPIRES - 15_001), { policy })).toBeNull();
    expect(planFor(steady(EXPIRES - 15_000), { policy }).name).toBe('rotation');
  });

  it('row 6 makes next current and retires the old current for one overlap from now', () => {
    const plan = planFor(steady(LEAD));
    expect(plan).toMatchObject({ revokes: false, unusableSecret: false });
    expect(wantedOf(plan).key).toEqual({ value: NEXT, expiresAtMs: LEAD + 60_000 });
    expect(ringOf(plan)).toEqual({
      ...RING,
      gen: 8,
      op: 'id-1',
      current: { secret: NEXT, expiresAt: LEAD + 60_000 },
      next: { secret: FRESH_1, since: LEAD },
      retired: [{ secret: CURRENT, until: LEAD + 12_000 }],
    });
  });

  it('row 6 goes by K’s own TTL, where an operator has shortened or prolonged it', () => {
    const shortened = { value: CURRENT, expiresAtMs: NOW_MS + 3_000 };
    expect(planFor(seenWith({ key: shortened })).name).toBe('rotation');
    const prolonged = { value: CURRENT, expiresAtMs: EXPIRES + 60_000 };
    expect(planFor(seenWith({ nowMs: LEAD, key: prolonged })).name).toBe('reschedule');
  });

  it('row 6 retires from now on, where K was prolonged past the end that R knows', () => {
    const nowMs = EXPIRES + 4_000;
    const plan = planFor(seenWith({ nowMs, key: { value: CURRENT, expiresAtMs: nowMs + 1_000 } }));
    expect(ringOf(plan).retired).toEqual([{ secret: CURRENT, until: nowMs + 12_000 }]);
  });

  it('row 6 goes by R where K has no TTL', () => {
    const key = { value: CURRENT, expiresAtMs: null };
    expect(planFor(seenWith({ nowMs: LEAD - 1, key })).name).toBe('reschedule');
    const plan = planFor(seenWith({ nowMs: LEAD, key }));
    expect(plan.name).toBe('rotation');
    expect(ringOf(plan).retired).toEqual([{ secret: CURRENT, until: LEAD + 12_000 }]);
  });

  it('row 6 grants what the member needs: a longer turn, and a longer overlap for the secret that it retires', () => {
    const policy = { ...POLICY, minimums: { ttlMs: 90_000, overlapMs: 20_000 } };
    const plan = planFor(steady(LEAD), { policy });
    expect(wantedOf(plan).key?.expiresAtMs).toBe(LEAD + 90_000);
    expect(ringOf(plan)).toMatchObject({
      ttl: 90_000,
      overlap: 20_000,
      current: { expiresAt: LEAD + 90_000 },
      retired: [{ secret: CURRENT, until: LEAD + 20_000 }],
    });
  });

  it('row 6 keeps the ring’s ttl and overlap for a member that asks for less', () => {
    const policy = { ...POLICY, ttlMs: 1, overlapMs: 1, minimums: { ttlMs: 10_000, overlapMs: 1_000 } };
    expect(ringOf(planFor(steady(LEAD), { policy }))).toMatchObject({
      ttl: 60_000,
      overlap: 12_000,
      current: { expiresAt: LEAD + 60_000 },
      retired: [{ secret: CURRENT, until: LEAD + 12_000 }],
    });
  });

  it('row 6 prunes the retired secrets that have ended, to the millisecond', () => {
    const retired = [
      { secret: secretNamed('alive'), until: LEAD + 1 },
      { secret: secretNamed('ended'), until: LEAD },
    ];
    const plan = planFor(seenWith({ nowMs: LEAD, ring: { ...RING, retired } }));
    expect(ringOf(plan).retired).toEqual([{ secret: CURRENT, until: LEAD + 12_000 }, retired[0]]);
  });

  it('row 6 keeps at most 32 retired secrets, the newest', () => {
    const retired = Array.from({ length: MAX_RETIRED }, (_, n) => ({
      secret: secretNamed(`retired-${n}`),
      until: LEAD + 100,
    }));
    const plan = planFor(seenWith({ nowMs: LEAD, ring: { ...RING, retired } }));
    expect(ringOf(plan).retired.map((slot) => slot.secret)).toEqual([
      CURRENT,
      ...retired.slice(0, 31).map((slot) => slot.secret),
    ]);
  });

  it('row 6 keeps the fields of a later version', () => {
    const later = { ...RING, mood: { calm: true } };
    expect(ringOf(planFor(seenWith({ nowMs: LEAD, ring: later })))).toHaveProperty('mood', { calm: true });
  });
});

describe('row 9, foreign rotation: an old rewt member put a new secret when current was due', () => {
  const key = { value: OTHER, expiresAtMs: DUE + 59_000 };

  it('row 9 adopts the value, retires the old current and keeps next', () => {
    const plan = planFor(seenWith({ nowMs: DUE, key }));
    expect(plan).toMatchObject({ name: 'foreign rotation', revokes: false, unusableSecret: false });
    expect(wantedOf(plan).key).toBeNull();
    expect(ringOf(plan)).toEqual({
      ...RING,
      gen: 8,
      op: 'id-1',
      current: { secret: OTHER, expiresAt: DUE + 59_000 },
      retired: [{ secret: CURRENT, until: DUE + 12_000 }],
    });
  });

  it('row 9 lets the old current verify for one overlap from its end, where that has passed', () => {
    const nowMs = EXPIRES + 5_000;
    const plan = planFor(seenWith({ nowMs, key: { value: OTHER, expiresAtMs: nowMs + 60_000 } }));
    expect(ringOf(plan).retired).toEqual([{ secret: CURRENT, until: EXPIRES + 12_000 }]);
  });

  it('row 9 begins to the millisecond with due', () => {
    expect(planFor(seenWith({ nowMs: DUE - 1, key })).name).toBe('brake');
    expect(planFor(seenWith({ nowMs: DUE, key })).name).toBe('foreign rotation');
  });

  it('row 9 is not for a K without TTL: an old rewt member always sets one', () => {
    const plan = planFor(seenWith({ nowMs: DUE, key: { value: OTHER, expiresAtMs: null } }));
    expect(plan).toMatchObject({ name: 'brake', revokes: true });
  });

  it.each(UNUSABLE)('row 9 is not for a K that is %s: that is the brake', (_what, value) => {
    const plan = planFor(seenWith({ nowMs: DUE, key: { value, expiresAtMs: DUE + 59_000 } }));
    expect(plan).toMatchObject({ name: 'brake', revokes: true, unusableSecret: true });
    expect(wantedOf(plan).key).toEqual({ value: FRESH_1, expiresAtMs: DUE + 60_000 });
  });
});

describe('rotate()', () => {
  const planned = (ring: Ring, { policy = POLICY, force = false } = {}) =>
    planRotation(seenWith({ ring }), ring, { policy, mint: countingMint() }, { force });
  const since = (ageMs: number): Ring => ({ ...RING, next: { secret: NEXT, since: NOW_MS - ageMs } });

  it('is row 6 before its time', () => {
    const plan = planned(RING);
    if (typeof plan === 'number') throw new Error('expected a plan');
    expect(plan).toMatchObject({ name: 'rotation', revokes: false });
    expect(wantedOf(plan).key).toEqual({ value: NEXT, expiresAtMs: NOW_MS + 60_000 });
    expect(ringOf(plan).retired).toEqual([
      { secret: CURRENT, until: NOW_MS + 12_000 },
      { secret: RETIRED, until: NOW_MS + 5_000 },
    ]);
  });

  it('comes too early while next is younger than maxStaleness, by what is missing', () => {
    expect(planned(since(0))).toBe(6_000);
    expect(planned(since(5_999))).toBe(1);
    expect(planned(since(6_000))).toMatchObject({ name: 'rotation' });
  });

  it('counts a next from the future as new: the store’s clock went back, which costs maxStaleness and no more', () => {
    const plan = planned(since(-3_600_000));
    if (typeof plan === 'number') throw new Error('expected a plan');
    expect(plan).toMatchObject({ name: 'reschedule', revokes: false });
    expect(wantedOf(plan).key).toBeNull();
    expect(ringOf(plan)).toEqual({ ...RING, gen: 8, op: 'id-1', next: { secret: NEXT, since: NOW_MS } });
    expect(planned(ringOf(plan))).toBe(POLICY.maxStalenessMs);
    expect(planned(since(-1), { force: true })).toMatchObject({ name: 'rotation' });
  });

  it('does not mind a young next where it is forced', () => {
    expect(planned(since(0), { force: true })).toMatchObject({ name: 'rotation' });
  });

  it('is refused, forced or not, while the retired secrets leave no room for those of the schedule', () => {
    // One place is for this rotation, two are kept. By the first turn of the schedule all of these
    // have ended.
    const crowd = (size: number): Ring => ({
      ...RING,
      retired: Array.from({ length: size }, (_, n) => ({ secret: secretNamed(`r${n}`), until: NOW_MS + 500 + n })),
    });
    for (const force of [false, true]) {
      expect(planned(crowd(30), { force })).toBe(500);
      expect(planned(crowd(29), { force })).toMatchObject({ name: 'rotation' });
    }
  });

  it('leaves the more room, the more secrets the schedule retires within one overlap', () => {
    // Turns come after 4,000 * 3/4 each; three of them while these last, so 26 of the 30 places are
    // for them.
    const crowd = (size: number, lastsMs = 9_500): Ring => ({
      ...RING,
      ttl: 4_000,
      overlap: 12_000,
      retired: Array.from({ length: size }, (_, n) => ({ secret: secretNamed(`r${n}`), until: NOW_MS + lastsMs - n })),
    });
    expect(planned(crowd(26))).toMatchObject({ name: 'rotation' });
    expect(planned(crowd(27))).toBe(9_500 - 26);
    expect(planned(crowd(27, 9_000))).toMatchObject({ name: 'rotation' });
    expect(planned(crowd(28, 9_000))).toBe(9_000 - 27);
  });

  it('is not refused for ever under any schedule that the options allow', () => {
    for (const ratio of [12, 14, 15, 16]) {
      const [ttl, overlap] = [60_000, 60_000 * ratio];
      const retired = Array.from({ length: ratio }, (_, n) => ({
        secret: secretNamed(`r${n}`),
        until: NOW_MS + overlap - n * ttl - ttl / 2,
      }));
      expect(planned({ ...RING, ttl, overlap, retired }, { force: true })).toMatchObject({ name: 'rotation' });
    }
  });

  it('is refused at once in a ring whose times no schedule has room for', () => {
    expect(planned({ ...RING, ttl: 1, overlap: 1e13 }, { force: true })).toBe(5_000);
  });

  it('counts only the retired secrets that still verify', () => {
    const retired = Array.from({ length: 32 }, (_, n) => ({ secret: secretNamed(`r${n}`), until: NOW_MS - 10 + n }));
    // 11 of them have ended, the one at this very millisecond included.
    expect(planned({ ...RING, retired })).toMatchObject({ name: 'rotation' });
    expect(planned({ ...RING, retired: retired.map((slot) => ({ ...slot, until: slot.until + 9 })) })).toBe(1);
  });
});
