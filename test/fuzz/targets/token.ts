/** Tokens, from honest ones to noise: the pure functions and a real member judge each, several times, and against a second reading. */

import fc from 'fast-check';
import type { CompleteToken, VerifyOptions } from '../../../src/index.js';
import { authenticate, mayLackKey } from '../../../src/jwt/authenticate.js';
import { checkClaims, checkText, compileVerifyOptions } from '../../../src/jwt/claims.js';
import { createMac, type Mac, macMatches } from '../../../src/jwt/mac.js';
import { isRefusal } from '../../../src/jwt/token.js';
import { createCopy } from '../../../src/keyring/copy.js';
import { edited } from '../edits.js';
import { faultsOf, objectOf } from '../oracle.js';
import { macBy, NOW_MS, RING, SECRETS } from '../secrets.js';
import { openUsual } from '../stage.js';
import { assertFixed, assertQuiet, assertThat, isSame, type Outcome, outcomeOf, type Target } from '../target.js';
import { texts } from '../texts.js';
import { asked, type Sealed, sealedText, sealedTokens } from '../tokens.js';
import { build, type Value, values } from '../values.js';

const MOST_BYTES = 4096;
const TOLERANCE_SECONDS = 5;
const OWN_BEGINNING = Buffer.from('{"alg":"HS256","typ":"JWT","kid":"').toString('base64url').slice(0, 44);

interface Input {
  readonly token: { readonly sealed: Sealed } | { readonly text: string } | { readonly value: Value };
  /** Which of the options a verifier may have. */
  readonly asked: number;
}

interface Live {
  readonly token: unknown;
  /** What somebody with a secret signed, whatever happened to it since. */
  readonly sealed: string | null;
  readonly options: VerifyOptions | undefined;
  /** What is wrong with it, by a second reading. */
  readonly faults: ReadonlySet<string>;
}

interface Judged {
  /** A code, or 'accepted'. */
  readonly verdict: string;
  /** Whether a newer ring could change it. */
  readonly mayLack: boolean;
  readonly payload?: unknown;
}

export function tokenTarget(): Target<Input, Live> {
  const { rewt, turn } = openUsual({ maxTokenBytes: MOST_BYTES, clockTolerance: TOLERANCE_SECONDS });
  const { keys } = createCopy(RING);
  const mac = createMac(Buffer.from(SECRETS[0]));
  const tolerant = { ...compileVerifyOptions({}), clockToleranceSeconds: TOLERANCE_SECONDS };

  function judge({ token, sealed, options, faults }: Live): Judged {
    const authentic = authenticate(token, keys, NOW_MS, MOST_BYTES);
    if (isRefusal(authentic)) {
      const { code } = authentic;
      // A header that begins as ours is not read any further, where its kid is unknown: whoever asks for the key does that before.
      const isSkimmed = code === 'ERR_REWT_UNKNOWN_KEY' && String(token).startsWith(OWN_BEGINNING);
      assertThat(faults.has(code) || isSkimmed, `refused for what is not wrong: ${code}`, () => [...faults].join());
      if (!faults.has('ERR_REWT_PAYLOAD_INVALID')) assertFixed(authentic);
      assertQuiet(JSON.stringify(authentic));
      return { verdict: code, mayLack: mayLackKey(authentic) };
    }
    assertThat(token === sealed, 'an altered token is accepted');
    assertThat(faults.size === 0, 'a token is accepted that has a fault', () => [...faults].join());
    const { claims, text } = authentic;
    assertThat(isSame(claims, objectOf(text)), 'claims are not what was signed');
    const compiled = compileVerifyOptions(options, '', tolerant);
    const refusal = claims === null ? checkText(compiled) : checkClaims(claims, compiled, NOW_MS);
    if (refusal !== null) assertQuiet(JSON.stringify(refusal));
    return { verdict: refusal?.code ?? 'accepted', mayLack: false, payload: objectOf(text) ?? text };
  }

  return {
    grammar: fc.record({
      token: fc.oneof(
        { arbitrary: sealedTokens.map((sealed) => ({ sealed })), weight: 12 },
        { arbitrary: texts.map((text) => ({ text })), weight: 1 },
        { arbitrary: values.map((value) => ({ value })), weight: 1 },
      ),
      asked: fc.nat(2 * asked.length).map((at) => (at < asked.length ? at : 0)),
    }),
    prepare({ token: recipe, asked: which }) {
      const sealed = 'sealed' in recipe ? sealedText(recipe.sealed) : null;
      const token = liveToken(recipe, sealed);
      return { token, sealed, options: asked[which % asked.length], faults: faultsOf(token, MOST_BYTES) };
    },
    async play(live) {
      const judged = judge(live);
      const { sealed, options, faults } = live;
      const token = live.token as string;
      const verify = (complete: boolean) => {
        turn();
        return outcomeOf<unknown>(() => rewt.verify(token, complete ? { ...options, complete } : options));
      };
      // Seen first, remembered, and found again.
      for (let round = 0; round < 3; round += 1) assertLike(judged, await verify(false), faults);
      assertLike(judged, asUsual(await verify(true), token), faults);
      turn();
      const sync = await outcomeOf(() => rewt.verifySync(token, options));
      const isNotFresh = 'code' in sync && sync.code === 'ERR_REWT_COPY_NOT_FRESH';
      if (!isNotFresh || !judged.mayLack) assertLike(judged, sync, faults);
      if (sealed !== null) assertCompared(mac, token, sealed);
      return judged.verdict;
    },
    async close() {
      await rewt.close();
    },
  };
}

function liveToken(recipe: Input['token'], sealed: string | null): unknown {
  if ('text' in recipe) return recipe.text;
  if ('value' in recipe) return build(recipe.value);
  return edited(sealed ?? '', recipe.sealed.edits);
}

/** A member says what the pure functions say, and gives what was signed. */
function assertLike(
  { verdict, mayLack, payload }: Judged,
  outcome: Outcome<unknown>,
  faults: ReadonlySet<string>,
): void {
  if ('code' in outcome) {
    // Whoever would have to ask for a key looks at the form before.
    const isRight = outcome.code === verdict || (mayLack && faults.has(outcome.code));
    assertThat(isRight, 'a member and the pure functions disagree', () => `${outcome.code}, ${verdict}`);
    return;
  }
  assertThat(verdict === 'accepted', 'a member accepts what the pure functions refuse', () => verdict);
  const { value } = outcome;
  assertThat(isSame(value, payload), 'a member gives other claims than were signed');
  // They belong to whoever asked: nobody else may see what becomes of them.
  if (typeof value === 'object' && value !== null) alter(value as Record<string, unknown>);
}

function alter(claims: Record<string, unknown>): void {
  for (const value of Object.values(claims)) {
    if (typeof value === 'object' && value !== null) Object.assign(value, { altered: true });
  }
  claims.altered = true;
}

/** The payload of a complete token, whose other parts are looked at here. */
function asUsual(outcome: Outcome<unknown>, token: string): Outcome<unknown> {
  if ('code' in outcome) return outcome;
  const { header, payload, signature } = outcome.value as CompleteToken;
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
