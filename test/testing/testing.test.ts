import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isRewtError, type Rewt } from '../../src/index.js';
import { createTestRewt, type TestRewt } from '../../src/testing.js';

let test: TestRewt;
beforeEach(async () => {
  test = await createTestRewt();
});
afterEach(() => test.close());

/** 'accepted', or the code of the refusal. */
async function verdict(token: string, options: object = {}, rewt: Rewt = test.rewt): Promise<string> {
  const outcome: unknown = await rewt.verify(token, options).catch((error: unknown) => error);
  return isRewtError(outcome) ? outcome.code : 'accepted';
}

describe('the ready-made tokens', () => {
  const expected = { audience: 'orders', issuer: 'billing' };

  it.each([
    ['valid', 'accepted'],
    ['expired', 'ERR_REWT_EXPIRED'],
    ['notYetActive', 'ERR_REWT_NOT_ACTIVE'],
    ['wrongAudience', 'ERR_REWT_CLAIM_MISMATCH'],
    ['wrongIssuer', 'ERR_REWT_CLAIM_MISMATCH'],
    ['forged', 'ERR_REWT_BAD_SIGNATURE'],
    ['altered', 'ERR_REWT_BAD_SIGNATURE'],
    ['retired', 'accepted'],
    ['unknownSecret', 'ERR_REWT_UNKNOWN_KEY'],
    ['malformed', 'ERR_REWT_MALFORMED'],
  ] as const)('the token %s is judged %s', async (kind, code) => {
    const token = await test.tokens[kind]({ sub: 'ann', aud: 'orders', iss: 'billing' });
    expect(await verdict(token, expected)).toBe(code);
    // The same where all of it is options, those of the instance too.
    const strict = await createTestRewt({ sign: { ...expected, expiresIn: '1m', notBefore: 0 }, verify: expected });
    expect(await verdict(await strict.tokens[kind]({}, { subject: 'ann' }), {}, strict.rewt)).toBe(code);
    await strict.close();
  });

  it('say what they were given', async () => {
    const claims = await test.rewt.verify<{ role: string }>(await test.tokens.valid({ role: 'clerk', sub: 'ann' }));
    expect(claims).toMatchObject({ role: 'clerk', sub: 'ann' });
    expect(await verdict(await test.tokens.wrongAudience({ aud: 'orders' }))).toBe('accepted');
  });

  it('are made also while the store fails', async () => {
    test.store.fail();
    expect(await verdict(await test.tokens.valid())).toBe('accepted');
  });

  it('of a retired secret come as often as a test asks', async () => {
    for (let times = 0; times < 20; times += 1) expect(await verdict(await test.tokens.retired())).toBe('accepted');
  });
});

