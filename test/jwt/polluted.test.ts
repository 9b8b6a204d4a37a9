/**
 * Verifying in a process whose Object.prototype is polluted: what a token or a caller did
 * not say is not said by it either.
 */

import { describe, expect, it } from 'vitest';
import { authenticate, createTokenKey, isRefusal } from '../../src/jwt/authenticate.js';
import { checkClaims, checkText } from '../../src/jwt/check-claims.js';
import { claimsToSign } from '../../src/jwt/payload.js';
import { compileSignOptions } from '../../src/jwt/sign-options.js';
import { type CompiledVerify, compileVerifyOptions } from '../../src/jwt/verify-options.js';
import { key, MAX_BYTES, macOf } from './forge.js';
import { signersOf } from './hostile.js';
import { hostileClaims, now } from './hostile-claims.js';
import { hostileForms } from './hostile-forms.js';
import { hostileHeaders } from './hostile-headers.js';
import { allowed, hostilePayloads } from './hostile-payloads.js';

const keys = [{ ...createTokenKey('kid-current', macOf(key)), verifiesUntilMs: 1 }];

/** The code, or the claims or the text as JSON has them. */
function verdictOn(token: unknown, options: CompiledVerify): string {
  const authentic = authenticate(token, keys, 0, MAX_BYTES);
  if (isRefusal(authentic)) return authentic.code;
  const { claims, text } = authentic;
  const refusal = claims === null ? checkText(options) : checkClaims(claims, options, now * 1000);
  return refusal?.code ?? `accepted ${claims === null ? text : JSON.stringify(claims)}`;
}

/**
 * What `call` gives while every object inherits a member; enumerable, as a careless merge leaves
 * it.
 */
function polluted<T>(name: string, value: unknown, call: () => T): T {
  const prototype = Object.prototype as unknown as Record<string, unknown>;
  prototype[name] = value;
  try {
    return call();
  } finally {
    delete prototype[name];
  }
}

const signers = signersOf('kid-current', key).map(([, , signer]) => signer);
const rows = [...hostileHeaders, ...hostileForms, ...hostilePayloads, ...hostileClaims, ...allowed];
const cases = rows.flatMap(({ rfc, what, token, options = {} }) =>
  signers.map((signer) => ({ what: `${rfc}: ${what}`, token: token(signer), options })),
);

function verdicts(): string[] {
  return cases.map(({ what, token, options }) => `${what}: ${verdictOn(token, compileVerifyOptions(options))}`);
}

describe('a polluted Object.prototype', () => {
  const clean = verdicts();

  it.each<[name: string, values: unknown[]]>([
    ['alg', ['HS256', 'none']],
    ['typ', ['JWT', 'x', 1]],
    ['kid', ['kid-current', 'x', 1]],
    ['crit', [['x'], null]],
    ['b64', [false]],
    ['exp', [0, now, 9e10, 'x']],
    ['nbf', [0, 9e10, 'x']],
    ['iat', [0, now, now + 60, 'x']],
    ['aud', ['a', ['a'], 1]],
    ['iss', ['a', 1]],
    ['sub', ['a', 'ann', 1]],
    ['jti', ['a', 1]],
    ['tenant', ['a']],
    ['claims', [{ sub: 'a' }]],
    ['text', ['{"sub":"a"}']],
    ['audience', ['x', []]],
    ['maxAge', [1, 1e10]],
    ['clockTolerance', [1e10]],
    ['requiredClaims', [['x'], []]],
    ['maxAgeSeconds', [1]],
    ['clockToleranceSeconds', [1e10]],
  ])('changes no verdict by its %s', (name, values) => {
    for (const value of values) {
      const changed = polluted(name, value, verdicts).filter((verdict, at) => verdict !== clean[at]);
      expect({ value, changed }).toEqual({ value, changed: [] });
    }
  });

  it('that has a code, as refusals have, changes no verdict', () => {
    expect(polluted('code', 'x', verdicts)).toEqual(verdicts());
  });

  it.each(['exp', 'iat', 'nbf', 'sub'])('does not change whether %s is signed', (name) => {
    const sign = () => claimsToSign({ a: 1 }, compileSignOptions({}), now * 1000, 300).text;
    for (const value of [1, now, now + 60]) expect(polluted(name, value, sign)).toBe(sign());
  });
});
