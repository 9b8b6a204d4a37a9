/**
 * rewt against jsonwebtoken, jose and fast-jwt: random tokens, altered tokens, and no difference
 * that is not explained.
 */

import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { createSigner, type SignerOptions } from 'fast-jwt';
import { CompactSign, SignJWT } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { describe, expect, it } from 'vitest';
import { claimsToSign } from '../../src/jwt/payload.js';
import { compileSignOptions } from '../../src/jwt/sign-options.js';
import { signToken } from '../../src/jwt/token.js';
import { seeded } from '../keyring/seeded.js';
import { base64url, MAX_BYTES, seal, secretText } from './forge.js';
import { claims, mutated, text } from './mutations.js';
import { ours, type Reader, type Reading, readByOthers, readByUs } from './readers.js';

const secretBytes = new TextEncoder().encode(secretText);
const withTimes = (payload: object) => ({ ...payload, iat: expect.any(Number), exp: expect.any(Number) });

function sign(payload: unknown): string {
  const { kind, text } = claimsToSign(payload, compileSignOptions({}), Date.now(), 300);
  return signToken(ours.headers[kind], text, ours.mac, MAX_BYTES);
}

describe('what rewt signs', () => {
  it('is read as the same claims by all of them', async () => {
    await fc.assert(
      fc.asyncProperty(claims, async (payload) => {
        const token = sign(payload);
        const reading = readByUs(token);
        expect(reading).toEqual({ claims: withTimes(payload) });
        expect(await readByOthers(token)).toEqual({ jsonwebtoken: reading, jose: reading, 'fast-jwt': reading });
      }),
      seeded(200),
    );
  });

  it('is read as the same text by jsonwebtoken and jose; fast-jwt reads claims only', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (payload) => {
        const token = sign(payload);
        expect(readByUs(token)).toEqual({ text: payload });
        expect(await readByOthers(token)).toMatchObject({ jsonwebtoken: { text: payload }, jose: { text: payload } });
      }),
      seeded(200),
    );
  });
});

/** Some have our kid, some have none. */
const kid = fc.constantFrom(ours.kid, undefined);

describe('what others sign', () => {
  it('jsonwebtoken, as claims, is read as the same claims', () => {
    fc.assert(
      fc.property(claims, kid, (payload, keyid) => {
        const token = jsonwebtoken.sign(payload, secretText, { expiresIn: 60, ...(keyid && { keyid }) });
        expect(readByUs(token)).toEqual({ claims: withTimes(payload) });
      }),
      seeded(200),
    );
  });

  it('jose, as claims, is read as the same claims', async () => {
    await fc.assert(
      fc.asyncProperty(claims, kid, async (payload, kid) => {
        const token = new SignJWT(payload).setProtectedHeader({ alg: 'HS256', ...(kid && { kid }) });
        const signed = await token.setIssuedAt().setExpirationTime('1m').sign(secretBytes);
        expect(readByUs(signed)).toEqual({ claims: withTimes(payload) });
      }),
      seeded(200),
    );
  });

  it('fast-jwt, as claims, is read as the same claims', () => {
    fc.assert(
      fc.property(claims, kid, (payload, kid) => {
        const options: Partial<SignerOptions> = { algorithm: 'HS256', expiresIn: 60_000, ...(kid && { kid }) };
        expect(readByUs(createSigner({ key: secretText, ...options })(payload))).toEqual({
          claims: withTimes(payload),
        });
      }),
      seeded(200),
    );
  });

  it('jsonwebtoken and jose, as text, is read as the same text', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (payload) => {
        expect(readByUs(jsonwebtoken.sign(payload, secretText))).toEqual({ text: payload });
        const ofJose = new CompactSign(new TextEncoder().encode(payload)).setProtectedHeader({ alg: 'HS256' });
        expect(readByUs(await ofJose.sign(secretBytes))).toEqual({ text: payload });
      }),
      seeded(200),
    );
  });

  it('the original rewt (no kid, no exp) is read', () => {
    const token = jsonwebtoken.sign({ user: 'ann' }, secretText);
    expect(readByUs(token)).toEqual({ claims: { user: 'ann', iat: expect.any(Number) } });
  });

  it.each(['HS384', 'HS512'] as const)('with %s and the same secret is refused', (algorithm) => {
    const token = jsonwebtoken.sign({}, secretText, { algorithm });
    expect(readByUs(token)).toEqual({ refused: 'ERR_REWT_UNSUPPORTED' });
  });

  it('is refused as by them if it has expired or is not valid yet', async () => {
    const expired = jsonwebtoken.sign({}, secretText, { expiresIn: -60 });
    const early = jsonwebtoken.sign({}, secretText, { notBefore: 60 });
    expect(readByUs(expired)).toEqual({ refused: 'ERR_REWT_EXPIRED' });
    expect(readByUs(early)).toEqual({ refused: 'ERR_REWT_NOT_ACTIVE' });
    for (const token of [expired, early]) {
      for (const reading of Object.values(await readByOthers(token))) expect(reading).toHaveProperty('refused');
    }
  });
});

/**
 * Where one of them does not read what we read. Each has a token that shows it, so that none
 * outlives its cause.
 */
const explanations: { reader: Reader; why: string; holds: (us: Reading, them: Reading) => boolean; shown: string }[] = [
  {
    reader: 'fast-jwt',
    why: 'reads claims only, no text',
    holds: (us, them) => us.text !== undefined && them.refused !== undefined,
    shown: sealed('hello'),
  },
  {
    reader: 'jsonwebtoken',
    why: 'refuses an empty payload, which is a text (RFC 7515 allows it)',
    holds: (us, them) => us.text === '' && them.refused === 'invalid token',
    shown: sealed(''),
  },
  {
    reader: 'jsonwebtoken',
    why: 'gives a text that is a list in JSON as that list',
    holds: (us, them) => isDeepStrictEqual(them.claims, listIn(us.text)),
    shown: sealed('[1,"a"]'),
  },
];

function sealed(payload: string): string {
  return seal(base64url('{"alg":"HS256"}'), base64url(payload));
}

function listIn(text = ''): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

describe('an altered token', () => {
  it('that we accept is accepted by all of them, with the same claims, or the difference is explained', async () => {
    let accepted = 0;
    const { numRuns, ...seed } = seeded(3000);
    await fc.assert(
      fc.asyncProperty(mutated, async (token) => {
        const us = readByUs(token);
        if (us.refused !== undefined) return;
        accepted += 1;
        for (const [reader, them] of Object.entries(await readByOthers(token))) {
          const isExplained = explanations.some((one) => one.reader === reader && one.holds(us, them));
          if (!isExplained) expect({ reader, ...them }).toEqual({ reader, ...us });
        }
      }),
      { numRuns, ...seed },
    );
    // One in seven or so: a test that saw none would have compared nothing.
    expect(accepted).toBeGreaterThan(numRuns / 50);
  });

  it.each(explanations)('$reader $why', async ({ reader, holds, shown }) => {
    const us = readByUs(shown);
    const { [reader]: them } = await readByOthers(shown);
    expect(us.refused).toBeUndefined();
    expect(them).not.toEqual(us);
    expect(holds(us, them)).toBe(true);
  });
});
