/**
 * Every hostile token that we know of, at the level of the codec: what is answered, and how little
 * is said and done before the MAC is known to be right.
 */

import { createSecretKey } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { TokenRefusal } from '../../src/errors.js';
import { type Authentic, authenticate, createTokenKey, isRefusal, NO_KEY_FITS } from '../../src/jwt/authenticate.js';
import { checkClaims, checkText } from '../../src/jwt/check-claims.js';
import { decodeText } from '../../src/jwt/encoding.js';
import { BAD_SIGNATURE, MALFORMED, UNKNOWN_KEY, UNSUPPORTED } from '../../src/jwt/token.js';
import { compileVerifyOptions, type VerifyOptions } from '../../src/jwt/verify-options.js';
import { forge, key, MAX_BYTES, macOf, otherKey } from './forge.js';
import { partsOf, signersOf } from './hostile.js';
import { hostileClaims, now } from './hostile-claims.js';
import { hostileForms } from './hostile-forms.js';
import { hostileHeaders } from './hostile-headers.js';
import { allowed, hostilePayloads } from './hostile-payloads.js';

vi.mock('../../src/jwt/encoding.js', { spy: true });

const hostile = [...hostileHeaders, ...hostileForms, ...hostilePayloads, ...hostileClaims];
const roles = {
  current: { kid: 'kid-current', by: key },
  next: { kid: 'kid-of-next', by: createSecretKey(Buffer.from('the-secret-that-signs-after-the-current-one')) },
  previous: { kid: 'kid-retired', by: createSecretKey(Buffer.from('the-secret-that-signed-before-the-current-one')) },
};
const keys = Object.values(roles).map(({ kid, by }) => ({ ...createTokenKey(kid, macOf(by)), verifiesUntilMs: 1000 }));

function verdictOn(token: unknown, options: VerifyOptions = {}, by = keys) {
  const authentic = authenticate(token, by, 0, MAX_BYTES);
  if (isRefusal(authentic)) return authentic;
  const compiled = compileVerifyOptions(options);
  const { claims } = authentic;
  return (claims === null ? checkText(compiled) : checkClaims(claims, compiled, now * 1000)) ?? authentic;
}

function codeOf(token: unknown, options?: VerifyOptions, by = keys): string {
  const verdict = verdictOn(token, options, by);
  return isRefusal(verdict) ? verdict.code : 'accepted';
}

afterEach(() => {
  vi.restoreAllMocks();
});

it('each case stands once', () => {
  const titles = [...hostile, ...allowed].map(({ rfc, what }) => `${rfc} ${what}`);
  expect(titles.filter((title, at) => titles.indexOf(title) !== at)).toEqual([]);
});

describe.each(signersOf('kid-current', key))('under %s', (_name, isOwn, signer) => {
  it('a token that is right is accepted', () => {
    expect(codeOf(partsOf(signer).token)).toBe('accepted');
  });

  for (const { rfc, what, token, code, ownCode = code, claim, options } of hostile) {
    it(`${rfc}: ${what} is answered with ${isOwn ? ownCode : code}`, () => {
      const { code: given, claim: named } = verdictOn(token(signer), options) as TokenRefusal;
      expect({ code: given, claim: named }).toEqual({ code: isOwn ? ownCode : code, claim });
    });
  }

  for (const { rfc, what, token, payload, options } of allowed) {
    it(`${rfc} allows ${what}`, () => {
      const { claims, text } = verdictOn(token(signer), options) as Authentic;
      expect(JSON.stringify(claims ?? text)).toBe(JSON.stringify(payload));
    });
  }

  const sentences: readonly unknown[] = [MALFORMED, UNSUPPORTED, UNKNOWN_KEY, BAD_SIGNATURE, NO_KEY_FITS];
  for (const { rfc, what, token, options } of [...hostile, ...allowed]) {
    it(`${rfc}: ${what}, with a wrong MAC, gets one of four sentences, and its payload is never parsed`, () => {
      const given = token(signer);
      const wrong = typeof given === 'string' ? given.replace(/[^.]{43}$/, 'A'.repeat(43)) : given;
      const parse = vi.spyOn(JSON, 'parse');
      const verdict = verdictOn(wrong, options);
      const [header = ''] = typeof wrong === 'string' ? wrong.split('.') : [];
      for (const [text] of parse.mock.calls) expect(text).toBe(Buffer.from(header, 'base64url').toString());
      expect(sentences).toContain(verdict);
    });
  }
});

describe('a token that is too long', () => {
  const tooLong = hostileForms.filter(({ rfc }) => rfc === 'RFC 7515 §10');
  for (const { what, token } of tooLong) {
    it(`is refused before anything is read, copied or computed: ${what}`, () => {
      const mac = vi.fn(macOf(key));
      const own = [{ ...createTokenKey('kid-current', mac), verifiesUntilMs: 1 }];
      const tokens = signersOf('kid-current', key).map(([, , signer]) => token(signer));
      const work = [vi.spyOn(JSON, 'parse'), vi.spyOn(Buffer, 'from'), vi.mocked(decodeText).mockClear(), mac];
      for (const one of tokens) expect(authenticate(one, own, 0, MAX_BYTES)).toBe(MALFORMED);
      for (const done of work) expect(done).not.toHaveBeenCalled();
    });
  }
});

