/** Headers that must be refused, each under a MAC that is right. */

import { createHmac, createSecretKey, generateKeyPairSync, sign } from 'node:crypto';
import { base64url, forge, seal } from './forge.js';
import { badUtf8, behind, type Hostile, header, type Signer } from './hostile.js';

const UNSUPPORTED = 'ERR_REWT_UNSUPPORTED';
const MALFORMED = 'ERR_REWT_MALFORMED';
const UNKNOWN = 'ERR_REWT_UNKNOWN_KEY';
const FORGED = 'ERR_REWT_BAD_SIGNATURE';

const nones = ['none', 'None', 'NONE', 'nOnE'];
const otherAlgorithms = ['HS384', 'HS512', 'RS256', 'ES256', 'PS256', 'EdDSA', 'dir', 'HS1', 'HS'];
const nearly = ['hs256', 'Hs256', 'HS256 ', ' HS256', 'HS256\0', 'HS2560', 'H\u017f256', 'ＨＳ256', 'HMAC-SHA256', ''];
const noText: unknown[] = [256, 0, null, true, false, ['HS256'], [], { HS256: true }, { toString: 'HS256' }];

/**
 * RFC 7515 §4.1.1, RFC 7518 §3.1, RFC 8725 §3.1-3.2: exactly one algorithm, and the token has no
 * say in it.
 */
const algorithms: Hostile[] = [
  ...[...nones, ...otherAlgorithms, ...nearly].map((alg) =>
    header('RFC 8725 §3.1', `alg ${JSON.stringify(alg)}`, (base) => ({ ...base, alg }), UNSUPPORTED),
  ),
  ...nones.map((alg) => withoutMac(alg)),
  ...noText.map((alg) =>
    header('RFC 7515 §4.1.1', `alg ${JSON.stringify(alg)}`, (base) => ({ ...base, alg }), UNSUPPORTED),
  ),
  header('RFC 7515 §4.1.1', 'no alg', ({ alg, ...rest }) => rest, UNSUPPORTED),
  header('RFC 7515 §4.1.1', 'no members at all', () => '{}', UNSUPPORTED),
  header('RFC 7515 §4.1.1', 'Alg in place of alg', ({ alg, ...rest }) => ({ Alg: alg, ...rest }), UNSUPPORTED),
  header('RFC 7515 §4.1.1', 'alg inherited through __proto__', () => '{"__proto__":{"alg":"HS256"}}', UNSUPPORTED),
  ...(['HS384', 'HS512'] as const).map(
    (alg): Hostile => ({
      rfc: 'RFC 8725 §3.1',
      what: `${alg} and its own MAC, of our secret`,
      token: ({ base, by }) => {
        const signedPart = `${base64url(JSON.stringify({ ...base, alg }))}.${base64url('{}')}`;
        const hash = alg === 'HS384' ? 'sha384' : 'sha512';
        return `${signedPart}.${createHmac(hash, by).update(signedPart).digest('base64url')}`;
      },
      code: UNSUPPORTED,
    }),
  ),
  ...(['RS256', 'ES256', 'EdDSA'] as const).map(
    (alg): Hostile => ({
      rfc: 'RFC 8725 §3.1',
      what: `${alg} and a signature that is right, its key beside it`,
      token: ({ base }) => signedAs(alg, base),
      code: UNSUPPORTED,
    }),
  ),
];

function withoutMac(alg: string): Hostile {
  const token = ({ base }: Signer) => `${base64url(JSON.stringify({ ...base, alg }))}.${base64url('{}')}.`;
  return { rfc: 'RFC 8725 §3.2', what: `alg ${alg} and an empty signature`, token, code: UNSUPPORTED };
}

