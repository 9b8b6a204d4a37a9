/**
 * Which answers of the store may change a member's copy, when they come in another order than they
 * were sent.
 */
import { describe, expect, it } from 'vitest';
import { CopyState } from '../../src/keyring/copy-state.js';
import type { Settled } from '../../src/keyring/exchange.js';
import { EMPTY_HISTORY } from '../../src/keyring/history.js';
import type { Plan } from '../../src/keyring/plan.js';
import type { Ring } from '../../src/keyring/ring.js';
import { advance, planRevocation } from './decisions.js';
import { countingMint, NOW_MS, OTHER, POLICY, RING, seenWith } from './samples.js';

const X: Ring = { ...RING, rev: 'x' };
const later = (part: Partial<Ring>): Ring => ({ ...X, gen: X.gen + 1, op: 'later', ...part });

const brake = advance(seenWith({ key: null }), {
  policy: POLICY,
  history: EMPTY_HISTORY,
  mint: countingMint(),
}) as Plan;
const rotation = advance(seenWith({ nowMs: RING.current.expiresAt }), {
  policy: POLICY,
  history: EMPTY_HISTORY,
  mint: countingMint(),
}) as Plan;

const sentAs = (sequence: number) => ({ sequence, monotonicMs: sequence, wallMs: sequence });
const settled = (ring: Ring, sequence: number, replaced: string | null = null): Settled => ({
  ring,
  storeMs: NOW_MS,
  sent: sentAs(sequence),
  version: ring.op,
  replaced,
  isBehind: false,
});

function emptyState(): CopyState {
  let sequence = 100;
  return new CopyState(
    () => {
      sequence += 1;
      return sequence;
    },
    () => null,
    { changed() {}, unusableSecret() {}, plainRing() {} },
  );
}

/** What a member holds that was shown `X` by what it sent as number 10. */
function stateWithCopy(): CopyState {
  const state = emptyState();
  state.renew(settled(X, 10));
  return state;
}

it('a secret that retired after the store’s clock went back verifies, even with an unwritten plan in between', () => {
  const state = stateWithCopy();
  const nowMs = NOW_MS - 30_000;
  const ring = later({ retired: [{ secret: OTHER, until: nowMs + 10_000 }] });
  state.onPlan(rotation, seenWith({ ring, nowMs }), sentAs(20), 'other');
  state.renew({ ...settled(ring, 21), storeMs: nowMs });
  expect(state.lease?.keys.map(({ role }) => role)).toContain('retired');
});

it.each([-90_000, 90_000])(
  "a plan that is not written makes the copy no younger, and the store's clock the newest: moved by %i ms",
  (movedMs) => {
    const state = stateWithCopy();
    const storeMs = NOW_MS + 10_000 + movedMs;
    state.onPlan(rotation, seenWith({ nowMs: storeMs }), sentAs(10_010), 'other');
    expect(state.lease).toMatchObject({ reading: { storeMs, sent: sentAs(10_010) }, sent: sentAs(10) });
  },
);

