/** What the constructor takes, what it refuses, and whether the refusal helps. */

import { describe, expect, it } from 'vitest';
import { memoryStore, OptionError, Rewt } from '../src/index.js';
import { readOptions } from '../src/options.js';

const store = memoryStore();

function refusal(options: unknown): OptionError {
  try {
    readOptions(options);
  } catch (error) {
    if (error instanceof OptionError) return error;
    throw error;
  }
  throw new Error('was taken');
}

describe('defaults', () => {
  it('are one day, 300 s, 60 s, 5 s and 1 s', () => {
    const { namespace, tokenLifetimeSeconds, member } = readOptions({ store });
    expect({ namespace, tokenLifetimeSeconds }).toEqual({ namespace: 'rewt', tokenLifetimeSeconds: 300 });
    expect(member).toEqual({
      softAgeMs: 2_000,
      retryMs: 1_000,
      storeTimeoutMs: 1_000,
      minTtlMs: 120_000,
      policy: {
        ttlMs: 86_400_000,
        overlapMs: 365_000,
        clockToleranceMs: 5_000,
        maxStalenessMs: 60_000,
        leadMs: 7_000,
        // A member without the option `ttl` follows the keyring's.
        minimums: { ttlMs: 120_000, overlapMs: 365_000 },
      },
    });
  });

  it('of maxStaleness are lowered to fit a short ttl, and the soft age with it', () => {
    const { member } = readOptions({ store, ttl: 40 });
    expect(member.policy).toMatchObject({ maxStalenessMs: 20_000, overlapMs: 325_000, minimums: { ttlMs: 40_000 } });
    expect(readOptions({ store, ttl: 2, tokenLifetime: 5, clockTolerance: 0.2 }).member).toMatchObject({
      softAgeMs: 500,
      policy: { maxStalenessMs: 1_000 },
    });
  });

  it("of the token's clock tolerance are the instance's, which verify may override", () => {
    expect(readOptions({ store, clockTolerance: 7 }).verify.clockToleranceSeconds).toBe(7);
    expect(readOptions({ store, clockTolerance: 7, verify: { clockTolerance: 1 } }).verify.clockToleranceSeconds).toBe(
      1,
    );
  });
});

it('spans of time are seconds, or strings with a unit', () => {
  expect(
    readOptions({ store, ttl: '1h', tokenLifetime: '90s', maxStaleness: '500ms', storeTimeout: 0.25 }).member,
  ).toMatchObject({
    storeTimeoutMs: 250,
    policy: { ttlMs: 3_600_000, overlapMs: 95_500, maxStalenessMs: 500 },
  });
});

it('strict mode is maxStaleness 0', () => {
  expect(readOptions({ store, maxStaleness: 0 }).member).toMatchObject({
    softAgeMs: 0,
    policy: { maxStalenessMs: 0, leadMs: 5_000 },
  });
});

it.each([
  ['verify', 'audience'],
  ['verify', 'issuer'],
  ['sign', 'audience'],
  ['sign', 'issuer'],
])('%s: an %s that is undefined is refused, since it would be checked or written nowhere', (part, option) => {
  expect(refusal({ store, [part]: { [option]: undefined } })).toMatchObject({ code: 'ERR_REWT_OPTION', option });
});

it('an audience that throws the second time that it is read is the fault of its option', () => {
  let reads = 0;
  const verify = Object.defineProperty({}, 'audience', {
    enumerable: true,
    get() {
      reads += 1;
      if (reads > 1) throw new Error('secret');
    },
  });
  expect(refusal({ store, verify })).toMatchObject({ code: 'ERR_REWT_OPTION', option: 'audience' });
});

it('algorithms: ["HS256"] is accepted, and an option that is undefined counts as not given', () => {
  expect(readOptions({ store, algorithms: ['HS256'], ttl: undefined, sign: undefined }).namespace).toBe('rewt');
});

