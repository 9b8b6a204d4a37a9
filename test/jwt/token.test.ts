/**
 * The codec by itself: what it writes, what it reads, and the RFC's own example. Hostile tokens are
 * in hostile.test.ts.
 */

import { createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefusal } from '../../src/jwt/authenticate.js';
import { decodePayload, encodeHeader, isJwtType, MALFORMED, readToken, signToken } from '../../src/jwt/token.js';
import { seeded } from '../keyring/seeded.js';
import { forge, isSignedBy, key, MAX_BYTES, macOf, otherKey, parsed, thrownBy } from './forge.js';

const good = { alg: 'HS256', typ: 'JWT' };
const goodToken = forge(good, '{"sub":"ann"}');

describe('signing', () => {
  it('writes the header alg, typ, kid in this order', () => {
    expect(Buffer.from(encodeHeader('k1'), 'base64url').toString()).toBe('{"alg":"HS256","typ":"JWT","kid":"k1"}');
  });

  it('writes no typ for a text (RFC 7519 §5.1)', () => {
    expect(Buffer.from(encodeHeader('k1', 'text'), 'base64url').toString()).toBe('{"alg":"HS256","kid":"k1"}');
  });

  it('adds the members of the header option, whose typ takes the place of ours', () => {
    const segment = encodeHeader('k1', 'claims', { typ: 'at+jwt', cty: 'x' });
    expect(Buffer.from(segment, 'base64url').toString()).toBe('{"alg":"HS256","typ":"at+jwt","kid":"k1","cty":"x"}');
  });

  it('makes a token that is read back as it was', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }),
        (text, kid) => {
          fc.pre(!text.startsWith('\uFEFF') && kid.length <= 256);
          const token = parsed(signToken(encodeHeader(kid), text, macOf(key), MAX_BYTES));
          expect(token.kid).toBe(kid);
          expect(token.payload.toString()).toBe(text);
          expect(isSignedBy(token, key)).toBe(true);
          expect(isSignedBy(token, otherKey)).toBe(false);
        },
      ),
      seeded(),
    );
  });

  it('refuses a token longer than verifiers take, and says how long it would be', () => {
    const header = encodeHeader('k1');
    const fits = 'x'.repeat(((MAX_BYTES - header.length - 45) * 3) / 4);
    expect(readToken(signToken(header, fits, macOf(key), MAX_BYTES), MAX_BYTES)).not.toBe(MALFORMED);
    const error = thrownBy(() => signToken(header, `${fits}xxx`, macOf(key), MAX_BYTES));
    expect(error).toMatchObject({ name: 'OptionError', code: 'ERR_REWT_PAYLOAD' });
    expect(String(error)).toMatch(/would have \d+ bytes and maxTokenBytes allows 8192: put less into it/);
    expect(signToken(header, 'x', macOf(key), 1000).length).toBeLessThan(1000);
    expect(() => signToken(header, 'x', macOf(key), 10)).toThrow('allows 10');
    const { length } = signToken(header, 'x', macOf(key), MAX_BYTES);
    expect(readToken(signToken(header, 'x', macOf(key), length), length)).not.toBe(MALFORMED);
    expect(() => signToken(header, 'x', macOf(key), length - 1)).toThrow(`would have ${length} bytes`);
  });
});

describe('RFC 7515 appendix A.1', () => {
  const base64urlText = (segment: string) => Buffer.from(segment, 'base64url').toString();
  const rfcKey = createSecretKey(
    Buffer.from('AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow', 'base64url'),
  );
  const rfcHeader = 'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9';
  const rfcPayload = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';
  const rfcToken = `${rfcHeader}.${rfcPayload}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`;

  it('is made to the byte', () => {
    expect(signToken(rfcHeader, base64urlText(rfcPayload), macOf(rfcKey), MAX_BYTES)).toBe(rfcToken);
  });

  it('is read, authentic, and carries its claims', () => {
    const token = parsed(rfcToken);
    expect(isSignedBy(token, rfcKey)).toBe(true);
    expect(decodePayload(token)).toMatchObject({
      claims: { iss: 'joe', exp: 1300819380, 'http://example.com/is_root': true },
    });
  });
});

describe('a header', () => {
  it('has its members as own data, __proto__ too, and inherits none', () => {
    const { header } = parsed(forge('{"alg":"HS256","__proto__":{"admin":true}}'));
    expect((header as { admin?: unknown }).admin).toBeUndefined();
    expect(Object.hasOwn(header, '__proto__')).toBe(true);
    expect('toString' in header).toBe(false);
  });
});

describe('a malformed token', () => {
  it('is rejected after any alteration: another character is malformed, unsupported or a bad signature', () => {
    fc.assert(
      fc.property(fc.nat(goodToken.length - 1), fc.string({ unit: 'binary', maxLength: 2 }), (at, put) => {
        const altered = goodToken.slice(0, at) + put + goodToken.slice(at + 1);
        fc.pre(altered !== goodToken);
        const token = readToken(altered, MAX_BYTES);
        expect(isRefusal(token) || !isSignedBy(token, key)).toBe(true);
      }),
      seeded(2000),
    );
  });

  it('of any kind is refused and never thrown over', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.string(), fc.stringMatching(/^[\w-]*\.[\w-]*\.[\w-]{43}$/)), (token) => {
        expect(isRefusal(readToken(token, MAX_BYTES))).toBe(true);
      }),
      seeded(),
    );
  });
});

describe('the payload of an authentic token', () => {
  it('may be nested deeply', () => {
    const depth = 50_000;
    const token = parsed(forge(good, `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`), 1_000_000);
    expect(decodePayload(token)).not.toMatchObject({ claims: null });
  });

  it('is own data only, and safe to spread (RFC 8259 §4)', () => {
    const decoded = decodePayload(
      parsed(forge(good, '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}')),
    );
    if (isRefusal(decoded) || decoded.claims === null) throw new Error('no claims');
    expect(decoded.claims.admin).toBeUndefined();
    expect({ ...decoded.claims }.admin).toBeUndefined();
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
    expect(Object.keys(decoded.claims)).toEqual(['__proto__', 'constructor']);
  });
});

describe('what is said', () => {
  it('tells a refusal from an answer', () => {
    expect(isRefusal(null)).toBe(false);
    expect(isRefusal(parsed(goodToken))).toBe(false);
  });
});

describe('typ', () => {
  it.each<[unknown, boolean]>([
    ['JWT', true],
    ['application/at+jwt', true],
    ['+jwt', true],
    ['', false],
    ['JWT2', false],
    ['atjwt', false],
    ['text/jwt', false],
    ['application/application/jwt', false],
    [undefined, false],
    [['JWT'], false],
  ])('%j says that the payload is claims: %s', (typ, expected) => {
    expect(isJwtType(typ)).toBe(expected);
  });
});
