/**
 * Tokens as attackers, sloppy signers and broken proxies make them: one that is right, altered in
 * its characters, its parts or its members, with its old MAC or the right one.
 */

import fc from 'fast-check';
import { encodeHeader } from '../../src/jwt/token.js';
import { type Edit, tokenEdits } from './edits.js';
import { base64url, seal } from './forge.js';
import { ours } from './readers.js';

/**
 * Any name but those that mean something, and those on Object.prototype, over which some of the
 * others stumble (`valueOf` in jsonwebtoken).
 */
const claimName = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .filter((name) => !['exp', 'nbf', 'iat', 'aud', 'iss', 'sub', 'jti', 'toJSON'].includes(name) && !(name in {}));

/** As JSON brings them back: no -0, nothing undefined. */
export const claims = fc
  .dictionary(claimName, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 })
  .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>)
  .filter((value) => JSON.stringify(value).length < 3000);

/**
 * Texts that are not JSON to anybody: jsonwebtoken gives lists back parsed, and so does not return
 * what went in.
 */
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

/**
 * JSON with a member more, so that it may be there twice; now and then with white space, which
 * changes no meaning.
 */
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

/** Most have our own header, since that takes a separate path. */
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

function sealedAnew(token: string): string {
  const [head = '', body = ''] = token.split('.');
  return seal(head, body);
}

const alterations = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Edit[]>([]) },
  { weight: 5, arbitrary: fc.array(tokenEdits, { minLength: 1, maxLength: 3 }) },
);

/**
 * A signed token, altered up to three times; half of them are then given the right MAC over
 * whatever they have become.
 */
export const mutated = fc.tuple(signed, alterations, fc.boolean()).map(([token, mutations, anew]) => {
  const altered = mutations.reduce((one, mutate) => mutate(one), token);
  return anew ? sealedAnew(altered) : altered;
});
