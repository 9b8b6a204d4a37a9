import { createHmac, createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  BAD_SIGNATURE,
  decodePayload,
  encodeHeader,
  isJwtType,
  isRefusal,
  MALFORMED,
  readToken,
  signToken,
  UNKNOWN_KEY,
  UNSUPPORTED,
} from '../../src/jwt/token.js';
import { base64url, forge, isSignedBy, key, MOST_BYTES, macOf, otherKey, parsed, seal, thrownBy } from './forge.js';

const good = { alg: 'HS256', typ: 'JWT' };
const goodHeader = base64url(JSON.stringify(good));
const goodToken = forge(good, '{"sub":"ann"}');

afterEach(() => {
  vi.restoreAllMocks();
});

describe('signing', () => {
  it('writes the header alg, typ, kid in this order', () => {
    expect(Buffer.from(encodeHeader('k1'), 'base64url').toString()).toBe('{"alg":"HS256","typ":"JWT","kid":"k1"}');
  });

  it('writes no typ for a text (RFC 7519 §5.1)', () => {
    expect(Buffer.from(encodeHeader('k1', 'text'), 'base64url').toString()).toBe('{"alg":"HS256","kid":"k1"}');
  });

  it('adds the members of the header option, whose typ takes the place of ours', () => {
    const segment = encodeHeader('k1', 'claims', { typ: 'at+jwt', cty: 'x' });
    expect(Buffer.from(segment, 'base64url').toString()).toBe('{"alg":"HS256","typ":"at+jwt","kid":"k1","cty":"x"}');
  });

  it('makes a token that is read back as it was', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }),
        (text, kid) => {
          fc.pre(!text.startsWith('\uFEFF') && kid.length <= 256);
          const token = parsed(signToken(encodeHeader(kid), text, macOf(key), MOST_BYTES));
          expect(token.kid).toBe(kid);
          expect(token.payload.toString()).toBe(text);
          expect(isSignedBy(token, key)).toBe(true);
          expect(isSignedBy(token, otherKey)).toBe(false);
        },
      ),
    );
  });

  it('refuses a token longer than verifiers take, and says how long it would be', () => {
    const header = encodeHeader('k1');
    const fits = 'x'.repeat(((MOST_BYTES - header.length - 45) * 3) / 4);
    expect(readToken(signToken(header, fits, macOf(key), MOST_BYTES), MOST_BYTES)).not.toBe(MALFORMED);
    const error = thrownBy(() => signToken(header, `${fits}xxx`, macOf(key), MOST_BYTES));
    expect(error).toMatchObject({ name: 'OptionError', code: 'ERR_REWT_PAYLOAD' });
    expect(String(error)).toMatch(/would have \d+ bytes and maxTokenBytes allows 8192: put less into it/);
    expect(signToken(header, 'x', macOf(key), 1000).length).toBeLessThan(1000);
    expect(() => signToken(header, 'x', macOf(key), 10)).toThrow('allows 10');
  });
});

describe('RFC 7515 appendix A.1', () => {
  const base64urlText = (segment: string) => Buffer.from(segment, 'base64url').toString();
  const rfcKey = createSecretKey(
    Buffer.from('AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow', 'base64url'),
  );
  const rfcHeader = 'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9';
  const rfcPayload = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';
  const rfcToken = `${rfcHeader}.${rfcPayload}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`;

  it('is made to the byte', () => {
    expect(signToken(rfcHeader, base64urlText(rfcPayload), macOf(rfcKey), MOST_BYTES)).toBe(rfcToken);
  });

  it('is read, authentic, and carries its claims', () => {
    const token = parsed(rfcToken);
    expect(isSignedBy(token, rfcKey)).toBe(true);
    expect(decodePayload(token)).toMatchObject({
      claims: { iss: 'joe', exp: 1300819380, 'http://example.com/is_root': true },
    });
  });
});

