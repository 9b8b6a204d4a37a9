/** Any payload under any options: what is signed is what every verifier takes, within its lifetime, and as JSON has it. */

import fc from 'fast-check';
import type { JwtClaims, SignOptions } from '../../../src/index.js';
import { claimsToSign, compileSignOptions } from '../../../src/jwt/claims.js';
import { signMembers } from '../option-members.js';
import { NOW_MS } from '../secrets.js';
import { openUsual } from '../stage.js';
import { assertThat, isSame, outcomeOf, type Target } from '../target.js';
import { build, claimMembers, type Value, values } from '../values.js';

const LIFETIME_SECONDS = 300;
const registered = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'];

interface Input {
  readonly payload: Value;
  readonly options: Value;
}

interface Live {
  /** Anew for each call: a getter may say something else the second time. */
  readonly payload: () => unknown;
  readonly options: () => SignOptions;
  /** Nothing in it that JSON would not write as it stands. */
  readonly isPlain: boolean;
}

export function claimsTarget(): Target<Input, Live> {
  const { rewt, turn } = openUsual({ tokenLifetime: LIFETIME_SECONDS, clockTolerance: 0, maxTokenBytes: 65_536 });

  /** What was signed is taken: unless its own times say otherwise. */
  async function assertTaken(token: string): Promise<unknown> {
    turn();
    const verified = await outcomeOf<unknown>(() => rewt.verify(token));
    if ('value' in verified) return verified.value;
    const isTimely = verified.code === 'ERR_REWT_EXPIRED' || verified.code === 'ERR_REWT_NOT_ACTIVE';
    assertThat(isTimely, 'what was signed is refused', () => verified.code);
    return null;
  }

  return {
    grammar: fc.record({
      payload: fc.oneof({ arbitrary: claimMembers.map((object) => ({ object })), weight: 5 }, values),
      options: fc.oneof(
        { arbitrary: fc.constant({ object: [] }), weight: 1 },
        signMembers.map((object) => ({ object })),
      ),
    }),
    prepare({ payload, options }) {
      build(payload);
      build(options);
      return {
        payload: () => build(payload),
        options: () => build(options) as SignOptions,
        isPlain: isPlain(payload) && isPlain(options),
      };
    },
    async play({ payload, options, isPlain: plain }) {
      const given = payload();
      const pure = await outcomeOf(() => claimsToSign(given, compileSignOptions(options()), NOW_MS, LIFETIME_SECONDS));
      if (plain) assertThat(isSame(given, payload()), 'a payload was changed');
      turn();
      const signed = await outcomeOf(() => rewt.sign(payload() as object, options()));
      if (plain) {
        // A long one fits into what is signed, but not into a token.
        const isEqual =
          'code' in signed ? signed.code === ('code' in pure ? pure.code : 'ERR_REWT_PAYLOAD') : 'value' in pure;
        assertThat(isEqual, 'sign and the pure functions disagree');
      }
      if ('code' in signed) return signed.code;
      const taken = await assertTaken(signed.value);
      if (taken === null || typeof taken !== 'object') return 'accepted';
      if (typeof given === 'object' && !(given instanceof Uint8Array)) assertLifetime(taken as JwtClaims);
      if (plain && typeof given === 'object') assertMembers(taken, given as object);
      return 'accepted';
    },
    async close() {
      await rewt.close();
    },
  };
}

function assertLifetime({ exp }: JwtClaims): void {
  const latest = NOW_MS / 1_000 + LIFETIME_SECONDS;
  assertThat(typeof exp === 'number' && exp <= latest, 'a token lives longer than it may', () => String(exp));
}

/** The members that nothing was added to are as JSON makes them. */
function assertMembers(taken: object, given: object): void {
  const own = (claims: object) => Object.entries(claims).filter(([name]) => !registered.includes(name));
  const isEqual = isSame(own(taken), own(JSON.parse(JSON.stringify(given))));
  assertThat(isEqual, 'claims do not arrive as they were signed');
}

function isPlain(value: Value): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if ('list' in value) return value.list.every(isPlain);
  return 'object' in value && value.object.every(([name, member]) => name !== 'toJSON' && isPlain(member));
}
