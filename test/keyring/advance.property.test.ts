/**
 * `advance` against the page that it is written from, and against random histories.
 */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_HISTORY, type History } from '../../src/keyring/history.js';
import type { Plan } from '../../src/keyring/plan.js';
import type { Policy } from '../../src/keyring/policy.js';
import { MAX_RETIRED, parseRing, type Ring } from '../../src/keyring/ring.js';
import { advance, type PlainContents as Contents, planRotation, wantedOf } from './decisions.js';
import { type Command, playHistory } from './history.js';
import { type Effect, FRESH, tableSays } from './oracle.js';
import { countingMint, NOW_MS, secretNamed } from './samples.js';
import { seeded } from './seeded.js';

const few = fc.constantFrom('a', 'b', 'c', 'd', 'e').map(secretNamed);
const boundaries = fc.constantFrom(-1, 0, 1);

/** Times that lie on the table's boundaries, one millisecond beside them, or anywhere. */
function near(...instants: readonly number[]): fc.Arbitrary<number> {
  const onBoundary = fc.tuple(fc.constantFrom(...instants), boundaries).map(([instant, offset]) => instant + offset);
  return fc.oneof({ arbitrary: onBoundary, weight: 3 }, fc.integer({ min: NOW_MS - 100_000, max: NOW_MS + 100_000 }));
}

const policies: fc.Arbitrary<Policy> = fc.record({
  ttlMs: fc.constantFrom(20_000, 60_000),
  overlapMs: fc.constantFrom(5_000, 12_000),
  clockToleranceMs: fc.constantFrom(0, 1_000, 30_000),
  maxStalenessMs: fc.constantFrom(0, 6_000),
  leadMs: fc.constantFrom(500, 3_000, 40_000),
  minimums: fc.option(
    fc.record({ ttlMs: fc.constantFrom(0, 60_000, 60_001), overlapMs: fc.constantFrom(0, 12_000, 12_001) }),
  ),
});

const revs = fc.constantFrom(undefined, 'x', 'y');

const rings: fc.Arbitrary<Ring> = fc
  .record({
    v: fc.constant<1>(1),
    id: fc.constantFrom('lineage-a', 'lineage-b'),
    epoch: fc.nat(3),
    gen: fc.nat(9),
    op: fc.constant('op'),
    ttl: fc.constantFrom(20_000, 60_000),
    overlap: fc.constantFrom(5_000, 12_000),
    current: fc.record(
      { secret: few, expiresAt: near(NOW_MS), owed: near(NOW_MS) },
      { requiredKeys: ['secret', 'expiresAt'] },
    ),
    next: fc.record({ secret: few, since: near(NOW_MS) }),
    retired: fc.oneof(
      { arbitrary: fc.array(fc.record({ secret: few, until: near(NOW_MS) }), { maxLength: 3 }), weight: 4 },
      fc.array(fc.record({ secret: few, until: near(NOW_MS) }), { minLength: 31, maxLength: 32 }),
    ),
  })
  .chain((ring) => revs.map((rev) => (rev === undefined ? ring : { ...ring, rev })));

const seenEpochs = fc.record({
  epoch: fc.nat(3),
  rev: fc.constantFrom<string | null | undefined>(null, undefined, 'x', 'y'),
});

const knowns: fc.Arbitrary<History> = fc
  .record({
    ring: fc.option(rings),
    epochs: fc.dictionary(fc.constantFrom('lineage-a', 'lineage-b'), seenEpochs),
    revoked: fc.oneof({ arbitrary: fc.constant([]), weight: 3 }, fc.array(few, { maxLength: 2 })),
  })
  .map(({ ring, epochs, revoked }) => {
    if (ring === null) return { ...EMPTY_HISTORY, ring };
    const seen = new Map(Object.entries(epochs));
    if (ring.epoch >= (seen.get(ring.id)?.epoch ?? 0)) {
      seen.set(ring.id, { epoch: ring.epoch, rev: ring.rev ?? null });
    }
    return { ...EMPTY_HISTORY, ring, epochs: seen, revoked: new Set(revoked) };
  });

/**
 * A policy, what is known, and contents of the store in which the boundaries of both are likely.
 */