/** Every header here is under a MAC that is right, so nothing but the rule in question can refuse it. */
const hostileHeaders: [rfc: string, what: string, header: unknown, code: string][] = [
  // RFC 7515 §4.1.1, RFC 7518 §3.1, RFC 8725 §3.1-3.2: the algorithm.
  ...[
    'none',
    'None',
    'NONE',
    'nOnE',
    'hs256',
    'Hs256',
    'HS256 ',
    ' HS256',
    'HS384',
    'HS512',
    'RS256',
    'ES256',
    'PS256',
    'EdDSA',
    'dir',
    '',
  ].map(
    (alg) =>
      ['RFC 8725 §3.1', `alg ${JSON.stringify(alg)}`, { ...good, alg }, 'ERR_REWT_UNSUPPORTED'] as [
        string,
        string,
        unknown,
        string,
      ],
  ),
  ...[256, null, true, ['HS256'], { HS256: true }].map(
    (alg) =>
      ['RFC 7515 §4.1.1', `alg ${JSON.stringify(alg)}`, { ...good, alg }, 'ERR_REWT_UNSUPPORTED'] as [
        string,
        string,
        unknown,
        string,
      ],
  ),
  ['RFC 7515 §4.1.1', 'no alg', { typ: 'JWT' }, 'ERR_REWT_UNSUPPORTED'],
  ['RFC 7515 §4.1.1', 'Alg in place of alg', { Alg: 'HS256' }, 'ERR_REWT_UNSUPPORTED'],
  ['RFC 7515 §4.1.1', 'alg inherited through __proto__', '{"__proto__":{"alg":"HS256"}}', 'ERR_REWT_UNSUPPORTED'],
  // RFC 7515 §4.1.11: critical extensions.
  ...[['x-unknown'], [], 'foo', null, ['alg'], ['exp'], ['b64', 'b64'], false, 0, {}].map(
    (crit) =>
      ['RFC 7515 §4.1.11', `crit ${JSON.stringify(crit)}`, { ...good, crit, exp: 1 }, 'ERR_REWT_UNSUPPORTED'] as [
        string,
        string,
        unknown,
        string,
      ],
  ),
  ['RFC 7797 §3', 'b64 false without crit', { ...good, b64: false }, 'ERR_REWT_UNSUPPORTED'],
  ['RFC 7797 §3', 'b64 false with crit', { ...good, b64: false, crit: ['b64'] }, 'ERR_REWT_UNSUPPORTED'],
  ['RFC 7797 §3', 'b64 true', { ...good, b64: true }, 'ERR_REWT_UNSUPPORTED'],
  // RFC 7515 §4.1.4: kid.
  ...[1, null, true, {}, [], ['k'], '', 'k'.repeat(257), 'k'.repeat(5000)].map(
    (kid) =>
      ['RFC 7515 §4.1.4', `kid ${JSON.stringify(kid).slice(0, 20)}`, { ...good, kid }, 'ERR_REWT_MALFORMED'] as [
        string,
        string,
        unknown,
        string,
      ],
  ),
  // RFC 7515 §4.1.9: typ.
  ...[1, null, ['JWT'], {}].map(
    (typ) =>
      ['RFC 7515 §4.1.9', `typ ${JSON.stringify(typ)}`, { ...good, typ }, 'ERR_REWT_MALFORMED'] as [
        string,
        string,
        unknown,
        string,
      ],
  ),
  // RFC 7515 §4: member names must be unique.
  ['RFC 7515 §4', 'alg twice, none first', '{"alg":"none","alg":"HS256"}', 'ERR_REWT_MALFORMED'],
  ['RFC 7515 §4', 'alg twice, none last', '{"alg":"HS256","alg":"none"}', 'ERR_REWT_MALFORMED'],
  ['RFC 7515 §4', 'kid twice', '{"alg":"HS256","kid":"a","kid":"b"}', 'ERR_REWT_MALFORMED'],
  ['RFC 7515 §4', 'kid twice, one of them escaped', '{"alg":"HS256","kid":"a","\\u006bid":"b"}', 'ERR_REWT_MALFORMED'],
  ['RFC 7515 §4', 'a member nobody knows twice', '{"alg":"HS256","x":1,"y":{"x":":"},"x":1}', 'ERR_REWT_MALFORMED'],
  ['RFC 7515 §4', '__proto__ twice', '{"alg":"HS256","__proto__":1,"__proto__":1}', 'ERR_REWT_MALFORMED'],
  // RFC 7515 §5.2 step 3, RFC 8259: a JSON object in UTF-8.
  ...[
    '',
    ' ',
    '[]',
    '["alg","HS256"]',
    'null',
    '"HS256"',
    '1',
    'true',
    '{',
    '{"alg":"HS256"}}',
    '{"alg":"HS256",}',
    "{'alg':'HS256'}",
    '{"alg":"HS256"}\0',
  ].map(
    (text) =>
      ['RFC 7515 §5.2', `header text ${JSON.stringify(text)}`, text, 'ERR_REWT_MALFORMED'] as [
        string,
        string,
        unknown,
        string,
      ],
  ),
  ['RFC 8259 §8.1', 'a byte order mark', '\uFEFF{"alg":"HS256"}', 'ERR_REWT_MALFORMED'],
  ['RFC 3629 §3', 'the byte 0xFF', Buffer.from('{"alg":"HS256","x":"\xff"}', 'latin1'), 'ERR_REWT_MALFORMED'],
  [
    'RFC 3629 §3',
    'a surrogate in UTF-8',
    Buffer.from('{"alg":"HS256","x":"\xed\xa0\x80"}', 'latin1'),
    'ERR_REWT_MALFORMED',
  ],
  ['RFC 3629 §3', 'an overlong form', Buffer.from('{"alg":"HS256","x":"\xc0\xaf"}', 'latin1'), 'ERR_REWT_MALFORMED'],
];

