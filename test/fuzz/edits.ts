/** What may happen to a token on its way, or be done to it: edits that know its parts, its alphabet, and the bits that base64url leaves over. */

import fc from 'fast-check';
import { awkwardTexts, base64urlLetters } from './texts.js';

export type Edit =
  | { readonly cut: readonly [at: number, length: number] }
  | { readonly put: readonly [at: number, text: string] }
  | { readonly letter: readonly [at: number, letter: string] }
  | { readonly double: readonly [part: number] }
  | { readonly drop: readonly [part: number] }
  | { readonly swap: readonly [part: number, other: number] }
  | { readonly spare: readonly [part: number, bits: number] }
  | { readonly alias: readonly [at: number, high: number] }
  | { readonly part: readonly [part: number, text: string] };

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

export function edited(token: string, edits: readonly Edit[]): string {
  return edits.reduce(editedOnce, token);
}

function editedOnce(token: string, edit: Edit): string {
  const place = (at: number) => at % (token.length + 1);
  const parts = token.split('.');
  const nth = (part: number) => part % parts.length;
  const joined = (change: (parts: string[]) => unknown) => {
    change(parts);
    return parts.join('.');
  };
  if ('cut' in edit) return token.slice(0, place(edit.cut[0])) + token.slice(place(edit.cut[0]) + edit.cut[1]);
  if ('put' in edit) return token.slice(0, place(edit.put[0])) + edit.put[1] + token.slice(place(edit.put[0]));
  if ('letter' in edit) return replaced(token, place(edit.letter[0]), edit.letter[1]);
  if ('double' in edit) return joined((all) => all.splice(nth(edit.double[0]), 0, parts[nth(edit.double[0])] ?? ''));
  if ('drop' in edit) return joined((all) => all.splice(nth(edit.drop[0]), 1));
  if ('part' in edit) return joined((all) => all.splice(nth(edit.part[0]), 1, edit.part[1]));
  if ('swap' in edit) {
    const [one, other] = [parts[nth(edit.swap[0])] ?? '', parts[nth(edit.swap[1])] ?? ''];
    return parts
      .map((part, at) => (at === nth(edit.swap[0]) ? other : at === nth(edit.swap[1]) ? one : part))
      .join('.');
  }
  if ('spare' in edit)
    return joined((all) =>
      all.splice(nth(edit.spare[0]), 1, withSpare(parts[nth(edit.spare[0])] ?? '', edit.spare[1])),
    );
  const at = place(edit.alias[0]);
  // The same in its low byte, for comparisons that look at no more.
  return replaced(
    token,
    at,
    String.fromCharCode(((token.charCodeAt(at) || 65) & 0xff) + 256 * (1 + (edit.alias[1] % 200))),
  );
}

function replaced(token: string, at: number, letter: string): string {
  return token.slice(0, at) + letter + token.slice(at + 1);
}

/** Sets bits of the last letter, some of which stand for nothing (RFC 4648 §3.5). */
function withSpare(part: string, bits: number): string {
  const last = ALPHABET.indexOf(part.at(-1) ?? '');
  return last < 0 ? part : `${part.slice(0, -1)}${ALPHABET[(last ^ bits) % 64]}`;
}

const places = fc.nat(600);
const parts = fc.nat(2);

/** Ends are likelier than the middle. */
const ends = fc.oneof(places, fc.constantFrom(0, 1));

const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(ends, fc.integer({ min: 1, max: 60 })).map((cut) => ({ cut })),
  fc.tuple(ends, fc.oneof(awkwardTexts, base64urlLetters)).map((put) => ({ put })),
  fc.tuple(places, base64urlLetters).map((letter) => ({ letter })),
  fc.tuple(parts).map((double) => ({ double })),
  fc.tuple(parts).map((drop) => ({ drop })),
  fc.tuple(parts, parts).map((swap) => ({ swap })),
  fc.tuple(parts, fc.integer({ min: 1, max: 15 })).map((spare) => ({ spare })),
  fc.tuple(places, fc.nat(199)).map((alias) => ({ alias })),
  fc.tuple(parts, fc.oneof(awkwardTexts, fc.constant('eyJhbGciOiJub25lIn0'))).map((part) => ({ part })),
);

/** Half of the time none at all. */
export const editLists: fc.Arbitrary<readonly Edit[]> = fc.oneof(
  fc.constant([]),
  fc.array(edits, { minLength: 1, maxLength: 3 }),
);
