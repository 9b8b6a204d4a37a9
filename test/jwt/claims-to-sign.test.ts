import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefusal } from '../../src/jwt/authenticate.js';
import { checkClaims } from '../../src/jwt/check-claims.js';
import { claimsToSign } from '../../src/jwt/payload.js';
import { compileSignOptions, type SignOptions } from '../../src/jwt/sign-options.js';
import { decodePayload, encodeHeader, signToken } from '../../src/jwt/token.js';
import { compileVerifyOptions } from '../../src/jwt/verify-options.js';
import { seeded } from '../keyring/seeded.js';
import { key, macOf, parsed, thrownBy } from './forge.js';

const nowMs = 1_700_000_000_900;
const now = 1_700_000_000;
const lifetime = 300;

function signable(payload: unknown, options?: SignOptions, atMs = nowMs, lifetimeSeconds = lifetime) {
  return claimsToSign(payload, compileSignOptions(options), atMs, lifetimeSeconds);
}

function claimsOf(
  payload: unknown,
  options?: SignOptions,
  atMs = nowMs,
  lifetimeSeconds = lifetime,
): Record<string, unknown> {
  const made = signable(payload, options, atMs, lifetimeSeconds);
  if (made.kind !== 'claims') throw new Error('no claims');
  return JSON.parse(made.text);
}

describe('the claims that are signed', () => {
  it.each<[string, object, SignOptions, object]>([
    ['have iat in whole seconds and exp tokenLifetime later', {}, {}, { iat: now, exp: now + 300 }],
    ['keep what the payload says', { a: [1, { b: null }] }, {}, { a: [1, { b: null }], iat: now, exp: now + 300 }],
    ['have exp from expiresIn', {}, { expiresIn: '2m' }, { iat: now, exp: now + 120 }],
    ['have exp at once for expiresIn 0', {}, { expiresIn: 0 }, { iat: now, exp: now }],
    ["keep the payload's own exp", { exp: now + 7 }, {}, { iat: now, exp: now + 7 }],
    ["keep the payload's own exp in the past", { exp: now - 7 }, {}, { iat: now, exp: now - 7 }],
    ["keep the payload's own iat and count from it", { iat: now - 10 }, {}, { iat: now - 10, exp: now + 290 }],
    ['keep an iat of 0', { iat: 0 }, { expiresIn: 5 }, { iat: 0, exp: 5 }],
    [
      "count expiresIn from the payload's own iat",
      { iat: now - 10.5 },
      { expiresIn: 60 },
      { iat: now - 10.5, exp: now + 49.5 },
    ],
    [
      'have no default longer than allowed where iat lies ahead',
      { iat: now + 3 },
      {},
      { iat: now + 3, exp: now + 300 },
    ],
    ['have exp with noTimestamp too', {}, { noTimestamp: true }, { exp: now + 300 }],
    [
      "lose the payload's iat with noTimestamp",
      { iat: now - 10 },
      { noTimestamp: true, expiresIn: 60 },
      { exp: now + 50 },
    ],
    ['have nbf from notBefore', {}, { notBefore: '10s' }, { iat: now, nbf: now + 10, exp: now + 300 }],
    [
      'have the claims of the options',
      {},
      { audience: ['a', 'b'], issuer: 'i', subject: 's', jwtid: 'j' },
      { aud: ['a', 'b'], iss: 'i', sub: 's', jti: 'j', iat: now, exp: now + 300 },
    ],
    ['have one audience as a string', {}, { audience: 'a' }, { aud: 'a', iat: now, exp: now + 300 }],
    [
      'take a claim that is undefined for absent',
      { exp: undefined, aud: undefined },
      { expiresIn: 5, audience: 'a' },
      { aud: 'a', iat: now, exp: now + 5 },
    ],
    ['are what toJSON makes of the payload', { toJSON: () => ({ a: 1 }) }, {}, { a: 1, iat: now, exp: now + 300 }],
  ])('%s', (_what, payload, options, expected) => {
    expect(claimsOf(payload, options)).toEqual(expected);
  });

  it('count a span with a fraction of a second from the instant itself, so that it is not lost in the rounding', () => {
    expect(claimsOf({}, { expiresIn: '250ms', notBefore: '125ms' }, now * 1000 + 500)).toEqual({
      iat: now,
      nbf: now + 0.625,
      exp: now + 0.75,
    });
    expect(claimsOf({}, {}, now * 1000 + 500, 0.25)).toEqual({ iat: now, exp: now + 0.75 });
  });

  it('never outlive tokenLifetime by default, and are never rejected for it, with any clock and lifetime', () => {
    fc.assert(
      fc.property(
        fc.nat(4e12),
        fc.oneof(fc.nat(86_400), fc.double({ min: 0.001, max: 1000, noNaN: true })),
        (atMs, lifetimeSeconds) => {
          const { exp } = claimsOf({}, {}, atMs, lifetimeSeconds) as { exp: number };
          expect(exp).toBeLessThanOrEqual(atMs / 1000 + lifetimeSeconds);
          expect(exp).toBeGreaterThan(atMs / 1000 + lifetimeSeconds - 1);
          claimsOf({}, { expiresIn: lifetimeSeconds }, atMs, lifetimeSeconds);
        },
      ),
      seeded(),
    );
  });

  it('are accepted by verify at once, whatever else the payload has, and equal what went in', () => {
    const registered = ['exp', 'nbf', 'iat', 'aud', 'iss', 'sub', 'jti', 'toJSON'];
    const name = fc.string({ unit: 'grapheme' }).filter((one) => !registered.includes(one));
    fc.assert(
      fc.property(fc.dictionary(name, fc.jsonValue()), (payload) => {
        const made = signable(payload);
        const token = parsed(signToken(encodeHeader('k'), made.text, macOf(key), 1e6), 1e6);
        const decoded = decodePayload(token);
        if (isRefusal(decoded) || decoded.claims === null) throw new Error('no claims');
        expect(checkClaims(decoded.claims, compileVerifyOptions({}), nowMs)).toBeNull();
        const { iat, exp, ...rest } = decoded.claims;
        expect([iat, exp]).toEqual([now, now + 300]);
        expect(JSON.stringify(rest)).toBe(JSON.stringify(JSON.parse(JSON.stringify(payload))));
      }),
      seeded(),
    );
  });

  it('are a copy: the payload is never changed', () => {
    const payload = Object.freeze({ a: Object.freeze({ b: 1 }), iat: now });
    claimsOf(payload, { expiresIn: 5, audience: 'x', noTimestamp: true });
    expect(payload).toEqual({ a: { b: 1 }, iat: now });
  });

  it('carry __proto__ as data and nothing more (RFC 8259 §4)', () => {
    const made = signable(JSON.parse('{"__proto__":{"exp":1,"admin":true}}'));
    expect(made).toEqual({
      kind: 'claims',
      text: `{"__proto__":{"exp":1,"admin":true},"iat":${now},"exp":${now + 300}}`,
    });
  });

  it('may come from an object without a prototype', () => {
    expect(claimsOf(Object.assign(Object.create(null), { a: 1 }))).toMatchObject({ a: 1 });
  });

  it('keep lone surrogates in strings, which JSON escapes', () => {
    expect(claimsOf({ a: '\ud800' })).toMatchObject({ a: '\ud800' });
  });
});

