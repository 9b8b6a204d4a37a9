/** The class as its users see it: payloads, options, callbacks, errors and what it tells. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import DefaultRewt, {
  fileStore,
  isRewtError,
  type JwtClaims,
  memoryStore,
  Rewt,
  type RewtOptions,
  StoreError,
  TokenError,
} from '../src/index.js';

function rewtWith(options: Omit<RewtOptions, 'store'> = {}): Rewt {
  return new Rewt({ store: memoryStore(), ...options });
}

it('the default export is the class', () => {
  expect(DefaultRewt).toBe(Rewt);
});

describe('sign and verify', () => {
  it('carry an object there and back, with iat and an exp of tokenLifetime', async () => {
    const rewt = rewtWith({ tokenLifetime: 60 });
    const claims = await rewt.verify<JwtClaims & { username: string }>(await rewt.sign({ username: 'a@b.c' }));
    expect(claims.username).toBe('a@b.c');
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(60);
  });

  it('carry a string or a Buffer as a plain JWS without typ, and give a string', async () => {
    const rewt = rewtWith();
    for (const payload of ['a text', Buffer.from('a text'), new Uint8Array(Buffer.from('a text'))]) {
      const complete = await rewt.verifyComplete<string>(await rewt.sign(payload));
      expect(complete.payload).toBe('a text');
      expect(complete.header).toEqual({ alg: 'HS256', kid: expect.stringMatching(/^[\w-]{11}$/) });
    }
  });

  it('write the header as alg, typ, kid', async () => {
    const rewt = rewtWith();
    const [header = ''] = (await rewt.sign({})).split('.');
    expect(Buffer.from(header, 'base64url').toString()).toMatch(/^\{"alg":"HS256","typ":"JWT","kid":"[\w-]{11}"\}$/);
  });

  it('take their defaults from the instance and their options from the call', async () => {
    const rewt = rewtWith({ sign: { issuer: 'billing', audience: 'orders' }, verify: { issuer: 'billing' } });
    const token = await rewt.sign({ a: 1 });
    await expect(rewt.verify(token)).resolves.toMatchObject({ iss: 'billing', aud: 'orders' });
    await expect(rewt.verify(token, { audience: 'stock' })).rejects.toMatchObject({
      code: 'ERR_REWT_CLAIM_MISMATCH',
      claim: 'aud',
    });
    const other = await rewt.sign({ a: 1 }, { issuer: 'shop' });
    await expect(rewt.verify(other)).rejects.toMatchObject({ code: 'ERR_REWT_CLAIM_MISMATCH', claim: 'iss' });
    await expect(rewt.verify(other, { issuer: ['shop', 'billing'] })).resolves.toMatchObject({ iss: 'shop' });
  });

  it('add members to the header where they are asked to', async () => {
    const rewt = rewtWith();
    const token = await rewt.sign({}, { header: { typ: 'at+jwt', cty: 'x' } });
    await expect(rewt.verifyComplete(token)).resolves.toMatchObject({
      header: { typ: 'at+jwt', cty: 'x', alg: 'HS256' },
    });
  });

  it('keep the payload that was given when they were called', async () => {
    const rewt = rewtWith();
    const payload = { amount: 1 };
    const signing = rewt.sign(payload);
    payload.amount = 1_000_000;
    await expect(rewt.verify(await signing)).resolves.toMatchObject({ amount: 1 });
  });

  it('keep the namespaces of one store apart', async () => {
    const store = memoryStore();
    const token = await new Rewt({ store, redisNamespace: 'a' }).sign({});
    await expect(new Rewt({ store, redisNamespace: 'b' }).verify(token)).rejects.toMatchObject({
      code: 'ERR_REWT_UNKNOWN_KEY',
    });
  });
});

describe('verifyComplete', () => {
  it('gives header, payload and signature of a token, also when it is remembered', async () => {
    const rewt = rewtWith();
    const token = await rewt.sign({ sub: 'ann' }, { header: { cty: 'x' } });
    const [, , signature] = token.split('.');
    for (let times = 0; times < 3; times += 1) {
      const { header, payload, ...rest } = await rewt.verifyComplete(token);
      expect(header).toEqual({ alg: 'HS256', typ: 'JWT', kid: expect.any(String), cty: 'x' });
      expect(payload).toEqual(await rewt.verify(token));
      expect(rest).toEqual({ signature });
      Object.assign(header, { alg: 'none' });
    }
  });

  it('refuses what verify refuses, by the options of the instance and of the call', async () => {
    const rewt = rewtWith({ verify: { issuer: 'billing' } });
    const token = await rewt.sign({ iss: 'billing' });
    await expect(rewt.verifyComplete(await rewt.sign({}))).rejects.toMatchObject({ claim: 'iss' });
    await expect(rewt.verifyComplete(token, { audience: 'x' })).rejects.toMatchObject({ claim: 'aud' });
    await expect(rewt.verifyComplete('a.b.c')).rejects.toMatchObject({ code: 'ERR_REWT_MALFORMED' });
    await expect(rewt.verifyComplete(5 as never)).rejects.toMatchObject({ code: 'ERR_REWT_MALFORMED' });
  });

  it('takes no callback, which it would never call', async () => {
    const rewt = rewtWith();
    const misused = { code: 'ERR_REWT_OPTION', option: 'callback' };
    // @ts-expect-error: it has no form with a callback
    await expect(rewt.verifyComplete('a.b.c', () => {})).rejects.toMatchObject(misused);
    // @ts-expect-error: nor after options
    await expect(rewt.verifyComplete('a.b.c', {}, () => {})).rejects.toMatchObject(misused);
  });

  it('is what the option complete of jsonwebtoken is refused with', async () => {
    const hint = expect.objectContaining({ option: 'complete', message: expect.stringContaining('verifyComplete()') });
    const rewt = rewtWith();
    const options = { complete: true } as never;
    await expect(rewt.verify('a.b.c', options)).rejects.toEqual(hint);
    await expect(rewt.verifyComplete('a.b.c', options)).rejects.toEqual(hint);
    expect(() => rewt.verifySync('a.b.c', options)).toThrow(hint);
    expect(() => rewtWith({ verify: options })).toThrow(hint);
  });
});

describe('refusals', () => {
  it("say what was wrong in a stable code, under jsonwebtoken's names", async () => {
    const rewt = rewtWith();
    const token = await rewt.sign({ sub: 'a' });
    const last = token.at(-2) === 'A' ? 'B' : 'A';
    const forged = `${token.slice(0, -2)}${last}${token.at(-1)}`;
    const expired = await rewt.sign({ exp: Math.floor(Date.now() / 1_000) - 100 });
    const early = await rewt.sign({}, { notBefore: 100, expiresIn: 200 });
    await expect(rewt.verify(forged)).rejects.toMatchObject({
      name: 'JsonWebTokenError',
      code: 'ERR_REWT_BAD_SIGNATURE',
      status: 401,
    });
    await expect(rewt.verify(expired)).rejects.toMatchObject({
      name: 'TokenExpiredError',
      code: 'ERR_REWT_EXPIRED',
      expiredAt: expect.any(Date),
    });
    await expect(rewt.verify(early)).rejects.toMatchObject({
      name: 'NotBeforeError',
      code: 'ERR_REWT_NOT_ACTIVE',
      date: expect.any(Date),
    });
    await expect(rewt.verify('a.b.c')).rejects.toMatchObject({ name: 'JsonWebTokenError', code: 'ERR_REWT_MALFORMED' });
    await expect(rewt.verify(undefined as never)).rejects.toBeInstanceOf(TokenError);
  });

  it('judge the signature before the claims', async () => {
    const rewt = rewtWith();
    const expired = await rewt.sign({ exp: 1 });
    const [header, payload] = expired.split('.');
    const forged = `${header}.${payload}.${'A'.repeat(43)}`;
    await expect(rewt.verify(forged)).rejects.toMatchObject({ code: 'ERR_REWT_BAD_SIGNATURE' });
  });

  it("of an unknown key, or of another one's signature under a known kid, differ in code alone", async () => {
    const store = memoryStore();
    const rewt = new Rewt({ store });
    const before = await rewt.sign({ sub: 'a' });
    await rewt.revoke();
    await expect(rewt.verify(before)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    const [header] = (await rewt.sign({})).split('.');
    const [, payload, signature] = before.split('.');
    await expect(rewt.verify(`${header}.${payload}.${signature}`)).rejects.toMatchObject({
      code: 'ERR_REWT_BAD_SIGNATURE',
    });
  });

  it.each([
    ['a number', 5],
    ['null', null],
    ['an array', [1]],
    ['a function', () => {}],
    ['nothing', undefined],
    [
      'a cycle',
      Object.assign(
        {},
        {
          get self() {
            return this;
          },
        },
      ),
    ],
    ['a Buffer that is not UTF-8', Buffer.from([0xff, 0xfe])],
    ['exp in milliseconds', { exp: Date.now() }],
  ])("of a payload that is %s are the caller's fault, and do not touch the store", async (_, payload) => {
    const rewt = rewtWith();
    await expect(rewt.sign(payload as never)).rejects.toMatchObject({
      name: 'OptionError',
      code: 'ERR_REWT_PAYLOAD',
      status: 500,
    });
    expect(rewt.status().copy).toBe('none');
  });

  it('of an unknown option say what was meant', async () => {
    const rewt = rewtWith();
    await expect(rewt.rotate({ forse: true } as never)).rejects.toThrow(/did you mean 'force'/);
    expect(() => fileStore({ path: 'x', pth: 'x' } as never)).toThrow(/did you mean 'path'/);
    expect(() => fileStore(undefined as never)).toThrow(/must be a plain object/);
    await expect(rewt.sign({}, { expireIn: 5 } as never)).rejects.toThrow(/did you mean 'expiresIn'/);
    await expect(rewt.verify('x', { audiance: 'a' } as never)).rejects.toThrow(/did you mean 'audience'/);
  });

  it('are recognised across copies of rewt', () => {
    expect(isRewtError(new StoreError('ERR_REWT_STORE_DOWN', 'x'))).toBe(true);
    expect(isRewtError(new Error('x'))).toBe(false);
    expect(isRewtError(null)).toBe(false);
  });
});

describe('callbacks', () => {
  it('get the result, with and without options, and no promise comes back', async () => {
    const rewt = rewtWith();
    const token = await new Promise<string | undefined>((resolve) => {
      const returned: unknown = rewt.sign({ a: 1 }, (error, signed) => {
        expect(error).toBeNull();
        resolve(signed);
      });
      expect(returned).toBeUndefined();
    });
    const payload = await new Promise((resolve) => {
      rewt.verify(token ?? '', { maxAge: 5 }, (error, claims) => resolve(error ?? claims));
    });
    expect(payload).toMatchObject({ a: 1 });
  });

  it('get the error as their first argument', async () => {
    const rewt = rewtWith();
    const error = await new Promise((resolve) => {
      rewt.verify('junk', (refused, claims) => resolve([refused, claims]));
    });
    expect(error).toEqual([expect.any(TokenError), undefined]);
  });

  it("that throw are an uncaught exception of the program's, not a swallowed or unhandled rejection", async () => {
    const rewt = rewtWith();
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    try {
      const thrown = new Promise((resolve) => process.once('uncaughtException', resolve));
      rewt.sign({}, () => {
        throw new Error('of the program');
      });
      await expect(thrown).resolves.toMatchObject({ message: 'of the program' });
    } finally {
      for (const listener of listeners) process.on('uncaughtException', listener);
    }
  });

  it.each([
    ['a callback that is no function', [{}, 'callback']],
    ['options behind the callback, which would count for nothing', [() => {}, { audience: 'y' }]],
    ['a third argument', [{}, () => {}, 5]],
  ])('are not mistaken: %s is refused', async (_, rest) => {
    const rewt = rewtWith();
    const verify = rewt.verify.bind(rewt) as (...args: unknown[]) => Promise<unknown> | undefined;
    const callback = rest.find((argument) => typeof argument === 'function');
    if (callback === undefined) return expect(verify('token', ...rest)).rejects.toThrow(/options, callback/);
    const told = await new Promise((resolve) => {
      void verify('token', ...rest.map((argument) => (typeof argument === 'function' ? resolve : argument)));
    });
    return expect(told).toMatchObject({ code: 'ERR_REWT_OPTION', option: 'callback' });
  });

  it('may be null or undefined, as one that was not given', async () => {
    const rewt = rewtWith();
    const sign = rewt.sign.bind(rewt) as (...args: unknown[]) => Promise<string>;
    await expect(sign({}, undefined, undefined)).resolves.toMatch(/^ey/);
    await expect(sign({}, {}, null)).resolves.toMatch(/^ey/);
  });
});

it.each([
  ['an Error', new Error('redis://user:hunter2@host')],
  ['undefined', undefined],
  ['a number', 5],
])('a store that throws %s in place of rejecting is a store that failed', async (_what, thrown) => {
  const read = (): never => {
    throw thrown;
  };
  const rewt = new Rewt({ store: { ...memoryStore(), read } });
  await expect(rewt.verify(await new Rewt({ store: memoryStore() }).sign({}))).rejects.toMatchObject({
    code: 'ERR_REWT_STORE_DOWN',
    message: expect.not.stringContaining('hunter2'),
  });
  await rewt.close();
});

describe('what a Rewt tells', () => {
  it('of rotations, revocations, outages and recoveries goes to the diagnostics channels', async () => {
    const told: [string, unknown][] = [];
    const listen = (message: unknown, name: string | symbol) => told.push([String(name), message]);
    const names = ['rewt:rotated', 'rewt:revoked', 'rewt:degraded', 'rewt:recovered', 'rewt:warning'];
    for (const name of names) subscribe(name, listen);
    try {
      const store = memoryStore();
      const rewt = new Rewt({ store });
      const other = new Rewt({ store });
      await rewt.ready();
      await other.ready();
      const before = rewt.status().keyring?.signing;
      const { kid } = await rewt.rotate({ force: true });
      await other.ready();
      await rewt.revoke();
      await other.ready();
      const namespace = 'rewt';
      expect(told).toEqual([
        ['rewt:rotated', { namespace, kid, previousKid: before, own: true }],
        ['rewt:rotated', { namespace, kid, previousKid: before, own: false }],
        ['rewt:revoked', { namespace, kid: rewt.status().keyring?.signing, epoch: 1, cause: 'revocation', own: true }],
        ['rewt:revoked', { namespace, kid: rewt.status().keyring?.signing, epoch: 1, cause: 'read', own: false }],
      ]);
      told.length = 0;
      await store.close();
      await rewt.ready().catch(() => {});
      await rewt.ready().catch(() => {});
      expect(told).toEqual([['rewt:degraded', { namespace, code: 'ERR_REWT_STORE_CLOSED' }]]);
    } finally {
      for (const name of names) unsubscribe(name, listen);
    }
  });

  it('of a known trap of the client goes there too, at once, with its remedy', () => {
    const told: unknown[] = [];
    const listen = (message: unknown) => told.push(message);
    subscribe('rewt:warning', listen);
    try {
      const warning = { code: 'REWT_CLIENT_SLOW_FAILOVER', message: 'It notices a failover late. Update it.' };
      new Rewt({ store: { ...memoryStore(), clientWarnings: [warning] }, redisNamespace: 'trapped' });
      expect(told).toEqual([{ namespace: 'trapped', ...warning }]);
    } finally {
      unsubscribe('rewt:warning', listen);
    }
  });

  it('is read anew by refresh(), however young the copy is', async () => {
    const store = memoryStore();
    const [far, other] = [new Rewt({ store: { ...store, local: false } }), new Rewt({ store })];
    await far.ready();
    const { kid } = await other.revoke();
    await far.ready();
    expect(far.status().keyring?.signing).not.toBe(kid);
    await far.refresh();
    expect(far.status().keyring?.signing).toBe(kid);
    await far.close();
    await expect(far.refresh()).rejects.toMatchObject({ code: 'ERR_REWT_STORE_CLOSED' });
  });

  it('in status() is kids and times and no secret', async () => {
    const store = memoryStore();
    const rewt = new Rewt({ store });
    expect(rewt.status()).toEqual({
      namespace: 'rewt',
      store: 'memory',
      push: { state: 'off', reason: expect.stringContaining('every operation reads it') },
      waitsFor: null,
      sealKeys: [],
      copy: 'none',
      ageSeconds: null,
      storeTime: null,
      keyring: null,
    });
    await rewt.ready();
    await rewt.rotate({ force: true });
    const { keyring, copy } = rewt.status();
    expect(copy).toBe('usable');
    expect(keyring).toMatchObject({
      epoch: 0,
      generation: 2,
      ttl: 86_400,
      overlap: 365,
      retired: [{ verifiesUntil: expect.any(Date) }],
    });
    const { ring } = await store.read('rewt', { timeoutMs: 1 });
    const secrets = [...(ring ?? '').matchAll(/"secret":"([^"]+)"/g)].map(([, secret]) => secret ?? '');
    expect(secrets).toHaveLength(3);
    const shown = [
      JSON.stringify(rewt.status()),
      inspect(rewt, { depth: 20, showHidden: true }),
      JSON.stringify(rewt),
    ].join('\n');
    for (const secret of secrets) expect(shown).not.toContain(secret);
  });
});
