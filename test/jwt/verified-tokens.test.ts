/** The memory of verified tokens: what it stands for, what it never does, and how large it gets. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Authentic, VerifyingKey } from '../../src/jwt/authenticate.js';
import { authenticate, createTokenKey, isRefusal } from '../../src/jwt/authenticate.js';
import { signToken } from '../../src/jwt/token.js';
import { claimsOf, type VerifiedToken, VerifiedTokens } from '../../src/jwt/verified-tokens.js';
import { seeded } from '../keyring/seeded.js';
import { key, MAX_BYTES, macOf } from './forge.js';

const ours: VerifyingKey = { ...createTokenKey('kid-of-ours', macOf(key)), verifiesUntilMs: 1 };
const copy = {};

function signed(payload: unknown): string {
  return signToken(ours.headers.claims, JSON.stringify(payload), ours.mac, MAX_BYTES);
}

function authentic(token: string): Authentic {
  const answer = authenticate(token, [ours], 0, MAX_BYTES);
  if (isRefusal(answer)) throw new Error(answer.code);
  return answer;
}

/** What a verifier does with a token: looks it up, and admits it where it is not known. */
function see(verified: VerifiedTokens, token: string, under: object = copy): VerifiedToken | null {
  const known = verified.find(token, under);
  if (known === null) verified.admit(token, authentic(token));
  return known;
}

function remembering(token: string, mostEntries = 1_000): VerifiedTokens {
  const verified = new VerifiedTokens(mostEntries);
  see(verified, token);
  see(verified, token);
  return verified;
}

describe('a verified token', () => {
  it('is remembered once it has been seen twice', () => {
    const verified = new VerifiedTokens(1_000);
    const token = signed({ sub: 'ann' });
    expect([1, 2, 3, 4].map(() => see(verified, token) !== null)).toEqual([false, false, true, true]);
    expect(see(verified, token)).toMatchObject({ token, key: ours, claims: { sub: 'ann' } });
  });

  it('is found by its whole text and nothing less', () => {
    const token = signed({ sub: 'ann' });
    const verified = remembering(token);
    const signature = token.slice(-43);
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.string({ unit: 'binary', maxLength: 2 }), (at, put) => {
        const altered = token.slice(0, at) + put + token.slice(at + 1);
        fc.pre(altered !== token);
        expect(verified.find(altered, copy)).toBeNull();
      }),
      seeded(),
    );
    for (const other of ['', signature, `.${signature}`, `x${token}`, token.slice(1)]) {
      expect(verified.find(other, copy)).toBeNull();
    }
    expect(verified.find(token, copy)).not.toBeNull();
  });

  it('is forgotten under any other copy of the keyring, for good', () => {
    const token = signed({ sub: 'ann' });
    const verified = remembering(token);
    expect(verified.find(token, {})).toBeNull();
    expect(verified.find(token, copy)).toBeNull();
  });

  it('is forgotten on demand', () => {
    const token = signed({ sub: 'ann' });
    const verified = remembering(token);
    verified.forget();
    expect(verified.find(token, copy)).toBeNull();
  });

  it('takes the room of one, however often it is admitted', () => {
    const loved = signed({ sub: 'loved' });
    const verified = remembering(loved);
    const token = signed({ sub: 'ann', pad: 'x'.repeat(5_000) });
    for (let i = 0; i < 1_000; i += 1) verified.admit(token, authentic(token));
    expect(verified.find(loved, copy)).not.toBeNull();
  });

  it('is not remembered where that is turned off, nor where its payload is a text', () => {
    const token = signed({ sub: 'ann' });
    expect(remembering(token, 0).find(token, copy)).toBeNull();
    const text = signToken(ours.headers.text, 'a text', ours.mac, MAX_BYTES);
    expect(remembering(text).find(text, copy)).toBeNull();
  });
});

