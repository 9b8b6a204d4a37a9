/** JSON as text, in all the ways in which it can be written, and some in which it cannot. */

import fc from 'fast-check';
import { severalOf, textEdits } from '../jwt/edits.js';
import { mostly, nestedText, texts, wordsOf } from './texts.js';

/** Mostly none. */
const space = mostly(8, fc.constant(''), fc.constantFrom(' ', '\n', '\t\r\n ', '\u00a0', '\ufeff'));

const escaped = (text: string) =>
  text.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** A text as JSON: as usual, with more escapes than it needs, or with none (perhaps no JSON). */
const quoted = (some: fc.Arbitrary<string>) =>
  mostly(
    6,
    some.map((text) => JSON.stringify(text)),
    some.map((text) => `"${escaped(text)}"`),
    some.map((text) => `"${text}"`),
  );
export const stringTexts = quoted(texts);

const numberTexts = fc.oneof(
  wordsOf('0 -0 1 1.0 1e3 1E400 -1e400 9007199254740993 1e-400 01 +1 .5 1.'),
  fc.integer().map(String),
  fc.double().map(String),
);

/** Edits of one text in ten. */
export const spoiling = severalOf(textEdits, 9);

type Member = readonly [name: string, value: string];

/** An object's text, with its members in their order, duplicates and all. */
function objectText(members: readonly Member[], gap: string): string {
  return `{${gap}${members.map(([name, value]) => `${name}${gap}:${gap}${value}`).join(`${gap},`)}${gap}}`;
}

const grammar = fc.letrec<{ value: string; members: Member[] }>((tie) => ({
  members: fc.array(fc.tuple(stringTexts, tie('value')), { maxLength: 4 }),
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    { arbitrary: stringTexts, weight: 4 },
    { arbitrary: numberTexts, weight: 3 },
    { arbitrary: wordsOf('null true false undefined NaN'), weight: 2 },
    { arbitrary: fc.tuple(tie('members'), space).map(([members, gap]) => objectText(members, gap)), weight: 3 },
    fc.tuple(fc.array(tie('value'), { maxLength: 4 }), space).map(([items, gap]) => `[${items.join(`${gap},`)}]`),
    fc.nat(400).map((levels) => nestedText(levels, '1')),
  ),
}));
export const jsonTexts = grammar.value;

/**
 * The text of an object with the members wanted, some of them twice, some left out, others beside
 * them, in two orders, and perhaps spoilt.
 */
export function objectTexts(wanted: Readonly<Record<string, fc.Arbitrary<string>>>): fc.Arbitrary<string> {
  const members = Object.entries(wanted).map(([name, value]) =>
    fc
      .tuple(mostly(12, fc.constant(1), fc.constantFrom(0, 2)), quoted(fc.constant(name)), value)
      .map(([times, ...member]) => Array<Member>(times).fill(member)),
  );
  return fc
    .record({
      members: fc.tuple(...members),
      others: mostly(3, fc.constant<Member[]>([]), grammar.members),
      isTurned: fc.boolean(),
      gap: space,
      edit: spoiling,
    })
    .map(({ members: some, others, isTurned, gap, edit }) => {
      const all = [...some.flat(), ...others];
      return edit(objectText(isTurned ? all.toReversed() : all, gap));
    });
}