function signedAs(alg: 'RS256' | 'ES256' | 'EdDSA', base: Signer['base']): string {
  const { privateKey, publicKey } =
    alg === 'RS256'
      ? // Short, since it is to be made quickly.
        generateKeyPairSync('rsa', { modulusLength: 1024 })
      : alg === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519');
  const jwk = publicKey.export({ format: 'jwk' });
  const signedPart = `${base64url(JSON.stringify({ ...base, alg, jwk }))}.${base64url('{}')}`;
  const hash = alg === 'EdDSA' ? null : 'sha256';
  const signature = sign(hash, Buffer.from(signedPart), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signedPart}.${signature.toString('base64url')}`;
}

const crits: unknown[] = [
  ['x-unknown'],
  [],
  'foo',
  '',
  null,
  ['alg'],
  ['exp'],
  ['b64'],
  ['b64', 'b64'],
  [''],
  [null],
  [['alg']],
  false,
  0,
  {},
];

/** RFC 7515 §4.1.11 and RFC 7797: extensions that must be understood, and we understand none. */
const extensions: Hostile[] = [
  ...crits.map((crit) =>
    header('RFC 7515 §4.1.11', `crit ${JSON.stringify(crit)}`, (base) => ({ ...base, crit, exp: 1 }), UNSUPPORTED),
  ),
  header('RFC 7515 §4.1.11', 'crit before all others', (base) => ({ crit: ['x'], x: 1, ...base }), UNSUPPORTED),
  header('RFC 7515 §4.1.11', 'crit, escaped', (base) => behind(base, '"cr\\u0069t":["x"]'), UNSUPPORTED),
  ...[false, true, null, 'false', 0].map((b64) =>
    header('RFC 7797 §3', `b64 ${JSON.stringify(b64)} without crit`, (base) => ({ ...base, b64 }), UNSUPPORTED),
  ),
  header('RFC 7797 §3', 'b64 false with crit', (base) => ({ ...base, b64: false, crit: ['b64'] }), UNSUPPORTED),
  {
    rfc: 'RFC 7797 §3',
    what: 'b64 false, and a payload that was signed as it stands',
    token: ({ base, by }) => {
      const head = base64url(JSON.stringify({ ...base, b64: false, crit: ['b64'] }));
      return seal(head, '{"sub":"ann"}', by);
    },
    code: UNSUPPORTED,
  },
];

const noKids: unknown[] = [1, 0, null, true, false, {}, [], ['k'], '', 'k'.repeat(257), 'k'.repeat(5000)];
const strangeKids = [
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'length', '0', 'null', 'undefined', 'NaN'],
  ...[
    '../../dev/null',
    '/etc/passwd',
    '*',
    '.*',
    '%00',
    "' OR 1=1 --",
    '{{7*7}}',
    '\r\nX-Injected: 1',
    '\u001b[2J',
    '\0',
  ],
  ...['AAAAAAAAAAA', '___________', 'k'.repeat(11), 'ž'.repeat(11), '\u202e', 'k'.repeat(256)],
];

/** RFC 7515 §4.1.4: a kid names one secret, whole and exactly, or none. */
const kids: Hostile[] = [
  ...noKids.map((kid) => header('RFC 7515 §4.1.4', `kid ${cut(kid)}`, (base) => ({ ...base, kid }), MALFORMED)),
  header('RFC 7515 §4.1.4', 'a kid of 10 kB', (base) => ({ ...base, kid: 'k'.repeat(10_000) }), MALFORMED),
  ...strangeKids.map((kid) => header('RFC 7515 §4.1.4', `kid ${cut(kid)}`, (base) => ({ ...base, kid }), UNKNOWN)),
  header(
    'RFC 7515 §4.1.4',
    'a kid that is a lone surrogate',
    ({ kid, ...rest }) => behind(rest, '"kid":"\\ud800"'),
    UNKNOWN,
  ),
  header('RFC 7515 §4.1.4', 'a kid of ours and a space', (base, kid) => ({ ...base, kid: `${kid} ` }), UNKNOWN),
  header(
    'RFC 7515 §4.1.4',
    'a kid of ours without its end',
    (base, kid) => ({ ...base, kid: kid.slice(0, -1) }),
    UNKNOWN,
  ),
  header(
    'RFC 7515 §4.1.4',
    'a kid of ours in other cases',
    (base, kid) => ({ ...base, kid: otherCases(kid) }),
    UNKNOWN,
  ),
  header('RFC 7515 §4.1.4', 'a kid of ours in a list', (base, kid) => ({ ...base, kid: [kid] }), MALFORMED),
  // It looks like one of ours to code that does not read it.
  header(
    'RFC 7515 §4.1.4',
    'a list as long as a kid of ours',
    (base) => ({ ...base, kid: ['123456789'] }),
    UNKNOWN,
    MALFORMED,
  ),
  header(
    'RFC 7515 §4.1.4',
    'a kid as long as ours, and another member',
    (base) => ({ ...base, kid: '1', x: '' }),
    UNKNOWN,
  ),
  {
    rfc: 'RFC 8725 §3.10',
    what: 'another key beside the kid, and the MAC by that key',
    token: ({ base }) => {
      const own = createSecretKey(Buffer.from('attacker-attacker-attacker-attacker'));
      const jwk = { kty: 'oct', alg: 'HS256', k: base64url('attacker-attacker-attacker-attacker') };
      return forge({ ...base, jwk, jku: 'http://127.0.0.1:9/', x5c: [jwk.k] }, '{}', own);
    },
    code: FORGED,
  },
];

function cut(kid: unknown): string {
  const text = JSON.stringify(kid);
  return text.length > 30 ? `${text.slice(0, 10)}… of ${text.length - 2} characters` : text;
}

function otherCases(text: string): string {
  const upper = text.toUpperCase();
  return upper === text ? text.toLowerCase() : upper;
}

/** RFC 7515 §4.1.9. */
const types: Hostile[] = [1, null, true, ['JWT'], {}].map((typ) =>
  header('RFC 7515 §4.1.9', `typ ${JSON.stringify(typ)}`, (base) => ({ ...base, typ }), MALFORMED),
);

/**
 * RFC 7515 §4: member names must be unique. A header picks the key before anything is
 * authenticated, so two readers must not see two headers.
 */
const twice: [what: string, of: (base: Signer['base'], kid: string) => string][] = [
  ['alg twice, none first', () => '{"alg":"none","alg":"HS256"}'],
  ['alg twice, none last', () => '{"alg":"HS256","alg":"none"}'],
  ['kid twice', () => '{"alg":"HS256","kid":"a","kid":"b"}'],
  ['kid twice, one of them escaped', () => '{"alg":"HS256","kid":"a","\\u006bid":"b"}'],
  ['an unknown member twice', () => '{"alg":"HS256","x":1,"y":{"x":":"},"x":1}'],
  ['__proto__ twice', () => '{"alg":"HS256","__proto__":1,"__proto__":1}'],
  ['alg once more, none', (base) => behind(base, '"alg":"none"')],
  ['alg once more, the same', (base) => behind(base, '"alg":"HS256"')],
  ['typ once more', (base) => behind(base, '"typ":"JWT"')],
  ['typ once more, escaped', (base) => behind(base, '"\\u0074yp":"JWT"')],
  ['kid once more, the same', (base, kid) => behind({ ...base, kid }, `"kid":"${kid}"`)],
  ['kid once more, another', (base, kid) => behind({ ...base, kid: 'AAAAAAAAAAA' }, `"kid":"${kid}"`)],
];
const duplicates: Hostile[] = twice.map(([what, of]) => header('RFC 7515 §4', what, of, MALFORMED));

const noObjects = [
  '',
  ' ',
  '[]',
  '["alg","HS256"]',
  'null',
  '"HS256"',
  '1',
  'true',
  '{',
  '{"alg":"HS256"',
  '{"alg":"HS256"}}',
  '{"alg":"HS256"}{}',
  '{"alg":"HS256",}',
  "{'alg':'HS256'}",
  '{alg:"HS256"}',
  '{"alg":"HS256"}\0',
  '{"alg":"HS256","x":NaN}',
  '{"alg":"HS256"/**/}',
  '{"alg":"HS256","x":"\n"}',
];
/** RFC 7515 §5.2 step 3, RFC 8259, RFC 3629: a JSON object, in UTF-8. */
const texts: Hostile[] = [
  ...noObjects.map((text) => header('RFC 7515 §5.2', `the text ${JSON.stringify(text)}`, () => text, MALFORMED)),
  header('RFC 8259 §8.1', 'a byte order mark', (base) => `\uFEFF${JSON.stringify(base)}`, MALFORMED),
  header('RFC 8259 §8.1', 'UTF-16', (base) => Buffer.from(JSON.stringify(base), 'utf16le'), MALFORMED),
  ...badUtf8.map(([what, bytes]) =>
    header('RFC 3629 §3', what, (base) => Buffer.from(behind(base, `"x":"${bytes}"`), 'latin1'), MALFORMED),
  ),
];

export const hostileHeaders: readonly Hostile[] = [
  ...algorithms,
  ...extensions,
  ...kids,
  ...types,
  ...duplicates,
  ...texts,
];
