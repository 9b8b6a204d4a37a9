import { describe, expect, it } from 'vitest';
import { TokenError } from '../../src/errors.js';
import { checkClaims, checkText } from '../../src/jwt/check-claims.js';
import { compileVerifyOptions, type VerifyOptions } from '../../src/jwt/verify-options.js';

const now = 1_700_000_000;

function check(claims: string | Record<string, unknown>, options: VerifyOptions = {}, atMs = now * 1000) {
  return checkClaims(typeof claims === 'string' ? JSON.parse(claims) : claims, compileVerifyOptions(options), atMs);
}

describe('claims that are right', () => {
  it.each<[rfc: string, what: string, claims: string | Record<string, unknown>, options: VerifyOptions]>([
    ['RFC 7519 §4', 'none at all', {}, {}],
    ['RFC 7519 §4.1.4', 'exp later than now', { exp: now + 0.001 }, {}],
    ['RFC 7519 §4.1.4', 'exp in the year 5138', { exp: 1e11 - 1 }, {}],
    ['RFC 7519 §4.1.4', 'exp a little past, within the tolerance', { exp: now - 4.999 }, { clockTolerance: 5 }],
    ['RFC 7519 §4.1.5', 'nbf now', { nbf: now }, {}],
    ['RFC 7519 §4.1.5', 'nbf of 0, and negative', { nbf: -1 }, {}],
    ['RFC 7519 §4.1.5', 'nbf ahead, just within the tolerance', { nbf: now + 5 }, { clockTolerance: '5s' }],
    ['RFC 7519 §4.1.6', 'iat in the future, where no age is expected', { iat: now + 1000 }, {}],
    ['RFC 7519 §4.1.3', 'aud that is not expected', { aud: ['x'] }, {}],
    ['RFC 7519 §4.1.3', 'aud as expected', { aud: 'a' }, { audience: 'a' }],
    ['RFC 7519 §4.1.3', 'aud with the expected among others', { aud: ['x', 'a'] }, { audience: 'a' }],
    ['RFC 7519 §4.1.3', 'aud that is one of the expected', { aud: 'b' }, { audience: ['a', 'b'] }],
    ['RFC 7519 §4.1.3', 'aud that matches', { aud: ['x', 'svc-7'] }, { audience: [/^svc-\d$/, 'y'] }],
    ['RFC 7519 §4.1.1', 'iss as expected', { iss: 'i' }, { issuer: 'i' }],
    ['RFC 7519 §4.1.1', 'iss that is one of the expected', { iss: 'j' }, { issuer: ['i', 'j'] }],
    ['RFC 7519 §4.1.2', 'sub as expected', { sub: 's' }, { subject: 's' }],
    ['RFC 7519 §4.1.7', 'jti as expected', { jti: 'j' }, { jwtid: 'j' }],
    ['OpenID Connect Core §3.1.2.1', 'just young enough', { iat: now - 60 }, { maxAge: '1m' }],
    [
      'OpenID Connect Core §3.1.2.1',
      'just young enough, with the tolerance',
      { iat: now - 65 },
      { maxAge: 60, clockTolerance: 5 },
    ],
    [
      'OpenID Connect Core §3.1.2.1',
      'from a clock that is just within the tolerance',
      { iat: now + 5 },
      { maxAge: 60, clockTolerance: 5 },
    ],
    [
      'RFC 7519 §4',
      'required claims that are there',
      { exp: now + 1, tenant: '' },
      { requiredClaims: ['exp', 'tenant'] },
    ],
    ['RFC 7519 §4', 'a required claim called __proto__', '{"__proto__":1}', { requiredClaims: ['__proto__'] }],
  ])('%s: %s', (_rfc, _what, claims, options) => {
    expect(check(claims, options)).toBeNull();
  });
});