class User {
  name = 'ann';
}
const cycle: Record<string, unknown> = {};
cycle.self = cycle;

describe('a payload that cannot be signed', () => {
  it.each<[string, unknown, RegExp]>([
    ['undefined', undefined, /not undefined/],
    ['null', null, /not null/],
    ['a number', 1, /not number/],
    ['a boolean', true, /not boolean/],
    ['a BigInt', 1n, /not bigint/],
    ['a symbol', Symbol('canary-value'), /not symbol/],
    ['a function', () => 1, /not function/],
    ['an array', [{}], /not an array/],
    ['a Date', new Date(), /an instance of a class/],
    ['a Map', new Map(), /an instance of a class/],
    ['an Error', new Error('canary-value'), /an instance of a class/],
    ['a boxed string', Object('canary-value'), /an instance of a class/],
    ['an ArrayBuffer', new ArrayBuffer(8), /an instance of a class/],
    ['an instance', new User(), /\{ \.\.\.object \}/],
    ['a promise', Promise.resolve({}), /an instance of a class/],
    ['a cycle', cycle, /cycle/],
    ['a BigInt inside', { a: 1n }, /BigInt/],
    ['toJSON that gives a string', { toJSON: () => 'canary-value' }, /toJSON/],
    ['toJSON that gives a list', { toJSON: () => [] }, /toJSON/],
    ['toJSON that gives nothing', { toJSON: () => undefined }, /toJSON/],
    [
      'a getter that throws',
      {
        get a() {
          throw new Error('canary-value');
        },
      },
      /throws/,
    ],
    ['an empty text', '', /payload is empty/],
    ['no bytes', Buffer.alloc(0), /payload is empty/],
    ['a text with a lone surrogate', 'a\ud800', /not text in UTF-8/],
    ['a text that begins with a byte order mark', '\uFEFFa', /byte order mark/],
    ['bytes that are not UTF-8', Buffer.from([0x61, 0xff]), /not text in UTF-8.*base64/],
    ['bytes that begin with a byte order mark', Buffer.from('\uFEFFa'), /byte order mark/],
    // RFC 7519 §4.1, §2 "NumericDate".
    ['exp that is a string', { exp: '1700000001' }, /exp must be a number of seconds/],
    ['exp that is null', { exp: null }, /exp must be/],
    ['exp that is NaN', { exp: Number.NaN }, /exp must be/],
    ['exp that is infinite', { exp: Number.POSITIVE_INFINITY }, /exp must be/],
    ['exp that is a Date', { exp: new Date() }, /exp must be/],
    ['nbf that is a boolean', { nbf: true }, /nbf must be/],
    ['iat that is a list', { iat: [] }, /iat must be/],
    ['aud that is an object', { aud: {} }, /aud must be a string or a list of strings/],
    ['aud that has a number', { aud: ['a', 1] }, /aud must be/],
    ['iss that is a number', { iss: 1 }, /iss must be a string/],
    ['iss that is a list', { iss: ['i'] }, /iss must be a string/],
    ['sub that is an object', { sub: {} }, /sub must be a string/],
    ['jti that is null', { jti: null }, /jti must be a string/],
    ['exp past tokenLifetime', { exp: now + 302 }, /would live 302 s and tokenLifetime allows 300 s/],
    ['exp in milliseconds', { exp: (now + 60) * 1000 }, /exp must be a number of seconds \(not milliseconds\)/],
    ['nbf at exp', { nbf: now + 10, exp: now + 10 }, /nbf is not before exp/],
    ['a text of claims with exp past tokenLifetime', `{"exp":${now + 302}}`, /would live 302 s/],
    ['a text of claims with exp that is no number', '{"exp":1e400}', /exp must be a number/],
    ['bytes of claims with iss that is a list', Buffer.from('{"iss":["i"]}'), /iss must be a string/],
  ])('is refused with a type and a sentence: %s', (_what, payload, sentence) => {
    const error = thrownBy(() => signable(payload));
    expect(error).toMatchObject({
      name: 'OptionError',
      code: 'ERR_REWT_PAYLOAD',
      message: expect.stringMatching(sentence),
    });
    expect(String(error)).not.toContain('canary-value');
    expect(error).not.toHaveProperty('cause');
  });

  it.each(['getPrototypeOf', 'has', 'ownKeys', 'getOwnPropertyDescriptor', 'get'])(
    'is refused in our own words where it is a proxy that throws at %s',
    (trap) => {
      const fail = () => {
        throw new Error('canary-value');
      };
      const payload = new Proxy({ a: 1 }, { [trap]: fail });
      expect(() => signable(payload)).toThrow(/^payload cannot be written as a JSON object/);
    },
  );

  it('is refused in our own words where it is a proxy that was revoked', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(() => signable(proxy)).toThrow(/^payload cannot be written as a JSON object/);
  });

  it('is what its toJSON() makes of it, also where a proxy denies that it has one', () => {
    const denying = (toJSON: () => unknown) => new Proxy({ exp: now + 1, toJSON }, { has: () => false });
    expect(claimsOf(denying(() => ({ a: 1 })))).toEqual({ a: 1, iat: now, exp: now + 300 });
    expect(() => signable(denying(() => ({ exp: now + 1e9 })))).toThrow(/tokenLifetime allows 300 s/);
    expect(() => signable(denying(() => 'x'))).toThrow(/toJSON/);
  });
});

