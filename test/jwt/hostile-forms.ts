/**
 * Whole tokens that must be refused for their form. Where a header or payload is misspelt, the MAC
 * is right over exactly that spelling.
 */

import { createHash, createHmac, createSecretKey } from 'node:crypto';
import { base64url, MAX_BYTES, otherKey, seal } from './forge.js';
import { form, type Hostile, headLeaving, leftOver, type Parts, partsOf, type Signer } from './hostile.js';

const MALFORMED = 'ERR_REWT_MALFORMED';
const FORGED = 'ERR_REWT_BAD_SIGNATURE';
const UNKNOWN = 'ERR_REWT_UNKNOWN_KEY';

/** Anything that a caller without types may hand over. */
const noStrings: [string, (token: string) => unknown][] = [
  ['undefined', () => undefined],
  ['null', () => null],
  ['a number', () => 1],
  ['NaN', () => Number.NaN],
  ['a bigint', () => 1n],
  ['true', () => true],
  ['a symbol', () => Symbol('token')],
  ['a function', (token) => () => token],
  ['bytes', (token) => Buffer.from(token)],
  ['a list', (token) => [token]],
  ['a boxed string', (token) => Object(token)],
  ['an object that turns into one', (token) => ({ toString: () => token, length: token.length })],
  [
    'an object whose members throw',
    () =>
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('canary');
          },
        },
      ),
  ],
];

/** RFC 7515 §7.1: three parts, two dots, nothing around them. */
const shapes: Hostile[] = [
  ...noStrings.map(([what, of]) => form('RFC 7515 §7.1', `no string: ${what}`, ({ token }) => of(token))),
  form('RFC 7515 §7.1', 'empty', () => ''),
  form('RFC 7515 §7.1', 'one part', ({ head }) => head),
  form('RFC 7515 §7.1', 'two parts', ({ head, body }) => `${head}.${body}`),
  form('RFC 7515 §7.1', 'four parts', ({ token, tail }) => `${token}.${tail}`),
  form('RFC 7515 §7.1', 'four parts, the MAC being right over three', ({ seal, head, body }) =>
    seal(head, `${body}.${body}`),
  ),
  form('RFC 7516 §7.1', 'five parts, as a JWE has', ({ token, tail }) => `${token}.${tail}.${tail}`),
  form(
    'RFC 7516 §7.1',
    'five parts under the header of a JWE',
    ({ tail }) => `${base64url('{"alg":"dir","enc":"A256GCM"}')}..${tail}.${tail}.${tail}`,
  ),
  form('RFC 7515 §7.1', 'a dot before', ({ token }) => `.${token}`),
  form('RFC 7515 §7.1', 'a dot after', ({ token }) => `${token}.`),
  form('RFC 7515 §7.1', 'a dot twice', ({ token }) => token.replace('.', '..')),
  form('RFC 7515 §7.1', 'two dots only', () => '..'),
  form('RFC 7515 §7.1', 'nothing but dots', () => '.'.repeat(8000)),
  form('RFC 7515 §7.1', 'dots behind a header', ({ head }) => head + '.'.repeat(8000)),
  form('RFC 7515 §7.1', 'no header', ({ body, tail }) => `.${body}.${tail}`),
  form('RFC 7515 §7.2.1', 'the general JSON serialization', ({ head, body, tail }) =>
    JSON.stringify({ payload: body, signatures: [{ protected: head, signature: tail }] }),
  ),
  form('RFC 7515 §7.2.2', 'the flattened JSON serialization', ({ head, body, tail }) =>
    JSON.stringify({ protected: head, payload: body, signature: tail }),
  ),
  form('RFC 7515 §7.2', 'both at once: JSON with a token in it', ({ token }) => `{"token":"${token}"}`),
  ...[' ', '\t', '\n', '\r\n', '\0', '\uFEFF', '\u200b', '"'].flatMap((character) => [
    form('RFC 7515 §7.1', `${JSON.stringify(character)} before`, ({ token }) => character + token),
    form('RFC 7515 §7.1', `${JSON.stringify(character)} after`, ({ token }) => token + character),
  ]),
  form('RFC 6750 §2.1', 'the scheme before it', ({ token }) => `Bearer ${token}`),
];

