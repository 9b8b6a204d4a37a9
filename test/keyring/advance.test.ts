/** protocol.md's table, row by row: what a member does with what it read. The numbers in the titles are the table's. */
import { describe, expect, it } from 'vitest';
import { advance, type Plan, type Policy, planRevocation, planRotation, type Seen } from '../../src/keyring/advance.js';
import { expectRevocation, type Known, NOTHING_KNOWN, observe } from '../../src/keyring/known.js';
import { formatRing, MOST_RETIRED, parseRing, type Ring, ringExpiresAt } from '../../src/keyring/ring.js';
import {
  CURRENT,
  countingMint,
  FRESH_1,
  FRESH_2,
  havingSeen,
  NEXT,
  NOW_MS,
  OTHER,
  POLICY,
  RETIRED,
  RING,
  ringOf,
  secretNamed,
  seenWith,
} from './samples.js';

function decide(seen: Seen, { policy = POLICY, known = NOTHING_KNOWN }: { policy?: Policy; known?: Known } = {}) {
  return advance(seen, policy, known, countingMint());
}

/** The plan for what was seen; fails where there is none. */
function planFor(seen: Seen, setting: { policy?: Policy; known?: Known } = {}): Plan {
  const plan = decide(seen, setting);
  if (plan === null) throw new Error('expected a plan');
  return plan;
}

const seenEmpty = (key: Seen['key'] = null): Seen => seenWith({ key, ring: null });
const EXPIRES = RING.current.expiresAt;
/** The first instant of `due`. */
const DUE = EXPIRES - POLICY.clockToleranceMs;
/** The first instant of a scheduled rotation. */
const LEAD = EXPIRES - POLICY.leadMs;
const unusable: readonly (readonly [string, string | null])[] = [
  ['not UTF-8', null],
  ['31 bytes long', 'x'.repeat(31)],
  ['empty', ''],
];

