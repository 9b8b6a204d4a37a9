/**
 * Payloads that must be refused although the secret's owner signed them, and odd ones that are
 * right.
 */

import { base64url, forge } from './forge.js';
import { type Allowed, badUtf8, behind, type Hostile, payload, type Signer } from './hostile.js';

const noObjects = [
  '[]',
  '[{"a":1}]',
  '"text"',
  '1',
  'null',
  'true',
  '',
  ' ',
  'hello',
  '{',
  '{"a":1}}',
  '{"a":1}{}',
  '{"a":1,}',
  '{"a":NaN}',
  "{'a':1}",
  '{"a":1}\0',
  '{"a":"\n"}',
  '[['.repeat(2500),
];
const jwtTypes = [
  'jwt',
  'Jwt',
  'application/jwt',
  'APPLICATION/JWT',
  'at+jwt',
  'application/at+JWT',
  'dpop+jwt',
  '+jwt',
];
const noType = { typ: undefined };

export const hostilePayloads: readonly Hostile[] = [
  ...noObjects.map((text) =>
    payload('RFC 7519 §7.2 step 10', `${JSON.stringify(text).slice(0, 20)} under typ JWT`, text),
  ),
  ...jwtTypes.map((typ) => payload('RFC 7515 §4.1.9', `a text under typ ${typ}`, 'hello', { typ })),
  ...badUtf8.flatMap(([what, bytes]) => [
    payload('RFC 3629 §3', what, Buffer.from(`{"a":"${bytes}"}`, 'latin1')),
    payload('RFC 3629 §3', `${what}, in a text`, Buffer.from(`a${bytes}`, 'latin1'), noType),
    payload('RFC 3629 §3', `${what}, in the name of a claim`, Buffer.from(`{"${bytes}":1}`, 'latin1')),
  ]),
  payload('RFC 8259 §8.1', 'a byte order mark', '\uFEFF{"a":1}'),
  payload('RFC 8259 §8.1', 'a byte order mark before a text', '\uFEFFhello', noType),
  payload('RFC 8259 §8.1', 'UTF-16', Buffer.from('{"a":1}', 'utf16le')),
];

const depth = 2500;
const deep = `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
const polluting = '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}';
const headers: [rfc: string, what: string, of: (base: Signer['base']) => unknown][] = [
  ['RFC 7515 §4.1.9', 'no typ', ({ typ, ...rest }) => rest],
  ['RFC 7515 §4.1.9', 'typ in another case', (base) => ({ ...base, typ: 'application/jwt' })],
  [
    'RFC 7515 §4',
    'white space, and members in another order',
    (base) => ` ${JSON.stringify(reversed(base), null, '\t')}\r\n`,
  ],
  ['RFC 7515 §4', 'alg, escaped', (base) => JSON.stringify(base).replace('alg', '\\u0061lg')],
  ['RFC 7515 §4.2', 'unknown members', (base) => ({ ...base, x: null, 'https://example.com/y': [{ x: 1 }, { x: 2 }] })],
  [
    'RFC 7515 §4',
    'members of the same names further in',
    (base) => behind(base, '"x":{"alg":"none","kid":1,"alg":2,"crit":[]}'),
  ],
  ['RFC 7515 §4', 'strings full of JSON', (base) => ({ ...base, x: '":{"[\\"', '\\":': ',"alg":"none"' })],
  ['RFC 7515 §4', 'escaped quotation marks', (base) => behind(base, '"x":"\\"","y":"\\\\","z":1')],
  ['RFC 7515 §4', 'lists of like objects', (base) => ({ ...base, x: [{ a: 1 }, { a: 2, b: [':'] }] })],
  [
    'RFC 8725 §3.10',
    'keys and addresses, which rewt never follows',
    (base) => ({
      ...base,
      jku: 'http://127.0.0.1:9/jwks',
      x5u: 'http://127.0.0.1:9/x5u',
      jwk: { kty: 'oct', k: 'AAAA' },
      x5c: ['AAAA'],
    }),
  ],
  [
    'RFC 7519 §4',
    'claims in the header that would refuse it, which are none',
    (base) => ({ ...base, exp: 0, nbf: 9e10, aud: 'x' }),
  ],
  ['RFC 8259 §4', '__proto__', (base) => behind(base, '"__proto__":{"alg":"none","kid":"x","crit":["x"],"b64":false}')],
];

export const allowed: readonly Allowed[] = [
  ...headers.map(
    ([rfc, what, of]): Allowed => ({
      rfc,
      what: `a header with ${what}`,
      token: ({ base, by }) => forge(of(base), '{"a":1}', by),
      payload: { a: 1 },
    }),
  ),
  claims(
    'RFC 7519 §4',
    'of a claim that occurs twice, the last one',
    '{"aud":"x","aud":"a"}',
    { aud: 'a' },
    { audience: 'a' },
  ),
  claims('RFC 7519 §4', 'exp twice, the last one being later', '{"exp":1,"exp":9e10}', { exp: 9e10 }),
  claims('RFC 7519 §4', 'a claim twice, once escaped', '{"sub":"x","\\u0073ub":"a"}', { sub: 'a' }, { subject: 'a' }),
  claims('RFC 7519 §2', 'dates with fractions', '{"exp":8e10,"nbf":1.5,"iat":1799999999.999}', {
    exp: 8e10,
    nbf: 1.5,
    iat: 1799999999.999,
  }),
  claims('RFC 7519 §2', 'dates before 1970', '{"nbf":-1,"iat":-99999999999}', { nbf: -1, iat: -99999999999 }),
  claims('RFC 7519 §7.2', 'no claims', '{}', {}),
  claims('RFC 7519 §7.2', 'white space around them', ' {"a":1}\r\n', { a: 1 }),
  claims('RFC 8259 §4', 'names from Object.prototype, as own data', polluting, JSON.parse(polluting)),
  claims('RFC 8259 §7', 'lone surrogates, escaped', '{"a":"\\ud800"}', { a: '\ud800' }),
  claims('RFC 8259 §9', 'lists nested deeply', deep, JSON.parse(deep)),
  ...['hello', '', 'žluťoučký 🐎', '[1]', 'null', '{"a":1}}'].map(
    (text): Allowed => ({
      rfc: 'RFC 7515 §3',
      what: `a text, ${JSON.stringify(text)}`,
      token: ({ base, by }) => forge({ ...base, typ: undefined }, text, by),
      payload: text,
    }),
  ),
  {
    rfc: 'RFC 7515 §4.1.9',
    what: 'a text with another typ',
    token: ({ base, by }) => forge({ ...base, typ: 'text/plain' }, 'hello', by),
    payload: 'hello',
  },
  {
    rfc: 'RFC 8725 §2.1',
    what: 'a text that is the secret of a key pair, which is nothing but a text',
    token: ({ base, by }) => forge({ ...base, typ: undefined }, `-----BEGIN PRIVATE KEY-----\n${base64url('x')}`, by),
    payload: `-----BEGIN PRIVATE KEY-----\n${base64url('x')}`,
  },
];

function claims(rfc: string, what: string, text: string, expected: object, options = {}): Allowed {
  return { rfc, what, token: ({ base, by }) => forge(base, text, by), payload: expected, options };
}

function reversed(members: object): object {
  return Object.fromEntries(Object.entries(members).reverse());
}
