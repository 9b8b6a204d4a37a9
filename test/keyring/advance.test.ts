/**
 * protocol.md's table: what all its plans share, the rows that keep a ring as it is, and what a
 * member remembers. begin-ring.test.ts and rotate-ring.test.ts have the other rows. The numbers in
 * the titles are the table's.
 */

import { describe, expect, it } from 'vitest';
import { EMPTY_HISTORY, expectRevocation, remember } from '../../src/keyring/history.js';
import type { Plan } from '../../src/keyring/plan.js';
import { formatRing, parseRing, type Ring, ringExpiresAt } from '../../src/keyring/ring.js';
import { wantedOf } from './decisions.js';
import {
  CURRENT,
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
  RING,
  ringOf,
  seenEmpty,
  seenWith,
} from './samples.js';

const EXPIRES = RING.current.expiresAt;

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
    expect(wantedOf(plan).ring.expiresAtMs).toBe(ringExpiresAt(ring));
  });

  it.each(plans)('of a %s has a fresh operation id', (_name, make) => {
    const plan = make();
    expect(ringOf(plan).op).toMatch(/^id-\d$/);
  });

  it.each(plans)('of a %s counts one more write', (name, make) => {
    const plan = make();
    expect(ringOf(plan).gen).toBe(name === 'bootstrap' || name === 'adopt' ? 1 : RING.gen + 1);
  });

  it.each(plans)('of a %s leaves K alone, or writes the current of its ring with its end', (_name, make) => {
    const plan = make();
    const { key } = wantedOf(plan);
    const { current } = ringOf(plan);
    if (key !== null) expect(key).toEqual({ value: current.secret, expiresAtMs: current.expiresAt });
  });
});

describe('row 3, repair: only R was lost', () => {
  const known = havingSeen(RING);

  it('row 3 writes the known ring back and leaves K alone', () => {
    const plan = planFor(seenWith({ ring: null }), { known });
    expect(plan).toMatchObject({ name: 'repair', revokes: false, unusableSecret: false });
    expect(wantedOf(plan).key).toBeNull();
    expect(ringOf(plan)).toEqual({ ...RING, gen: 8, op: 'id-1' });
  });

  it('row 3 keeps unknown fields and grants what the member asks for', () => {
    const policy = { ...POLICY, minimums: { ttlMs: 90_000, overlapMs: 20_000 } };
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
    expect(wantedOf(plan).key).toBeNull();
    const current = { secret: CURRENT, expiresAt: EXPIRES + differenceMs };
    expect(ringOf(plan)).toEqual({ ...RING, gen: 8, op: 'id-1', current });
  });

  it('row 7 puts back a TTL that was removed', () => {
    const plan = planFor(keyEnding(null));
    expect(plan).toMatchObject({ name: 'reschedule', revokes: false });
    expect(wantedOf(plan).key).toEqual({ value: CURRENT, expiresAtMs: EXPIRES });
    expect(ringOf(plan)).toEqual({ ...RING, gen: 8, op: 'id-1' });
  });

  it.each([
    ['ttl', { ttlMs: 60_001, overlapMs: 12_000 }, { ttl: 60_001, overlap: 12_000 }],
    ['overlap', { ttlMs: 60_000, overlapMs: 12_001 }, { ttl: 60_000, overlap: 12_001 }],
    ['ttl alone, for a member that only verifies', { ttlMs: 60_001, overlapMs: 0 }, { ttl: 60_001, overlap: 12_000 }],
    ['overlap, and keeps the larger ttl', { ttlMs: 1, overlapMs: 12_001 }, { ttl: 60_000, overlap: 12_001 }],
  ])('row 7 records a larger %s, and the schedule stays', (_what, minimums, recorded) => {
    const plan = planFor(seenWith(), { policy: { ...POLICY, minimums } });
    expect(plan).toMatchObject({ name: 'reschedule', revokes: false });
    expect(wantedOf(plan).key).toBeNull();
    expect(ringOf(plan)).toEqual({ ...RING, gen: 8, op: 'id-1', ...recorded });
  });

  it('row 7 has nothing to record for equal or smaller wishes, nor for times that a member does not ask for', () => {
    expect(decide(seenWith(), { policy: { ...POLICY, minimums: { ttlMs: 60_000, overlapMs: 12_000 } } })).toBeNull();
    expect(decide(seenWith(), { policy: { ...POLICY, minimums: { ttlMs: 1, overlapMs: 1 } } })).toBeNull();
    expect(decide(seenWith(), { policy: { ...POLICY, ttlMs: 90_000, overlapMs: 90_000 } })).toBeNull();
  });

  it('row 7 records wishes together with an operator’s EXPIRE', () => {
    const policy = { ...POLICY, minimums: { ttlMs: 90_000, overlapMs: 20_000 } };
    const plan = planFor(keyEnding(EXPIRES + 6), { policy });
    expect(ringOf(plan)).toMatchObject({ ttl: 90_000, overlap: 20_000, current: { expiresAt: EXPIRES + 6 } });
  });

  it('row 7 keeps the fields of a later version, also those of current', () => {
    const later = { ...RING, mood: 'calm', current: { ...RING.current, note: 'x' } };
    const plan = planFor(seenWith({ key: { value: CURRENT, expiresAtMs: EXPIRES + 6 }, ring: later }));
    expect(ringOf(plan)).toMatchObject({ mood: 'calm', current: { note: 'x' } });
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
    const known = remember(havingSeen({ ...RING, epoch: 7 }), RING);
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
    remember(before, { ...RING, id: 'lineage-b', epoch: 9 });
    expect([...before.epochs]).toEqual([['lineage-a', { epoch: 3, rev: null }]]);
    expect([...EMPTY_HISTORY.epochs]).toEqual([]);
    expect(EMPTY_HISTORY.ring).toBeNull();
  });
});

/** Histories that a random search found to break a promise, each with what keeps it since. */
describe('histories that once broke a promise', () => {
  const key = (value: string, expiresAtMs: number | null) => ({ value, expiresAtMs });

  // SET other · row 10 adopts it, epoch 4 · revoke(), epoch 5 · a failover that loses both writes,
  // not the SET.
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
      known: expectRevocation(remember(EMPTY_HISTORY, RING), RING),
    });
    expect(plan.revokes).toBe(true);
  });

  // The same, where the swap of the brake wrote K and not R.
  it('promise 2, row 9: a brake of which only K was written is not completed as a rotation', () => {
    const half = wantedOf(planFor(seenWith({ nowMs: DUE - 1, key: null }))).key;
    const plan = planFor(seenWith({ nowMs: DUE, key: half }), {
      known: expectRevocation(remember(EMPTY_HISTORY, RING), RING),
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
    expect(() => parseRing(formatRing({ ...RING, ...change }))).toThrow(
      expect.objectContaining({ code: 'ERR_REWT_RING_UNREADABLE' }),
    );
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
