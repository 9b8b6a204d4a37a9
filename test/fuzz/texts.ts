/** Texts as attackers and accidents make them: what encodings, parsers and prototypes trip over, and now and then anything. */

import fc from 'fast-check';

/** In payloads and values wherever they have a text: nothing that rewt says may ever contain it. */
export const CANARY = 'canary-of-a-payload';

const awkward = [
  '',
  '.',
  '..',
  '...',
  '=',
  ' ',
  '\n',
  '\0',
  '"',
  '\\',
  '\\u0000',
  "'",
  '{',
  '[',
  '{}',
  '[]',
  '{"a":',
  'null',
  'true',
  '-0',
  '1e400',
  'NaN',
  '__proto__',
  'constructor',
  'toJSON',
  'then',
  '\ud800',
  '\udc00x',
  '\ufeff',
  '\u2028',
  'é',
  '€',
  '😀',
  'ﬀ',
  'İ',
  '\u200b',
  '\x1b[31m',
  '%00',
  '../..',
  '-',
  '--',
  '_',
  'A',
  'AAAA',
  'e30',
  '0',
  '9007199254740993',
];

const BASE64URL = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];

export const base64urlLetters = fc.constantFrom(...BASE64URL);
export const awkwardTexts = fc.constantFrom(...awkward);

/** Short, mostly. */
export const texts: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: awkwardTexts, weight: 4 },
  { arbitrary: fc.constant(CANARY), weight: 3 },
  { arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 12 }), weight: 2 },
  { arbitrary: fc.string({ unit: 'binary', maxLength: 12 }), weight: 2 },
  { arbitrary: fc.array(awkwardTexts, { maxLength: 4 }).map((parts) => parts.join('')), weight: 2 },
  {
    arbitrary: fc.tuple(awkwardTexts, fc.nat(300)).map(([text, times]) => text.repeat(times)),
    weight: 1,
  },
);