/** RFC 7518 §3.2: 32 bytes, of HMAC-SHA256 over the text before them, by the secret. */
const signatures: Hostile[] = [
  form('RFC 7515 §5.2', 'no signature', ({ head, body }) => `${head}.${body}.`),
  ...[1, 16, 31, 33, 48, 64].map((bytes) =>
    form(
      'RFC 7518 §3.2',
      `a signature of ${bytes} bytes`,
      ({ head, body }) => `${head}.${body}.${base64url(Buffer.alloc(bytes))}`,
    ),
  ),
  form(
    'RFC 7518 §3.2',
    'the signature in hex',
    ({ head, body, tail }) => `${head}.${body}.${Buffer.from(tail, 'base64url').toString('hex')}`,
  ),
  form('RFC 7518 §3.2', 'the signature twice', ({ token, tail }) => token + tail),
  ...forged('all zeros', ({ head, body }) => `${head}.${body}.${base64url(Buffer.alloc(32))}`),
  ...forged('of another secret', ({ head, body }) => seal(head, body, otherKey)),
  ...forged('of the empty secret', ({ head, body }) => seal(head, body, createSecretKey(Buffer.alloc(0)))),
  ...forged('of the secret in hex', ({ head, body }, { by }) =>
    seal(head, body, createSecretKey(Buffer.from(by.export().toString('hex')))),
  ),
  ...forged('of the secret decoded', ({ head, body }, { by }) =>
    seal(head, body, createSecretKey(Buffer.from(by.export().toString(), 'base64url'))),
  ),
  ...forged(
    'of another payload',
    ({ head, body, tail }) => `${head}.${base64url('{"sub":"eve"}')}.${tail.replace(body, body)}`,
  ),
  ...forged('of no payload', ({ head, tail }) => `${head}..${tail}`),
  ...forged(
    'of the payload alone',
    ({ head, body }, { by }) => `${head}.${body}.${createHmac('sha256', by).update(body).digest('base64url')}`,
  ),
  ...forged(
    'of both without the dot',
    ({ head, body }, { by }) =>
      `${head}.${body}.${createHmac('sha256', by)
        .update(head + body)
        .digest('base64url')}`,
  ),
  ...forged(
    'of what they decode to',
    ({ head, body }, { by }) =>
      `${head}.${body}.${createHmac('sha256', by)
        .update(`${Buffer.from(head, 'base64url')}.${Buffer.from(body, 'base64url')}`)
        .digest('base64url')}`,
  ),
  ...forged(
    'a hash of secret and text',
    ({ head, body }, { by }) =>
      `${head}.${body}.${createHash('sha256').update(by.export()).update(`${head}.${body}`).digest('base64url')}`,
  ),
  ...forged(
    'a hash of text and secret',
    ({ head, body }, { by }) =>
      `${head}.${body}.${createHash('sha256').update(`${head}.${body}`).update(by.export()).digest('base64url')}`,
  ),
  ...forged('of HMAC-SHA-512, cut', ({ head, body }, { by }) => {
    const mac = createHmac('sha512', by).update(`${head}.${body}`).digest();
    return `${head}.${body}.${mac.subarray(0, 32).toString('base64url')}`;
  }),
  form(
    'RFC 7518 §3.2',
    'the signature of HMAC-SHA-512',
    ({ head, body }) => `${head}.${body}.${base64url(Buffer.alloc(64, 1))}`,
  ),
];

function forged(what: string, of: (parts: Parts, signer: Signer) => string): Hostile[] {
  return [
    { rfc: 'RFC 7515 §5.2', what: `a signature ${what}`, token: (signer) => of(partsOf(signer), signer), code: FORGED },
  ];
}

const foreign = [
  '=',
  '+',
  '/',
  ' ',
  '\n',
  '\r',
  '\t',
  '\0',
  '!',
  '*',
  '?',
  '%',
  '~',
  ',',
  'ž',
  '\u0141',
  '\uFEFF',
  '🐎',
];

/**
 * RFC 7515 §2 and RFC 4648 §3.2, §3.3, §3.5, §5: base64url without padding, and each part in its
 * one spelling.
 */
