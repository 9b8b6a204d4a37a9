/**
 * Other people's vectors for HS256, at the level of the codec, which takes bytes: not every
 * vector's key is a string.
 */

import { createHash, createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { authenticate, createTokenKey, isRefusal } from '../../src/jwt/authenticate.js';
import { signToken } from '../../src/jwt/token.js';
import { base64url, MAX_BYTES, macOf } from './forge.js';
import { cookbookText, exclusions, kids, type Vector, vectors } from './wycheproof.js';

function codeOf(vector: Vector): string | null {
  const mac = macOf(createSecretKey(vector.secret));
  // The same secret under every kid that the vectors have, so that none is refused for an unknown
  // kid.
  const keys = kids.map((kid) => ({ ...createTokenKey(kid, mac), verifiesUntilMs: 1 }));
  const answer = authenticate(vector.token, keys, 0, MAX_BYTES);
  return isRefusal(answer) ? answer.code : null;
}

describe('Wycheproof', () => {
  it('has 40 vectors for HS256, and each is here once', () => {
    expect(new Set(vectors.map(({ tcId }) => tcId)).size).toBe(40);
  });

  for (const vector of vectors) {
    const { tcId, what, token, digest, code } = vector;
    const result = code === null ? 'accepted' : `rejected with ${code}`;
    it(`${tcId} (${what}) is the very token of our recipe, and is ${result}`, () => {
      expect(createHash('sha256').update(token).digest('base64url')).toBe(digest);
      expect(codeOf(vector)).toBe(code);
    });
  }

  it('is taken at its word, but for four vectors', () => {
    const different = vectors.filter((vector) => (codeOf(vector) === null) !== vector.isValid);
    expect(different.map(({ tcId }) => String(tcId))).toEqual(Object.keys(exclusions));
  });

  it('calls 367 and 370 invalid and 357 valid, which are one token', () => {
    const tokens = vectors.filter(({ tcId }) => [357, 367, 370].includes(tcId)).map(({ token }) => token);
    expect(new Set(tokens).size).toBe(1);
  });
});

describe('RFC 7520 §4.4', () => {
  const { secret, token } = vectors.find(({ tcId }) => tcId === 348) as Vector;
  const key = createSecretKey(secret);
  const header = base64url('{"alg":"HS256","kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037"}');

  it('is made to the byte', () => {
    expect(signToken(header, cookbookText, macOf(key), MAX_BYTES)).toBe(token);
  });

  it('is read, authentic, and says its text', () => {
    const own = { ...createTokenKey('018c0ae5-4d9b-471b-bfd6-eef314bc7037', macOf(key)), verifiesUntilMs: 1 };
    expect(authenticate(token, [own], 0, MAX_BYTES)).toEqual({
      key: own,
      hasKid: true,
      claims: null,
      text: cookbookText,
    });
  });

  it('is refused with one bit altered, wherever it is', () => {
    const own = { ...createTokenKey('018c0ae5-4d9b-471b-bfd6-eef314bc7037', macOf(key)), verifiesUntilMs: 1 };
    for (let at = 0; at < token.length; at += 1) {
      for (let bit = 1; bit < 128; bit *= 2) {
        const altered = token.slice(0, at) + String.fromCharCode(token.charCodeAt(at) ^ bit) + token.slice(at + 1);
        expect(authenticate(altered, [own], 0, MAX_BYTES)).toHaveProperty('code');
      }
    }
  });
});
