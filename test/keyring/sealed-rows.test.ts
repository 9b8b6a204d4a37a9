/**
 * protocol.md, "A sealed keyring": the rows of the table that differ from those of a plain one.
 */

import { describe, expect, it } from 'vitest';
import { advance } from '../../src/keyring/advance.js';
import { planRevocation } from '../../src/keyring/begin-ring.js';
import { type Contents, keyTextOf, seenIn } from '../../src/keyring/contents.js';
import { EMPTY_HISTORY, type History, isReplayed, remember } from '../../src/keyring/history.js';
import type { Plan } from '../../src/keyring/plan.js';
import type { Ring } from '../../src/keyring/ring.js';
import {
  CURRENT,
  countingMint,
  DUE,
  FRESH_1,
  FRESH_2,
  havingSeen,
  LEAD,
  NEXT,
  NOW_MS,
  OTHER,
  RING as PLAIN_RING,
  POLICY,
  RETIRED,
} from './samples.js';

/** In the middle of its first turn. */
const RING: Ring = { ...PLAIN_RING, current: { ...PLAIN_RING.current, since: NOW_MS - 30_000 } };
const { expiresAt } = RING.current;
const MARK = keyTextOf(CURRENT, true);

function sealedWith(part: Partial<Contents> = {}): Contents {
  return {
    nowMs: NOW_MS,
    key: { value: MARK, expiresAtMs: expiresAt },
    ring: RING,
    sealed: true,
    isForeign: false,
    ...part,
  };
}

function decide(contents: Contents, history: History = EMPTY_HISTORY): Plan | null {
  return advance(seenIn(contents, history), { policy: POLICY, history, mint: countingMint() });
}

const keyWith = (value: string, expiresAtMs: number | null = expiresAt) => ({ key: { value, expiresAtMs } });

describe('K beside a sealed ring', () => {
  it('is the kid of current, and too short to sign for any rewt', () => {
    expect(MARK).toMatch(/^rewt-kid\.[\w-]{11}$/);
    expect(keyTextOf(CURRENT, false)).toBe(CURRENT);
    expect(decide(sealedWith())).toBeNull();
  });

  it.each([
    ['current', MARK, LEAD - 1, null],
    ['current', MARK, LEAD, 'rotation'],
    ['next', keyTextOf(NEXT, true), NOW_MS, 'late rotation'],
    ['retired', keyTextOf(RETIRED, true), NOW_MS, 'brake'],
    ['unknown', keyTextOf(OTHER, true), NOW_MS, 'brake'],
    ['unknown', keyTextOf(OTHER, true), DUE, 'late rotation'],
    ['other', OTHER, NOW_MS, 'brake'],
    ['other', OTHER, DUE, 'late rotation'],
    ['unmarked', CURRENT, NOW_MS, 'reschedule'],
    ['unmarked', NEXT, NOW_MS, 'reschedule'],
    ['unmarked', CURRENT, LEAD, 'rotation'],
    ['other', RETIRED, NOW_MS, 'brake'],
  ])('has the role %s as %s at %i: %s', (role, value, nowMs, name) => {
    const seen = seenIn(sealedWith({ nowMs, ...keyWith(value) }), EMPTY_HISTORY);
    expect(seen.key).toEqual({ role, secret: null, expiresAtMs: expiresAt });
    expect(decide(sealedWith({ nowMs, ...keyWith(value) }))?.name ?? null).toBe(name);
  });

  it('is unusable where it is not UTF-8: the brake, and a late rotation once it is due', () => {
    const key = { value: null, expiresAtMs: expiresAt };
    expect(decide(sealedWith({ key }))).toMatchObject({ name: 'brake', unusableSecret: true });
    expect(decide(sealedWith({ key, nowMs: DUE }))).toMatchObject({ name: 'late rotation', unusableSecret: true });
  });

  it('is the brake if it stands for a secret that was revoked, also when it is due', () => {
    const known = { ...havingSeen(RING), revoked: new Set([OTHER]) };
    for (const nowMs of [NOW_MS, DUE]) {
      const plan = decide(sealedWith({ nowMs, ...keyWith(keyTextOf(OTHER, true)) }), known);
      expect(plan).toMatchObject({ name: 'brake', unusableSecret: true });
    }
  });

  it('has its mark written back in place of the text, for as long as the ring says, with a warning', () => {
    const plan = decide(sealedWith(keyWith(CURRENT, expiresAt + 9_000)));
    expect(plan).toMatchObject({ name: 'reschedule', revokes: false, writesKey: true, unusableSecret: true });
    expect(plan?.ring.current).toEqual(RING.current);
  });
});

