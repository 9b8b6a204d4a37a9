/** The grammar of tokens: honest ones under each secret, headers that others write, payloads that nobody should, and what happens to them on the way. */

import fc from 'fast-check';
import type { VerifyOptions } from '../../src/index.js';
import { type Edit, editLists } from './edits.js';
import { jsonTexts, objectTexts, stringTexts } from './json-texts.js';
import { KIDS, macBy, NOW_MS, SECRETS } from './secrets.js';
import { texts } from './texts.js';

export interface Sealed {
  readonly header: string;
  readonly payload: string;
  /** Whether the payload is bytes, one to a character. */
  readonly isBytes: boolean;
  readonly by: number;
  readonly edits: readonly Edit[];
}

/** What a verifier may ask for. */
export const asked: readonly (VerifyOptions | undefined)[] = [
  undefined,
  { audience: 'orders' },
  { audience: [/^ord/g, 'stock'] },
  { issuer: ['billing'], subject: 'ann' },
  { jwtid: '1' },
  { maxAge: 60 },
  { requiredClaims: ['user', 'exp'] },
  { clockTolerance: '2m' },
];

const nowSeconds = NOW_MS / 1_000;
const times = fc.oneof(
  { arbitrary: fc.constantFrom(100, 6, 5, 1, 0).map((ahead) => `${nowSeconds + ahead}`), weight: 8 },
  { arbitrary: fc.constantFrom(-1, -5, -6, -61, -66, -1e9).map((ahead) => `${nowSeconds + ahead}`), weight: 3 },
  { arbitrary: fc.constantFrom('1e400', '99999999999', '100000000000', '-1', 'null', '"1"', '[1]', '1.5'), weight: 1 },
);
const words = fc.oneof(
  { arbitrary: fc.constantFrom('"orders"', '"billing"', '"ann"', '"1"', '["stock","orders"]', '["ord"]'), weight: 6 },
  fc.oneof(fc.constantFrom('1', 'null', '[]', '[1]', '{}'), stringTexts),
);
const payloads = fc.oneof(
  {
    arbitrary: objectTexts({
      user: stringTexts,
      exp: times,
      nbf: times,
      iat: times,
      aud: words,
      iss: words,
      sub: words,
    }),
    weight: 6,
  },
  { arbitrary: objectTexts({ user: stringTexts, exp: fc.constant(`${nowSeconds + 100}`) }), weight: 4 },
  { arbitrary: jsonTexts, weight: 2 },
  texts,
);

const kids = fc.oneof(
  { arbitrary: fc.constantFrom(...KIDS).map((kid) => JSON.stringify(kid)), weight: 8 },
  { arbitrary: stringTexts, weight: 1 },
  {
    arbitrary: fc.constantFrom('5', 'null', '""', '[]', '{}', `"${'k'.repeat(256)}"`, `"${'k'.repeat(257)}"`),
    weight: 1,
  },
);
const algs = fc.oneof(
  { arbitrary: fc.constant('"HS256"'), weight: 20 },
  fc.constantFrom('"none"', '"hs256"', '"HS512"', '"RS256"', 'null', '["HS256"]', '"HS256 "'),
);
const typs = fc.oneof(
  { arbitrary: fc.constant('"JWT"'), weight: 8 },
  fc.constantFrom('"at+jwt"', '"JOSE"', '1', 'null'),
);
const foreignHeaders = fc.oneof(
  { arbitrary: objectTexts({ alg: algs, typ: typs, kid: kids }), weight: 4 },
  { arbitrary: objectTexts({ alg: algs, typ: typs }), weight: 3 },
  objectTexts({
    alg: algs,
    kid: kids,
    crit: fc.constantFrom('["exp"]', 'null'),
    b64: fc.constantFrom('false', 'true'),
  }),
);
/** The one that rewt writes, under the secret of its kid. */
const own = fc
  .tuple(fc.nat(SECRETS.length - 1), fc.boolean())
  .map(([by, isText]) => ({ by, header: `{"alg":"HS256",${isText ? '' : '"typ":"JWT",'}"kid":"${KIDS[by]}"}` }));
const foreign = fc.record({ by: fc.nat(SECRETS.length - 1), header: foreignHeaders });
const matching = fc
  .tuple(fc.nat(SECRETS.length - 1), fc.constantFrom('', '"cty":"a","typ":"JOSE",'))
  .map(([by, more]) => ({ by, header: `{${more}"kid":"${KIDS[by]}", "alg":"HS256"}` }));

export const sealedTokens: fc.Arbitrary<Sealed> = fc
  .record({
    heading: fc.oneof(
      { arbitrary: own, weight: 4 },
      { arbitrary: matching, weight: 2 },
      { arbitrary: foreign, weight: 3 },
    ),
    payload: payloads,
    isBytes: fc.oneof({ arbitrary: fc.constant(false), weight: 9 }, fc.constant(true)),
    edits: editLists,
  })
  .map(({ heading, ...rest }) => ({ ...heading, ...rest }));

/** What somebody with the secret made, before anything happened to it. */
export function sealedText({ header, payload, isBytes, by }: Sealed): string {
  const signedPart = `${base64url(header)}.${base64url(isBytes ? Buffer.from(payload, 'latin1') : payload)}`;
  return `${signedPart}.${macBy(by, signedPart)}`;
}

function base64url(content: string | Uint8Array): string {
  return Buffer.from(content).toString('base64url');
}
