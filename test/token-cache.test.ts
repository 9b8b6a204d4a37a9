/** The option `tokenCache`, as users notice it: never in what is accepted, only in how fast. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryStore, Rewt, type RewtOptions, type Store } from '../src/index.js';
import { macMatches } from '../src/jwt/mac.js';
import { faultyStore } from './support/faulty-store.js';
import { times, turnTime } from './support/turned-time.js';

vi.mock('../src/jwt/mac.js', { spy: true });

let register: Store;

beforeEach(() => {
  turnTime();
  register = memoryStore();
});

afterEach(() => {
  vi.useRealTimers();
});

function member(options: Partial<RewtOptions> = {}): Rewt {
  return new Rewt({ ...times, ...options, store: faultyStore(register) });
}

/** A token that was verified so often that it is remembered. */
async function remembered(rewt: Rewt, payload: object = { sub: 'ann', roles: ['a'] }): Promise<string> {
  const token = await rewt.sign(payload);
  for (let i = 0; i < 4; i += 1) await rewt.verify(token);
  return token;
}

/** Whether a MAC was computed for it. */
async function isJudgedAnew(rewt: Rewt, token: string): Promise<boolean> {
  const judge = vi.mocked(macMatches).mockClear();
  await rewt.verify(token).catch(() => {});
  return judge.mock.calls.length > 0;
}

describe('a remembered token', () => {
  it('costs no MAC, and one with tokenCache 0 does', async () => {
    const rewt = member();
    expect(await isJudgedAnew(rewt, await remembered(rewt))).toBe(false);
    const without = member({ tokenCache: 0 });
    expect(await isJudgedAnew(without, await remembered(without))).toBe(true);
  });

  it('gives each caller a separate copy of the claims', async () => {
    const rewt = member();
    const token = await remembered(rewt);
    const claims = await rewt.verify<{ roles: string[] }>(token);
    claims.roles.push('admin');
    expect((await rewt.verify<{ roles: string[] }>(token)).roles).toEqual(['a']);
    expect(await rewt.verifyComplete(token)).toMatchObject({ payload: { roles: ['a'] } });
  });

  it('is refused once it has expired', async () => {
    const rewt = member();
    const token = await remembered(rewt);
    vi.setSystemTime(Date.now() + 306_000);
    await expect(rewt.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_EXPIRED' });
  });

  it('is judged by the options of each call', async () => {
    const rewt = member();
    const token = await remembered(rewt, { aud: 'orders' });
    await expect(rewt.verify(token, { audience: 'orders' })).resolves.toMatchObject({ aud: 'orders' });
    await expect(rewt.verify(token, { audience: 'stock' })).rejects.toMatchObject({ code: 'ERR_REWT_CLAIM_MISMATCH' });
    await expect(rewt.verify(token, { requiredClaims: ['tenant'] })).rejects.toMatchObject({
      code: 'ERR_REWT_CLAIM_MISSING',
    });
  });

  it('is refused after a revocation, its own member’s or another’s, ten thousand times', async () => {
    const rewt = member();
    for (const revoking of [rewt, member()]) {
      const token = await remembered(rewt);
      await revoking.revoke();
      await vi.advanceTimersByTimeAsync(2_000);
      const verdicts = Array.from({ length: 10_000 }, () => rewt.verify(token).catch(({ code }) => code));
      await vi.advanceTimersByTimeAsync(1_000);
      expect(new Set(await Promise.all(verdicts))).toEqual(new Set(['ERR_REWT_UNKNOWN_KEY']));
    }
  });

  it('goes on verifying over rotations, and ends with its secret', async () => {
    const rewt = member();
    const token = await remembered(rewt);
    await rewt.rotate({ force: true });
    for (let i = 0; i < 4; i += 1) await expect(rewt.verify(token)).resolves.toMatchObject({ sub: 'ann' });
    expect(await isJudgedAnew(rewt, token)).toBe(false);
    // One overlap later: it is not even expired, its secret is gone.
    await vi.advanceTimersByTimeAsync(366_000);
    const verdict = expect(rewt.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    await vi.advanceTimersByTimeAsync(100);
    await verdict;
  });

  it('is of no use past maxStaleness', async () => {
    const store = faultyStore(register);
    const rewt = new Rewt({ ...times, store });
    const token = await remembered(rewt);
    store.reads = 'down';
    await vi.advanceTimersByTimeAsync(60_000);
    await expect(rewt.verify(token)).rejects.toMatchObject({ status: 503 });
  });

  it('of one namespace is nothing to another', async () => {
    const rewt = member({ redisNamespace: 'a' });
    const token = await remembered(rewt);
    await expect(member({ redisNamespace: 'b' }).verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  });
});