describe('rows 2 to 4, 9 and 10: no value of K is adopted', () => {
  it('row 2 begins with fresh secrets, and says since when current signs', () => {
    const plan = decide(sealedWith({ key: null, ring: null }));
    expect(plan).toMatchObject({ name: 'bootstrap', revokes: false, writesKey: true, unusableSecret: false });
    expect(plan?.ring.current).toEqual({ secret: FRESH_1, expiresAt: NOW_MS + 60_000, since: NOW_MS });
  });

  it('row 3 writes the known ring back, by the mark of its current', () => {
    const plan = decide(sealedWith({ ring: null }), havingSeen(RING));
    expect(plan).toMatchObject({ name: 'repair', revokes: false, writesKey: false });
    expect(plan?.ring.current).toEqual(RING.current);
  });

  it.each([
    ['a usable value', OTHER, true],
    ['the text of the known current', CURRENT, true],
    ['the mark of an unknown secret', keyTextOf(OTHER, true), false],
  ])('row 4 begins with fresh secrets beside %s', (_, value, unusableSecret) => {
    const plan = decide(sealedWith({ ring: null, ...keyWith(value) }), havingSeen(RING));
    expect(plan).toMatchObject({ name: 'adopt', revokes: true, writesKey: true, unusableSecret });
    expect(plan?.ring.current.secret).toBe(FRESH_1);
    expect(plan?.ring.next.secret).toBe(FRESH_2);
  });

  it('row 9 rotates to next, and overwrites the value', () => {
    const plan = decide(sealedWith({ nowMs: DUE, ...keyWith(OTHER, DUE + 60_000) }));
    expect(plan).toMatchObject({ name: 'late rotation', revokes: false, writesKey: true, unusableSecret: true });
    expect(plan?.ring.current).toEqual({ secret: NEXT, expiresAt: DUE + 60_000, since: DUE });
  });

  it('row 9 is the brake without a TTL', () => {
    expect(decide(sealedWith({ nowMs: DUE, ...keyWith(OTHER, null) }))?.name).toBe('brake');
  });

  it('row 10 revokes, and signs with a fresh secret', () => {
    const plan = decide(sealedWith(keyWith(OTHER)));
    expect(plan).toMatchObject({ name: 'brake', revokes: true, writesKey: true, unusableSecret: true });
    expect(plan?.ring.current.secret).toBe(FRESH_1);
  });
});

describe('row 7: an EXPIRE counts up to two turns from when the secret began to sign', () => {
  const bound = (RING.current.since ?? 0) + 2 * RING.ttl;

  it('is followed up to there', () => {
    const plan = decide(sealedWith(keyWith(MARK, bound)));
    expect(plan).toMatchObject({ name: 'reschedule', writesKey: false });
    expect(plan?.ring.current).toEqual({ ...RING.current, expiresAt: bound });
  });

  it.each([
    ['beyond', bound + 1],
    ['absent', null],
  ])('is undone where it is %s', (_, expiresAtMs) => {
    const plan = decide(sealedWith(keyWith(MARK, expiresAtMs)));
    expect(plan).toMatchObject({ name: 'reschedule', writesKey: true });
    expect(plan?.ring.current).toEqual(RING.current);
  });

  it('keeps no secret signing beyond', () => {
    const plan = decide(sealedWith({ nowMs: LEAD, ...keyWith(MARK, bound + 1) }));
    expect(plan).toMatchObject({ name: 'rotation', writesKey: true });
  });

  it('is followed without bound on a plain ring, and on a ring that does not say since when', () => {
    const far = NOW_MS + 86_400_000;
    const plain = { ...sealedWith({ ring: RING, sealed: false }), ...keyWith(CURRENT, far) };
    expect(decide(plain)?.ring.current.expiresAt).toBe(far);
    expect(decide(sealedWith({ ring: PLAIN_RING, ...keyWith(MARK, far) }))?.ring.current.expiresAt).toBe(far);
  });
});