describe('claims that are wrong', () => {
  it.each<
    [
      rfc: string,
      what: string,
      claims: string | Record<string, unknown>,
      options: VerifyOptions,
      code: string,
      claim: string,
    ]
  >([
    // Wrong types, times and names, and what is absent: hostile-claims.ts.
    ['RFC 7519 §4.1.1', 'iss of another', { iss: 'I' }, { issuer: ['i', 'j'] }, 'ERR_REWT_CLAIM_MISMATCH', 'iss'],
    ['RFC 7519 §4.1.2', 'sub of another', { sub: '' }, { subject: 's' }, 'ERR_REWT_CLAIM_MISMATCH', 'sub'],
    ['RFC 7519 §4.1.7', 'jti of another', { jti: 'k' }, { jwtid: 'j' }, 'ERR_REWT_CLAIM_MISMATCH', 'jti'],
    [
      'OpenID Connect Core §3.1.2.1',
      'too old, tolerance included',
      { iat: now - 66 },
      { maxAge: 60, clockTolerance: 5 },
      'ERR_REWT_TOO_OLD',
      'iat',
    ],
    [
      'OpenID Connect Core §3.1.2.1',
      'an age from the future',
      { iat: now + 6 },
      { maxAge: 60, clockTolerance: 5 },
      'ERR_REWT_CLAIM_INVALID',
      'iat',
    ],
    // The order: form, then times, then policy, then age.
    ['order', 'a wrong type before expiry', { exp: 1, sub: 1 }, {}, 'ERR_REWT_CLAIM_INVALID', 'sub'],
    ['order', 'expiry before the audience', { exp: 1, aud: 'x' }, { audience: 'a' }, 'ERR_REWT_EXPIRED', 'exp'],
    [
      'order',
      'not active before a required claim',
      { nbf: now + 1 },
      { requiredClaims: ['a'] },
      'ERR_REWT_NOT_ACTIVE',
      'nbf',
    ],
    [
      'order',
      'the audience before the age',
      { iat: 1, aud: 'x' },
      { audience: 'a', maxAge: 1 },
      'ERR_REWT_CLAIM_MISMATCH',
      'aud',
    ],
  ])('%s: %s', (_rfc, _what, claims, options, code, claim) => {
    expect(check(claims, options)).toMatchObject({ code, claim });
  });

  it.each<[Record<string, unknown>, VerifyOptions, RegExp]>([
    [{ exp: 1 }, {}, /^jwt expired$/],
    [{ nbf: now + 9 }, {}, /^jwt not active$/],
    [{ iat: 1 }, { maxAge: 1 }, /^maxAge exceeded$/],
    [{}, { maxAge: 1 }, /^iat required when maxAge is specified$/],
    [{ aud: 'canary-value' }, { audience: 'canary-expected' }, /^jwt audience invalid: .*aud/],
    [{}, { audience: 'canary-expected' }, /^jwt audience invalid: .*no aud/],
    [{ iss: 'canary-value' }, { issuer: 'canary-expected' }, /^jwt issuer invalid: .*iss/],
    [{ sub: 'canary-value' }, { subject: 'canary-expected' }, /^jwt subject invalid: .*sub/],
    [{ jti: 'canary-value' }, { jwtid: 'canary-expected' }, /^jwt jwtid invalid: .*jti/],
    [{ exp: 'canary-value' }, {}, /^jwt exp invalid: it must be a number of seconds \(not milliseconds\)/],
    [{}, { requiredClaims: ['tenant'] }, /^jwt lacks the required claim tenant$/],
  ])('begin as jsonwebtoken puts it and never say a value: %j', (claims, options, message) => {
    const refusal = check(claims, options);
    expect(refusal?.message).toMatch(message);
    expect(JSON.stringify(refusal)).not.toContain('canary');
  });

  it('say when the token expired or becomes valid, as a date that there is', () => {
    expect(check({ exp: now - 1 })).toMatchObject({ expiredAtMs: (now - 1) * 1000 });
    expect(check({ nbf: now + 1.5 })).toMatchObject({ activeAtMs: now * 1000 + 1500 });
    expect(check({ iat: now - 100 }, { maxAge: 60 })).toMatchObject({ expiredAtMs: (now - 40) * 1000 });
    for (const claims of [{ exp: 1 - 1e11 }, { nbf: 1e11 - 1 }]) {
      const refusal = check(claims);
      const error = refusal && new TokenError(refusal);
      expect((error?.expiredAt ?? error?.date)?.toISOString()).toMatch(/^-001199|^5138/);
    }
  });
});

describe('an audience that is a RegExp', () => {
  it.each(['g', 'y', 'gy'])('has no memory between calls with the flags %s, and is not changed', (flags) => {
    const audience = new RegExp('svc-a', flags);
    audience.lastIndex = 3;
    const options = compileVerifyOptions({ audience });
    for (let round = 0; round < 4; round++) {
      expect(checkClaims({ aud: 'svc-a' }, options, now)).toBeNull();
      expect(checkClaims({ aud: 'svc-a' }, options, now)).toBeNull();
      expect(checkClaims({ aud: ['other', 'svc-a'] }, options, now)).toBeNull();
      expect(checkClaims({ aud: 'other' }, options, now)).toMatchObject({ code: 'ERR_REWT_CLAIM_MISMATCH' });
    }
    expect(audience.lastIndex).toBe(3);
  });

  it('keeps what its flags mean: y matches at the start only, i in any case', () => {
    expect(check({ aud: 'not-svc-a' }, { audience: /svc-a/y })).toMatchObject({ code: 'ERR_REWT_CLAIM_MISMATCH' });
    expect(check({ aud: 'SVC-A' }, { audience: /svc-a/i })).toBeNull();
  });
});

describe('a text', () => {
  it('passes where nothing is expected of its claims', () => {
    expect(checkText(compileVerifyOptions({ clockTolerance: 5 }))).toBeNull();
  });

  it.each<[VerifyOptions, string]>([
    [{ audience: /.*/ }, 'aud'],
    [{ issuer: 'i' }, 'iss'],
    [{ subject: 's' }, 'sub'],
    [{ jwtid: 'j' }, 'jti'],
    [{ maxAge: 1e9 }, 'iat'],
    [{ requiredClaims: ['a'] }, 'a'],
  ])('is refused where something is: %j', (options, claim) => {
    expect(checkText(compileVerifyOptions(options))).toMatchObject({ code: 'ERR_REWT_CLAIM_MISSING', claim });
  });
});