const cases = fc
  .record({ policy: policies, known: knowns, ring: fc.option(rings, { freq: 3 }) })
  .chain(({ policy, known, ring }) => {
    const of = ring ?? known.ring;
    const ends =
      of === null
        ? [NOW_MS]
        : [of.current.expiresAt, of.current.expiresAt + of.ttl + of.overlap, of.current.owed ?? NOW_MS];
    const values = fc.oneof(
      {
        arbitrary: fc.constantFrom(...(of === null ? [secretNamed('z')] : [of.current.secret, of.next.secret])),
        weight: 3,
      },
      few,
      fc.constantFrom(null, '', 'x'.repeat(31), 'x'.repeat(32), 'é'.repeat(15), 'é'.repeat(16)),
    );
    const early = [0, policy.clockToleranceMs, policy.leadMs, (of?.ttl ?? 0) / 4];
    return fc
      .record({
        end: near(...ends),
        value: values,
        hasKey: fc.constantFrom(true, true, true, false),
        hasTtl: fc.constantFrom(true, true, true, false),
        shiftMs: fc.constantFrom(0, 0, -6, -5, -4, 4, 5, 6, 30_000),
        earlyMs: fc.constantFrom(...early),
        offsetMs: boundaries,
        anyNow: fc.option(near(NOW_MS), { freq: 2 }),
      })
      .map(({ end, value, hasKey, hasTtl, shiftMs, earlyMs, offsetMs, anyNow }) => {
        const expiresAtMs = hasTtl ? (ring?.current.expiresAt ?? end) + shiftMs : null;
        const nowMs = anyNow ?? (expiresAtMs ?? end) - earlyMs + offsetMs;
        const key = hasKey ? { value, expiresAtMs } : null;
        const seen: Contents = { nowMs, key, ring };
        return { seen, policy, known };
      });
  });

function ringIn(plan: Plan | null): Ring {
  return parseRing(wantedOf(plan as Plan).ring.text);
}

/** A plan with what was minted for it called `FRESH`, as the oracle says it. */
function effectOf(plan: Plan | null): Effect | null {
  if (plan === null) return null;
  const { v, op, ...ring } = parseRing(wantedOf(plan).ring.text);
  expect([v, op]).toEqual([1, expect.stringMatching(/^id-/)]);
  const plain = (secret: string) => (secret.startsWith('fresh-') ? FRESH : secret);
  const key = wantedOf(plan).key;
  return {
    name: plan.name,
    revokes: plan.revokes,
    unusableSecret: plan.unusableSecret,
    key: key === null ? null : { value: plain(key.value), expiresAtMs: key.expiresAtMs },
    ring: {
      ...ring,
      id: ring.id.startsWith('id-') ? FRESH : ring.id,
      ...(ring.rev === undefined ? {} : { rev: ring.rev.startsWith('id-') ? FRESH : ring.rev }),
      current: { ...ring.current, secret: plain(ring.current.secret) },
      next: { ...ring.next, secret: plain(ring.next.secret) },
    },
  };
}

describe('advance', () => {
  it('does for whatever was read what the table says', () => {
    fc.assert(
      fc.property(cases, ({ seen, policy, known }) => {
        const plan = advance(seen, { policy, history: known, mint: countingMint() });
        expect(effectOf(plan)).toEqual(tableSays(seen, policy, known));
      }),
      seeded(5_000),
    );
  });

  it('is tried on every row', () => {
    const met = fc
      .sample(cases, { seed: 1, numRuns: 3_000 })
      .map(({ seen, policy, known }) => tableSays(seen, policy, known)?.name ?? 'steady');
    // Nine names, and nothing to say.
    expect(new Set(met).size).toBe(10);
  });

  it('mints two different secrets where it mints two', () => {
    fc.assert(
      fc.property(cases, ({ seen, policy, known }) => {
        const plan = advance(seen, { policy, history: known, mint: countingMint() });
        if (plan === null) return;
        const ring = parseRing(wantedOf(plan).ring.text);
        if (ring.current.secret.startsWith('fresh-')) expect(ring.current.secret).not.toBe(ring.next.secret);
      }),
      seeded(500),
    );
  });
});

/** Seconds between forced rotations, and how late the schedule is noticed each time. */
const forces = fc.record({
  ratio: fc.constantFrom(0.1, 1, 4, 12, 14, 15, 16),
  leadMs: fc.constantFrom(1_000, 15_000),
  gapsMs: fc.array(fc.constantFrom(0, 1_000, 20_000, 44_999, 60_000, 200_000), { minLength: 60, maxLength: 150 }),
});

