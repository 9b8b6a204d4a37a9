/** JSON as text, in all the ways in which it can be written, and some in which it cannot. */

import fc from 'fast-check';
import { awkwardTexts, texts } from './texts.js';

/** Mostly none. */
const space = fc.oneof(
  { arbitrary: fc.constant(''), weight: 8 },
  fc.constantFrom(' ', '\n', '\t\r\n ', '\u00a0', '\ufeff'),
);

/** A text as JSON, with more escapes than it needs. */
export function quoted(text: string, style: number): string {
  if (style === 1) return `"${[...text].map(escaped).join('')}"`;
  // Not valid where there is something to escape.
  if (style === 2) return `"${text}"`;
  return JSON.stringify(text);
}

function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('');
}

const styles = fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 1, 2);
export const stringTexts = fc.tuple(texts, styles).map(([text, style]) => quoted(text, style));

const numberTexts = fc.oneof(
  fc.constantFrom(
    '0',
    '-0',
    '1',
    '1.0',
    '1e3',
    '1E400',
    '-1e400',
    '9007199254740993',
    '1e-400',
    '01',
    '+1',
    '.5',
    '1.',
  ),
  fc.integer().map(String),
  fc.double().map(String),
);

export interface MemberText {
  readonly name: string;
  readonly value: string;
}

/** An object's text out of its members', in their order, duplicates and all. */
export function objectText(members: readonly MemberText[], gap = ''): string {
  return `{${gap}${members.map(({ name, value }) => `${name}${gap}:${gap}${value}`).join(`${gap},`)}${gap}}`;
}

export const jsonTexts: fc.Arbitrary<string> = fc.letrec<{ value: string; members: MemberText[] }>((tie) => ({
  members: fc.array(fc.record({ name: stringTexts, value: tie('value') }), { maxLength: 4 }),
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    { arbitrary: stringTexts, weight: 4 },
    { arbitrary: numberTexts, weight: 3 },
    { arbitrary: fc.constantFrom('null', 'true', 'false', 'undefined', 'NaN'), weight: 2 },
    { arbitrary: fc.tuple(tie('members'), space).map(([members, gap]) => objectText(members, gap)), weight: 3 },
    fc.tuple(fc.array(tie('value'), { maxLength: 4 }), space).map(([items, gap]) => `[${items.join(`${gap},`)}]`),
    fc.nat(400).map((levels) => `${'[{"a":'.repeat(levels)}1${'}]'.repeat(levels)}`),
  ),
})).value;

/** The text of an object with the members wanted, some of them twice, some left out, in any order, and perhaps spoilt. */
export function objectTexts(wanted: Readonly<Record<string, fc.Arbitrary<string>>>): fc.Arbitrary<string> {
  const members = Object.entries(wanted).map(([name, value]) =>
    fc.record({
      times: fc.oneof({ arbitrary: fc.constant(1), weight: 12 }, fc.constantFrom(0, 2)),
      member: fc.record({ name: styles.map((style) => quoted(name, style)), value }),
    }),
  );
  const others = fc.oneof(
    { arbitrary: fc.constant([]), weight: 3 },
    fc.array(fc.record({ name: stringTexts, value: jsonTexts }), { maxLength: 3 }),
  );
  return fc
    .record({ members: fc.tuple(...members), others, order: fc.nat(3), gap: space, spoilt: spoiling })
    .map(({ members: some, others: more, order, gap, spoilt }) => {
      const all = [...some.flatMap(({ times, member }) => Array<MemberText>(times).fill(member)), ...more];
      const turned = order === 0 ? all.toReversed() : all;
      return spoilt(objectText(turned, gap));
    });
}

/** One time in ten a text is cut, or has something put into it. */
const spoiling: fc.Arbitrary<(text: string) => string> = fc.oneof(
  { arbitrary: fc.constant((text: string) => text), weight: 9 },
  fc.tuple(fc.nat(1_000), awkwardTexts, fc.boolean()).map(
    ([at, put, cuts]) =>
      (text: string) =>
        text.slice(0, at % (text.length + 1)) + put + (cuts ? '' : text.slice(at % (text.length + 1))),
  ),
);
