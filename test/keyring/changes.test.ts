/** The log of a ring: what enters it, what it survives, and that it never does harm. */
import { describe, expect, it } from 'vitest';
import { historyAfter } from '../../src/keyring/advance.js';
import { type Change, changesOf, isReason, withChange } from '../../src/keyring/changes.js';
import { createCopy } from '../../src/keyring/copy.js';
import { EMPTY_HISTORY, type History } from '../../src/keyring/history.js';
import type { Plan } from '../../src/keyring/plan.js';
import { parseRing, type Ring } from '../../src/keyring/ring.js';
import { keyringStatusOf } from '../../src/status.js';
import { advance, type PlainContents as Contents, planRevocation, planRotation } from './decisions.js';
import { countingMint, havingSeen, NOW_MS, OTHER, POLICY, RING, ringOf, seenWith } from './samples.js';

const EARLIER: Change = { at: NOW_MS - 1_000, cause: 'rotate', reason: 'audit' };
const LOGGED: Ring = { ...RING, changes: [EARLIER] };
const DUE = RING.current.expiresAt - POLICY.clockToleranceMs;

function planFor(seen: Contents, known: History = EMPTY_HISTORY): Plan {
  const plan = advance(seen, { policy: POLICY, history: known, mint: countingMint() });
  if (plan === null) throw new Error('expected a plan');
  return plan;
}
const revocationOf = (seen: Contents, known = EMPTY_HISTORY, reason: string | null = 'leak in CI') =>
  planRevocation(seen, { policy: POLICY, history: known, mint: countingMint() }, reason);
const withUnwrittenBrake = (ring: Ring): History =>
  historyAfter(EMPTY_HISTORY, ring, planFor(seenWith({ ring, key: null })));
const other = (expiresAtMs: number | null) => ({ value: OTHER, expiresAtMs });

describe('the log of changes', () => {
  it.each<[string, () => Plan, Change['cause'], string?]>([
    [
      'rotate()',
      () =>
        planRotation(
          seenWith({ ring: LOGGED }),
          LOGGED,
          { policy: POLICY, mint: countingMint() },
          {
            force: true,
            reason: 'why',
          },
        ) as Plan,
      'rotate',
      'why',
    ],
    ['revoke()', () => revocationOf(seenWith({ ring: LOGGED })), 'revoke', 'leak in CI'],
    [
      'revoke() of a ring that was rolled back',
      () => revocationOf(seenWith({ ring: LOGGED }), havingSeen({ ...RING, epoch: 9 })),
      'rollback',
      'leak in CI',
    ],
    ['row 1', () => planFor(seenWith({ ring: LOGGED }), havingSeen({ ...RING, epoch: 9 })), 'rollback'],
    [
      'row 1 for a brake in this ring that could not be written',
      () => planFor(seenWith({ ring: LOGGED, key: null }), withUnwrittenBrake(LOGGED)),
      'brake',
    ],
    [
      'row 1 for a ring that is older than the one with such a brake',
      () => planFor(seenWith({ ring: LOGGED }), withUnwrittenBrake({ ...LOGGED, gen: RING.gen + 1, op: 'later' })),
      'rollback',
    ],
    [
      'row 2 for a member that knew a ring',
      () => planFor(seenWith({ ring: null, key: null }), havingSeen(LOGGED)),
      'bootstrap',
    ],
    [
      'row 4 for a member that knew a ring',
      () => planFor(seenWith({ ring: null, key: other(null) }), havingSeen(LOGGED)),
      'adopt',
    ],
    ['row 8', () => planFor(seenWith({ ring: LOGGED, key: null })), 'brake'],
    ['row 10', () => planFor(seenWith({ ring: LOGGED, key: other(null) })), 'brake'],
  ])('gets the change of %s, with its instant and before all others', (_what, plan, cause, reason) => {
    const entry = reason === undefined ? { at: NOW_MS, cause } : { at: NOW_MS, cause, reason };
    expect(changesOf(ringOf(plan()))).toEqual([entry, EARLIER]);
  });

  it.each<[string, () => Plan]>([
    ['row 3', () => planFor(seenWith({ ring: null }), havingSeen(LOGGED))],
    ['row 5', () => planFor(seenWith({ ring: LOGGED, nowMs: DUE, key: null }))],
    ['row 6', () => planFor(seenWith({ ring: LOGGED, nowMs: DUE }))],
    ['row 7', () => planFor(seenWith({ ring: LOGGED, key: { value: RING.current.secret, expiresAtMs: null } }))],
    ['row 9', () => planFor(seenWith({ ring: LOGGED, nowMs: DUE, key: other(DUE + 9_000) }))],
  ])('is left as it is by %s', (_what, plan) => {
    expect(changesOf(ringOf(plan()))).toEqual([EARLIER]);
  });

  it('gets nothing from a member that begins a keyring, and knew none', () => {
    expect(ringOf(planFor(seenWith({ ring: null, key: null })))).not.toHaveProperty('changes');
    expect(changesOf(ringOf(revocationOf(seenWith({ ring: null }))))).toHaveLength(1);
  });

  it('gets a revocation of a ring that cannot be read behind what this member knew', () => {
    expect(changesOf(ringOf(revocationOf(seenWith({ ring: null }), havingSeen(LOGGED))))).toHaveLength(2);
  });
});