describe('a hostile header under a MAC that is right', () => {
  it.each(hostileHeaders)('%s: %s', (_rfc, _what, header, code) => {
    expect(readToken(forge(header), MOST_BYTES)).toMatchObject({ code });
  });
});

describe('a foreign header that is right', () => {
  it.each<[string, unknown, string | undefined]>([
    ['no typ (jose)', { alg: 'HS256' }, undefined],
    ['other order and white space (RFC 7515 A.1)', ' {"typ":"JWT",\r\n "alg":"HS256"} ', undefined],
    ['a nested object with members of the same names', '{"alg":"HS256","kid":"k","x":{"alg":1,"kid":2,"alg":3}}', 'k'],
    ['strings full of JSON', { alg: 'HS256', x: '":{"[\\"', '\\":': ',"a":' }, undefined],
    ['an escaped quotation mark before other members', '{"alg":"HS256","x":"\\"","kid":"k"}', 'k'],
    ['lists of objects', { alg: 'HS256', x: [{ a: 1 }, { a: 2, b: [':'] }] }, undefined],
    [
      'keys and addresses in it, which nobody follows (RFC 8725 §3.10)',
      {
        alg: 'HS256',
        jku: 'http://127.0.0.1:9/',
        x5u: 'http://127.0.0.1:9/',
        jwk: { kty: 'oct', k: 'AAAA' },
        x5c: ['AAAA'],
      },
      undefined,
    ],
    ['a kid from Object.prototype', { alg: 'HS256', kid: '__proto__' }, '__proto__'],
    ['a kid like a path', { alg: 'HS256', kid: '../../dev/null' }, '../../dev/null'],
    ['a kid with a lone surrogate, which no keyring has', '{"alg":"HS256","kid":"\\ud800"}', '\ud800'],
    ['the longest kid', { alg: 'HS256', kid: 'k'.repeat(256) }, 'k'.repeat(256)],
  ])('is read: %s', (_what, header, kid) => {
    const token = parsed(forge(header));
    expect(token.kid).toBe(kid);
    expect(isSignedBy(token, key)).toBe(true);
  });

  it('has its members as own data, __proto__ too', () => {
    const { header } = parsed(forge('{"alg":"HS256","__proto__":{"admin":true}}'));
    expect((header as { admin?: unknown }).admin).toBeUndefined();
    expect(Object.hasOwn(header, '__proto__')).toBe(true);
  });

  it('never brings the key: with its own jwk the MAC must still be ours', () => {
    const jwk = { kty: 'oct', k: base64url('attacker-attacker-attacker-attacker') };
    const own = createSecretKey(Buffer.from('attacker-attacker-attacker-attacker'));
    expect(isSignedBy(parsed(forge({ ...good, jwk }, '{}', own)), key)).toBe(false);
  });
});

const [head, body, tail] = goodToken.split('.') as [string, string, string];
const segments = `${goodHeader}.${base64url('{"a":1}')}`;