describe('options that do not go with the payload', () => {
  it.each<[keyof SignOptions, SignOptions, object]>([
    ['expiresIn', { expiresIn: 5 }, { exp: now + 5 }],
    ['notBefore', { notBefore: 5 }, { nbf: now + 5 }],
    ['audience', { audience: 'a' }, { aud: 'a' }],
    ['issuer', { issuer: 'a' }, { iss: 'a' }],
    ['subject', { subject: 'a' }, { sub: 'a' }],
    ['jwtid', { jwtid: 'a' }, { jti: 'a' }],
  ])('are refused where both say the same: %s', (option, options, payload) => {
    const error = thrownBy(() => signable(payload, options));
    expect(error).toMatchObject({ name: 'OptionError', code: 'ERR_REWT_OPTION', option });
    expect(String(error)).toMatch(/the payload already has \w+; give one of the two/);
  });

  it.each<[string, SignOptions]>([
    ['expiresIn', { expiresIn: 5 }],
    ['notBefore', { notBefore: 0 }],
    ['audience', { audience: 'a' }],
    ['issuer', { issuer: 'a' }],
    ['subject', { subject: 'a' }],
    ['jwtid', { jwtid: 'a' }],
    ['noTimestamp', { noTimestamp: true }],
  ])('are refused with a text, which has no claims: %s', (option, options) => {
    for (const payload of ['hello', Buffer.from('hello')]) {
      const error = thrownBy(() => signable(payload, options));
      expect(error).toMatchObject({
        code: 'ERR_REWT_OPTION',
        option,
        message: expect.stringMatching(/only an object has claims/),
      });
    }
  });

  it('are refused with a text whose header would say that it is claims (RFC 7519 §5.1)', () => {
    expect(() => signable('hello', { header: { typ: 'at+jwt' } })).toThrow(
      expect.objectContaining({ code: 'ERR_REWT_OPTION', option: 'header' }),
    );
    expect(signable('hello', { header: { typ: 'text/plain' } })).toEqual({ kind: 'text', text: 'hello' });
  });

  it('are refused where they give more than tokenLifetime, in seconds both', () => {
    const error = thrownBy(() => signable({}, { expiresIn: '10m' }, now * 1000));
    expect(error).toMatchObject({ code: 'ERR_REWT_OPTION', option: 'expiresIn' });
    expect(String(error)).toMatch(/would live 600 s and tokenLifetime allows 300 s: .*larger tokenLifetime/);
  });

  it('are refused where the token would never be valid', () => {
    expect(() => signable({}, { notBefore: '10m' })).toThrow('expire before it becomes valid');
    expect(() => signable({}, { notBefore: 1e308, expiresIn: 1 })).toThrow(/expire before/);
    expect(() => signable({ iat: 1e10 }, { notBefore: 1e300 })).toThrow(/expire before/);
  });
});