describe('the claims of a verified token', () => {
  const flat = { sub: 'ann', n: 1, b: true, z: null, ['__proto__']: 'data' };
  const nested = { sub: 'ann', roles: ['a'], o: { p: { q: 1 } } };
  /** More lists than are copied, and deeper than a function may call itself. */
  const deep = { sub: 'ann', deep: JSON.parse('['.repeat(3_000) + ']'.repeat(3_000)) };
  const wide = { sub: 'ann', wide: Array.from({ length: 64 }, () => []) };
  /** Each list in a separate member. */
  const broad = Object.fromEntries(Array.from({ length: 64 }, (_, n) => [`n${n}`, []]));
  const ownProto = JSON.parse('{"__proto__":{"a":[1]},"o":{"__proto__":[{"__proto__":null}],"n":1}}');

  it.each([
    ['flat', flat],
    ['nested', nested],
    ['nested as deep as a token can be', deep],
    ['many lists', wide],
    ['many members that are lists', broad],
    ['members named __proto__', ownProto],
  ])('that are %s come out as they went in, members and their order', (_, claims) => {
    const token = signed(claims);
    const known = remembering(token).find(token, copy) as VerifiedToken;
    // By text: whatever compares members would call itself.
    expect(JSON.stringify(claimsOf(known))).toBe(JSON.stringify(authentic(token).claims));
    expect(Object.getPrototypeOf(claimsOf(known))).toBe(Object.prototype);
    const isText = [deep, wide, broad].includes(claims);
    expect(typeof known.claims === 'string').toBe(isText);
    // Beside a text it would take many times its room.
    if (isText) expect(known.nested).toEqual([]);
    expect(Object.hasOwn(claimsOf(known), '__proto__')).toBe(Object.hasOwn(authentic(token).claims ?? {}, '__proto__'));
  });

  it('are a separate copy: altering them, or what was verified first, alters nothing here', () => {
    for (const claims of [flat, nested]) {
      const token = signed(claims);
      const verified = new VerifiedTokens(10);
      see(verified, token);
      verified.find(token, copy);
      const first = authentic(token);
      verified.admit(token, first);
      const spoil = (object: Record<string, unknown>): void => {
        object.sub = 'eve';
        object.admin = true;
        (object.roles as string[] | undefined)?.push('admin');
        if (object.o) (object.o as typeof nested.o).p.q = 2;
      };
      spoil(first.claims as Record<string, unknown>);
      for (let i = 0; i < 3; i += 1) {
        const known = verified.find(token, copy) as VerifiedToken;
        expect(claimsOf(known)).toEqual(authentic(token).claims);
        spoil(claimsOf(known));
      }
    }
  });
});

describe('the memory', () => {
  const count = (verified: VerifiedTokens, tokens: readonly string[]) =>
    tokens.filter((token) => verified.find(token, copy) !== null).length;

  function fill(verified: VerifiedTokens, tokens: readonly string[]): void {
    for (const token of tokens) for (let i = 0; i < 2; i += 1) see(verified, token);
  }

  it('holds no more entries than it may, and drops those that were not asked for longest', () => {
    const verified = new VerifiedTokens(100);
    const loved = signed({ sub: 'loved' });
    fill(verified, [loved]);
    const tokens = Array.from({ length: 1_000 }, (_, n) => signed({ n }));
    for (const token of tokens) {
      fill(verified, [token]);
      expect(verified.find(loved, copy)).not.toBeNull();
    }
    // To count them is to ask for them, so the newest first.
    expect(count(verified, tokens.slice(-40))).toBe(40);
    expect(count(verified, tokens)).toBeLessThanOrEqual(100);
  });

  it('holds no more bytes than it may', () => {
    const verified = new VerifiedTokens(100_000);
    const pad = 'x'.repeat(5_000);
    const tokens = Array.from({ length: 400 }, (_, n) => signed({ n, pad }));
    fill(verified, tokens);
    const held = tokens.filter((token) => verified.find(token, copy) !== null);
    expect(held.length).toBeGreaterThan(50);
    expect(held.length * (tokens[0] as string).length).toBeLessThanOrEqual(1_048_576);
  });

  it('takes in as many as it may of tokens that come in turns', () => {
    const verified = new VerifiedTokens(1_000);
    const tokens = Array.from({ length: 400 }, (_, n) => signed({ n }));
    for (let round = 0; round < 4; round += 1) for (const token of tokens) see(verified, token);
    // Three or more in one place wash each other out: of 400 a dozen.
    expect(count(verified, tokens)).toBeGreaterThan(380);
  });

  it('takes in nothing of a flood of tokens that never come again', () => {
    const verified = new VerifiedTokens(1_000);
    const tokens = Array.from({ length: 5_000 }, (_, n) => signed({ n }));
    for (const token of tokens) see(verified, token);
    // Two in the same slot with the same mark would be one.
    expect(count(verified, tokens)).toBe(0);
  });
});