describe('row 1: a ring whose current or next this member saw come to its end', () => {
  const later: Ring = {
    ...RING,
    gen: 9,
    current: { secret: OTHER, expiresAt: NOW_MS + 60_000, since: NOW_MS },
    next: { secret: 'later-'.padEnd(43, '.'), since: NOW_MS },
    retired: [{ secret: CURRENT, until: NOW_MS + 12_000 }],
  };
  const atEnd = NOW_MS + 12_000;

  it('is a rollback once the secret is over by the clock, on a sealed ring only', () => {
    const known = havingSeen(RING, later);
    expect(decide(sealedWith({ nowMs: atEnd - 1, ...keyWith(MARK, atEnd + 20_000) }), known)?.name).not.toBe(
      'rollback',
    );
    expect(decide(sealedWith({ nowMs: atEnd }), known)?.name).toBe('rollback');
    expect(decide(sealedWith({ nowMs: atEnd, sealed: false, ...keyWith(CURRENT) }), known)?.name).not.toBe('rollback');
  });

  it('is one as next too, and after the secret has left every ring', () => {
    const after = remember(havingSeen(RING, later), {
      ...later,
      gen: 10,
      retired: [],
      next: { ...later.next, since: atEnd },
    });
    expect([...after.ended]).toContain(CURRENT);
    expect(isReplayed(RING, after, 0)).toBe(true);
    expect(isReplayed({ ...RING, current: later.current, next: { secret: CURRENT, since: 0 } }, after, 0)).toBe(true);
    expect(isReplayed(later, after, 0)).toBe(false);
  });

  it('is forgotten with a revocation, which takes all of them', () => {
    const after = remember(havingSeen(RING, later), {
      ...later,
      gen: 10,
      retired: [],
      next: { ...later.next, since: atEnd },
    });
    const revoked = remember(after, { ...PLAIN_RING, epoch: RING.epoch + 1, current: { secret: FRESH_1, expiresAt } });
    expect(revoked.ended.size).toBe(0);
  });

  it('makes revoke() one epoch more than was seen, too', () => {
    const history = havingSeen(RING, later);
    const plan = planRevocation(seenIn(sealedWith({ nowMs: atEnd }), history), {
      policy: POLICY,
      history,
      mint: countingMint(),
    });
    expect(plan.name).toBe('rollback');
  });
});

describe('a plain ring where this member takes sealed ones only', () => {
  const foreign = sealedWith({ ring: null, isForeign: true, key: { value: OTHER, expiresAtMs: expiresAt } });

  it('is the brake: the known keyring goes on, one epoch later, with fresh secrets', () => {
    const plan = decide(foreign, havingSeen(RING));
    expect(plan).toMatchObject({ name: 'brake', revokes: true, writesKey: true, unusableSecret: false });
    expect(plan?.ring).toMatchObject({ id: RING.id, epoch: RING.epoch + 1, gen: RING.gen + 1 });
    expect(plan?.ring.current.secret).toBe(FRESH_1);
  });

  it('begins a lineage for a member that knows none', () => {
    const plan = decide(foreign);
    expect(plan).toMatchObject({ name: 'brake', revokes: true });
    expect(plan?.ring).toMatchObject({ epoch: 0, rev: expect.any(String) });
  });

  it('is taken for no keyring by revoke()', () => {
    const history = havingSeen(RING);
    const plan = planRevocation(seenIn(foreign, history), { policy: POLICY, history, mint: countingMint() });
    expect(plan).toMatchObject({ name: 'revocation' });
    expect(plan.ring).toMatchObject({ id: RING.id, epoch: RING.epoch + 1 });
  });
});
