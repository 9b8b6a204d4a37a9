/**
 * Any payload under any options: what is signed is what every verifier takes, within its lifetime,
 * and as JSON has it.
 */

import fc from 'fast-check';
import type { JwtClaims, SignOptions } from '../../../src/index.js';
import { claimsToSign } from '../../../src/jwt/payload.js';
import { compileSignOptions } from '../../../src/jwt/sign-options.js';
import { signOptions } from '../option-members.js';
import { NOW_MS } from '../secrets.js';
import { openUsual } from '../stage.js';
import { assertThat, isSame, outcomeOf, targetOf } from '../target.js';
import { mostly } from '../texts.js';
import { build, claimObjects, type Members, type Value, values } from '../values.js';

const LIFETIME_SECONDS = 300;
const registered = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'];

export function claimsTarget() {
  const { rewt, call } = openUsual({ tokenLifetime: LIFETIME_SECONDS, clockTolerance: 0, maxTokenBytes: 65_536 });

  /** What was signed is taken: unless its own times say otherwise. */
  async function assertTaken(token: string): Promise<unknown> {
    const verified = await call<unknown>(() => rewt.verify(token));
    if ('value' in verified) return verified.value;
    const isTimely = verified.code === 'ERR_REWT_EXPIRED' || verified.code === 'ERR_REWT_NOT_ACTIVE';
    assertThat(isTimely, 'what was signed is refused', () => verified.code);
    return null;
  }

  return targetOf({
    inputs: fc.record({
      payload: mostly(5, claimObjects, values),
      options: mostly(1, fc.constant<Value>({ object: [] }), signOptions),
    }),
    async play({ payload, options }) {
      const plain = isPlain(payload) && isPlain(options);
      const given = build(payload);
      const optionsAnew = () => build(options) as SignOptions;
      const claimsOf = () => claimsToSign(given, compileSignOptions(optionsAnew()), NOW_MS, LIFETIME_SECONDS);
      const pure = await outcomeOf(claimsOf);
      if (plain) assertThat(isSame(given, build(payload)), 'a payload was changed');
      const signed = await call(() => rewt.sign(build(payload) as object, optionsAnew()));
      // A long one fits into what is signed, but not into a token.
      const code = 'code' in pure ? pure.code : 'ERR_REWT_PAYLOAD';
      const isEqual = 'code' in signed ? signed.code === code : 'value' in pure;
      assertThat(!plain || isEqual, 'sign and the pure functions disagree');
      if ('code' in signed) return signed.code;
      const taken = await assertTaken(signed.value);
      if (taken === null || typeof taken !== 'object') return 'accepted';
      if (typeof given === 'object' && !(given instanceof Uint8Array)) assertLifetime(taken as JwtClaims);
      if (plain && typeof given === 'object') assertMembers(taken, given as object);
      return 'accepted';
    },
    close: () => rewt.close(),
  });
}

function assertLifetime({ exp }: JwtClaims): void {
  const latest = NOW_MS / 1_000 + LIFETIME_SECONDS;
  assertThat(typeof exp === 'number' && exp <= latest, 'a token lives longer than it may', () => String(exp));
}

/** The members that nothing was added to are as JSON makes them. */
function assertMembers(taken: object, given: object): void {
  const own = (claims: object) => Object.entries(claims).filter(([name]) => !registered.includes(name));
  assertThat(isSame(own(taken), own(JSON.parse(JSON.stringify(given)))), 'claims do not arrive as they were signed');
}

/** Nothing in it that JSON would not write as it stands. */
function isPlain(value: Value): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if ('list' in value) return (value.list as readonly Value[]).every(isPlain);
  const members = 'object' in value ? (value.object as Members) : null;
  return members?.every(([name, member]) => name !== 'toJSON' && isPlain(member)) ?? false;
}