describe('rotate({ force: true }) beside the schedule', () => {
  it('never leads to more than 32 retired secrets, so none is dropped while it verifies', () => {
    fc.assert(
      fc.property(forces, ({ ratio, leadMs, gapsMs }) => {
        const mint = countingMint();
        const policy = {
          ttlMs: 60_000,
          overlapMs: 60_000 * ratio,
          clockToleranceMs: 0,
          maxStalenessMs: 0,
          leadMs,
          minimums: null,
        };
        let nowMs = NOW_MS;
        let forced = 0;
        let ring = ringIn(advance({ nowMs, key: null, ring: null }, { policy, history: EMPTY_HISTORY, mint }));
        const write = (plan: Plan) => {
          const lasting = ring.retired.filter(({ until }) => until > nowMs).length;
          expect(lasting).toBeLessThan(MAX_RETIRED);
          ring = ringIn(plan);
        };
        for (const gapMs of gapsMs) {
          for (const endMs = nowMs + gapMs; ; ) {
            const turnMs = ring.current.expiresAt - leadMs;
            if (turnMs > endMs) {
              nowMs = endMs;
              break;
            }
            nowMs = turnMs;
            const key = { value: ring.current.secret, expiresAtMs: ring.current.expiresAt };
            write(advance({ nowMs, key, ring }, { policy, history: EMPTY_HISTORY, mint }) as Plan);
          }
          const key = { value: ring.current.secret, expiresAtMs: ring.current.expiresAt };
          const plan = planRotation({ nowMs, key, ring }, ring, { policy, mint }, { force: true });
          if (typeof plan === 'number') continue;
          forced += 1;
          write(plan);
        }
        expect(forced).toBeGreaterThan(0);
      }),
      seeded(60),
    );
  });
});

const member = fc.nat(2);
const pausesMs = fc.oneof(
  fc.nat(20),
  fc.nat(3_000),
  fc.nat(20_000),
  fc.nat(70_000),
  fc.constantFrom(57_000, 60_000, 80_000, 132_000, 200_000),
);
const faults = fc.array(fc.constantFrom('fine', 'lost', 'half', 'conflict'), { maxLength: 3 });
const ttls = fc.oneof(
  fc.nat({ max: 10_000 }).map((ms) => ms + 1),
  fc.integer({ min: 1, max: 200_000 }),
);

const commands: fc.Arbitrary<Command> = fc.oneof(
  { arbitrary: fc.record({ do: fc.constant('wait'), ms: pausesMs }), weight: 5 },
  { arbitrary: fc.record({ do: fc.constant('converge'), member, faults }), weight: 9 },
  { arbitrary: fc.record({ do: fc.constant('sign'), member }), weight: 5 },
  { arbitrary: fc.record({ do: fc.constant('rotate'), member, force: fc.boolean(), faults }), weight: 3 },
  { arbitrary: fc.record({ do: fc.constant('revoke'), member, faults }), weight: 2 },
  { arbitrary: fc.record({ do: fc.constant('old rewt signs') }), weight: 3 },
  fc.record({ do: fc.constant('restart'), member }),
  fc.record({ do: fc.constant('DEL') }),
  fc.record({
    do: fc.constant('SET'),
    what: fc.constantFrom('new', 'new', 'short', 'retired', 'next'),
    ttlMs: fc.option(ttls),
  }),
  fc.record({ do: fc.constant('EXPIRE'), ttlMs: ttls }),
  fc.record({ do: fc.constant('PERSIST') }),
  fc.record({ do: fc.constant('FLUSHALL') }),
  fc.record({ do: fc.constant('lose R') }),
  { arbitrary: fc.record({ do: fc.constant('old rewt'), ttlMs: ttls }), weight: 2 },
  { arbitrary: fc.record({ do: fc.constant('other master') }), weight: 2 },
  { arbitrary: fc.record({ do: fc.constant('roll back'), writes: fc.integer({ min: 1, max: 6 }) }), weight: 2 },
) as fc.Arbitrary<Command>;

describe('a history of members, operators, old rewt members, faults and failovers', () => {
  it('keeps every promise after each convergence', () => {
    fc.assert(
      fc.property(fc.array(commands, { maxLength: 40 }), (history) => {
        playHistory(history);
      }),
      seeded(1_000),
    );
  });

  it('has one winner, however many members meet the same contents at the same instant', () => {
    fc.assert(
      fc.property(fc.array(commands, { maxLength: 15 }), fc.integer({ min: 2, max: 16 }), (history, members) => {
        playHistory(history).race(members);
      }),
      seeded(300),
    );
  });
});
