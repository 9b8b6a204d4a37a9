/** Edits of a token: what may happen to it on its way, or be done to it. */

import fc from 'fast-check';
import { base64url } from './forge.js';

const character = fc.oneof(
  fc.constantFrom(...'AQgwZz09-_'),
  fc.constantFrom(...'=+/ .\n\t\0?,"{', '\u0141', '\uFEFF', '\ud83d'),
  fc.nat(0xffff).map((code) => String.fromCharCode(code)),
);
/** A fraction of the length, so that it shrinks and fits any token. */
const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
export type Edit = (token: string) => string;

function at(where: number, of: { readonly length: number }): number {
  return Math.floor(where * of.length);
}

function inPart(index: number, alter: (part: string) => string): Edit {
  return (token) => {
    const parts = token.split('.');
    const which = index % parts.length;
    return parts.map((part, one) => (one === which ? alter(part) : part)).join('.');
  };
}

/** Of a token, and of any other text. */
export const textEdits = fc.oneof<fc.Arbitrary<Edit>[]>(
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
  // Another character with the same low byte, for comparisons that look at no more.
  fc.tuple(place, fc.integer({ min: 1, max: 255 })).map(([where, high]) => (token) => {
    const alias = String.fromCharCode((token.charCodeAt(at(where, token)) & 0xff) + 256 * high);
    return token.slice(0, at(where, token)) + alias + token.slice(at(where, token) + 1);
  }),
  fc.tuple(fc.boolean(), character).map(
    ([before, put]) =>
      (token) =>
        before ? put + token : token + put,
  ),
);

const partEdits = fc.oneof<fc.Arbitrary<Edit>[]>(
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

export const tokenEdits = fc.oneof(textEdits, partEdits);

/** Up to three edits in a row; most often none if `weight` is large. */
export function severalOf(edits: fc.Arbitrary<Edit>, weight: number): fc.Arbitrary<Edit> {
  const some = fc.array(edits, { minLength: 1, maxLength: 3 });
  return fc
    .oneof({ arbitrary: fc.constant<Edit[]>([]), weight }, some)
    .map((list) => (text) => list.reduce((edited, edit) => edit(edited), text));
}
