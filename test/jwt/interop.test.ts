import fc from 'fast-check';
import { CompactSign, compactVerify, jwtVerify, SignJWT } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { describe, expect, it } from 'vitest';
import { authenticate, createTokenKey } from '../../src/jwt/authenticate.js';
import { checkClaims, claimsToSign, compileSignOptions, compileVerifyOptions } from '../../src/jwt/claims.js';
import { isRefusal, signToken } from '../../src/jwt/token.js';
import { key, MOST_BYTES, macOf, secretText } from './forge.js';

const secretBytes = new TextEncoder().encode(secretText);
const nothing = compileSignOptions({});

const ours = { ...createTokenKey('k', macOf(key)), verifiesUntilMs: 1 };

function sign(payload: unknown): string {
  const { kind, text } = claimsToSign(payload, nothing, Date.now(), 300);
  return signToken(ours.headers[kind], text, ours.mac, MOST_BYTES);
}

function verify(token: string): unknown {
  const authentic = authenticate(token, [ours], 0, MOST_BYTES);
  if (isRefusal(authentic)) return authentic.code;
  const { claims, text } = authentic;
  if (claims === null) return text;
  return checkClaims(claims, compileVerifyOptions({ clockTolerance: 5 }), Date.now())?.code ?? claims;
}

/** Any name but those that mean something, and those on Object.prototype, over which some of the others stumble (`valueOf` in jsonwebtoken). */
const claimName = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .filter((name) => !['exp', 'nbf', 'iat', 'aud', 'iss', 'sub', 'jti', 'toJSON'].includes(name) && !(name in {}));
const claims = fc
  .dictionary(claimName, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 })
  .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>)
  .filter((value) => JSON.stringify(value).length < 3000);
/** Texts that are not JSON to anybody: jsonwebtoken gives lists back parsed, and so does not return what went in. */
const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 500 })
  .filter((value) => !/^\s*[[{\uFEFF]/.test(value));

describe('what rewt signs', () => {
  it('jsonwebtoken and jose read as the same claims', async () => {
    await fc.assert(
      fc.asyncProperty(claims, async (payload) => {
        const token = sign(payload);
        const ours = verify(token);
        expect(ours).toEqual({ ...payload, iat: expect.any(Number), exp: expect.any(Number) });
        expect({ ...(jsonwebtoken.verify(token, secretText, { algorithms: ['HS256'] }) as object) }).toEqual(ours);
        expect((await jwtVerify(token, secretBytes, { typ: 'JWT' })).payload).toEqual(ours);
      }),
    );
  });

  it('jsonwebtoken and jose read as the same text', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (payload) => {
        const token = sign(payload);
        expect(verify(token)).toBe(payload);
        expect(jsonwebtoken.verify(token, secretText, { algorithms: ['HS256'] })).toBe(payload);
        const { payload: bytes } = await compactVerify(token, secretBytes);
        expect(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)).toBe(payload);
      }),
    );
  });
});

describe('what others sign', () => {
  it('as claims is read as the same claims', async () => {
    await fc.assert(
      fc.asyncProperty(claims, async (payload) => {
        const expected = { ...payload, iat: expect.any(Number), exp: expect.any(Number) };
        expect(verify(jsonwebtoken.sign(payload, secretText, { expiresIn: 60, keyid: 'k' }))).toEqual(expected);
        const ofJose = new SignJWT(payload).setProtectedHeader({ alg: 'HS256' }).setIssuedAt().setExpirationTime('1m');
        expect(verify(await ofJose.sign(secretBytes))).toEqual(expected);
      }),
    );
  });

  it('as text is read as the same text', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (payload) => {
        expect(verify(jsonwebtoken.sign(payload, secretText))).toBe(payload);
        const ofJose = new CompactSign(new TextEncoder().encode(payload)).setProtectedHeader({ alg: 'HS256' });
        expect(verify(await ofJose.sign(secretBytes))).toBe(payload);
      }),
    );
  });

  it('as the original rewt did (no kid, no exp) is read', () => {
    expect(verify(jsonwebtoken.sign({ user: 'ann' }, secretText))).toEqual({ user: 'ann', iat: expect.any(Number) });
  });

  it.each(['HS384', 'HS512'] as const)('with %s and the same secret is refused', (algorithm) => {
    expect(verify(jsonwebtoken.sign({}, 'x'.repeat(64), { algorithm }))).toBe('ERR_REWT_UNSUPPORTED');
  });

  it('and has expired is refused as by them', () => {
    expect(verify(jsonwebtoken.sign({}, secretText, { expiresIn: -6 }))).toBe('ERR_REWT_EXPIRED');
    expect(verify(jsonwebtoken.sign({}, secretText, { notBefore: 60 }))).toBe('ERR_REWT_NOT_ACTIVE');
  });
});
