/** Lineages under sealing: no writer of Redis makes a member forget what was revoked. */

import { describe, expect, it } from 'vitest';
import { advance, historyAfter } from '../../src/keyring/advance.js';
import { type History, remember } from '../../src/keyring/history.js';
import type { Plan, Seen, SeenKey } from '../../src/keyring/plan.js';
import type { Ring } from '../../src/keyring/ring.js';
import { countingMint, havingSeen, NOW_MS, POLICY, RING } from './samples.js';

const mint = countingMint();
const NONE: SeenKey = { role: 'none', secret: null, expiresAtMs: null };
const CURRENT: SeenKey = { role: 'current', secret: null, expiresAtMs: RING.current.expiresAt };

function seen(ring: Ring | null, key: SeenKey, nowMs = NOW_MS): Seen {
  return { nowMs, key, ring, sealed: true, isForeign: false };
}

function planFor(state: Seen, history: History): Plan | null {
  return advance(state, { policy: POLICY, history, mint });
}

/** A ring of a lineage that no member has seen. */
function strange(sinceMs: number): Ring {
  const [current, next] = [mint.secret(), mint.secret()];
  return {
    ...RING,
    id: mint.id(),
    retired: [],
    current: { ...RING.current, secret: current },
    next: { secret: next, since: sinceMs },
  };
}

it('takes a ring for revoked, however often both keys were deleted since', () => {
  let history = havingSeen(RING);
  for (let round = 0; round < 300; round += 1) {
    const plan = planFor(seen(null, NONE), history);
    if (plan === null) throw new Error('a store without a ring has a plan');
    history = historyAfter(history, plan.ring, null);
  }
  expect(planFor(seen(RING, CURRENT), history)).toMatchObject({ name: 'rollback' });
});

describe('another lineage', () => {
  const { since } = RING.next;

  it('is row 1 if it is older than the known one, and its name is not used again', () => {
    const old = strange(since - 1);
    const plan = planFor(seen(old, CURRENT), havingSeen(RING));
    expect(plan).toMatchObject({ name: 'rollback', revokes: true, distrusts: true });
    expect([old.id, RING.id]).not.toContain(plan?.ring.id);
  });

  it('gets a new name if it is row 1 for a secret in it, however late it is', () => {
    const late = strange(since + 1);
    const history = { ...havingSeen(RING), revoked: new Set([late.current.secret]) };
    const plan = planFor(seen(late, CURRENT), history);
    expect(plan).toMatchObject({ name: 'rollback', ring: { epoch: late.epoch + 1 } });
    expect([late.id, RING.id]).not.toContain(plan?.ring.id);
  });

  it('is taken if it is as old or later', () => {
    expect(planFor(seen(strange(since), CURRENT), havingSeen(RING))).toBeNull();
    expect(planFor(seen(strange(since + 1), CURRENT), havingSeen(RING))).toBeNull();
  });

  it("is taken while the store's clock is behind the known one", () => {
    const later = remember(havingSeen(RING), strange(NOW_MS + 1));
    expect(planFor(seen(strange(since), CURRENT), later)).toBeNull();
    expect(planFor(seen(strange(since), CURRENT, NOW_MS + 1), later)).toMatchObject({ name: 'rollback' });
  });

  it('is taken in plain text, however old it is', () => {
    const state = { ...seen(strange(since - 1), CURRENT), sealed: false };
    expect(planFor(state, havingSeen(RING))).toBeNull();
  });
});
