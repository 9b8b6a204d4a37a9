/** Which answers of the store may change a member's copy, when they come in another order than they were sent. */
import { describe, expect, test } from 'vitest';
import { advance, type Plan, planRevocation } from '../../src/keyring/advance.js';
import type { Settled } from '../../src/keyring/exchange.js';
import { Holding } from '../../src/keyring/holding.js';
import { NOTHING_KNOWN } from '../../src/keyring/known.js';
import type { Ring } from '../../src/keyring/ring.js';
import { CURRENT, countingMint, NOW_MS, OTHER, POLICY, RING, seenWith } from './samples.js';

const X: Ring = { ...RING, rev: 'x' };
const later = (part: Partial<Ring>): Ring => ({ ...X, gen: X.gen + 1, op: 'later', ...part });

const planned = advance(
  seenWith({ key: { value: CURRENT, expiresAtMs: null } }),
  POLICY,
  NOTHING_KNOWN,
  countingMint(),
);
const brake = advance(seenWith({ key: null }), POLICY, NOTHING_KNOWN, countingMint()) as Plan;
const rotation = advance(seenWith({ nowMs: RING.current.expiresAt }), POLICY, NOTHING_KNOWN, countingMint()) as Plan;

const sentAs = (order: number) => ({ order, monotonicMs: order, wallMs: order });
const settled = (ring: Ring, order: number, wrote: Plan | null = null): Settled => ({
  ring,
  storeMs: NOW_MS,
  sent: sentAs(order),
  version: ring.op,
  wrote,
  replaced: wrote === null ? null : 'replaced',
});

function holdingNothing(): Holding {
  let order = 100;
  return new Holding(
    () => {
      order += 1;
      return order;
    },
    () => null,
    { changed() {}, unusableSecret() {} },
  );
}

/** What a member holds that was shown `X` by what it sent as number 10. */
function holding(): Holding {
  const held = holdingNothing();
  held.renew(settled(X, 10));
  return held;
}

test('a secret that retired after the clock of the store went back verifies, also if a plan was not written in between', () => {
  const held = holding();
  const nowMs = NOW_MS - 30_000;
  const ring = later({ retired: [{ secret: OTHER, until: nowMs + 10_000 }] });
  held.pending(rotation, seenWith({ ring, nowMs }), sentAs(20), 'other');
  held.renew({ ...settled(ring, 21), storeMs: nowMs });
  expect(held.lease?.keys.map(({ role }) => role)).toContain('retired');
});

test.each([-90_000, 90_000])(
  "a plan that is not written makes the copy no younger, and the store's clock the newest: moved by %i ms",
  (movedMs) => {
    const held = holding();
    const storeMs = NOW_MS + 10_000 + movedMs;
    held.pending(rotation, seenWith({ nowMs: storeMs }), sentAs(10_010), 'other');
    expect(held.lease).toMatchObject({ reading: { storeMs, sent: sentAs(10_010) }, sent: sentAs(10) });
  },
);