describe('every plan', () => {
  const plans: readonly (readonly [string, () => Plan])[] = [
    ['rollback', () => planFor(seenWith(), { known: havingSeen({ ...RING, epoch: 4 }) })],
    ['bootstrap', () => planFor(seenEmpty())],
    ['repair', () => planFor(seenWith({ ring: null }), { known: havingSeen(RING) })],
    ['adopt', () => planFor(seenEmpty({ value: OTHER, expiresAtMs: null }))],
    ['late rotation', () => planFor(seenWith({ nowMs: DUE, key: null }))],
    ['rotation', () => planFor(seenWith({ nowMs: LEAD }))],
    ['reschedule', () => planFor(seenWith({ key: { value: CURRENT, expiresAtMs: null } }))],
    ['brake', () => planFor(seenWith({ key: null }))],
    ['foreign rotation', () => planFor(seenWith({ nowMs: DUE, key: { value: OTHER, expiresAtMs: DUE + 9_000 } }))],
  ];

  it.each(plans)('of a %s carries the name of its row', (name, make) => {
    const plan = make();
    expect(plan.name).toBe(name);
  });

  it.each(plans)('of a %s writes a ring that ends one ttl and one overlap after its current', (_name, make) => {
    const plan = make();
    const ring = ringOf(plan);
    expect(plan.wanted.ring.expiresAtMs).toBe(ringExpiresAt(ring));
  });

  it.each(plans)('of a %s has an operation id of its own', (_name, make) => {
    const plan = make();
    expect(ringOf(plan).op).toMatch(/^id-\d$/);
  });

  it.each(plans)('of a %s counts one more write', (name, make) => {
    const plan = make();
    expect(ringOf(plan).gen).toBe(name === 'bootstrap' || name === 'adopt' ? 1 : RING.gen + 1);
  });

  it.each(plans)('of a %s leaves K alone, or writes the current of its ring with its end', (_name, make) => {
    const plan = make();
    const { key } = plan.wanted;
    const { current } = ringOf(plan);
    if (key !== null) expect(key).toEqual({ value: current.secret, expiresAtMs: current.expiresAt });
  });
});

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
    expect(plan.wanted.key).toEqual({ value: FRESH_1, expiresAtMs: NOW_MS + 60_000 });
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
    expect(plan.wanted.key).toEqual({ value: FRESH_1, expiresAtMs: NOW_MS + 60_000 });
    expect(ringOf(plan).current.secret).toBe(FRESH_1);
    expect(JSON.stringify(plan)).not.toContain(value);
  });

  it('row 1 makes an operator’s K current, with the TTL that it has', () => {
    const plan = planFor(seenWith({ key: { value: OTHER, expiresAtMs: NOW_MS + 7_000 } }), { known });
    expect(plan.wanted.key).toBeNull();
    expect(ringOf(plan)).toMatchObject({
      epoch: 6,
      current: { secret: OTHER, expiresAt: NOW_MS + 7_000 },
      retired: [],
    });
  });

  it('row 1 gives an operator’s K a TTL where it has none', () => {
    const plan = planFor(seenWith({ key: { value: OTHER, expiresAtMs: null } }), { known });
    expect(plan.wanted.key).toEqual({ value: OTHER, expiresAtMs: NOW_MS + 60_000 });
    expect(ringOf(plan).current).toEqual({ secret: OTHER, expiresAt: NOW_MS + 60_000 });
  });

  it.each(unusable)('row 1 replaces an operator’s K that is %s, and says so', (_what, value) => {
    const plan = planFor(seenWith({ key: { value, expiresAtMs: NOW_MS + 7_000 } }), { known });
    expect(plan).toMatchObject({ name: 'rollback', revokes: true, unusableSecret: true });
    expect(plan.wanted.key).toEqual({ value: FRESH_1, expiresAtMs: NOW_MS + 60_000 });
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

  it('row 1 begins a lineage of its own, so that the others who left the old one do not revoke once more', () => {
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
    expect(plan.wanted.key).toEqual({ value: FRESH_1, expiresAtMs: NOW_MS + 60_000 });
  });

  it('row 2 grants at once what the member asks for', () => {
    const policy = { ...POLICY, asks: { ttlMs: 90_000, overlapMs: 20_000 } };
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

describe('row 3, repair: only R was lost', () => {
  const known = havingSeen(RING);

  it('row 3 writes the known ring back and leaves K alone', () => {
    const plan = planFor(seenWith({ ring: null }), { known });
    expect(plan).toMatchObject({ name: 'repair', revokes: false, unusableSecret: false });
    expect(plan.wanted.key).toBeNull();
    expect(ringOf(plan)).toEqual({ ...RING, gen: 8, op: 'id-1' });
  });

  it('row 3 keeps unknown fields and grants what the member asks for', () => {
    const policy = { ...POLICY, asks: { ttlMs: 90_000, overlapMs: 20_000 } };
    const later = { ...RING, mood: 'calm' };
    const plan = planFor(seenWith({ ring: null }), { known: havingSeen(later), policy });
    expect(ringOf(plan)).toEqual({ ...later, gen: 8, op: 'id-1', ttl: 90_000, overlap: 20_000 });
  });

  it('row 3 ends with the known ring: from that millisecond on K is adopted', () => {
    const key = { value: CURRENT, expiresAtMs: null };
    const end = ringExpiresAt(RING);
    expect(planFor(seenWith({ nowMs: end - 1, key, ring: null }), { known }).name).toBe('repair');
    expect(planFor(seenWith({ nowMs: end, key, ring: null }), { known })).toMatchObject({
      name: 'adopt',
      revokes: true,
    });
  });

  it('row 3 is for the known current alone', () => {
    const key = { value: NEXT, expiresAtMs: EXPIRES };
    expect(planFor(seenWith({ key, ring: null }), { known }).name).toBe('adopt');
  });

  it('row 3 is followed by the others: the TTL that K has by now is copied next', () => {
    const key = { value: CURRENT, expiresAtMs: NOW_MS + 20_000 };
    const repaired = ringOf(planFor(seenWith({ key, ring: null }), { known }));
    expect(planFor(seenWith({ key, ring: repaired }), { known }).name).toBe('reschedule');
  });
});

describe('row 4, adopt: a K without R', () => {
  it('row 4 makes K’s value current with the TTL that it has, in a lineage of its own', () => {
    const plan = planFor(seenEmpty({ value: OTHER, expiresAtMs: NOW_MS + 44_000 }));
    expect(plan).toMatchObject({ name: 'adopt', revokes: false, unusableSecret: false });
    expect(plan.wanted.key).toBeNull();
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
    expect(plan.wanted.key).toEqual({ value: OTHER, expiresAtMs: NOW_MS + 60_000 });
    expect(ringOf(plan).current).toEqual({ secret: OTHER, expiresAt: NOW_MS + 60_000 });
  });

  it('row 4 is a revocation for a member that knew a ring', () => {
    const known = havingSeen(RING);
    expect(planFor(seenEmpty({ value: OTHER, expiresAtMs: null }), { known })).toMatchObject({
      name: 'adopt',
      revokes: true,
    });
  });

  it.each(unusable)('row 4 replaces a K that is %s by a fresh secret, and says so', (_what, value) => {
    const plan = planFor(seenEmpty({ value, expiresAtMs: NOW_MS + 44_000 }));
    expect(plan.unusableSecret).toBe(true);
    expect(plan.wanted.key).toEqual({ value: FRESH_1, expiresAtMs: NOW_MS + 60_000 });
    expect(ringOf(plan)).toMatchObject({ current: { secret: FRESH_1 }, next: { secret: FRESH_2 } });
  });

  it('row 4 takes a K of 32 bytes', () => {
    const value = 'x'.repeat(32);
    const plan = planFor(seenEmpty({ value, expiresAtMs: null }));
    expect(plan.unusableSecret).toBe(false);
    expect(ringOf(plan).current.secret).toBe(value);
  });
});

describe('row 5, late rotation', () => {
  const lateMs = EXPIRES + 8_000;

  it('row 5 lets the old current verify from the end that this member saw last, where a failover lost an EXPIRE', () => {
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

  it('row 5 takes no more than a quarter of the ring’s ttl for due, or every DEL under a short ttl would be no brake', () => {
    const policy = { ...POLICY, clockToleranceMs: 40_000 };
    expect(planFor(seenWith({ nowMs: EXPIRES - 15_001, key: null }), { policy }).name).toBe('brake');
    expect(planFor(seenWith({ nowMs: EXPIRES - 15_000, key: null }), { policy }).name).toBe('late rotation');
  });

  it('row 5 makes next current, with a turn that begins now', () => {
    const plan = planFor(seenWith({ nowMs: DUE, key: null }));
    expect(plan).toMatchObject({ revokes: false, unusableSecret: false });
    expect(plan.wanted.key).toEqual({ value: NEXT, expiresAtMs: DUE + 60_000 });
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
    expect(plan.wanted.key).toBeNull();
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
    expect(plan.wanted.key).toEqual({ value: NEXT, expiresAtMs: NOW_MS + 60_000 });
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
    expect(plan.wanted.key).toEqual({ value: NEXT, expiresAtMs: LEAD + 60_000 });
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

  it('row 6 grants what the member asks for: a longer turn, and a longer overlap for the secret that it retires', () => {
    const policy = { ...POLICY, asks: { ttlMs: 90_000, overlapMs: 20_000 } };
    const plan = planFor(steady(LEAD), { policy });
    expect(plan.wanted.key?.expiresAtMs).toBe(LEAD + 90_000);
    expect(ringOf(plan)).toMatchObject({
      ttl: 90_000,
      overlap: 20_000,
      current: { expiresAt: LEAD + 90_000 },
      retired: [{ secret: CURRENT, until: LEAD + 20_000 }],
    });
  });

  it('row 6 keeps the ring’s ttl and overlap for a member that asks for less', () => {
    const policy = { ...POLICY, ttlMs: 1, overlapMs: 1, asks: { ttlMs: 10_000, overlapMs: 1_000 } };
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
    const retired = Array.from({ length: MOST_RETIRED }, (_, n) => ({
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

describe('row 7, steady and reschedule: K is current', () => {
  const keyEnding = (expiresAtMs: number | null) => seenWith({ key: { value: CURRENT, expiresAtMs } });

  it('row 7 says nothing about a ring as it should be', () => {
    expect(decide(seenWith())).toBeNull();
    expect(decide(seenWith(), { known: havingSeen(RING) })).toBeNull();
  });

  it.each([-5, -4, 4, 5])('row 7 takes a TTL that differs by %d ms for noise', (differenceMs) => {
    expect(decide(keyEnding(EXPIRES + differenceMs))).toBeNull();
  });

  it.each([-10_000, -6, 6, 1_000_000])('row 7 copies a TTL that differs by %d ms into R alone', (differenceMs) => {
    const plan = planFor(keyEnding(EXPIRES + differenceMs));
    expect(plan).toMatchObject({ name: 'reschedule', revokes: false, unusableSecret: false });
    expect(plan.wanted.key).toBeNull();
    const current = { secret: CURRENT, expiresAt: EXPIRES + differenceMs };
    expect(ringOf(plan)).toEqual({ ...RING, gen: 8, op: 'id-1', current });
  });

  it('row 7 puts back a TTL that was removed', () => {
    const plan = planFor(keyEnding(null));
    expect(plan).toMatchObject({ name: 'reschedule', revokes: false });
    expect(plan.wanted.key).toEqual({ value: CURRENT, expiresAtMs: EXPIRES });
    expect(ringOf(plan)).toEqual({ ...RING, gen: 8, op: 'id-1' });
  });

  it.each([
    ['ttl', { ttlMs: 60_001, overlapMs: 12_000 }, { ttl: 60_001, overlap: 12_000 }],
    ['overlap', { ttlMs: 60_000, overlapMs: 12_001 }, { ttl: 60_000, overlap: 12_001 }],
    ['ttl alone, for a member that only verifies', { ttlMs: 60_001, overlapMs: 0 }, { ttl: 60_001, overlap: 12_000 }],
    ['overlap, and keeps the larger ttl', { ttlMs: 1, overlapMs: 12_001 }, { ttl: 60_000, overlap: 12_001 }],
  ])('row 7 records a larger %s, and the schedule stays', (_what, asks, recorded) => {
    const plan = planFor(seenWith(), { policy: { ...POLICY, asks } });
    expect(plan).toMatchObject({ name: 'reschedule', revokes: false });
    expect(plan.wanted.key).toBeNull();
    expect(ringOf(plan)).toEqual({ ...RING, gen: 8, op: 'id-1', ...recorded });
  });

  it('row 7 has nothing to record for equal or smaller wishes, nor for times that a member does not ask for', () => {
    expect(decide(seenWith(), { policy: { ...POLICY, asks: { ttlMs: 60_000, overlapMs: 12_000 } } })).toBeNull();
    expect(decide(seenWith(), { policy: { ...POLICY, asks: { ttlMs: 1, overlapMs: 1 } } })).toBeNull();
    expect(decide(seenWith(), { policy: { ...POLICY, ttlMs: 90_000, overlapMs: 90_000 } })).toBeNull();
  });

  it('row 7 records wishes together with an operator’s EXPIRE', () => {
    const policy = { ...POLICY, asks: { ttlMs: 90_000, overlapMs: 20_000 } };
    const plan = planFor(keyEnding(EXPIRES + 6), { policy });
    expect(ringOf(plan)).toMatchObject({ ttl: 90_000, overlap: 20_000, current: { expiresAt: EXPIRES + 6 } });
  });

  it('row 7 keeps the fields of a later version, also those of current', () => {
    const later = { ...RING, mood: 'calm', current: { ...RING.current, note: 'x' } };
    const plan = planFor(seenWith({ key: { value: CURRENT, expiresAtMs: EXPIRES + 6 }, ring: later }));
    expect(ringOf(plan)).toMatchObject({ mood: 'calm', current: { note: 'x' } });
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
    expect(plan.wanted.key).toEqual({ value: FRESH_1, expiresAtMs: NOW_MS + 60_000 });
    for (const secret of [CURRENT, NEXT, RETIRED]) expect(JSON.stringify(plan)).not.toContain(secret);
  });

  it('row 8 goes by the ring’s ttl and overlap, and grants larger wishes', () => {
    const ring = { ...RING, ttl: 70_000, overlap: 15_000 };
    expect(ringOf(planFor(seenWith({ key: null, ring })))).toMatchObject({
      ttl: 70_000,
      overlap: 15_000,
      current: { expiresAt: NOW_MS + 70_000 },
    });
    const policy = { ...POLICY, asks: { ttlMs: 90_000, overlapMs: 20_000 } };
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

describe('row 9, foreign rotation: an old rewt member put a new secret when current was due', () => {
  const key = { value: OTHER, expiresAtMs: DUE + 59_000 };

  it('row 9 adopts the value, retires the old current and keeps next', () => {
    const plan = planFor(seenWith({ nowMs: DUE, key }));
    expect(plan).toMatchObject({ name: 'foreign rotation', revokes: false, unusableSecret: false });
    expect(plan.wanted.key).toBeNull();
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

  it.each(unusable)('row 9 is not for a K that is %s: that is the brake', (_what, value) => {
    const plan = planFor(seenWith({ nowMs: DUE, key: { value, expiresAtMs: DUE + 59_000 } }));
    expect(plan).toMatchObject({ name: 'brake', revokes: true, unusableSecret: true });
    expect(plan.wanted.key).toEqual({ value: FRESH_1, expiresAtMs: DUE + 60_000 });
  });
});

describe('row 10, brake: the operator put a new secret', () => {
  it('row 10 revokes, with that value as current and the TTL that it has', () => {
    const plan = planFor(seenWith({ key: { value: OTHER, expiresAtMs: NOW_MS + 7_000 } }));
    expect(plan).toMatchObject({ name: 'brake', revokes: true, unusableSecret: false });
    expect(plan.wanted.key).toBeNull();
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
    expect(plan.wanted.key).toEqual({ value: OTHER, expiresAtMs: NOW_MS + 60_000 });
    expect(ringOf(plan)).toMatchObject({ epoch: 4, current: { secret: OTHER, expiresAt: NOW_MS + 60_000 } });
  });

  it('row 10 is for any other value, a retired secret among them', () => {
    expect(planFor(seenWith({ key: { value: RETIRED, expiresAtMs: EXPIRES } })).name).toBe('brake');
  });

  it.each(unusable)('row 10 replaces a K that is %s by a fresh secret, and says so', (_what, value) => {
    const plan = planFor(seenWith({ key: { value, expiresAtMs: null } }));
    expect(plan).toMatchObject({ name: 'brake', revokes: true, unusableSecret: true });
    expect(plan.wanted.key).toEqual({ value: FRESH_1, expiresAtMs: NOW_MS + 60_000 });
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

describe('rotate()', () => {
  const planned = (ring: Ring, { policy = POLICY, force = false } = {}) =>
    planRotation(seenWith({ ring }), ring, policy, countingMint(), { force });
  const since = (ageMs: number): Ring => ({ ...RING, next: { secret: NEXT, since: NOW_MS - ageMs } });

  it('is row 6 before its time', () => {
    const plan = planned(RING);
    if (typeof plan === 'number') throw new Error('expected a plan');
    expect(plan).toMatchObject({ name: 'rotation', revokes: false });
    expect(plan.wanted.key).toEqual({ value: NEXT, expiresAtMs: NOW_MS + 60_000 });
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

  it('counts a next from the future as new: the store’s clock went back, and that costs maxStaleness and no more', () => {
    const plan = planned(since(-3_600_000));
    if (typeof plan === 'number') throw new Error('expected a plan');
    expect(plan).toMatchObject({ name: 'reschedule', revokes: false });
    expect(plan.wanted.key).toBeNull();
    expect(ringOf(plan)).toEqual({ ...RING, gen: 8, op: 'id-1', next: { secret: NEXT, since: NOW_MS } });
    expect(planned(ringOf(plan))).toBe(POLICY.maxStalenessMs);
    expect(planned(since(-1), { force: true })).toMatchObject({ name: 'rotation' });
  });

  it('does not mind a young next where it is forced', () => {
    expect(planned(since(0), { force: true })).toMatchObject({ name: 'rotation' });
  });

  it('is refused, forced or not, while the retired secrets leave no room for those of the schedule', () => {
    // One place is for this rotation, two are kept. By the first turn of the schedule all of these have ended.
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
    // Turns come after 4,000 * 3/4 each; three of them while these last, so 26 of the 30 places are for them.
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

describe('revoke()', () => {
  const planned = (seen: Seen, known = NOTHING_KNOWN) => planRevocation(seen, POLICY, known, countingMint());

  it('drops every secret of the ring, K’s value too, one epoch on', () => {
    for (const key of [null, { value: CURRENT, expiresAtMs: EXPIRES }, { value: OTHER, expiresAtMs: null }]) {
      const plan = planned(seenWith({ key }));
      expect(plan).toMatchObject({ name: 'revocation', revokes: true, unusableSecret: false });
      expect(plan.wanted.key).toEqual({ value: FRESH_1, expiresAtMs: NOW_MS + 60_000 });
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
    expect(plan.wanted.key).toEqual({ value: FRESH_1, expiresAtMs: NOW_MS + 60_000 });
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

describe('what a member remembers', () => {
  it('is the last ring, and the highest epoch of each lineage', () => {
    const known = havingSeen(RING, { ...RING, id: 'lineage-b', epoch: 2 }, { ...RING, id: 'lineage-b', epoch: 7 });
    expect(known.ring).toMatchObject({ id: 'lineage-b', epoch: 7 });
    expect([...known.epochs]).toEqual([
      ['lineage-a', { epoch: 3, rev: null }],
      ['lineage-b', { epoch: 7, rev: null }],
    ]);
  });

  it('never goes down within a lineage', () => {
    const known = observe(havingSeen({ ...RING, epoch: 7 }), RING);
    expect(known.epochs.get(RING.id)?.epoch).toBe(7);
    expect(known.ring).toBe(RING);
  });

  it('counts also an epoch of 0, so that a lineage can be left that never knew a revocation', () => {
    expect([...havingSeen({ ...RING, epoch: 0 }).epochs]).toEqual([['lineage-a', { epoch: 0, rev: null }]]);
  });

  it('is 16 lineages, the last ones', () => {
    const rings = Array.from({ length: 20 }, (_, n) => ({ ...RING, id: `lineage-${n}`, epoch: n }));
    const sixteen = havingSeen(...rings.slice(0, 16));
    expect([...sixteen.epochs.keys()]).toEqual(rings.slice(0, 16).map(({ id }) => id));
    const known = havingSeen(...rings);
    expect([...known.epochs.keys()]).toEqual(rings.slice(4).map(({ id }) => id));
    expect(known.ring?.id).toBe('lineage-19');
  });

  it('does not change what was remembered before', () => {
    const before = havingSeen(RING);
    observe(before, { ...RING, id: 'lineage-b', epoch: 9 });
    expect([...before.epochs]).toEqual([['lineage-a', { epoch: 3, rev: null }]]);
    expect([...NOTHING_KNOWN.epochs]).toEqual([]);
    expect(NOTHING_KNOWN.ring).toBeNull();
  });
});

/** Histories that a random search found to break a promise, each with what keeps it since. */
describe('histories that once broke a promise', () => {
  const key = (value: string, expiresAtMs: number | null) => ({ value, expiresAtMs });

  // SET other · row 10 adopts it, epoch 4 · revoke(), epoch 5 · a failover that loses both writes, not the SET.
  it('promise 3, row 1: a K that this member saw revoked is not an operator’s new secret', () => {
    const adopted: Ring = { ...RING, epoch: 4, current: { secret: OTHER, expiresAt: EXPIRES } };
    const known = havingSeen(RING, adopted, { ...RING, epoch: 5, current: { secret: FRESH_1, expiresAt: EXPIRES } });
    const plan = planFor(seenWith({ key: key(OTHER, EXPIRES) }), { known });
    expect(ringOf(plan).current.secret).not.toBe(OTHER);
  });

  // An old fleet's K · row 4 adopts it · revoke() · a failover to before the adoption.
  it('promise 3, row 4: a K that this member saw revoked is not adopted', () => {
    const adopted: Ring = { ...RING, epoch: 0, current: { secret: OTHER, expiresAt: EXPIRES } };
    const known = havingSeen(adopted, { ...RING, epoch: 1, current: { secret: FRESH_1, expiresAt: EXPIRES } });
    const plan = planFor(seenEmpty(key(OTHER, EXPIRES)), { known });
    expect(ringOf(plan).current.secret).not.toBe(OTHER);
  });

  // DEL, read in time · the swap of that brake did not land · by the next read current is due.
  it('promise 2, row 5: a DEL that was read before K’s end stays a brake until it is written', () => {
    const deleted = seenWith({ nowMs: DUE - 1, key: null });
    expect(planFor(deleted).name).toBe('brake');
    const plan = planFor(seenWith({ nowMs: DUE, key: null }), {
      known: expectRevocation(observe(NOTHING_KNOWN, RING), RING),
    });
    expect(plan.revokes).toBe(true);
  });

  // The same, where the swap of the brake wrote K and not R.
  it('promise 2, row 9: a brake of which only K was written is not completed as a rotation', () => {
    const half = planFor(seenWith({ nowMs: DUE - 1, key: null })).wanted.key;
    const plan = planFor(seenWith({ nowMs: DUE, key: half }), {
      known: expectRevocation(observe(NOTHING_KNOWN, RING), RING),
    });
    expect(JSON.stringify(ringOf(plan))).not.toContain(CURRENT);
  });

  // PERSIST that no member read · an old rewt goes on signing with K past the end that R knows.
  it('promises 6 and 7, row 6: a K without TTL has signed until now', () => {
    const nowMs = EXPIRES + RING.overlap;
    const plan = planFor(seenWith({ nowMs, key: key(CURRENT, null) }));
    expect(ringOf(plan).retired).toEqual([{ secret: CURRENT, until: nowMs + RING.overlap }]);
  });

  it.each([
    ['ttl is 0: it would be rotated without end', { ttl: 0 }],
    ['times are too large: what is written from it could not be read again', { overlap: Number.MAX_SAFE_INTEGER }],
  ])('a ring whose %s is no ring', (_, change) => {
    expect(() => parseRing(formatRing({ ...RING, ...change }))).toThrow(/not one of rewt/);
  });

  it('a revoked secret in a ring is a rollback, whatever the lineage of that ring', () => {
    const known = havingSeen(RING, {
      ...RING,
      epoch: RING.epoch + 1,
      current: { secret: OTHER, expiresAt: EXPIRES },
      next: { secret: FRESH_1, since: 0 },
      retired: [],
    });
    const plan = planFor(seenWith({ ring: { ...RING, id: 'another lineage', epoch: 99 } }), { known });
    expect(plan).toMatchObject({ name: 'rollback', revokes: true });
    expect(JSON.stringify(ringOf(plan))).not.toContain(CURRENT);
  });
});
