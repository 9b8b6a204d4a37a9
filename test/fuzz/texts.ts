/**
 * Texts as attackers and accidents make them: what encodings, parsers and prototypes trip over, and
 * now and then anything.
 */

import fc from 'fast-check';

/** Stands in payloads and values: no message of rewt may ever contain it. */
export const CANARY = 'canary-of-a-payload';

/** One of the words, which stand in one text. */
export const wordsOf = (words: string): fc.Arbitrary<string> => fc.constantFrom(...words.split(' '));

/** The first one `weight` times as often as each of the others. */
export function mostly<T>(weight: number, likely: fc.Arbitrary<T>, ...others: fc.Arbitrary<T>[]): fc.Arbitrary<T> {
  return fc.oneof({ arbitrary: likely, weight }, ...others);
}

export const awkwardTexts = fc.oneof(
  wordsOf('. .. ... = " \\ \\u0000 \' { [ {} [] {"a": null true -0 1e400 NaN __proto__ constructor toJSON then'),
  wordsOf('é € 😀 ﬀ İ %00 ../.. - -- _ A AAAA e30 0 9007199254740993'),
  fc.constantFrom('', ' ', '\n', '\0', '\ud800', '\udc00x', '\ufeff', '\u2028', '\u200b', '\x1b[31m'),
);

/** Short, mostly. */
export const texts: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: awkwardTexts, weight: 4 },
  { arbitrary: fc.constant(CANARY), weight: 3 },
  { arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 12 }), weight: 2 },
  { arbitrary: fc.string({ unit: 'binary', maxLength: 12 }), weight: 2 },
  { arbitrary: fc.array(awkwardTexts, { maxLength: 4 }).map((parts) => parts.join('')), weight: 2 },
  fc.tuple(awkwardTexts, fc.nat(300)).map(([text, times]) => text.repeat(times)),
);

/** Lists and objects in each other, as JSON. */
export const nestedText = (levels: number, core: string) => `${'[{"a":'.repeat(levels)}${core}${'}]'.repeat(levels)}`;

/** UTF-8, or one byte to a character. */
export const encodings = mostly(9, fc.constant<BufferEncoding>('utf8'), fc.constant<BufferEncoding>('latin1'));
