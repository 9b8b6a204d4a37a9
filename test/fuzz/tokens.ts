/**
 * The grammar of tokens: honest ones under each secret, headers that others write, payloads that
 * no signer should, and what happens to them on the way.
 */

import fc from 'fast-check';
import type { VerifyOptions } from '../../src/index.js';
import { severalOf, tokenEdits } from '../jwt/edits.js';
import { jsonTexts, objectTexts, stringTexts } from './json-texts.js';
import { KIDS, macBy, NOW_MS, SECRETS } from './secrets.js';
import { encodings, mostly, texts, wordsOf } from './texts.js';

/** Options of verifiers. */
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

const fromNow = (...seconds: readonly number[]) =>
  fc.constantFrom(...seconds.map((span) => `${NOW_MS / 1_000 + span}`));
const times = fc.oneof(
  { arbitrary: fromNow(100, 6, 5, 1, 0), weight: 8 },
  { arbitrary: fromNow(-1, -5, -6, -61, -66, -1e9), weight: 3 },
  wordsOf('1e400 99999999999 100000000000 -1 null "1" [1] 1.5'),
);
const someNames = wordsOf('"orders" "billing" "ann" "1" ["stock","orders"] ["ord"]');
const names = mostly(12, someNames, wordsOf('1 null [] [1] {}'), stringTexts);
const claims = { user: stringTexts, exp: times, nbf: times, iat: times, aud: names, iss: names, sub: names };
const payloads = fc.oneof(
  { arbitrary: objectTexts(claims), weight: 6 },
  { arbitrary: objectTexts({ user: stringTexts, exp: fromNow(100) }), weight: 4 },
  { arbitrary: jsonTexts, weight: 2 },
  texts,
);

const kids = mostly(
  8,
  fc.constantFrom(...KIDS).map((kid) => JSON.stringify(kid)),
  stringTexts,
  fc.constantFrom('5', 'null', '""', '[]', '{}', `"${'k'.repeat(256)}"`, `"${'k'.repeat(257)}"`),
);
const algs = mostly(
  20,
  fc.constant('"HS256"'),
  fc.constantFrom('"none"', '"hs256"', '"HS512"', '"RS256"', 'null', '["HS256"]', '"HS256 "'),
);
const typs = mostly(8, fc.constant('"JWT"'), wordsOf('"at+jwt" "JOSE" 1 null'));
const foreignHeaders = fc.oneof(
  { arbitrary: objectTexts({ alg: algs, typ: typs, kid: kids }), weight: 4 },
  { arbitrary: objectTexts({ alg: algs, typ: typs }), weight: 3 },
  objectTexts({ alg: algs, kid: kids, crit: wordsOf('["exp"] null'), b64: fc.boolean().map(String) }),
);

/** By the secret: the header that rewt writes, others with the right kid, and foreign ones. */
function headersOf(by: number): fc.Arbitrary<string> {
  const own = ['{"alg":"HS256","typ":"JWT",', '{"alg":"HS256",'].map((start) => `${start}"kid":"${KIDS[by]}"}`);
  const matching = ['', '"cty":"a","typ":"JOSE",'].map((more) => `{${more}"kid":"${KIDS[by]}", "alg":"HS256"}`);
  return fc.oneof(
    { arbitrary: fc.constantFrom(...own), weight: 4 },
    { arbitrary: fc.constantFrom(...matching), weight: 2 },
    { arbitrary: foreignHeaders, weight: 3 },
  );
}
const headings = fc.oneof(...SECRETS.map((_, by) => headersOf(by).map((header) => ({ by, header }))));

/** What a holder of a secret made, and what became of it. */
export const sealedTokens = fc
  .tuple(headings, payloads, encodings, severalOf(tokenEdits, 1))
  .map(([{ by, header }, payload, encoding, edit]) => {
    const segments = [Buffer.from(header), Buffer.from(payload, encoding)];
    const signedPart = segments.map((bytes) => bytes.toString('base64url')).join('.');
    const sealed = `${signedPart}.${macBy(by, signedPart)}`;
    return { sealed, token: edit(sealed) };
  });