/** Tokens by their form. Where the payload or header is misspelt, the MAC is right over exactly that spelling. */
const malformed: [rfc: string, what: string, token: unknown][] = [
  ['RFC 7515 §7.1', 'no string: undefined', undefined],
  ['RFC 7515 §7.1', 'no string: null', null],
  ['RFC 7515 §7.1', 'no string: a number', 1],
  ['RFC 7515 §7.1', 'no string: bytes', Buffer.from(goodToken)],
  ['RFC 7515 §7.1', 'no string: a list', [goodToken]],
  ['RFC 7515 §7.1', 'no string: a boxed one', Object(goodToken)],
  ['RFC 7515 §7.1', 'empty', ''],
  ['RFC 7515 §7.1', 'one part', head],
  ['RFC 7515 §7.1', 'two parts', `${head}.${body}`],
  ['RFC 7515 §7.1', 'four parts', `${goodToken}.${tail}`],
  ['RFC 7516 §7.1', 'five parts, as a JWE has', `${head}.${body}.${tail}.${tail}.${tail}`],
  [
    'RFC 7516 §7.1',
    'five parts under the header of a JWE',
    `${base64url('{"alg":"dir","enc":"A256GCM"}')}..${tail}.${tail}.${tail}`,
  ],
  ['RFC 7515 §7.1', 'a dot before', `.${goodToken}`],
  ['RFC 7515 §7.1', 'a dot after', `${goodToken}.`],
  ['RFC 7515 §7.1', 'two dots only', '..'],
  ['RFC 7515 §7.1', 'nothing but dots', '.'.repeat(8000)],
  ['RFC 7515 §7.1', 'no header', `.${body}.${tail}`],
  ['RFC 7515 §7.2', 'the JSON serialization', JSON.stringify({ protected: head, payload: body, signature: tail })],
  ['RFC 7515 §7.1', 'white space before', ` ${goodToken}`],
  ['RFC 7515 §7.1', 'a line feed after', `${goodToken}\n`],
  ['RFC 6750 §2.1', 'the scheme before it', `Bearer ${goodToken}`],
  ['RFC 7515 §5.2', 'no signature', `${segments}.`],
  ['RFC 7518 §3.2', 'a signature one byte short', `${segments}.${base64url(Buffer.alloc(31))}`],
  ['RFC 7518 §3.2', 'a signature one byte long', `${segments}.${base64url(Buffer.alloc(33))}`],
  [
    'RFC 7518 §3.4',
    'the signature of another algorithm',
    `${segments}.${createHmac('sha512', key).update(segments).digest('base64url')}`,
  ],
  // RFC 7515 §2 and RFC 4648 §3.2, §3.3, §3.5: base64url without padding, and canonical.
  ['RFC 7515 §2', 'padding in the header', seal(`${base64url('{"alg":"HS256"} ')}==`, body)],
  ['RFC 7515 §2', 'padding in the payload', seal(goodHeader, `${base64url('{}')}=`)],
  ['RFC 7515 §2', 'padding in the signature', `${goodToken}=`],
  [
    'RFC 4648 §5',
    'the alphabet of base64 in the header',
    seal(Buffer.from('{"alg":"HS256","x":"??>"}').toString('base64'), body),
  ],
  [
    'RFC 4648 §5',
    'the alphabet of base64 in the payload',
    seal(goodHeader, Buffer.from('"??>~~~"').toString('base64')),
  ],
  [
    'RFC 4648 §5',
    'the alphabet of base64 in the signature',
    `${segments}.${Buffer.alloc(32, 0xff).toString('base64').slice(0, 43)}`,
  ],
  ['RFC 4648 §3.3', 'a space in the payload', seal(goodHeader, `${body.slice(0, 4)} ${body.slice(4)}`)],
  ['RFC 4648 §3.3', 'a line feed in the header', seal(`${goodHeader}\n`, body)],
  ['RFC 4648 §3.3', 'a space in the signature', `${head}.${body}. ${tail}`],
  ['RFC 4648 §3.3', 'junk in the signature', `${head}.${body}.${tail.slice(0, 20)}!${tail.slice(20)}`],
  [
    'RFC 4648 §3.3',
    'a character that has the low byte of another',
    seal(
      goodHeader,
      body.replace(/^./, (c) => String.fromCharCode(c.charCodeAt(0) + 0x100)),
    ),
  ],
  ['RFC 4648 §3.5', 'bits left over in the header', seal(leftOver(base64url('{"alg":"HS256"}  ')), body)],
  ['RFC 4648 §3.5', 'bits left over in the payload', seal(goodHeader, leftOver(base64url('{ }  ')))],
  ['RFC 4648 §3.5', 'bits left over in the signature', `${head}.${body}.${leftOver(tail)}`],
  ['RFC 4648 §4', 'a length that cannot be in the header', seal(`${base64url('{"alg":"HS256"}   ')}A`, body)],
  ['RFC 4648 §4', 'a length that cannot be in the payload', seal(goodHeader, `${base64url('{}    ')}A`)],
  ['RFC 4648 §4', 'a length that cannot be in the signature', `${head}.${body}.${tail}AA`],
  ['RFC 7515 §10', 'one byte more than allowed', seal(goodHeader, 'A'.repeat(MOST_BYTES - goodHeader.length - 44))],
  ['RFC 7515 §10', 'a megabyte of dots', '.'.repeat(1_000_000)],
  ['RFC 7515 §10', 'a megabyte of letters', 'A'.repeat(1_000_000)],
];

