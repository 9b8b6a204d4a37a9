/** Tokens as attackers, sloppy signers and broken proxies make them: one that is right, altered in its characters, its parts or its members, with its old MAC or the right one. */

import fc from 'fast-check';
import { encodeHeader } from '../../src/jwt/token.js';
import { base64url, seal } from './forge.js';
import { ours } from './readers.js';

/** Any name but those that mean something, and those on Object.prototype, over which some of the others stumble (`valueOf` in jsonwebtoken). */
const claimName = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .filter((name) => !['exp', 'nbf', 'iat', 'aud', 'iss', 'sub', 'jti', 'toJSON'].includes(name) && !(name in {}));

/** As JSON brings them back: no -0, nothing undefined. */
export const claims = fc
  .dictionary(claimName, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 })
  .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>)
  .filter((value) => JSON.stringify(value).length < 3000);

/** Texts that are not JSON to anybody: jsonwebtoken gives lists back parsed, and so does not return what went in. */
export const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 500 })
  .filter((value) => !/^\s*[[{\uFEFF]/.test(value));

const now = Math.floor(Date.now() / 1000);
/** Far enough from now for the slowest machine, or nowhere near a date. */
const date = fc.constantFrom<unknown>(now + 3600, now - 3600, 0, -1, 1.5, 9e10, 1e11, 1e13, '1', null, true, [], {}, [
  now + 3600,
]);
const name = fc.constantFrom<unknown>('a', '', ['a'], ['a', 'b'], [], [1], null, 1, {}, true);
const registered = fc.oneof(
  fc.tuple(fc.constantFrom('exp', 'nbf', 'iat'), date),
  fc.tuple(fc.constantFrom('aud', 'iss', 'sub', 'jti'), name),
);

const member = fc.oneof(
  fc.tuple(fc.constant('alg'), fc.constantFrom<unknown>('HS256', 'hs256', 'HS512', 'none', 'RS256', null, ['HS256'])),
  fc.tuple(
    fc.constant('typ'),
    fc.constantFrom<unknown>('JWT', 'jwt', 'at+jwt', 'application/jwt', 'text/plain', '', null, 1),
  ),
  fc.tuple(fc.constant('kid'), fc.constantFrom<unknown>('kid-of-ours', 'kid-of-none', '', 'x', null, 1, '__proto__')),
  fc.tuple(fc.constant('crit'), fc.constantFrom<unknown>([], ['exp'], ['b64'], ['x'], null, 'x')),
  fc.tuple(fc.constant('b64'), fc.boolean()),
  fc.tuple(fc.constantFrom('x', 'cty', 'jku', '__proto__', 'exp'), fc.jsonValue({ maxDepth: 2 })),
);

/** JSON with a member more, so that it may be there twice; now and then with white space, which changes no meaning. */
function withMember(json: string, [key, value]: readonly [string, unknown], first: boolean, space: string): string {
  const one = `${JSON.stringify(key)}:${space}${JSON.stringify(value)}`;
  if (/^\{\s*\}$/.test(json)) return `{${one}}`;
  return first ? `{${one},${json.slice(1)}` : `${json.slice(0, -1)},${space}${one}}`;
}

const header = fc
  .tuple(
    fc.constantFrom(
      '{"alg":"HS256"}',
      '{"alg":"HS256","typ":"JWT"}',
      '{"alg":"HS256","typ":"JWT","kid":"kid-of-ours"}',
      '{"typ":"JWT","alg":"HS256","kid":"kid-of-ours"}',
      '{"alg":"HS256","kid":"kid-of-ours"}',
      '{}',
    ),
    fc.array(fc.tuple(member, fc.boolean(), fc.constantFrom('', ' ', '\n')), { maxLength: 2 }),
  )
  .map(([base, more]) => more.reduce<string>((json, [one, first, space]) => withMember(json, one, first, space), base));

/** Most have our own header, since that takes a path of its own. */
const headSegment = fc.oneof(
  { weight: 4, arbitrary: fc.constant(ours.headers.claims) },
  { weight: 1, arbitrary: fc.constantFrom(ours.headers.text, encodeHeader('kid-of-none')) },
  { weight: 3, arbitrary: header.map(base64url) },
);

const payload = fc.oneof(
  fc
    .tuple(claims, fc.array(fc.tuple(registered, fc.boolean(), fc.constantFrom('', ' ', '\r\n')), { maxLength: 3 }))
    .map(([base, more]) =>
      more.reduce<string>((json, [one, first, space]) => withMember(json, one, first, space), JSON.stringify(base)),
    ),
  text,
  fc.constantFrom(
    '',
    '[]',
    '[1]',
    '{',
    'null',
    '"a"',
    '1',
    '{"a":1}}',
    '\uFEFF{}',
    '{"__proto__":{"a":1}}',
    '{"a":1e400}',
    ' {"a":1}\n',
    '{"a":"\\ud800"}',
    '[{"exp":1}]',
  ),
);
const payloadBytes = fc.oneof(
  { weight: 9, arbitrary: payload.map((json) => Buffer.from(json)) },
  {
    weight: 1,
    arbitrary: fc
      .uint8Array({ maxLength: 20 })
      .map((bytes) => Buffer.concat([Buffer.from('{"a":"'), bytes, Buffer.from('"}')])),
  },
);

export const signed = fc.tuple(headSegment, payloadBytes).map(([head, bytes]) => seal(head, base64url(bytes)));

const character = fc.oneof(
  fc.constantFrom(...'AQgwZz09-_'),
  fc.constantFrom(...'=+/ .\n\t\0?,"{', '\u0141', '\uFEFF', '\ud83d'),
  fc.nat(0xffff).map((code) => String.fromCharCode(code)),
);
/** A fraction of the length, so that it shrinks and fits any token. */
const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
type Mutation = (token: string) => string;

function at(where: number, of: { readonly length: number }): number {
  return Math.floor(where * of.length);
}

function inPart(index: number, alter: (part: string) => string): Mutation {
  return (token) => {
    const parts = token.split('.');
    const which = index % parts.length;
    return parts.map((part, one) => (one === which ? alter(part) : part)).join('.');
  };
}

const inCharacters = fc.oneof<fc.Arbitrary<Mutation>[]>(
  fc.tuple(place, character).map(
    ([where, put]) =>
      (token) =>
        token.slice(0, at(where, token)) + put + token.slice(at(where, token) + 1),
  ),
  fc.tuple(place, character).map(
    ([where, put]) =>
      (token) =>
        token.slice(0, at(where, token)) + put + token.slice(at(where, token)),
  ),
  fc.tuple(place, fc.integer({ min: 1, max: 4 })).map(
    ([where, count]) =>
      (token) =>
        token.slice(0, at(where, token)) + token.slice(at(where, token) + count),
  ),
  fc.tuple(place, place).map(([left, right]) => (token) => {
    const characters = [...token];
    const [one, other] = [at(left, characters), at(right, characters)];
    [characters[one], characters[other]] = [characters[other] ?? '', characters[one] ?? ''];
    return characters.join('');
  }),
  place.map((where) => (token) => {
    const one = token.charAt(at(where, token));
    const flipped = one === one.toLowerCase() ? one.toUpperCase() : one.toLowerCase();
    return token.slice(0, at(where, token)) + flipped + token.slice(at(where, token) + 1);
  }),
  fc.tuple(fc.boolean(), character).map(
    ([before, put]) =>
      (token) =>
        before ? put + token : token + put,
  ),
);

const inParts = fc.oneof<fc.Arbitrary<Mutation>[]>(
  fc.tuple(fc.nat(2), fc.nat(2)).map(([left, right]) => (token) => {
    const parts = token.split('.');
    [parts[left], parts[right]] = [parts[right] ?? '', parts[left] ?? ''];
    return parts.join('.');
  }),
  fc.nat(2).map((index) => inPart(index, () => '')),
  fc.nat(2).map((index) => inPart(index, (part) => `${part}.${part}`)),
  fc.nat(2).map((index) => inPart(index, (part) => part.padEnd(Math.ceil(part.length / 4) * 4, '='))),
  fc.nat(2).map((index) => inPart(index, (part) => Buffer.from(part, 'base64url').toString('base64'))),
  fc.nat(2).map((index) => inPart(index, (part) => Buffer.from(part, 'base64url').toString('hex'))),
  fc.nat(2).map((index) => inPart(index, (part) => base64url(Buffer.from(part, 'base64url').toString('latin1')))),
  fc.nat(2).map((index) => inPart(index, (part) => base64url(`${Buffer.from(part, 'base64url')} `))),
  fc.nat(2).map((index) => inPart(index, (part) => base64url(part))),
  // The last character's unused bits.
  fc
    .tuple(fc.nat(2), fc.constantFrom(...'ABCDEFGHQRSTUVWXghwxyz0123'))
    .map(([index, put]) => inPart(index, (part) => part.slice(0, -1) + put)),
);

function sealedAnew(token: string): string {
  const [head = '', body = ''] = token.split('.');
  return seal(head, body);
}

const alteration = fc.oneof(inCharacters, inParts);
const alterations = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Mutation[]>([]) },
  { weight: 5, arbitrary: fc.array(alteration, { minLength: 1, maxLength: 3 }) },
);

/** A signed token, altered up to three times; half of them are then given the right MAC over whatever they have become. */
export const mutated = fc.tuple(signed, alterations, fc.boolean()).map(([token, mutations, anew]) => {
  const altered = mutations.reduce((one, mutate) => mutate(one), token);
  return anew ? sealedAnew(altered) : altered;
});
