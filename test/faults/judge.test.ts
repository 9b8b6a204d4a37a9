/**
 * The judge of the fault suite sees what it is there to see: a judge that finds nothing proves
 * nothing.
 */
import { describe, expect, it } from 'vitest';
import type { Cause, Evidence, Operation } from './evidence.js';
import { judge } from './judge.js';

const maxStalenessMs = 1_000;
/**
 * One member, two keyrings: `old` signs until a revocation that is written at 5,000 and returns at
 * 5,010, `new` from then on.
 */
const revocation: Cause = { kind: 'revoked', beganMs: 5_000, returnedMs: 5_010, generation: 'a/1' };

function evidenceOf(operations: readonly Partial<Operation>[], causes: readonly Cause[] = [revocation]): Evidence {
  return {
    members: 1,
    maxStalenessMs,
    operations: operations.map((operation) => {
      const startMs = operation.startMs ?? 0;
      return { member: 0, kind: 'verify', token: 'old', code: null, endMs: startMs + 1, ...operation, startMs };
    }),
    tokens: new Map(
      ['old', 'new'].map((id) => [id, { id, kid: `${id} kid`, endsMs: id === 'old' ? 9_000 : 12_000 }] as const),
    ),
    generations: [
      { name: 'a/0', firstSeenMs: 0, kids: new Set(['old kid']) },
      { name: 'a/1', firstSeenMs: 5_005, kids: new Set(['new kid']) },
    ],
    causes,
  };
}

const unknown = 'ERR_REWT_UNKNOWN_KEY';
const timeout = 'ERR_REWT_STORE_TIMEOUT';

describe('a refusal', () => {
  const refusals = (operation: Partial<Operation>, causes?: readonly Cause[]) =>
    judge(evidenceOf([operation], causes)).refusedWithoutRevocation;

  it('counts before anything was revoked', () => {
    expect(refusals({ startMs: 4_000, code: unknown })).toBe(1);
    expect(refusals({ startMs: 4_998, code: unknown, endMs: 5_001 })).toBe(0);
  });

  it('counts where no member revoked, whatever keyring appeared', () => {
    expect(refusals({ startMs: 6_000, code: unknown }, [])).toBe(1);
    expect(refusals({ startMs: 6_000, code: unknown }, [{ kind: 'lost', beganMs: 5_006 }])).toBe(1);
    expect(refusals({ startMs: 6_000, code: unknown }, [{ kind: 'lost', beganMs: 4_000 }])).toBe(0);
    expect(refusals({ startMs: 6_000, code: unknown }, [{ kind: 'attempted', beganMs: 4_000 }])).toBe(0);
  });

  it('counts for a token of the newest keyring', () => {
    expect(refusals({ token: 'new', startMs: 6_000, code: unknown })).toBe(1);
  });

  it('counts as expired only before its time', () => {
    expect(refusals({ token: 'new', startMs: 11_000, code: 'ERR_REWT_EXPIRED' })).toBe(1);
    expect(refusals({ token: 'new', startMs: 12_000, code: 'ERR_REWT_EXPIRED' })).toBe(0);
    expect(refusals({ token: 'new', startMs: 12_000, code: unknown })).toBe(0);
  });
});

describe('an acceptance', () => {
  const acceptances = (operation: Partial<Operation>, causes?: readonly Cause[]) =>
    judge(evidenceOf([operation], causes)).acceptedAfterBound;

  it('counts once the revocation returned longer ago than maxStaleness', () => {
    expect(acceptances({ startMs: 6_010 })).toBe(0);
    expect(acceptances({ startMs: 6_011 })).toBe(1);
    expect(acceptances({ startMs: 6_011, token: 'new' })).toBe(0);
  });

  it('counts also where the token had ended by then, but its secret verified', () => {
    expect(acceptances({ startMs: 9_500, code: 'ERR_REWT_EXPIRED' })).toBe(1);
  });

  it('counts from when a loss was first noticed', () => {
    const lost: Cause = { kind: 'lost', beganMs: 4_000 };
    expect(acceptances({ startMs: 6_005 }, [lost])).toBe(0);
    expect(acceptances({ startMs: 6_006 }, [lost])).toBe(1);
  });
});

describe('an error', () => {
  it('is an outage only where the store was away, and only for a token that anyone would miss', () => {
    const verdict = judge(
      evidenceOf([
        { kind: 'sign', startMs: 4_000, code: timeout },
        { startMs: 4_000, code: timeout },
        { startMs: 5_500, code: timeout },
        { startMs: 4_000, code: 'ERR_REWT_STORE_CLOSED' },
        { startMs: 4_000, code: 'ERR_REWT_BAD_SIGNATURE' },
        { kind: 'sign', startMs: 4_000, code: 'TypeError' },
      ]),
    );
    expect(verdict.unavailable).toEqual({ [timeout]: 2 });
    expect(verdict.wrong).toEqual({ ERR_REWT_STORE_CLOSED: 1, ERR_REWT_BAD_SIGNATURE: 1, TypeError: 1 });
  });

  it('makes a member unavailable from its last success to its next', () => {
    const verdict = judge(
      evidenceOf([
        { startMs: 1_000 },
        { startMs: 1_500, endMs: 2_500, code: timeout },
        { startMs: 2_000, endMs: 3_000, code: timeout },
        { startMs: 3_299, endMs: 3_300 },
        { kind: 'sign', startMs: 2_000 },
      ]),
    );
    expect(verdict.longestUnavailableMs).toBe(1_800);
    expect(verdict.slowestMs).toBe(1_000);
  });
});

describe('a revocation', () => {
  it('has spread once the last token was accepted and every member has turned one down', () => {
    const spread = (operations: readonly Partial<Operation>[]) => judge(evidenceOf(operations));
    expect(spread([{ startMs: 5_005, code: unknown }])).toMatchObject({ spreadMs: [0], unproven: 0 });
    expect(spread([{ startMs: 5_029, code: unknown }])).toMatchObject({ spreadMs: [20], unproven: 0 });
    expect(spread([{ startMs: 5_029, code: unknown }, { startMs: 5_039 }])).toMatchObject({ spreadMs: [30] });
  });

  it('proves nothing where a member never tried, nor does a loss that lost nothing', () => {
    expect(judge(evidenceOf([{ startMs: 5_020 }])).unproven).toBe(1);
    const lost: Cause = { kind: 'lost', beganMs: 8_000 };
    expect(judge(evidenceOf([{ startMs: 5_029, code: unknown }], [revocation, lost])).unproven).toBe(1);
  });
});
