/** Other times for a ring, downwards too: what is written, and that no token is lost by it. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryStore, Rewt, type RewtOptions, type Store } from '../../src/index.js';
import { fleetNeeds } from '../../src/keyring/announcement.js';
import type { Plan } from '../../src/keyring/plan.js';
import { formatRing, MAX_RETIRED, type Ring, ringExpiresAt } from '../../src/keyring/ring.js';
import { SET_TIMES } from '../../src/keyring/set-times.js';
import { type FaultyStore, faultyStore } from '../support/faulty-store.js';
import { pass, settle, times, turnTime } from '../support/turned-time.js';
import { planTimes, wantedOf } from './decisions.js';
import {
  CURRENT,
  countingMint,
  NEXT,
  NOW_MS,
  POLICY,
  RETIRED,
  RING,
  ringOf,
  secretNamed,
  seenWith,
} from './samples.js';

function planned(ttlMs: number, overlapMs: number, ring: Ring = RING, reason: string | null = null) {
  const policy = { ...POLICY, minimums: { ttlMs: 90_000, overlapMs: 90_000 }, sets: { ttlMs, overlapMs } };
  return planTimes(seenWith({ ring }), ring, { policy, mint: countingMint() }, reason);
}

describe('other times for a ring', () => {
  it('are none where they are what they were', () => {
    expect(planned(RING.ttl, RING.overlap)).toBeNull();
  });

  it.each([
    [RING.ttl + 1, RING.overlap],
    [RING.ttl, RING.overlap + 1],
    [RING.ttl * 2, RING.overlap * 2],
  ])('are granted as by row 7 where none is shorter (%d, %d): nothing else changes', (ttl, overlap) => {
    const plan = planned(ttl, overlap) as Plan;
    expect(plan).toMatchObject({ name: 'reschedule', revokes: false });
    expect(wantedOf(plan).key).toBeNull();
    expect(ringOf(plan)).toEqual({ ...RING, gen: 8, op: 'id-1', ttl, overlap });
  });

  it.each([
    [20_000, RING.overlap],
    [RING.ttl, 4_000],
    [20_000, 4_000],
    [20_000, 40_000],
  ])('take a rotation where one is shorter (%d, %d): the new ones hold from next on', (ttl, overlap) => {
    const plan = planned(ttl, overlap, RING, 'shorter') as Plan;
    expect(plan).toMatchObject({ name: 'rotation', revokes: false });
    expect(wantedOf(plan).key).toEqual({ value: NEXT, expiresAtMs: NOW_MS + ttl });
    expect(ringOf(plan)).toMatchObject({
      ttl,
      overlap,
      current: { secret: NEXT, expiresAt: NOW_MS + ttl },
      retired: [
        { secret: CURRENT, until: NOW_MS + Math.max(RING.overlap, overlap) },
        { secret: RETIRED, until: RING.retired[0]?.until },
      ],
      changes: [{ at: NOW_MS, cause: 'rotate', reason: 'shorter' }],
    });
  });

  it.each([
    [RING.ttl, 4_000, { owed: NOW_MS + RING.overlap }],
    [20_000, 4_000, { owed: NOW_MS + RING.overlap }],
    [20_000, RING.overlap, {}],
    [20_000, 40_000, {}],
  ])('leave the secret that signs next what tokens by the old overlap need (%d, %d)', (ttl, overlap, owed) => {
    const { current } = ringOf(planned(ttl, overlap) as Plan);
    expect(current).toEqual({ secret: NEXT, expiresAt: NOW_MS + ttl, ...owed });
  });

  it('come too early while next is younger than maxStaleness', () => {
    expect(planned(20_000, 4_000, { ...RING, next: { secret: NEXT, since: NOW_MS - 1_000 } })).toBe(5_000);
  });

  it('wait for a next from the future as well, and are not set meanwhile', () => {
    const plan = planned(20_000, 4_000, { ...RING, next: { secret: NEXT, since: NOW_MS + 9_000 } }) as Plan;
    const { ttl, overlap } = { ttl: 90_000, overlap: 90_000 };
    expect(ringOf(plan)).toMatchObject({ ttl, overlap, current: RING.current, next: { secret: NEXT, since: NOW_MS } });
  });

  it('come too early while there is no room for what the new schedule retires', () => {
    // Of the schedule by 4,000 two turns come while these last, and none of the one by 20,000.
    const retired = Array.from({ length: MAX_RETIRED - 4 }, (_, n) => ({
      secret: secretNamed(`r${n}`),
      until: NOW_MS + 6_500,
    }));
    expect(planned(20_000, RING.overlap, { ...RING, retired })).toMatchObject({ name: 'rotation' });
    expect(planned(4_000, RING.overlap, { ...RING, retired })).toBe(6_500);
  });

  it('let R live for as long as anything in it verifies', () => {
    const ring = ringOf(
      planned(1_000, 1_000, { ...RING, retired: [{ secret: RETIRED, until: NOW_MS + 50_000 }] }) as Plan,
    );
    expect(ringExpiresAt(ring)).toBe(NOW_MS + 50_000);
    expect(ringExpiresAt(RING)).toBe(RING.current.expiresAt + RING.ttl + RING.overlap);
    expect(formatRing(ring)).toContain(RETIRED);
  });
});

it('what members need is what they announce; older ones are named, junk is no member', () => {
  const held = { lineage: 'l', epoch: 0, generation: 1, next: 'k' };
  const texts = [
    JSON.stringify({ ...held, name: 'a', needs: { ttl: 1, overlap: 2 } }),
    JSON.stringify({ ...held, name: 'old' }),
    'junk',
  ];
  const kept = texts.map((text, index) => ({ id: `${index}`, text, atMs: 0 }));
  expect(fleetNeeds({ nowMs: 0, count: 3, kept })).toEqual({
    known: [{ name: 'a', ttlMs: 1, overlapMs: 2 }],
    unknown: ['old'],
  });
});

describe('a fleet whose times are set', () => {
  let register: Store;
  beforeEach(() => {
    turnTime();
    register = memoryStore();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const member = (options: Partial<RewtOptions> = {}) =>
    new Rewt({ ...times, ...options, store: faultyStoreWithNames(register) });

  it('goes on without a lost token, and by the shorter times from the next secret on', async () => {
    const old = member({ tokenLifetime: 1_200 });
    const token = await old.sign({});
    await old.close();
    const rewt = member({ memberName: 'orders-1', ttl: undefined });
    await rewt.sign({});
    await pass(60_000);
    const operator = member({ ttl: undefined, maxStaleness: 10 });
    const set = await operator[SET_TIMES]({ ttl: '30m', overlap: 400 });
    expect(set).toMatchObject({
      before: { ttl: 3_600, overlap: 1_265 },
      after: { ttl: 1_800, overlap: 400 },
      rotated: true,
      known: 1,
      unknown: [],
    });
    await pass(1_100_000);
    await rewt.verify(token);
    await rewt.verify(await rewt.sign({}));
    expect(rewt.status().keyring).toMatchObject({ ttl: 1_800, overlap: 400, epoch: 0, signing: set.kid });
    expect(await operator[SET_TIMES]({ ttl: 1_800 })).toMatchObject({ rotated: false });
    expect(await operator[SET_TIMES]({ overlap: '10m' })).toMatchObject({ rotated: false, after: { overlap: 600 } });
  });

  it('is set once, though another member needs more and is read before the answer comes', async () => {
    await member().sign({});
    const other = member({ ttl: 7_200 });
    const store = faultyStore(register);
    const operator = new Rewt({ ...times, ttl: undefined, store });
    await pass(60_000);
    store.swapReplyMs = 300;
    const setting = settle(operator[SET_TIMES]({ ttl: 1_800 }));
    await pass(10);
    await other.sign({});
    await operator.refresh();
    expect(await setting).toMatchObject({ value: { rotated: true, before: { ttl: 3_600 }, after: { ttl: 7_200 } } });
    expect(store.swapCount).toBe(1);
  });

  it('is not set by what gives a next from the future another since', async () => {
    await member().sign({});
    vi.setSystemTime(Date.now() - 90_000);
    const operator = member({ ttl: undefined });
    const setting = operator[SET_TIMES]({ ttl: 1_800 });
    await expect(setting).rejects.toMatchObject({ code: 'ERR_REWT_ROTATION_REFUSED' });
    await pass(60_000);
    expect(await operator[SET_TIMES]({ ttl: 1_800 })).toMatchObject({ rotated: true, after: { ttl: 1_800 } });
  });

  it('gets no less than a named member needs', async () => {
    await member({ memberName: 'orders-1' }).sign({});
    const operator = member({ ttl: undefined, maxStaleness: 10 });
    await pass(60_000);
    for (const [wanted, option] of [
      [{ overlap: 364 }, 'overlap'],
      [{ ttl: 3_599 }, 'ttl'],
    ] as const) {
      await expect(operator[SET_TIMES](wanted)).rejects.toMatchObject({ code: 'ERR_REWT_OPTION', option });
    }
    expect(await operator[SET_TIMES]({ overlap: 365, ttl: 3_600 })).toMatchObject({ rotated: false });
  });

  it.each([
    ['without a name', {}],
    ['with a name, whose announcement was lost', { memberName: 'cut' }],
  ])('verifies for as long as ever what a member %s signs with next while it is cut off', async (_, named) => {
    const cutStore = faultyStoreWithNames(register) as FaultyStore;
    const cut = new Rewt({ ...times, ...named, maxStaleness: 600, tokenLifetime: 36_000, store: cutStore });
    const verifier = member({ ttl: undefined });
    const operator = member({ ttl: undefined });
    await cut.sign({});
    for (let minute = 0; minute < 57; minute += 1) {
      await pass(60_000);
      await verifier.verify(await cut.sign({}));
    }
    cutStore.reads = 'down';
    Object.assign(cutStore, { announce: () => Promise.reject(new Error('down')) });
    await pass(120_000);
    for (const { id } of (await register.announcements?.('rewt', { timeoutMs: 1_000 }))?.kept ?? []) {
      // It counts for as long as its copy may be used.
      await expect(operator[SET_TIMES]({ overlap: 365 })).rejects.toMatchObject({ option: 'overlap' });
      await register.announce?.('rewt', id, null, { timeoutMs: 1_000 });
    }
    expect(await operator[SET_TIMES]({ overlap: 365 })).toMatchObject({ rotated: true, known: 0 });
    // Past the end of the current secret that this member knows.
    await pass(62_000);
    const token = await cut.sign({});
    expect(kidIn(token)).toBe(operator.status().keyring?.signing);
    await cut.close();
    for (let hour = 0; hour < 9; hour += 1) {
      await pass(3_600_000);
      await expect(verifier.verify(token)).resolves.toBeDefined();
    }
    await pass(3_500_000);
    await expect(verifier.verify(token)).resolves.toBeDefined();
    expect(verifier.status().keyring?.retired).toContainEqual(expect.objectContaining({ kid: kidIn(token) }));
  });

  it('has to wait while a member may not hold next, and learns of times that do not fit', async () => {
    const operator = member({ ttl: undefined, maxStaleness: 10 });
    await operator.ready();
    const shorter = operator[SET_TIMES]({ ttl: 600 });
    await expect(shorter).rejects.toMatchObject({ code: 'ERR_REWT_ROTATION_REFUSED' });
    await pass(10_000);
    for (const [wanted, option] of [
      [{}, 'ttl'],
      [{ ttl: 60, overlap: 961 }, 'overlap'],
      [{ ttl: 0 }, 'ttl'],
      [{ ttl: 19 }, 'ttl'],
      [{ reason: 'a\nb', ttl: 60 }, 'reason'],
    ] as const) {
      await expect(operator[SET_TIMES](wanted)).rejects.toMatchObject({ code: 'ERR_REWT_OPTION', option });
    }
    expect(await operator[SET_TIMES]({ ttl: 60, overlap: 960, reason: 'trial' })).toMatchObject({ after: { ttl: 60 } });
    expect(operator.status().keyring?.changes).toMatchObject([{ kind: 'rotation', reason: 'trial' }]);
  });
});

function kidIn(token: string): string {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid;
}

/** As at the far end of a network, with announcements. */
function faultyStoreWithNames(store: Store): Store {
  const { announce, announcements } = store;
  return { ...faultyStore(store), ...(announce && announcements ? { announce, announcements } : {}) };
}