describe('the clock', () => {
  it('ends a token when it is turned on by its life', async () => {
    const token = await test.tokens.valid();
    test.clock.advance('4m');
    expect(await verdict(token)).toBe('accepted');
    test.clock.advance(66);
    expect(await verdict(token)).toBe('ERR_REWT_EXPIRED');
  });

  it('is the one that tokens are signed by', async () => {
    test.clock.advance('2 days');
    const { iat } = await test.rewt.verify(await test.rewt.sign({}));
    const nowSeconds = test.clock.now() / 1_000;
    expect(nowSeconds - Date.now() / 1_000).toBeCloseTo(2 * 86_400, 0);
    expect(nowSeconds - (iat ?? 0)).toBeLessThan(5);
  });

  it('begins at the time that it is', () => {
    const beforeMs = Date.now();
    const nowMs = test.clock.now();
    expect(nowMs).toBeGreaterThanOrEqual(beforeMs);
    expect(nowMs).toBeLessThanOrEqual(Date.now());
  });

  it('rotates the secret when its time is over, and the token of before goes on', async () => {
    const { signing } = test.rewt.status().keyring ?? {};
    test.clock.advance(86_400 - 120);
    const token = await test.rewt.sign({});
    test.clock.advance('3m');
    expect(await verdict(token)).toBe('accepted');
    expect(test.rewt.status().keyring?.signing).not.toBe(signing);
  });

  it('refuses what is no span of time', () => {
    expect(() => test.clock.advance('60')).toThrow(
      expect.objectContaining({ code: 'ERR_REWT_OPTION', option: 'advance' }),
    );
    expect(() => test.clock.advance(-1)).toThrow(
      expect.objectContaining({ code: 'ERR_REWT_OPTION', option: 'advance' }),
    );
  });

  it('goes by fake timers where a test has them', async () => {
    vi.useFakeTimers();
    try {
      const token = await test.tokens.valid();
      vi.setSystemTime(Date.now() + 306_000);
      expect(await verdict(token)).toBe('ERR_REWT_EXPIRED');
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('the keyring', () => {
  it('is rotated, and what was signed before goes on verifying', async () => {
    const token = await test.rewt.sign({});
    await test.rewt.rotate();
    expect(await verdict(token)).toBe('accepted');
  });

  it('is revoked, and what was signed before is refused', async () => {
    const token = await test.rewt.sign({});
    await test.rewt.revoke();
    expect(await verdict(token)).toBe('ERR_REWT_UNKNOWN_KEY');
    expect(await verdict(await test.tokens.valid())).toBe('accepted');
  });

  it('is shared with other members, each with separate options', async () => {
    const caller = test.member({ sign: { audience: 'orders' } });
    const token = await caller.sign({});
    expect(await test.rewt.verify(token, { audience: 'orders' })).toMatchObject({ aud: 'orders' });
    test.clock.advance('1h');
    expect(await verdict(token, {}, test.member())).toBe('ERR_REWT_EXPIRED');
  });

  it('can be used without a promise from the start', async () => {
    expect(test.rewt.verifySync(test.rewt.signSync({ sub: 'ann' }))).toMatchObject({ sub: 'ann' });
  });
});

describe('a store that fails', () => {
  it('goes unnoticed until maxStaleness, then it is a 503, and it recovers', async () => {
    const token = await test.tokens.valid();
    test.store.fail();
    expect(await verdict(token)).toBe('accepted');
    test.clock.advance('61s');
    expect(await verdict(token)).toBe('ERR_REWT_STORE_DOWN');
    expect(await verdict(token)).toBe('ERR_REWT_STORE_DOWN');
    test.store.recover();
    expect(await verdict(token)).toBe('accepted');
  });

  it('is a 503 at once where the store is always asked', async () => {
    const strict = await createTestRewt({ maxStaleness: 0 });
    strict.store.fail();
    expect(await verdict(await strict.tokens.valid(), {}, strict.rewt)).toBe('ERR_REWT_STORE_DOWN');
    await strict.close();
  });
});

describe('the options', () => {
  it.each([
    [{ store: {} }, 'store'],
    [{ redisConn: 'redis://localhost' }, 'redisConn'],
    [{ ttl: '1 fortnight' }, 'ttl'],
    [{ maxStaleness: '2 days' }, 'maxStaleness'],
    [{ tokenLifetime: -1 }, 'tokenLifetime'],
    [{ cacheSecret: true }, 'cacheSecret'],
  ])('%o are refused', async (options, option) => {
    await expect(createTestRewt(options as object)).rejects.toMatchObject({ code: 'ERR_REWT_OPTION', option });
  });

  it.each([{ ttl: 60 * 60 }, { ttl: 24, tokenLifetime: 3 }, { maxStaleness: 0 }])(
    'may be %o, and the keyring can be rotated at once',
    async (options) => {
      await using short = await createTestRewt(options);
      const token = await short.tokens.valid();
      await short.rewt.rotate();
      expect(await verdict(token, {}, short.rewt)).toBe('accepted');
    },
  );
});

describe('a service under test', () => {
  let server: Server;
  beforeEach(async () => {
    server = createServer(async (request, response) => {
      try {
        await test.rewt.verify((request.headers.authorization ?? '').replace(/^Bearer /, ''), { audience: 'orders' });
        response.statusCode = 204;
      } catch (error) {
        response.statusCode = isRewtError(error) ? error.status : 500;
      }
      response.end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.close();
  });

  async function status(token: string): Promise<number> {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    return (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status;
  }

  it('answers 204, 401 and 503', async () => {
    const { tokens, clock, store } = test;
    const audience = 'orders';
    expect(await status(await tokens.valid({}, { audience }))).toBe(204);
    expect(await status(await tokens.expired({}, { audience }))).toBe(401);
    expect(await status(await tokens.wrongAudience())).toBe(401);
    store.fail();
    clock.advance('61s');
    expect(await status(await tokens.valid({}, { audience }))).toBe(503);
    store.recover();
    expect(await status(await tokens.valid({}, { audience }))).toBe(204);
  });
});