/** The same bytes to a lenient decoder: the last character with one of its unused bits set. */
function leftOver(segment: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const altered = segment.slice(0, -1) + alphabet[alphabet.indexOf(segment.slice(-1)) + 1];
  expect(Buffer.from(altered, 'base64url')).toEqual(Buffer.from(segment, 'base64url'));
  return altered;
}

describe('a malformed token', () => {
  it.each(malformed)('%s: %s', (_rfc, _what, token) => {
    expect(readToken(token, MOST_BYTES)).toBe(MALFORMED);
  });

  it('is refused however it was altered: any other character anywhere is malformed, unsupported or of a bad signature', () => {
    fc.assert(
      fc.property(fc.nat(goodToken.length - 1), fc.string({ unit: 'binary', maxLength: 2 }), (at, put) => {
        const altered = goodToken.slice(0, at) + put + goodToken.slice(at + 1);
        fc.pre(altered !== goodToken);
        const token = readToken(altered, MOST_BYTES);
        expect(isRefusal(token) || !isSignedBy(token, key)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('of any kind is refused and never thrown over', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.string(), fc.stringMatching(/^[\w-]*\.[\w-]*\.[\w-]{43}$/)), (token) => {
        expect(isRefusal(readToken(token, MOST_BYTES))).toBe(true);
      }),
    );
  });

  it('has its payload parsed by nobody', () => {
    const parse = vi.spyOn(JSON, 'parse');
    const bomb = forge(good, `{"a":${'['.repeat(5000)}`, otherKey);
    expect(isSignedBy(parsed(bomb, 20_000), key)).toBe(false);
    expect(parse.mock.calls).toEqual([[JSON.stringify(good)]]);
  });
});

describe('the MAC', () => {
  it.each<[string, string]>([
    ['of another secret', forge(good, '{}', otherKey)],
    ['of another payload', `${goodHeader}.${base64url('{"a":2}')}.${tail}`],
    ['of the empty secret', forge(good, '{}', createSecretKey(Buffer.alloc(0)))],
    ['all zeros', `${segments}.${base64url(Buffer.alloc(32))}`],
  ])('does not match: %s', (_what, token) => {
    expect(isSignedBy(parsed(token), key)).toBe(false);
  });

  it('takes a secret that looks like PEM or JWK for nothing but bytes (RFC 8725 §2.1)', () => {
    for (const text of [
      '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0C\n-----END PUBLIC KEY-----',
      '{"kty":"oct","k":"AAAA"}',
    ]) {
      const strange = createSecretKey(Buffer.from(text));
      expect(isSignedBy(parsed(forge(good, '{}', strange)), strange)).toBe(true);
      expect(isSignedBy(parsed(forge(good, '{}', strange)), key)).toBe(false);
    }
  });
});

describe('the payload of an authentic token', () => {
  const noType = { alg: 'HS256' };
  it.each<[string, unknown, string | Uint8Array, object]>([
    ['RFC 7519 §7.2: claims', good, '{"a":1}', { claims: { a: 1 } }],
    ['RFC 7519 §7.2: claims with white space', good, ' {"a":1}\n', { claims: { a: 1 } }],
    ['RFC 7519 §7.2: an object is claims without typ too (jose)', noType, '{"a":1}', { claims: { a: 1 } }],
    ['RFC 7519 §4: of a duplicate claim the last one counts', good, '{"aud":"x","aud":"y"}', { claims: { aud: 'y' } }],
    ['RFC 7515 §3: a text', noType, 'hello', { claims: null, text: 'hello' }],
    ['RFC 7515 §3: a text with nothing in it', noType, '', { claims: null, text: '' }],
    ['RFC 7515 §3: a text in UTF-8', noType, 'žluťoučký 🐎', { claims: null, text: 'žluťoučký 🐎' }],
    ['RFC 7515 §3: a text that looks like JSON but is no object', noType, '[1]', { claims: null, text: '[1]' }],
    ['RFC 7515 §3: a text that is null', noType, 'null', { claims: null, text: 'null' }],
    [
      'RFC 7515 §4.1.9: a text with a typ of its own',
      { ...noType, typ: 'text/plain' },
      'hello',
      { claims: null, text: 'hello' },
    ],
  ])('%s', (_what, header, payload, expected) => {
    expect(decodePayload(parsed(forge(header, payload)))).toEqual({ text: payload, ...expected });
  });

  it.each<[string, unknown, string | Uint8Array]>([
    ...['[]', '[{"a":1}]', '"text"', '1', 'null', 'true', '', 'hello', '{', '{"a":1}}', '{"a":NaN}'].map(
      (text) =>
        [`RFC 7519 §7.2 step 10: ${JSON.stringify(text)} under typ JWT`, good, text] as [string, unknown, string],
    ),
    ...['jwt', 'Jwt', 'application/jwt', 'APPLICATION/JWT', 'at+jwt', 'application/at+JWT', 'dpop+jwt'].map(
      (typ) => [`RFC 7515 §4.1.9: a text under typ ${typ}`, { ...noType, typ }, 'hello'] as [string, unknown, string],
    ),
    ['RFC 7519 §7.2 step 10: the byte 0xFF', good, Buffer.from('{"a":"\xff"}', 'latin1')],
    ['RFC 7519 §7.2 step 10: the byte 0xFF in a text', noType, Buffer.from('a\xff', 'latin1')],
    ['RFC 3629 §3: a surrogate in UTF-8', good, Buffer.from('{"a":"\xed\xa0\x80"}', 'latin1')],
    ['RFC 3629 §3: an overlong form', good, Buffer.from('{"a":"\xc0\xaf"}', 'latin1')],
    ['RFC 8259 §8.1: a byte order mark', good, '\uFEFF{"a":1}'],
    ['RFC 8259 §8.1: a byte order mark in a text', noType, '\uFEFFhello'],
  ])('%s is refused', (_what, header, payload) => {
    expect(decodePayload(parsed(forge(header, payload)))).toMatchObject({ code: 'ERR_REWT_PAYLOAD_INVALID' });
  });

  it('may be nested deeply', () => {
    const depth = 50_000;
    const token = parsed(forge(good, `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`), 1_000_000);
    expect(decodePayload(token)).not.toMatchObject({ claims: null });
  });

  it('is own data only, and safe to spread (RFC 8259 §4)', () => {
    const decoded = decodePayload(
      parsed(forge(good, '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}')),
    );
    if (isRefusal(decoded) || decoded.claims === null) throw new Error('no claims');
    expect(decoded.claims.admin).toBeUndefined();
    expect({ ...decoded.claims }.admin).toBeUndefined();
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
    expect(Object.keys(decoded.claims)).toEqual(['__proto__', 'constructor']);
  });
});

describe('what is said', () => {
  it('before the signature is known to be good is one of four fixed sentences', () => {
    expect([MALFORMED, UNSUPPORTED, UNKNOWN_KEY, BAD_SIGNATURE].map(({ code }) => code)).toEqual([
      'ERR_REWT_MALFORMED',
      'ERR_REWT_UNSUPPORTED',
      'ERR_REWT_UNKNOWN_KEY',
      'ERR_REWT_BAD_SIGNATURE',
    ]);
    for (const refusal of [MALFORMED, UNSUPPORTED, UNKNOWN_KEY, BAD_SIGNATURE]) {
      expect(Object.isFrozen(refusal)).toBe(true);
      expect(isRefusal(refusal)).toBe(true);
    }
    for (const [, , header] of hostileHeaders)
      expect([MALFORMED, UNSUPPORTED]).toContain(readToken(forge(header), MOST_BYTES));
  });

  it('begins as jsonwebtoken puts it', () => {
    expect(MALFORMED.message).toMatch(/^jwt malformed/);
    expect(UNSUPPORTED.message).toMatch(/^invalid algorithm/);
    expect(BAD_SIGNATURE.message).toMatch(/^invalid signature/);
  });

  it('tells a refusal from an answer', () => {
    expect(isRefusal(null)).toBe(false);
    expect(isRefusal(parsed(goodToken))).toBe(false);
  });
});

describe('typ', () => {
  it.each<[unknown, boolean]>([
    ['JWT', true],
    ['application/at+jwt', true],
    ['+jwt', true],
    ['', false],
    ['JWT2', false],
    ['atjwt', false],
    ['text/jwt', false],
    ['application/application/jwt', false],
    [undefined, false],
    [['JWT'], false],
  ])('%j says that the payload is claims: %s', (typ, expected) => {
    expect(isJwtType(typ)).toBe(expected);
  });
});
