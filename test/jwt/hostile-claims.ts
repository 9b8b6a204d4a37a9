/** Claims that must be refused although the secret's owner signed them. */

import { inspect } from 'node:util';
import type { TokenErrorCode } from '../../src/errors.js';
import type { VerifyOptions } from '../../src/jwt/verify-options.js';
import { forge } from './forge.js';
import type { Hostile } from './hostile.js';

/** The instant at which they are judged. Seconds since the epoch. */
export const now = 1_800_000_000;

const INVALID = 'ERR_REWT_CLAIM_INVALID';
const MISSING = 'ERR_REWT_CLAIM_MISSING';
const MISMATCH = 'ERR_REWT_CLAIM_MISMATCH';
const EXPIRED = 'ERR_REWT_EXPIRED';
const INACTIVE = 'ERR_REWT_NOT_ACTIVE';

/** Not finite, not a number, or meant as milliseconds: |x| >= 1e11 (ADR 0010). */
const noDates = [
  '1e11',
  '-1e11',
  '1800000000000',
  '-1800000000000',
  '9007199254740994',
  '1e400',
  '-1e400',
  '"1800000000"',
  '"1e10"',
  '""',
  'null',
  'true',
  'false',
  '[]',
  '{}',
  '[1800000000]',
  '{"valueOf":1}',
];
const noStrings = ['null', '1', '0', 'true', '{}', '[]', '["a"]', '{"0":"a","length":1}', '{"toString":"a"}'];
const noAudiences = [
  'null',
  '1',
  'true',
  '{}',
  '[1]',
  '["a",null]',
  '["a",1]',
  '[["a"]]',
  '{"0":"a","length":1}',
  '{"toString":"a"}',
];
const expectations: [claim: string, options: VerifyOptions][] = [
  ['aud', { audience: 'a' }],
  ['aud', { audience: /^(undefined|null|)$/ }],
  ['aud', { audience: /.*/g }],
  ['iss', { issuer: ['a', 'undefined'] }],
  ['sub', { subject: 'undefined' }],
  ['jti', { jwtid: 'undefined' }],
  ['iat', { maxAge: 1e9 }],
  ['exp', { requiredClaims: ['exp'] }],
  ['constructor', { requiredClaims: ['constructor'] }],
  ['__proto__', { requiredClaims: ['__proto__'] }],
];

const names = ['aud', 'iss', 'sub', 'jti'];
const others = ['', 'A', 'a\\u0000', ' a', 'aa', '\u0430', 'a\\u0301'];

export const hostileClaims: readonly Hostile[] = [
  ...['exp', 'nbf', 'iat'].flatMap((claim) =>
    refused(
      'RFC 7519 §2 NumericDate',
      INVALID,
      claim,
      noDates.map((value) => [`${claim} ${value}`, `{"${claim}":${value}}`]),
    ),
  ),
  ...['iss', 'sub', 'jti'].flatMap((claim) =>
    refused(
      'RFC 7519 §2 StringOrURI',
      INVALID,
      claim,
      noStrings.map((value) => [`${claim} ${value}`, `{"${claim}":${value}}`]),
    ),
  ),
  ...refused('RFC 7519 §4.1.1', INVALID, 'iss', [
    // CVE-2025-30144.
    ['iss as a list with the expected in it', '{"iss":["a","x"]}', { issuer: 'a' }],
  ]),
  ...refused(
    'RFC 7519 §4.1.3',
    INVALID,
    'aud',
    noAudiences.map((value) => [`aud ${value}`, `{"aud":${value}}`, { audience: ['a', '1', 'null'] }]),
  ),
  ...refused('RFC 7519 §4.1.4', EXPIRED, 'exp', [
    ['exp now', `{"exp":${now}}`],
    ['exp a millisecond ago', `{"exp":${now - 0.001}}`],
    ['exp 0', '{"exp":0}'],
    ['exp -0', '{"exp":-0}'],
    ['exp negative', '{"exp":-1}'],
    ['exp that rounds to 0', '{"exp":1e-400}'],
    ['exp twice, the last one being past', '{"exp":9e10,"exp":1}'],
    ['exp by the whole tolerance ago', `{"exp":${now - 5}}`, { clockTolerance: 5 }],
  ]),
  ...refused('RFC 7519 §4.1.5', INACTIVE, 'nbf', [
    ['nbf a millisecond ahead', `{"nbf":${now + 0.001}}`],
    ['nbf in the year 5138', '{"nbf":99999999999}'],
    ['nbf more than the tolerance ahead', `{"nbf":${now + 5.001}}`, { clockTolerance: 5 }],
  ]),
  ...expectations.flatMap(([claim, options]) =>
    refused('RFC 7519 §4', MISSING, claim, [
      [`no ${claim}, and it is expected by ${inspect(options)}`, '{"a":1}', options],
    ]),
  ),
  ...names.flatMap((claim) =>
    refused('RFC 7519 §4', MISSING, claim, [
      [`${claim} through __proto__ only`, `{"__proto__":{"${claim}":"a"}}`, expecting(claim)],
    ]),
  ),
  ...refused('RFC 7519 §4', MISSING, 'iat', [
    ['iat through __proto__ only', `{"__proto__":{"iat":${now}}}`, { maxAge: 60 }],
  ]),
  ...refused('RFC 7519 §4', MISSING, 'tenant', [
    ['a required claim that is null', '{"tenant":null}', { requiredClaims: ['tenant'] }],
    ['one of the required claims absent', '{"a":1}', { requiredClaims: ['a', 'tenant'] }],
  ]),
  ...names.flatMap((claim) =>
    refused(
      'RFC 7519 §7.3',
      MISMATCH,
      claim,
      others.map((value) => [`${claim} "${value}", and a is expected`, `{"${claim}":"${value}"}`, expecting(claim)]),
    ),
  ),
  ...refused('RFC 7519 §4.1.3', MISMATCH, 'aud', [
    ['an empty aud', '{"aud":[]}', { audience: /.*/ }],
    ['aud of others', '{"aud":["A","a ","b"]}', { audience: ['a', /^c/] }],
    ['aud twice, the last one of another', '{"aud":"a","aud":"b"}', { audience: 'a' }],
  ]),
  ...refused('OpenID Connect Core §3.1.2.1', 'ERR_REWT_TOO_OLD', 'iat', [
    ['older than maxAge', `{"iat":${now - 60.001}}`, { maxAge: 60 }],
    ['exp years ahead, older than maxAge', `{"iat":${now - 61},"exp":9e10}`, { maxAge: 60 }],
  ]),
  ...refused('OpenID Connect Core §3.1.2.1', INVALID, 'iat', [
    ['an age from the future', `{"iat":${now + 1}}`, { maxAge: 60 }],
  ]),
];

/**
 * Claims, as JSON has them, under a header and a MAC that are right, and the one that they are
 * refused for.
 */
function refused(
  rfc: string,
  code: TokenErrorCode,
  claim: string,
  rows: [what: string, text: string, options?: VerifyOptions][],
): Hostile[] {
  return rows.map(([what, text, options = {}]) => ({
    rfc,
    what,
    token: ({ base, by }) => forge(base, text, by),
    code,
    claim,
    options,
  }));
}

function expecting(claim: string): VerifyOptions {
  const option = { aud: 'audience', iss: 'issuer', sub: 'subject', jti: 'jwtid' }[claim] as keyof VerifyOptions;
  return { [option]: 'a' };
}