describe('the four sentences', () => {
  it('are four, fixed, and begin as jsonwebtoken puts it', () => {
    const all = [MALFORMED, UNSUPPORTED, UNKNOWN_KEY, BAD_SIGNATURE, NO_KEY_FITS];
    expect(all.every(Object.isFrozen)).toBe(true);
    expect(new Set(all.map(({ message }) => message.slice(0, 14)))).toEqual(
      new Set(['jwt malformed:', 'invalid algori', 'unknown key: t', 'invalid signat']),
    );
  });
});

describe('a kid stands for one secret', () => {
  const names = Object.keys(roles) as (keyof typeof roles)[];
  const pairs = names.flatMap((named) => names.map((signing) => [named, signing] as const));

  it.each(pairs)('the kid of %s and the MAC of %s', (named, signing) => {
    const { kid } = roles[named];
    const { by } = roles[signing];
    const expected = named === signing ? 'accepted' : 'ERR_REWT_BAD_SIGNATURE';
    for (const header of [
      { alg: 'HS256', typ: 'JWT', kid },
      { kid, alg: 'HS256' },
      { alg: 'HS256', kid, typ: 'at+jwt' },
    ]) {
      expect(codeOf(forge(header, '{}', by))).toBe(expected);
    }
    // No other member and nothing in the payload has a say.
    const other = roles[signing].kid;
    const luring = { alg: 'HS256', typ: 'JWT', kid, KID: other, 'x-kid': other, jku: other, jwk: { kid: other } };
    expect(codeOf(forge(luring, JSON.stringify({ kid: other }), by))).toBe(expected);
  });

  it.each(names)('without one, %s is tried like all others', (signing) => {
    expect(codeOf(forge({ alg: 'HS256' }, '{}', roles[signing].by))).toBe('accepted');
  });

  it.each(names)('%s does not verify past its end, with or without kid', (signing) => {
    const { kid, by } = roles[signing];
    const past = keys.map((one) => (one.kid === kid ? { ...one, verifiesUntilMs: 0 } : one));
    expect(codeOf(forge({ alg: 'HS256', typ: 'JWT', kid }, '{}', by), {}, past)).toBe('ERR_REWT_UNKNOWN_KEY');
    expect(codeOf(forge({ alg: 'HS256', kid }, '{}', by), {}, past)).toBe('ERR_REWT_UNKNOWN_KEY');
    expect(codeOf(forge({ alg: 'HS256' }, '{}', by), {}, past)).toBe('ERR_REWT_BAD_SIGNATURE');
  });

  it('of one namespace: with the same kid in another, each refuses what the other signed', () => {
    const [here, there] = [key, otherKey].map((by) => [
      { ...createTokenKey('kid-current', macOf(by)), verifiesUntilMs: 1 },
    ]);
    for (const header of [
      { alg: 'HS256', typ: 'JWT', kid: 'kid-current' },
      { alg: 'HS256', kid: 'kid-current' },
      { alg: 'HS256' },
    ]) {
      expect(codeOf(forge(header, '{}', key), {}, here)).toBe('accepted');
      expect(codeOf(forge(header, '{}', key), {}, there)).toBe('ERR_REWT_BAD_SIGNATURE');
      expect(codeOf(forge(header, '{}', otherKey), {}, here)).toBe('ERR_REWT_BAD_SIGNATURE');
    }
  });

  it.each([
    '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0C\n-----END PUBLIC KEY-----',
    '{"kty":"oct","alg":"HS256","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}',
  ])('and a secret that looks like a key of another kind is nothing but its bytes (RFC 8725 §2.1): %j', (text) => {
    const strange = createSecretKey(Buffer.from(text));
    const own = [{ ...createTokenKey('kid-strange', macOf(strange)), verifiesUntilMs: 1 }];
    for (const [, , signer] of signersOf('kid-strange', strange)) {
      expect(codeOf(partsOf(signer).token, {}, own)).toBe('accepted');
      const decoded = createSecretKey(
        text.startsWith('{') ? Buffer.alloc(32) : Buffer.from('MFkwEwYHKoZIzj0C', 'base64'),
      );
      for (const by of [key, decoded, createSecretKey(Buffer.from(`${text}\n`))]) {
        expect(codeOf(partsOf({ ...signer, by }).token, {}, own)).toBe('ERR_REWT_BAD_SIGNATURE');
      }
    }
  });

  it('is refused if there are no keys', () => {
    for (const [, , signer] of signersOf('kid-current', key)) {
      expect(codeOf(partsOf(signer).token, {}, [])).toMatch(/UNKNOWN_KEY|BAD_SIGNATURE/);
    }
  });
});