describe('an answer to an older question', () => {
  test.each<[string, Ring, Plan | null, boolean]>([
    ['that shows a later revocation', later({ epoch: X.epoch + 1, rev: 'y' }), null, true],
    ['to a write of this member', later({}), planned, true],
    ['to a write of this member after another revocation', later({ rev: 'y' }), planned, false],
    ['to a write of this member without the revocation', { ...RING, gen: X.gen + 1 }, planned, false],
    ['to an earlier write of this member', later({ gen: X.gen - 1 }), planned, false],
    ['that shows a later write by another member', later({}), null, true],
    ['that shows a later write after another revocation', later({ rev: 'y' }), null, false],
    ['that shows an earlier revocation', later({ epoch: X.epoch - 1 }), planned, false],
    ['that shows another lineage', later({ id: 'lineage-b', epoch: 0 }), null, true],
    ['to a write of this member in another lineage', later({ id: 'lineage-b', epoch: X.epoch + 1 }), planned, false],
  ])('%s', (_what, ring, wrote, counts) => {
    const held = holding();
    held.renew(settled(ring, 5, wrote));
    expect(held.ring).toBe(counts ? ring : X);
  });

  test('to a write of this member that does not count is no reason to go on as before: the copy is suspect', () => {
    const held = holding();
    held.renew(settled(later({ gen: X.gen - 1 }), 5, planned));
    expect(held.suspectSince).toBeGreaterThan(10);
  });

  test('takes nothing away by a plan that revokes nothing: the newer answer stands', () => {
    const held = holding();
    held.pending(rotation, seenWith({ ring: later({ gen: X.gen - 1 }) }), sentAs(5), 'other');
    expect(held.lease?.copy.ring).toBe(X);
    expect(held.suspectSince).toBeGreaterThan(10);
  });

  test('takes the copy away if it has to be revoked, and the newer one does not bring that back', () => {
    const held = holding();
    held.pending(brake, seenWith({ ring: X, key: null }), sentAs(5), 'other');
    expect(held.lease).toBeNull();
    held.renew(settled(X, 9));
    expect(held.lease).toBeNull();
    held.renew(settled(X, 11));
    expect(held.lease?.copy.ring).toBe(X);
  });

  test('takes nothing away for a revoke(), which may fail', () => {
    const held = holding();
    const revocation = planRevocation(seenWith({ ring: X }), POLICY, NOTHING_KNOWN, countingMint());
    held.pending(revocation, seenWith({ ring: X }), sentAs(5), 'other');
    expect(held.lease?.copy.ring).toBe(X);
  });

  test.each<[string, Ring, Plan | null]>([
    ['that shows a later write', later({}), null],
    ['to a later write of this member', later({}), planned],
    ['that shows a later revocation', later({ epoch: X.epoch + 1, rev: 'y' }), null],
  ])('brings no copy back that the newer one revoked: one %s', (_what, ring, wrote) => {
    const held = holding();
    held.pending(brake, seenWith({ ring, key: null }), sentAs(20), 'other');
    held.renew(settled(ring, 15, wrote));
    expect(held.lease).toBeNull();
  });

  test('brings the copy back that a revoke() was to take, which may have failed', () => {
    const held = holding();
    const ring = later({});
    const revocation = planRevocation(seenWith({ ring }), POLICY, NOTHING_KNOWN, countingMint());
    held.pending(revocation, seenWith({ ring }), sentAs(20), 'other');
    expect(held.lease).toBeNull();
    held.renew(settled(ring, 15));
    expect(held.lease?.copy.ring).toBe(ring);
  });

  test('to a write of this member counts if that replaced what the newer one shows, even if it had to be revoked', () => {
    const held = holding();
    held.pending(brake, seenWith({ ring: X, key: null }), sentAs(20), 'replaced');
    const ring = later({ id: 'lineage-b', epoch: 0 });
    held.renew(settled(ring, 15));
    expect(held.lease).toBeNull();
    held.renew(settled(ring, 15, brake));
    expect(held.lease?.copy.ring).toBe(ring);
  });

  const empty = seenWith({ ring: null, key: null });
  const beginning = advance(empty, POLICY, NOTHING_KNOWN, countingMint()) as Plan;

  test.each([
    [
      'begins the copy if it is to a write of this member, though a newer one showed no ring yet',
      beginning,
      planned,
      X,
    ],
    ['begins no copy if it is to a read', beginning, null, undefined],
    ['begins no copy if what the newer one showed has to be revoked', brake, planned, undefined],
  ])('%s', (_what, pending, wrote, copy) => {
    const held = holdingNothing();
    const [seen, version] = pending === brake ? [seenWith({ key: null }), 'newer'] : [empty, 'replaced'];
    held.pending(pending, seen, sentAs(10), version);
    held.renew(settled(X, 5, wrote));
    expect(held.lease?.copy.ring).toBe(copy);
  });

  test('shows a later write also by a plan that is not written', () => {
    const held = holding();
    held.pending(rotation, seenWith({ ring: later({ next: { secret: OTHER, since: NOW_MS } }) }), sentAs(5), 'other');
    expect(held.ring?.next.secret).toBe(OTHER);
    held.pending(rotation, seenWith({ ring: X }), sentAs(6), X.op);
    expect(held.ring?.next.secret).toBe(OTHER);
  });
});

test('a retired secret that had ended stays so, however often the store shows a clock that went back', () => {
  const held = holdingNothing();
  const ring = { ...X, retired: [{ secret: OTHER, until: NOW_MS }] };
  held.renew(settled(ring, 1));
  for (const order of [2, 3]) {
    held.renew({ ...settled(ring, order), storeMs: NOW_MS - 1_000 });
    expect(held.lease?.keys.map(({ role }) => role)).toEqual(['current', 'next']);
  }
});

describe('an older answer that shows what the newest one does', () => {
  const planning = (plan: Plan) => {
    const held = holding();
    held.pending(plan, seenWith({ ring: X }), sentAs(20), X.op);
    return held;
  };

  test('renews the lease, from when it was sent: a rotation was read and not written, while a refresh was under way', () => {
    const held = planning(rotation);
    expect(held.lease?.sent.order).toBe(10);
    held.renew(settled(X, 15));
    expect(held.lease?.sent.order).toBe(15);
  });

  test("leaves the store's clock as what was sent last showed it", () => {
    const held = planning(rotation);
    held.renew(settled(X, 15));
    expect(held.lease?.reading.sent.order).toBe(20);
  });

  test("sets the store's clock after a write that was sent earlier", () => {
    const held = planning(rotation);
    held.renew({ ...settled(later({}), 12, planned), replaced: X.op });
    held.renew(settled(later({}), 15));
    expect(held.lease?.reading.sent.order).toBe(15);
  });

  test('brings the copy back, from when it was sent, that a revoke() was to take', () => {
    const held = planning(planRevocation(seenWith({ ring: X }), POLICY, NOTHING_KNOWN, countingMint()));
    expect(held.lease).toBeNull();
    held.renew(settled(X, 15));
    expect(held.lease?.sent.order).toBe(15);
  });

  test('does not where the newest one has to be revoked', () => {
    const held = planning(brake);
    held.renew(settled(X, 15));
    expect(held.lease).toBeNull();
  });

  test('does not where it shows anything else', () => {
    const held = planning(rotation);
    held.renew(settled({ ...X, op: 'another' }, 15));
    expect(held.lease?.sent.order).toBe(10);
  });

  test('does not make a lease older', () => {
    const held = planning(rotation);
    held.renew(settled(X, 5));
    expect(held.lease?.sent.order).toBe(10);
  });

  test('does nothing once the member is closed', () => {
    const held = planning(rotation);
    held.end();
    held.renew(settled(X, 15));
    expect(held.lease).toBeNull();
  });
});