const spellings: Hostile[] = [
  form('RFC 7515 §2', 'padding in the header', ({ seal, body }) => seal(`${base64url('{"alg":"HS256"} ')}==`, body)),
  form('RFC 7515 §2', 'padding in the payload', ({ seal, head }) => seal(head, `${base64url('{}')}=`)),
  form('RFC 7515 §2', 'padding in the signature', ({ token }) => `${token}=`),
  form('RFC 7515 §2', 'padding in all parts', ({ token }) =>
    token
      .split('.')
      .map((part) => part.padEnd(Math.ceil(part.length / 4) * 4, '='))
      .join('.'),
  ),
  form('RFC 4648 §5', 'the alphabet of base64 in the header', ({ seal, body }) =>
    seal(Buffer.from('{"alg":"HS256","x":"??>"}').toString('base64'), body),
  ),
  form('RFC 4648 §5', 'the alphabet of base64 in the payload', ({ seal, head }) =>
    seal(head, Buffer.from('"??>~~~"').toString('base64')),
  ),
  form(
    'RFC 4648 §5',
    'the alphabet of base64 in the signature',
    ({ head, body }) => `${head}.${body}.${Buffer.alloc(32, 0xff).toString('base64').slice(0, 43)}`,
    FORGED,
  ),
  ...foreign.flatMap((character) => [
    form('RFC 4648 §3.3', `${JSON.stringify(character)} in the header`, ({ seal, head, body }) =>
      seal(head.slice(0, 8) + character + head.slice(8), body),
    ),
    form('RFC 4648 §3.3', `${JSON.stringify(character)} behind the header`, ({ seal, head, body }) =>
      seal(head + character, body),
    ),
    form('RFC 4648 §3.3', `${JSON.stringify(character)} in the payload`, ({ seal, head, body }) =>
      seal(head, body.slice(0, 4) + character + body.slice(4)),
    ),
    form('RFC 4648 §3.3', `${JSON.stringify(character)} behind the payload`, ({ seal, head, body }) =>
      seal(head, body + character),
    ),
    form(
      'RFC 4648 §3.3',
      `${JSON.stringify(character)} in the signature`,
      ({ head, body, tail }) => `${head}.${body}.${tail.slice(0, 20)}${character}${tail.slice(20)}`,
    ),
    form(
      'RFC 4648 §3.3',
      `${JSON.stringify(character)} in place of one of the signature's`,
      ({ head, body, tail }) => `${head}.${body}.${tail.slice(0, 21 - character.length)}${character}${tail.slice(21)}`,
      FORGED,
    ),
  ]),
  form('RFC 4648 §3.3', 'a character of the payload that has the low byte of another', ({ seal, head, body }) =>
    seal(head, aliased(body)),
  ),
  form(
    'RFC 4648 §3.3',
    'a character of the signature that has the low byte of another',
    ({ head, body, tail }) => `${head}.${body}.${aliased(tail)}`,
    FORGED,
  ),
  form('RFC 4648 §3.5', 'bits left over in the payload, one byte in its last group', ({ seal, head }) =>
    seal(head, leftOver(base64url('{ }  ..'))),
  ),
  form('RFC 4648 §3.5', 'bits left over in the payload, two bytes', ({ seal, head }) =>
    seal(head, leftOver(base64url('{ }  '))),
  ),
  form(
    'RFC 4648 §3.5',
    'bits left over in the signature',
    ({ head, body, tail }) => `${head}.${body}.${leftOver(tail)}`,
    FORGED,
  ),
  ...([1, 2] as const).map(
    (left): Hostile => ({
      rfc: 'RFC 4648 §3.5',
      what: `bits left over in the header, ${left} byte(s) in its last group`,
      token: ({ base, by }) => seal(leftOver(headLeaving(left, base)), base64url('{}'), by),
      code: MALFORMED,
      // As long as ours and not ours: an unknown key.
      ownCode: left === 2 ? UNKNOWN : undefined,
      memberCode: MALFORMED,
    }),
  ),
  form('RFC 4648 §4', 'a length that cannot be in the header', ({ seal, body }) =>
    seal(`${base64url('{"alg":"HS256"}   ')}A`, body),
  ),
  form('RFC 4648 §4', 'a length that cannot be in the payload', ({ seal, head }) =>
    seal(head, `${base64url('{}    ')}A`),
  ),
  form('RFC 4648 §4', 'a length that cannot be in the signature', ({ token }) => `${token}AA`),
];

function aliased(segment: string): string {
  return segment.replace(/^./, (character) => String.fromCharCode(character.charCodeAt(0) + 0x100));
}

/** RFC 7515 §10, RFC 8725 §3: no sender makes us work for what we shall not take. */
const sizes: Hostile[] = [
  form('RFC 7515 §10', 'one byte more than allowed', ({ seal, head }) =>
    seal(head, 'A'.repeat(MAX_BYTES - head.length - 44)),
  ),
  form('RFC 7515 §10', 'a megabyte of claims, signed', ({ seal, head }) =>
    seal(head, base64url(`{"a":"${'a'.repeat(1_000_000)}"}`)),
  ),
  form('RFC 7515 §10', 'a megabyte of dots', () => '.'.repeat(1_000_000)),
  form('RFC 7515 §10', 'a megabyte of letters', () => 'A'.repeat(1_000_000)),
  form('RFC 7515 §10', 'a megabyte behind a header', ({ head }) => head + 'A'.repeat(1_000_000)),
  form('RFC 7515 §10', 'a megabyte of spaces before', ({ token }) => ' '.repeat(1_000_000) + token),
];

export const hostileForms: readonly Hostile[] = [...shapes, ...signatures, ...spellings, ...sizes];
