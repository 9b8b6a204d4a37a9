/**
 * A token under our own header takes a shorter way to its verdict than others: both ways lead to
 * the same one.
 */

import { createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TokenRefusal } from '../../src/errors.js';
import {
  type Authentic,
  authenticate,
  createTokenKey,
  isRefusal,
  NO_KEY_FITS,
  type VerifyingKey,
  verifyingKeys,
} from '../../src/jwt/authenticate.js';
import { macMatches } from '../../src/jwt/mac.js';
import { BAD_SIGNATURE, decodePayload, encodeHeader, readToken, signToken, UNKNOWN_KEY } from '../../src/jwt/token.js';
import { seeded } from '../keyring/seeded.js';
import { base64url, forge, MAX_BYTES, macOf, otherKey } from './forge.js';
import { mutated } from './mutations.js';
import { ours } from './readers.js';

const other: VerifyingKey = { ...createTokenKey('kid-another', macOf(otherKey)), verifiesUntilMs: 50 };
const keySets = [[ours], [other, ours], [ours, other], [other], []];

/** Every step of the general form, for every token. */
function theLongWay(token: unknown, keys: readonly VerifyingKey[], nowMs: number): Authentic | TokenRefusal {
  const parsed = readToken(token, MAX_BYTES);
  if (isRefusal(parsed)) return parsed;
  const { kid, signedPart, signature } = parsed;
  const fitting = verifyingKeys(keys, kid, nowMs);
  const key = fitting.find(({ mac }) => macMatches(mac, signedPart, signature));
  if (key === undefined) return kid === undefined ? NO_KEY_FITS : fitting.length > 0 ? BAD_SIGNATURE : UNKNOWN_KEY;
  const payload = decodePayload(parsed);
  return isRefusal(payload) ? payload : { key, hasKid: kid !== undefined, ...payload };
}

const ownBeginning = encodeHeader('').slice(0, 44);

/**
 * Whether both have led to the same; where the token begins as ours do and is refused, key and
 * signature may have been judged before the form.
 */
function expectSame(token: unknown, keys: readonly VerifyingKey[], nowMs: number): boolean {
  const short = authenticate(token, keys, nowMs, MAX_BYTES);
  const long = theLongWay(token, keys, nowMs);
  const isOwn = typeof token === 'string' && token.startsWith(ownBeginning);
  const isOfForm = isRefusal(long) && /MALFORMED|UNSUPPORTED/.test(long.code);
  if (isOwn && isOfForm && (short === UNKNOWN_KEY || short === BAD_SIGNATURE)) return false;
  expect(short).toEqual(long);
  return !isRefusal(long);
}

const keys = fc.constantFrom(...keySets);
/** Before and after the ends of both. */
const nowMs = fc.constantFrom(0, 0, 0, 1, 50);

it('a token may be as long as maxBytes, and no longer', () => {
  const signedPart = `${ours.headers.claims}.${base64url('{}')}`;
  const token = `${signedPart}.${ours.mac(signedPart)}`;
  expect(authenticate(token, [ours], 0, token.length)).toMatchObject({ claims: {} });
  expect(authenticate(token, [ours], 0, token.length - 1)).toMatchObject({ code: 'ERR_REWT_MALFORMED' });
});

describe('both ways to verify', () => {
  it('agree on signed and altered tokens', () => {
    let accepted = 0;
    const { numRuns, ...seed } = seeded(3000);
    fc.assert(
      fc.property(mutated, keys, nowMs, (token, keys, nowMs) => {
        if (expectSame(token, keys, nowMs)) accepted += 1;
      }),
      { numRuns, ...seed },
    );
    expect(accepted).toBeGreaterThan(numRuns / 50);
  });

  it('agree on tokens under our own header that are of any secret, with any payload', () => {
    const segment = fc.oneof(fc.stringMatching(/^[\w-]{0,20}$/), fc.string().map(base64url), fc.json().map(base64url));
    const tokens = fc
      .tuple(fc.constantFrom(ours, other), segment, fc.constantFrom(ours, other), fc.boolean())
      .map(([of, body, by, isText]) => {
        const signedPart = `${isText ? of.headers.text : of.headers.claims}.${body}`;
        return `${signedPart}.${by.mac(signedPart)}`;
      });
    fc.assert(
      fc.property(tokens, keys, nowMs, (token, keys, nowMs) => {
        expectSame(token, keys, nowMs);
      }),
      seeded(1000),
    );
  });

  it('agree on headers that begin as ours do, whatever follows', () => {
    const beginning = '{"alg":"HS256","typ":"JWT","kid":';
    const rest = fc.oneof(
      fc.stringMatching(/^"[\w-]{11}"\}$/),
      fc.string({ unit: 'binary-ascii', minLength: 13, maxLength: 14 }),
      // Ours up to the kid, and then more: read, and right.
      fc.constantFrom('"kid-of-ours","x":1}', '"kid-of-ours" }', '"kid-another","cty":"a"}'),
      fc.constantFrom(
        '["kid-of-a"]}',
        '"kid-of-ours"} ',
        ' "kid-of-our"}',
        '"k","kid":"o"}',
        '"","crit":[1]}',
        '"","b64":true}',
        '123456789012}',
        '"žluťou"   }',
      ),
    );
    fc.assert(
      fc.property(rest, keys, nowMs, (text, keys, nowMs) => {
        expectSame(forge(beginning + text, '{"a":1}'), keys, nowMs);
      }),
      seeded(1000),
    );
  });

  it('agree on any text at all', () => {
    const anything = fc.oneof(fc.anything(), fc.string(), fc.stringMatching(/^[\w-]*\.[\w-]*\.[\w-]{43}$/));
    fc.assert(
      fc.property(anything, keys, (token, keys) => {
        expect(expectSame(token, keys, 0)).toBe(false);
      }),
      seeded(300),
    );
  });

  it('agree on claims of all lengths around those at which buffers end', () => {
    for (const around of [0, 5461, 8192, 12_288, 16_384]) {
      for (let length = Math.max(0, around - 40); length < around + 10; length += 1) {
        for (const character of ['a', 'ž', '€']) {
          const text = JSON.stringify({ a: character.repeat(length) });
          const token = signToken(ours.headers.claims, text, ours.mac, 100_000);
          const short = authenticate(token, [ours], 0, 100_000);
          const parsed = readToken(token, 100_000);
          if (isRefusal(parsed) || isRefusal(short)) throw new Error('refused');
          expect(short).toEqual({ key: ours, hasKid: true, ...decodePayload(parsed) });
          expect(short.text).toBe(text);
        }
      }
    }
  });

  it('agree for a secret of any kind', () => {
    for (const secret of ['x'.repeat(32), 'x'.repeat(64), 'x'.repeat(65), 'ž'.repeat(32)]) {
      const by = createSecretKey(Buffer.from(secret));
      const key = { ...createTokenKey('kid-of-some', macOf(by)), verifiesUntilMs: 1 };
      for (const header of [
        { alg: 'HS256', typ: 'JWT', kid: key.kid },
        { alg: 'HS256', kid: key.kid },
        { alg: 'HS256' },
      ]) {
        expect(expectSame(forge(header, '{"a":"€"}', by), [key], 0)).toBe(true);
        expect(expectSame(forge(header, '{"a":"€"}', otherKey), [key], 0)).toBe(false);
      }
    }
  });
});
