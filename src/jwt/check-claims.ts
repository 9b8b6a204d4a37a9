/**
 * Judges the claims of an authentic token: its times, and what the verifier expects of it.
 *
 * A refusal names the claim, never its value. An expectation whose claim is absent refuses, always.
 */

import type { TokenErrorCode, TokenRefusal } from '../errors.js';
import type { JsonObject } from './json.js';
import { haveUsualTypes, mistypedClaim } from './registered-claims.js';
import type { CompiledVerify } from './verify-options.js';

/**
 * The refusal, or null for a token that is good at `nowMs` (the wall clock, milliseconds since the
 * epoch). Times come before policy: "expired" is what a client can act on.
 */
export function checkClaims(claims: Readonly<JsonObject>, options: CompiledVerify, nowMs: number): TokenRefusal | null {
  const mistyped = haveUsualTypes(claims) ? null : mistypedClaim(claims);
  if (mistyped !== null) {
    const { claim, wanted } = mistyped;
    return refusal('ERR_REWT_CLAIM_INVALID', `jwt ${claim} invalid: it must be ${wanted}`, claim);
  }
  const nowSeconds = nowMs / 1000;
  return (
    checkTimes(claims, options, nowSeconds) ?? checkPolicy(claims, options) ?? checkAge(claims, options, nowSeconds)
  );
}

/** A text has no claims, so any expectation refuses it. */
export function checkText(options: CompiledVerify): TokenRefusal | null {
  return checkPolicy({}, options) ?? checkAge({}, options, 0);
}

/** RFC 7519 §4.1.4: expired *at* `exp`. §4.1.5: valid from `nbf` on. */
function checkTimes(claims: Readonly<JsonObject>, options: CompiledVerify, nowSeconds: number): TokenRefusal | null {
  const { exp, nbf } = claims;
  // Whether the token itself says it, and not a polluted Object.prototype, is asked last: only of
  // tokens that it would refuse.
  if (typeof exp === 'number' && nowSeconds >= exp + options.clockToleranceSeconds && Object.hasOwn(claims, 'exp')) {
    return { ...refusal('ERR_REWT_EXPIRED', 'jwt expired', 'exp'), expiredAtMs: exp * 1000 };
  }
  if (typeof nbf === 'number' && nbf > nowSeconds + options.clockToleranceSeconds && Object.hasOwn(claims, 'nbf')) {
    return { ...refusal('ERR_REWT_NOT_ACTIVE', 'jwt not active', 'nbf'), activeAtMs: nbf * 1000 };
  }
  return null;
}

function checkPolicy(claims: Readonly<JsonObject>, options: CompiledVerify): TokenRefusal | null {
  return (
    (options.requiredClaims.length === 0 ? null : checkRequired(claims, options.requiredClaims)) ??
    checkExpected(claims, 'aud', claims.aud, 'audience', options.audience) ??
    checkExpected(claims, 'iss', claims.iss, 'issuer', options.issuer) ??
    checkExpected(claims, 'sub', claims.sub, 'subject', options.subject) ??
    checkExpected(claims, 'jti', claims.jti, 'jwtid', options.jwtid)
  );
}

function checkRequired(claims: Readonly<JsonObject>, names: readonly string[]): TokenRefusal | null {
  const missing = names.find((name) => !Object.hasOwn(claims, name) || claims[name] === null);
  if (missing === undefined) return null;
  return refusal('ERR_REWT_CLAIM_MISSING', `jwt lacks the required claim ${missing}`, missing);
}

/**
 * One of the claim's values must be one of the expected. Only `aud` can have several: the types
 * were checked before.
 *
 * @param value is read by the caller: by a name that varies it takes V8 longer.
 */
function checkExpected(
  claims: Readonly<JsonObject>,
  claim: string,
  value: unknown,
  option: string,
  expected: string | readonly (string | RegExp)[] | undefined,
): TokenRefusal | null {
  if (expected === undefined) return null;
  if (!Object.hasOwn(claims, claim)) {
    return refusal('ERR_REWT_CLAIM_MISSING', `jwt ${option} invalid: the token has no ${claim}`, claim);
  }
  if (isExpected(value as string | readonly string[], expected)) return null;
  return refusal('ERR_REWT_CLAIM_MISMATCH', `jwt ${option} invalid: ${claim} is not what was expected`, claim);
}

function isExpected(value: string | readonly string[], expected: string | readonly (string | RegExp)[]): boolean {
  if (typeof value !== 'string') return value.some((one) => isExpected(one, expected));
  if (typeof expected === 'string') return value === expected;
  for (const one of expected) if (fits(one, value)) return true;
  return false;
}

/**
 * Each test begins at the start: with the flags g and y a RegExp would go on from where it stopped.
 */
function fits(wanted: string | RegExp, value: string): boolean {
  if (typeof wanted === 'string') return wanted === value;
  wanted.lastIndex = 0;
  return wanted.test(value);
}

/**
 * `maxAge` is jsonwebtoken's, after `max_age` of OpenID Connect Core §3.1.2.1. A token from the
 * future has no age.
 */
function checkAge(claims: Readonly<JsonObject>, options: CompiledVerify, nowSeconds: number): TokenRefusal | null {
  const { maxAgeSeconds, clockToleranceSeconds } = options;
  if (maxAgeSeconds === undefined) return null;
  const { iat } = claims;
  if (typeof iat !== 'number' || !Object.hasOwn(claims, 'iat')) {
    return refusal('ERR_REWT_CLAIM_MISSING', 'iat required when maxAge is specified', 'iat');
  }
  if (iat > nowSeconds + clockToleranceSeconds) {
    return refusal(
      'ERR_REWT_CLAIM_INVALID',
      'jwt iat invalid: it lies in the future, so maxAge cannot be judged',
      'iat',
    );
  }
  if (nowSeconds - iat > maxAgeSeconds + clockToleranceSeconds) {
    return { ...refusal('ERR_REWT_TOO_OLD', 'maxAge exceeded', 'iat'), expiredAtMs: (iat + maxAgeSeconds) * 1000 };
  }
  return null;
}

function refusal(code: TokenErrorCode, message: string, claim: string): TokenRefusal {
  return { code, message, claim };
}