describe('the log', () => {
  it('has at most eight entries, the newest', () => {
    let ring: Ring = RING;
    for (let n = 0; n < 12; n += 1) ring = withChange(ring, NOW_MS + n, 'rotate', `reason ${n}`);
    expect(changesOf(ring)).toHaveLength(8);
    expect(changesOf(ring)[0]).toEqual({ at: NOW_MS + 11, cause: 'rotate', reason: 'reason 11' });
  });

  it.each([
    ['a text', 'x'],
    ['a number', 7],
    ['null', null],
    ['an object', { length: 3 }],
    ['null within', [null]],
    ['a text within', ['x']],
    ['no instant', [{ cause: 'rotate' }]],
    ['an instant before all others', [{ at: -1, cause: 'rotate' }]],
    ['an instant that no date has', [{ at: 8.64e15 + 1, cause: 'rotate' }]],
    ['an unknown cause', [{ at: 1, cause: 'toString' }]],
    ['a reason that is no text', [{ at: 1, cause: 'rotate', reason: {} }]],
    ['a reason of two lines', [{ at: 1, cause: 'rotate', reason: 'a\nb' }]],
    ['an empty reason', [{ at: 1, cause: 'rotate', reason: '' }]],
    ['a reason too long to be ours', [{ at: 1, cause: 'rotate', reason: 'x'.repeat(201) }]],
  ])('that is %s makes no ring unreadable, and is none', (_what, changes) => {
    const ring = parseRing(JSON.stringify({ ...RING, changes }));
    expect(changesOf(ring)).toEqual([]);
    expect(changesOf(withChange(ring, 1, 'rotate', null))).toEqual([{ at: 1, cause: 'rotate' }]);
  });

  it('keeps entries that this version cannot read when it is written, and never shows them', () => {
    const foreign = { at: NOW_MS, cause: 'set', by: 'a later version' };
    const ring = withChange({ ...RING, changes: [foreign, EARLIER] }, NOW_MS + 1, 'rotate', null);
    expect(ring.changes).toEqual([{ at: NOW_MS + 1, cause: 'rotate' }, foreign, EARLIER]);
    expect(changesOf(ring)).toHaveLength(2);
    expect(withChange({ ...RING, changes: Array(9).fill(foreign) }, NOW_MS, 'rotate', null).changes).toHaveLength(8);
  });

  it('shows its good entries beside bad ones', () => {
    expect(changesOf({ changes: [7, EARLIER, null] })).toEqual([EARLIER]);
  });

  it('is shown by status() with dates, kinds and reasons', () => {
    const ring = { ...RING, changes: [{ at: NOW_MS, cause: 'brake' }, EARLIER] };
    expect(keyringStatusOf(createCopy(ring), NOW_MS).changes).toEqual([
      { at: new Date(NOW_MS), kind: 'revocation', cause: 'brake', reason: null },
      { at: new Date(NOW_MS - 1_000), kind: 'rotation', cause: 'rotate', reason: 'audit' },
    ]);
  });
});

describe('a reason', () => {
  it.each([['x'], ['x'.repeat(200)], ['😀'.repeat(200)], ['leak in CI, ticket 4711']])('may be %j', (text) => {
    expect(isReason(text)).toBe(true);
  });

  it.each([[''], ['x'.repeat(201)], ['a\nb'], ['\u001b[2J'], ['\u202eabc'], ['\u0000'], [7], [null], [['x']]])(
    'may not be %j',
    (text) => {
      expect(isReason(text)).toBe(false);
    },
  );
});
