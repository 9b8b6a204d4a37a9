/**
 * Texts of any length of which parsers are afraid, and where they can get in: each a call that has
 * to take linear time.
 */

import { readArguments } from '../../src/cli/input/arguments.js';
import { authenticate, createTokenKey } from '../../src/jwt/authenticate.js';
import { checkClaims } from '../../src/jwt/check-claims.js';
import { createMac } from '../../src/jwt/mac.js';
import { claimsToSign } from '../../src/jwt/payload.js';
import { compileSignOptions } from '../../src/jwt/sign-options.js';
import { compileVerifyOptions } from '../../src/jwt/verify-options.js';
import { createCopy } from '../../src/keyring/copy.js';
import { formatRing, parseRing } from '../../src/keyring/ring.js';
import { KIDS, macBy, NOW_MS, RING, SECRETS } from './secrets.js';
import { tried } from './target.js';

type Shape = (length: number) => string;

const repeated =
  (text: string): Shape =>
  (length) =>
    text.repeat(Math.ceil(length / text.length)).slice(0, length);

export const shapes: Readonly<Record<string, Shape>> = {
  dots: repeated('.'),
  letters: repeated('A'),
  spaces: repeated(' '),
  quotes: repeated('"'),
  backslashes: repeated('\\'),
  brackets: repeated('['),
  openings: repeated('{"a":'),
  nested: (length) => '[{"a":'.repeat(length / 8).concat('1', '}]'.repeat(length / 8)),
  members: (length) => `{${repeated('"a":1,')(length - 8)}"b":1}`.replace(/,"?a?"?:?"b/, ',"b'),
  'line ends': repeated('\r\n'),
  digits: repeated('1'),
  wide: repeated('€'),
};

const keys = createCopy(RING).keys;
const ourHeader = createTokenKey(KIDS[0] ?? '', createMac(Buffer.from(SECRETS[0]))).headers.claims;
const base64url = (text: string) => Buffer.from(text).toString('base64url');
const noMac = 'A'.repeat(43);

const verified = (token: string) => () => authenticate(token, keys, NOW_MS, 2_000_000);

function sealed(header: string, payload: string): () => unknown {
  const signedPart = `${header}.${payload}`;
  return verified(`${signedPart}.${macBy(0, signedPart)}`);
}

/** What a text comes to: a call with everything made ready before. */
export const entrances: Readonly<Record<string, (text: string) => () => unknown>> = {
  token: verified,
  'foreign header': (text) => verified(`${base64url(text)}.e30.${noMac}`),
  'header member': (text) => verified(`${base64url(JSON.stringify({ alg: 'HS256', text }))}.e30.${noMac}`),
  'own header, payload segment': (text) => sealed(ourHeader, text),
  'own header, payload': (text) => sealed(ourHeader, base64url(text)),
  'own header, member': (text) => sealed(ourHeader, base64url(JSON.stringify({ text }))),
  'no kid, wrong MAC': (text) => verified(`${base64url('{"alg":"HS256"}')}.${base64url(text)}.${noMac}`),
  audience: (text) => {
    const wanted = compileVerifyOptions({ audience: ['x', /^x/], requiredClaims: ['aud'] });
    return () => checkClaims({ aud: [...text.slice(0, text.length / 4)] }, wanted, NOW_MS);
  },
  'text to sign': (text) => refusing(() => claimsToSign(text, compileSignOptions({}), NOW_MS, 300)),
  'claim to sign': (text) => refusing(() => claimsToSign({ text, sub: text }, compileSignOptions({}), NOW_MS, 300)),
  'option value': (text) => refusing(() => compileSignOptions({ subject: text, header: { text }, expiresIn: text })),
  'option name': (text) => refusing(() => compileSignOptions({ [text]: 1 })),
  ring: (text) => refusing(() => parseRing(text)),
  'ring member': (text) => {
    const ring = formatRing({ ...RING, id: text });
    return () => parseRing(ring);
  },
  'command line': (text) => refusing(() => readArguments([`--${text}`, text], { audience: { type: 'string' } })),
  'many words': (text) => {
    const words = Array.from({ length: text.length / 64 }, () => ['--audience', text.slice(0, 1)]).flat();
    return refusing(() => readArguments(words, { audience: { type: 'string', multiple: true } }));
  },
};

/** However it ends. */
const refusing = (call: () => unknown) => () => tried(call, null);