describe('the constructor', () => {
  it.each([
    ['no options at all', undefined, 'redisConn', /one place for its keyring, redisConn .* or store .*: neither/],
    ['neither a connection nor a store', {}, 'redisConn', /one place for its keyring/],
    [
      'both a connection and a store',
      { store, redisConn: 'redis://localhost' },
      'redisConn',
      /both are there, so leave one out/,
    ],
    ['a connection that is none', { redisConn: 6379 }, 'redisConn', /must be a Redis client, or a URL/],
    ['a store that is none', { store: {} }, 'store', /must be a store, such as fileStore/],
    ['a misspelt option', { store, tokenLifetme: 5 }, 'tokenLifetme', /did you mean 'tokenLifetime'\?/],
    ['another misspelt option', { store, redisNamspace: 'x' }, 'redisNamspace', /did you mean 'redisNamespace'\?/],
    ['cacheSecret', { store, cacheSecret: true }, 'cacheSecret', /maxStaleness/],
    ['redisUrl', { redisUrl: 'redis://user:pass@host' }, 'redisUrl', /called 'redisConn'/],
    ['a secret', { store, secret: 'hunter2hunter2hunter2hunter2hunter2' }, 'secret', /cannot be given/],
    ['an option of sign at the top', { store, expiresIn: 5 }, 'expiresIn', /under 'sign'/],
    ['an option of verify at the top', { store, maxAge: 5 }, 'maxAge', /under 'verify'/],
    ['an option of both at the top', { store, issuer: 'a' }, 'issuer', /under 'sign', under 'verify', or both/],
    ['another algorithm', { store, algorithms: ['RS256'] }, 'algorithms', /HS256 only/],
    [
      'a namespace that is no string',
      { store, redisNamespace: 5 },
      'redisNamespace',
      /must be a string that is not empty/,
    ],
    [
      'a namespace that is empty, perhaps of an unset variable',
      { store, redisNamespace: '' },
      'redisNamespace',
      /not empty/,
    ],
    ['a storeTimeout that no timer takes', { store, storeTimeout: '25d' }, 'storeTimeout', /longer than a day/],
    ['a duration without a unit', { store, ttl: '120' }, 'ttl', /unit/],
    ['a ttl of nothing', { store, ttl: 0 }, 'ttl', /at least a millisecond/],
    ['a negative ttl', { store, ttl: -1 }, 'ttl', /not negative/],
    ['a ttl in milliseconds by mistake', { store, ttl: 86_400_000_000 }, 'ttl', /century/],
    ['maxTokenBytes with a unit', { store, maxTokenBytes: '8k' }, 'maxTokenBytes', /bytes from 512 to 1048576/],
    ['a token cache that is switched', { store, tokenCache: false }, 'tokenCache', /tokens from 0 to 100000/],
    ['NaN', { store, storeTimeout: Number.NaN }, 'storeTimeout', /finite/],
    [
      'maxStaleness beyond half of ttl',
      { store, ttl: 100, maxStaleness: 51 },
      'maxStaleness',
      /\(51 s\) does not fit ttl \(100 s\)/,
    ],
    [
      'clockTolerance beyond a quarter of ttl',
      { store, ttl: 100, clockTolerance: 26 },
      'clockTolerance',
      /\(26 s\) does not fit ttl \(100 s\)/,
    ],
    [
      'tokens that would outlive too many turns',
      { store, ttl: 20, tokenLifetime: 306 },
      'tokenLifetime',
      /\(306 s\) does not fit ttl \(20 s\)/,
    ],
    [
      'maxStaleness beyond half of the default ttl',
      { store, maxStaleness: '13h' },
      'maxStaleness',
      /does not fit ttl \(86400 s\)/,
    ],
    [
      'a default expiresIn beyond tokenLifetime',
      { store, sign: { expiresIn: 301 } },
      'sign',
      /longer than tokenLifetime/,
    ],
    ['a wrong option of sign', { store, sign: { expiresin: 5 } }, 'expiresin', /'sign'.*did you mean 'expiresIn'\?/],
    ['a wrong option of verify', { store, verify: { audience: 5 } }, 'audience', /audience/],
  ])('refuses %s, with the reason and the remedy', (_, options, option, message) => {
    expect(() => new Rewt(options as never)).toThrow(OptionError);
    const error = refusal(options);
    expect(error).toMatchObject({ code: 'ERR_REWT_OPTION', option, status: 500 });
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('hunter2');
    expect(error.message).not.toContain('pass@');
  });

  it.each([
    ['maxStaleness', { ttl: 100, maxStaleness: 50 }],
    ['clockTolerance', { ttl: 100, clockTolerance: 25 }],
    ['tokenLifetime', { ttl: 100, tokenLifetime: 1_545 }],
  ])('accepts %s at its limit', (_, options) => {
    expect(readOptions({ store, ...options }).namespace).toBe('rewt');
  });
});