describe('a text', () => {
  it.each(['hello', 'žluťoučký 🐎', '[1]', 'null', '{"a":', '\u0000'])('is signed as it is: %j', (text) => {
    expect(signable(text)).toEqual({ kind: 'text', text });
    expect(signable(Buffer.from(text))).toEqual({ kind: 'text', text });
    expect(signable(new Uint8Array(Buffer.from(text)))).toEqual({ kind: 'text', text });
    // Of another realm, such as that of a test runner.
    const foreign = runInNewContext('Uint8Array.from(bytes)', { bytes: [...Buffer.from(text)] });
    expect(signable(foreign)).toEqual({ kind: 'text', text });
  });

  it('that is a JSON object is signed as it is too, if its claims are right', () => {
    const text = ` {"a":1, "exp":${now + 300}} `;
    expect(signable(text)).toEqual({ kind: 'text', text });
    expect(signable('{"a":1}')).toEqual({ kind: 'text', text: '{"a":1}' });
  });
});

describe('bytes of a custom class', () => {
  class Odd extends Uint8Array {
    override valueOf(): never {
      throw new Error('canary');
    }
  }
  class Other extends Uint8Array {
    override valueOf(): never {
      return 'other' as never;
    }
  }
  class Unreadable extends Uint8Array {
    override get byteLength(): never {
      throw new Error('canary');
    }
  }

  it('are signed as they are, whatever their valueOf() says', () => {
    for (const bytes of [new Odd([65]), new Other([65])]) expect(signable(bytes)).toEqual({ kind: 'text', text: 'A' });
  });

  it('are refused in our own words where they cannot be read', () => {
    const error = thrownBy(() => signable(new Unreadable([65])));
    expect(error).toMatchObject({ code: 'ERR_REWT_PAYLOAD' });
    expect(String(error)).not.toContain('canary');
  });
});

it('a proxy that takes itself back is refused in our own words', () => {
  const { proxy, revoke } = Proxy.revocable(
    {},
    {
      getPrototypeOf() {
        revoke();
        return Array.prototype;
      },
    },
  );
  expect(thrownBy(() => signable(proxy))).toMatchObject({ code: 'ERR_REWT_PAYLOAD' });
});

it('nesting without end is refused, unless this Node can write it', () => {
  const deep = JSON.parse(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`);
  let text: string;
  try {
    text = signable(deep).text;
  } catch (error) {
    expect(error).toMatchObject({
      code: 'ERR_REWT_PAYLOAD',
      message: expect.stringMatching(/cannot be written as a JSON object/),
    });
    return;
  }
  expect(text).toMatch(/^\{"a":\{"a":/);
});
