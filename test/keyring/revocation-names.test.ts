/** protocol.md on `rev`: the name that tells two revocations of one epoch apart. */
import { describe, expect, it } from 'vitest';
import { historyAfter } from '../../src/keyring/advance.js';
import { EMPTY_HISTORY, type History } from '../../src/keyring/history.js';
import type { Plan } from '../../src/keyring/plan.js';
import { parseRing, type Ring } from '../../src/keyring/ring.js';
import { advance, type PlainContents as Contents, planRevocation, planRotation, wantedOf } from './decisions.js';
import {
  CURRENT,
  countingMint,
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

/** The same epoch as `RING`, revoked by another master. */
const X: Ring = { ...RING, rev: 'x' };
const Y: Ring = {
  ...RING,
  rev: 'y',
  current: { secret: secretNamed('y-current'), expiresAt: RING.current.expiresAt },
  next: { secret: secretNamed('y-next'), since: NOW_MS },
  retired: [{ secret: secretNamed('y-retired'), until: NOW_MS + 9_000 }],
};
const FOUND_Y = seenWith({ ring: Y, key: { value: Y.current.secret, expiresAtMs: Y.current.expiresAt } });

function planFor(seen: Contents, known: History = EMPTY_HISTORY): Plan {
  const plan = advance(seen, { policy: POLICY, history: known, mint: countingMint() });
  if (plan === null) throw new Error('expected a plan');
  return plan;
}

/** What a member knows after it has read this and decided on it. */
function learned(known: History, seen: Contents): History {
  return seen.ring === null
    ? known
    : historyAfter(known, seen.ring, advance(seen, { policy: POLICY, history: known, mint: countingMint() }));
}

const DUE = RING.current.expiresAt - POLICY.clockToleranceMs;
const other = (expiresAtMs: number | null) => ({ value: OTHER, expiresAtMs });
const revoking: readonly (readonly [string, (ring: Ring) => Plan])[] = [
  ['row 1', (ring) => planFor(seenWith({ ring }), havingSeen({ ...ring, epoch: 9 }))],
  ['row 8', (ring) => planFor(seenWith({ ring, key: null }))],
  ['row 10', (ring) => planFor(seenWith({ ring, key: other(null) }))],
  [
    'revoke()',
    (ring) => planRevocation(seenWith({ ring }), { policy: POLICY, history: EMPTY_HISTORY, mint: countingMint() }),
  ],
];
const keeping: readonly (readonly [string, (ring: Ring) => Plan])[] = [
  ['row 3', (ring) => planFor(seenWith({ ring: null }), havingSeen(ring))],
  ['row 5', (ring) => planFor(seenWith({ ring, nowMs: DUE, key: null }))],
  ['row 6', (ring) => planFor(seenWith({ ring, nowMs: DUE }))],
  ['row 7', (ring) => planFor(seenWith({ ring, key: { value: CURRENT, expiresAtMs: null } }))],
  ['row 9', (ring) => planFor(seenWith({ ring, nowMs: DUE, key: other(DUE + 9_000) }))],
  [
    'rotate()',
    (ring) => planRotation(seenWith({ ring }), ring, { policy: POLICY, mint: countingMint() }, { force: true }) as Plan,
  ],
];

describe('the name of the last revocation', () => {
  it.each(revoking)('is new with each revocation: %s', (_row, plan) => {
    expect(ringOf(plan(X)).rev).toMatch(/^id-\d$/);
    expect(ringOf(plan(RING)).rev).toMatch(/^id-\d$/);
  });

  it.each(keeping)('is kept by every other write: %s', (_row, plan) => {
    expect(ringOf(plan(X))).toMatchObject({ rev: 'x', epoch: RING.epoch });
  });

  it.each(keeping)('is given to a ring without one by a revocation only, never by %s', (_row, plan) => {
    expect(ringOf(plan(RING))).not.toHaveProperty('rev');
  });

  it('is absent in a ring that a member begins, and there where revoke() begins one', () => {
    expect(ringOf(planFor(seenWith({ key: null, ring: null })))).not.toHaveProperty('rev');
    const revoked = planRevocation(seenWith({ ring: null }), {
      policy: POLICY,
      history: EMPTY_HISTORY,
      mint: countingMint(),
    });
    expect(ringOf(revoked).rev).toMatch(/^id-\d$/);
  });

  it.each([[''], [7], [null]])('is a text: a ring with %j for a name cannot be read', (rev) => {
    expect(() => parseRing(JSON.stringify({ ...RING, rev }))).toThrow(
      expect.objectContaining({ code: 'ERR_REWT_RING_UNREADABLE' }),
    );
  });
});

describe('row 1, rollback: the highest epoch under another name', () => {
  it.each([
    ['another', X],
    ['none', RING],
  ])('row 1 revokes where the member saw %s', (_name, seen) => {
    const plan = planFor(FOUND_Y, havingSeen(seen));
    expect(plan).toMatchObject({ name: 'rollback', revokes: true, unusableSecret: false });
    expect(ringOf(plan)).toMatchObject({ id: RING.id, epoch: RING.epoch + 1, retired: [] });
  });

  it('row 1 is not for the same name, and not for none beside none', () => {
    expect(advance(FOUND_Y, { policy: POLICY, history: havingSeen(Y), mint: countingMint() })).toBeNull();
    expect(advance(seenWith(), { policy: POLICY, history: havingSeen(RING), mint: countingMint() })).toBeNull();
  });

  it('row 1 compares names of equal epochs only: an older member counts the epoch up and leaves the name', () => {
    const later = { ...FOUND_Y, ring: { ...Y, rev: 'x', epoch: RING.epoch + 1 } };
    expect(advance(later, { policy: POLICY, history: havingSeen(X), mint: countingMint() })).toBeNull();
    const laterStill = { ...FOUND_Y, ring: { ...Y, epoch: RING.epoch + 1 } };
    expect(advance(laterStill, { policy: POLICY, history: havingSeen(X), mint: countingMint() })).toBeNull();
  });

  it('row 1 takes the first name that is read of an epoch whose revocation was due and not written', () => {
    const expecting = learned(havingSeen(X), seenWith({ ring: X, key: null }));
    expect(expecting.epochs.get(RING.id)).toEqual({ epoch: RING.epoch + 1, rev: undefined });
    const named = { ...FOUND_Y, ring: { ...Y, epoch: RING.epoch + 1 } };
    const known = learned(expecting, named);
    expect(known.epochs.get(RING.id)).toEqual({ epoch: RING.epoch + 1, rev: 'y' });
    const third = { ...named, ring: { ...named.ring, rev: 'z' } };
    expect(planFor(third, known).name).toBe('rollback');
  });
});

describe('a ring that is row 1', () => {
  const known = learned(havingSeen(X), FOUND_Y);

  it('counts as revoked with all its secrets, retired ones included, as does what the member held before', () => {
    const secrets = [Y.current, Y.next, ...Y.retired, X.current, X.next, ...X.retired].map((slot) => slot.secret);
    expect([...known.revoked].sort()).toEqual([...secrets].sort());
  });

  it.each([
    ['the branch that came second', FOUND_Y],
    ['the branch that came first', seenWith({ ring: X })],
  ])('is row 1 again should the store show %s', (_which, seen) => {
    expect(planFor(seen, known)).toMatchObject({ name: 'rollback', revokes: true });
  });

  it.each([
    ['current', Y.current.secret],
    ['next', Y.next.secret],
    ['retired', secretNamed('y-retired')],
    ['current before', CURRENT],
    ['next before', NEXT],
    ['retired before', RETIRED],
  ])('leaves none of its secrets in K, nor any that the member held: %s', (_slot, value) => {
    const plan = planFor({ ...FOUND_Y, key: { value, expiresAtMs: null } }, havingSeen(X));
    expect(plan).toMatchObject({ name: 'rollback', unusableSecret: false });
    expect(wantedOf(plan).key?.value).toBe(ringOf(plan).current.secret);
    expect(JSON.stringify(plan)).not.toContain(value);
    // Nor when the ring has gone meanwhile.
    expect(JSON.stringify(planFor({ ...FOUND_Y, ring: null, key: { value, expiresAtMs: null } }, known))).not.toContain(
      value,
    );
  });

  it('keeps an operator’s K, which is of neither', () => {
    expect(ringOf(planFor({ ...FOUND_Y, key: other(null) }, havingSeen(X))).current.secret).toBe(OTHER);
  });

  it('read again and again pushes nothing out of what was revoked before', () => {
    const earlier = Array.from({ length: 200 }, (_, n) => secretNamed(`earlier-${n}`));
    let all: History = { ...havingSeen(X), revoked: new Set(earlier) };
    for (let n = 0; n < 20; n += 1) all = learned(all, FOUND_Y);
    expect(earlier.every((secret) => all.revoked.has(secret))).toBe(true);
    expect(all.revoked.size).toBe(206);
  });
});

describe('the secrets that a member remembers as revoked', () => {
  it('are those of a ring in row 1, also if there is no ring that it held before', () => {
    const knowingX = havingSeen(X);
    const plan = planFor(FOUND_Y, knowingX);
    expect(plan.name).toBe('rollback');
    const { revoked } = historyAfter({ ...knowingX, ring: null }, Y, plan);
    expect([...revoked]).toEqual([Y.current.secret, Y.next.secret, ...Y.retired.map(({ secret }) => secret)]);
  });

  it('are those too that a failover took out of the ring before the revocation, and no earlier', () => {
    const rotated = { ...X, gen: X.gen + 1, current: { ...X.current, secret: OTHER } };
    const lost = havingSeen(rotated, X);
    expect([...lost.lost]).toEqual([OTHER]);
    expect(lost.revoked.has(OTHER)).toBe(false);
    const { revoked } = historyAfter(lost, { ...Y, epoch: X.epoch + 1 }, null);
    expect(revoked.has(OTHER)).toBe(true);
    expect(havingSeen(X, rotated, X, rotated).revoked.size).toBe(0);
  });

  const lostBy = (ring: Ring) => havingSeen({ ...X, gen: 9, current: { ...X.current, secret: OTHER } }, ring);

  it('are those too if the ring had caught up before the member read it', () => {
    const { revoked, lost } = historyAfter(lostBy({ ...X, gen: 10 }), { ...Y, epoch: X.epoch + 1 }, null);
    expect(revoked.has(OTHER)).toBe(true);
    expect(lost.size).toBe(0);
  });

  it('are those of each failover since, the last 256', () => {
    const branch = (n: number): Ring => ({ ...X, gen: 9, current: { ...X.current, secret: secretNamed(`lost-${n}`) } });
    const { lost } = havingSeen(...Array.from({ length: 300 }, (_, n) => [branch(n), X]).flat());
    expect(lost.size).toBe(256);
    expect([20, 100, 299].map((n) => lost.has(secretNamed(`lost-${n}`)))).toEqual([false, true, true]);
  });

  it('are those too if the revocation is row 1', () => {
    const { revoked } = historyAfter(lostBy(X), Y, planFor(FOUND_Y, lostBy(X)));
    expect(revoked.has(OTHER)).toBe(true);
  });

  it('are those too that K holds in row 1: none signs again', () => {
    const found = { ...FOUND_Y, key: other(null) };
    expect(ringOf(planFor(found, lostBy(X))).current.secret).not.toBe(OTHER);
    expect(ringOf(planFor(found, havingSeen(X))).current.secret).toBe(OTHER);
  });

  it('are none that a failover brought back and the revocation left', () => {
    const back = { ...Y, epoch: X.epoch + 1, current: { ...X.current, secret: OTHER } };
    expect(historyAfter(lostBy(X), back, null).revoked.has(OTHER)).toBe(false);
  });

  it('are those of a lineage after which another began', () => {
    const { revoked } = havingSeen(X, { ...Y, id: 'lineage-b' });
    expect([CURRENT, NEXT, RETIRED].filter((secret) => !revoked.has(secret))).toEqual([]);
  });

  it('are none of those whose end had come when they left the ring', () => {
    const since = (ms: number): Ring => ({ ...X, gen: 9, next: { secret: secretNamed('fresh'), since: ms } });
    const turned = since(X.current.expiresAt + X.overlap);
    const current = { secret: NEXT, expiresAt: turned.next.since + X.ttl };
    expect(havingSeen(X, { ...turned, current, retired: [] }).lost.size).toBe(0);
    const early = since(turned.next.since - 1);
    expect(havingSeen(X, { ...early, current, retired: [] }).lost).toEqual(new Set([CURRENT]));
    expect(havingSeen(X, { ...turned, retired: [] }).lost).toEqual(new Set([NEXT]));
    expect(havingSeen(X, { ...since(X.current.expiresAt + X.ttl + X.overlap), retired: [] }).lost.size).toBe(0);
  });

  it('are the last 256', () => {
    const rings = Array.from({ length: 150 }, (_, epoch) => ({
      ...RING,
      epoch,
      current: { ...RING.current, secret: secretNamed(`current-${epoch}`) },
      next: { ...RING.next, secret: secretNamed(`next-${epoch}`) },
      retired: [],
    }));
    const { revoked } = havingSeen(...rings);
    expect(revoked.size).toBe(256);
    expect(revoked.has(secretNamed('next-148'))).toBe(true);
    expect(revoked.has(secretNamed('next-20'))).toBe(false);
  });
});