describe('an answer to an older question', () => {
  it.each<[string, Ring, string | null, boolean]>([
    ['that shows a later revocation', later({ epoch: X.epoch + 1, rev: 'y' }), null, true],
    ['to a write of this member', later({}), 'replaced', true],
    ['to a write of this member after another revocation', later({ rev: 'y' }), 'replaced', false],
    ['to a write of this member without the revocation', { ...RING, gen: X.gen + 1 }, 'replaced', false],
    ['to an earlier write of this member', later({ gen: X.gen - 1 }), 'replaced', false],
    ['that shows a later write by another member', later({}), null, true],
    ['that shows a later write after another revocation', later({ rev: 'y' }), null, false],
    ['that shows an earlier revocation', later({ epoch: X.epoch - 1 }), 'replaced', false],
    ['that shows another lineage', later({ id: 'lineage-b', epoch: 0 }), null, true],
    ['to a write of this member in another lineage', later({ id: 'lineage-b', epoch: X.epoch + 1 }), 'replaced', false],
  ])('%s', (_what, ring, replaced, counts) => {
    const state = stateWithCopy();
    state.renew(settled(ring, 5, replaced));
    expect(state.ring).toBe(counts ? ring : X);
  });

  it('to a write of this member that does not count is no reason to go on as before: the copy is suspect', () => {
    const state = stateWithCopy();
    state.renew(settled(later({ gen: X.gen - 1 }), 5, 'replaced'));
    expect(state.staleSince).toBeGreaterThan(10);
  });

  it('takes nothing away by a plan that revokes nothing: the newer answer stands', () => {
    const state = stateWithCopy();
    state.onPlan(rotation, seenWith({ ring: later({ gen: X.gen - 1 }) }), sentAs(5), 'other');
    expect(state.lease?.copy.ring).toBe(X);
    expect(state.staleSince).toBeGreaterThan(10);
  });

  it('takes the copy away if it has to be revoked, and the newer one does not bring that back', () => {
    const state = stateWithCopy();
    state.onPlan(brake, seenWith({ ring: X, key: null }), sentAs(5), 'other');
    expect(state.lease).toBeNull();
    state.renew(settled(X, 9));
    expect(state.lease).toBeNull();
    state.renew(settled(X, 11));
    expect(state.lease?.copy.ring).toBe(X);
  });

  it('takes nothing away for a revoke(), which may fail', () => {
    const state = stateWithCopy();
    const revocation = planRevocation(seenWith({ ring: X }), {
      policy: POLICY,
      history: EMPTY_HISTORY,
      mint: countingMint(),
    });
    state.onPlan(revocation, seenWith({ ring: X }), sentAs(5), 'other');
    expect(state.lease?.copy.ring).toBe(X);
  });

  it.each<[string, Ring, string | null]>([
    ['that shows a later write', later({}), null],
    ['to a later write of this member', later({}), 'replaced'],
    ['that shows a later revocation', later({ epoch: X.epoch + 1, rev: 'y' }), null],
  ])('brings no copy back that the newer one revoked: one %s', (_what, ring, replaced) => {
    const state = stateWithCopy();
    state.onPlan(brake, seenWith({ ring, key: null }), sentAs(20), 'other');
    state.renew(settled(ring, 15, replaced));
    expect(state.lease).toBeNull();
  });

  it('brings the copy back that a revoke() was to take, which may have failed', () => {
    const state = stateWithCopy();
    const ring = later({});
    const revocation = planRevocation(seenWith({ ring }), {
      policy: POLICY,
      history: EMPTY_HISTORY,
      mint: countingMint(),
    });
    state.onPlan(revocation, seenWith({ ring }), sentAs(20), 'other');
    expect(state.lease).toBeNull();
    state.renew(settled(ring, 15));
    expect(state.lease?.copy.ring).toBe(ring);
  });

  it('to a write of this member counts if it replaced what the newer one shows, even if it had to be revoked', () => {
    const state = stateWithCopy();
    state.onPlan(brake, seenWith({ ring: X, key: null }), sentAs(20), 'replaced');
    const ring = later({ id: 'lineage-b', epoch: 0 });
    state.renew(settled(ring, 15));
    expect(state.lease).toBeNull();
    state.renew(settled(ring, 15, 'replaced'));
    expect(state.lease?.copy.ring).toBe(ring);
  });

  const empty = seenWith({ ring: null, key: null });
  const beginning = advance(empty, { policy: POLICY, history: EMPTY_HISTORY, mint: countingMint() }) as Plan;

  it.each([
    [
      'begins the copy if it is to a write of this member, though a newer one showed no ring yet',
      beginning,
      'replaced',
      X,
    ],
    ['begins no copy if it is to a read', beginning, null, undefined],
    ['begins no copy if what the newer one showed has to be revoked', brake, 'replaced', undefined],
  ])('%s', (_what, pending, replaced, copy) => {
    const state = emptyState();
    const [seen, version] = pending === brake ? [seenWith({ key: null }), 'newer'] : [empty, 'replaced'];
    state.onPlan(pending, seen, sentAs(10), version);
    state.renew(settled(X, 5, replaced));
    expect(state.lease?.copy.ring).toBe(copy);
  });

  it('shows a later write also by a plan that is not written', () => {
    const state = stateWithCopy();
    state.onPlan(rotation, seenWith({ ring: later({ next: { secret: OTHER, since: NOW_MS } }) }), sentAs(5), 'other');
    expect(state.ring?.next.secret).toBe(OTHER);
    state.onPlan(rotation, seenWith({ ring: X }), sentAs(6), X.op);
    expect(state.ring?.next.secret).toBe(OTHER);
  });
});

it('a retired secret that had ended stays so, however often the store shows a clock that went back', () => {
  const state = emptyState();
  const ring = { ...X, retired: [{ secret: OTHER, until: NOW_MS }] };
  state.renew(settled(ring, 1));
  for (const sequence of [2, 3]) {
    state.renew({ ...settled(ring, sequence), storeMs: NOW_MS - 1_000 });
    expect(state.lease?.keys.map(({ role }) => role)).toEqual(['current', 'next']);
  }
});

describe('an older answer that shows what the newest one does', () => {
  const planning = (plan: Plan) => {
    const state = stateWithCopy();
    state.onPlan(plan, seenWith({ ring: X }), sentAs(20), X.op);
    return state;
  };

  it('renews the lease from its sending: a rotation was read, not written, while a refresh was in flight', () => {
    const state = planning(rotation);
    expect(state.lease?.sent.sequence).toBe(10);
    state.renew(settled(X, 15));
    expect(state.lease?.sent.sequence).toBe(15);
  });

  it("leaves the store's clock as what was sent last showed it", () => {
    const state = planning(rotation);
    state.renew(settled(X, 15));
    expect(state.lease?.reading.sent.sequence).toBe(20);
  });

  it("sets the store's clock after a write that was sent earlier", () => {
    const state = planning(rotation);
    state.renew(settled(later({}), 12, X.op));
    state.renew(settled(later({}), 15));
    expect(state.lease?.reading.sent.sequence).toBe(15);
  });

  it('brings the copy back, from when it was sent, that a revoke() was to take', () => {
    const state = planning(
      planRevocation(seenWith({ ring: X }), { policy: POLICY, history: EMPTY_HISTORY, mint: countingMint() }),
    );
    expect(state.lease).toBeNull();
    state.renew(settled(X, 15));
    expect(state.lease?.sent.sequence).toBe(15);
  });

  it('does not where the newest one has to be revoked', () => {
    const state = planning(brake);
    state.renew(settled(X, 15));
    expect(state.lease).toBeNull();
  });

  it('does not where it shows anything else', () => {
    const state = planning(rotation);
    state.renew(settled({ ...X, op: 'another' }, 15));
    expect(state.lease?.sent.sequence).toBe(10);
  });

  it('does not make a lease older', () => {
    const state = planning(rotation);
    state.renew(settled(X, 5));
    expect(state.lease?.sent.sequence).toBe(10);
  });

  it('does nothing once the member is closed', () => {
    const state = planning(rotation);
    state.end();
    state.renew(settled(X, 15));
    expect(state.lease).toBeNull();
  });
});
