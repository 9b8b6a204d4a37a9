/**
 * Tokens, from honest ones to noise: the pure functions and a real member judge each, several
 * times, and against a second reading.
 */

import fc from 'fast-check';
import type { CompleteToken } from '../../../src/index.js';
import { authenticate, isRefusal } from '../../../src/jwt/authenticate.js';
import { checkClaims, checkText } from '../../../src/jwt/check-claims.js';
import { createMac, type Mac, macMatches } from '../../../src/jwt/mac.js';
import { compileVerifyOptions } from '../../../src/jwt/verify-options.js';
import { createCopy } from '../../../src/keyring/copy.js';
import { faultsOf, objectOf } from '../oracle.js';
import { macBy, NOW_MS, RING, SECRETS } from '../secrets.js';
import { openUsual } from '../stage.js';
import { assertFixed, assertQuiet, assertThat, isSame, type Outcome, type Target } from '../target.js';
import { mostly, texts } from '../texts.js';
import { asked, sealedTokens } from '../tokens.js';
import { build, type Value, values } from '../values.js';

const MAX_BYTES = 4096;
const TOLERANCE_SECONDS = 5;
const OWN_BEGINNING = Buffer.from('{"alg":"HS256","typ":"JWT","kid":"').toString('base64url').slice(0, 44);

interface Input {
  /** What a holder of a secret signed, whatever happened to it since; null if none did. */
  readonly sealed: string | null;
  readonly token: Value;
  /** Which of the options a verifier may have. */
  readonly asked: number;
}

/** A code or 'accepted', and whether a newer ring could change it. */
type Judged = { readonly verdict: string; readonly mayLack: boolean; readonly payload?: unknown };

const someTokens = fc.oneof<fc.MaybeWeightedArbitrary<Omit<Input, 'asked'>>[]>(
  { arbitrary: sealedTokens, weight: 12 },
  fc.record({ sealed: fc.constant(null), token: texts }),
  fc.record({ sealed: fc.constant(null), token: values }),
);
/** Half of the time none. */
const someAsked = mostly(1, fc.constant(0), fc.nat(asked.length - 1));

export function tokenTarget(): Target<Input> {
  const { rewt, call } = openUsual({ maxTokenBytes: MAX_BYTES, clockTolerance: TOLERANCE_SECONDS });
  const { keys } = createCopy(RING);
  const mac = createMac(Buffer.from(SECRETS[0]));
  const tolerant = { ...compileVerifyOptions({}), clockToleranceSeconds: TOLERANCE_SECONDS };

  function judge(token: unknown, { sealed, asked: which }: Input, faults: ReadonlySet<string>): Judged {
    const authentic = authenticate(token, keys, NOW_MS, MAX_BYTES);
    if (isRefusal(authentic)) {
      const { code } = authentic;
      // A header that begins as ours is not read any further, if its kid is unknown: the caller
      // that looks up the key does that before.
      const isSkimmed = code === 'ERR_REWT_UNKNOWN_KEY' && String(token).startsWith(OWN_BEGINNING);
      assertThat(faults.has(code) || isSkimmed, `refused for what is not wrong: ${code}`, () => [...faults].join());
      if (!faults.has('ERR_REWT_PAYLOAD_INVALID')) assertFixed(authentic);
      assertQuiet(JSON.stringify(authentic));
      return { verdict: code, mayLack: authentic.mayLackKey === true };
    }
    assertThat(token === sealed, 'an altered token is accepted');
    assertThat(faults.size === 0, 'a token is accepted that has a fault', () => [...faults].join());
    const { claims, text } = authentic;
    assertThat(isSame(claims, objectOf(text)), 'claims are not what was signed');
    const compiled = compileVerifyOptions(asked[which], '', tolerant);
    const refusal = claims === null ? checkText(compiled) : checkClaims(claims, compiled, NOW_MS);
    if (refusal !== null) assertQuiet(JSON.stringify(refusal));
    return { verdict: refusal?.code ?? 'accepted', mayLack: false, payload: objectOf(text) ?? text };
  }

  return {
    inputs: fc.tuple(someTokens, someAsked).map(([given, which]) => ({ ...given, asked: which })),
    async play(input) {
      const { sealed } = input;
      const token = build(input.token) as string;
      const faults = faultsOf(token, MAX_BYTES);
      const judged = judge(token, input, faults);
      const options = asked[input.asked];
      // Seen first, remembered, and found again.
      for (let round = 0; round < 3; round += 1)
        assertLike(judged, await call<unknown>(() => rewt.verify(token, options)), faults);
      assertLike(judged, asUsual(await call(() => rewt.verifyComplete(token, options)), token), faults);
      const sync = await call(() => rewt.verifySync(token, options));
      const isNotFresh = 'code' in sync && sync.code === 'ERR_REWT_COPY_NOT_FRESH';
      if (!isNotFresh || !judged.mayLack) assertLike(judged, sync, faults);
      if (sealed !== null) assertCompared(mac, token, sealed);
      return judged.verdict;
    },
    close: () => rewt.close(),
  };
}

/** A member says what the pure functions say, and gives what was signed. */
function assertLike(judged: Judged, outcome: Outcome<unknown>, faults: ReadonlySet<string>): void {
  const { verdict, mayLack, payload } = judged;
  if ('code' in outcome) {
    // A caller that would have to read the store for a key looks at the form before.
    const isRight = outcome.code === verdict || (mayLack && faults.has(outcome.code));
    assertThat(isRight, 'a member and the pure functions disagree', () => `${outcome.code}, ${verdict}`);
    return;
  }
  assertThat(verdict === 'accepted', 'a member accepts what the pure functions refuse', () => verdict);
  assertThat(isSame(outcome.value, payload), 'a member gives other claims than were signed');
  alter(outcome.value, 2);
}

/** They belong to the caller: no other one may see what becomes of them. */
function alter(value: unknown, levels: number): void {
  if (typeof value !== 'object' || value === null || levels === 0) return;
  for (const member of Object.values(value)) alter(member, levels - 1);
  Object.assign(value, { altered: true });
}

/** The payload of a complete token, whose other parts are looked at here. */
function asUsual(outcome: Outcome<CompleteToken>, token: string): Outcome<unknown> {
  if ('code' in outcome) return outcome;
  const { header, payload, signature } = outcome.value;
  const [first = '', , third] = token.split('.');
  const isRight = isSame(header, objectOf(Buffer.from(first, 'base64url').toString())) && signature === third;
  assertThat(isRight, 'a complete token is not what it was made of');
  return { value: payload };
}

/** The comparison by itself: whatever was compared before, only the same text is the same. */
function assertCompared(mac: Mac, token: string, sealed: string): void {
  const signedPart = sealed.slice(0, sealed.lastIndexOf('.'));
  const right = macBy(0, signedPart);
  assertThat(macMatches(mac, signedPart, right), 'a MAC is not what it should be');
  const received = token.slice(token.lastIndexOf('.') + 1);
  for (const other of [received, right.slice(0, -1), `${right}A`]) {
    const isEqual = macMatches(mac, signedPart, other);
    assertThat(isEqual === (other === right), 'another text is taken for the MAC', () => other);
  }
}
