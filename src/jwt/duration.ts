/** Spans of time as people write them in options: seconds, or a string with its unit. */

import { OptionError } from '../errors.js';

/** No span that means something is longer; a bound on the work that a hostile string can cause. */
const maxLength = 40;

/** A decimal number, spaces, a word. Nothing in it can be matched in two ways, so it takes linear time. */
const spelling = /^(\d+(?:\.\d+)?|\.\d+) *([a-z]+)$/i;

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** The words that jsonwebtoken takes (its year is 365.25 days too). */
const unitMs: ReadonlyMap<string, number> = new Map(
  (
    [
      [1, 'ms msec msecs millisecond milliseconds'],
      [secondMs, 's sec secs second seconds'],
      [minuteMs, 'm min mins minute minutes'],
      [hourMs, 'h hr hrs hour hours'],
      [dayMs, 'd day days'],
      [7 * dayMs, 'w week weeks'],
      [365.25 * dayMs, 'y yr yrs year years'],
    ] as const
  ).flatMap(([ms, words]) => words.split(' ').map((word) => [word, ms])),
);

/**
 * Reads a span of time given as the option named `option`.
 *
 * @param value seconds as a number (finite, not negative), or a string with a unit: `'15m'`, `'2 days'`, `'1.5h'`, `'250ms'`.
 * @returns seconds, possibly with a fraction.
 * @throws {OptionError} for anything else.
 */
export function parseDuration(value: unknown, option: string): number {
  if (typeof value === 'number') {
    if (Number.isFinite(value) && value >= 0) return value;
    throw refusal(option, 'as a number it is seconds, finite and not negative');
  }
  if (typeof value !== 'string')
    throw refusal(option, "give seconds as a number, or a string with a unit such as '15m'");
  if (value.length > maxLength) throw refusal(option, `a duration has at most ${maxLength} characters`);
  const [, amount, word] = spelling.exec(value) ?? [];
  if (amount !== undefined && word !== undefined) {
    const unit = unitMs.get(word.toLowerCase());
    if (unit !== undefined) return (Number(amount) * unit) / secondMs;
  }
  if (/^[\d. ]+$/.test(value)) {
    throw refusal(
      option,
      "a string needs a unit such as '15m', because jsonwebtoken reads '120' as milliseconds and people mean seconds; for seconds give a number",
    );
  }
  throw refusal(option, "not a duration; write it as '250ms', '30s', '15m', '1.5h', '2 days', '1w' or '1y'");
}

function refusal(option: string, sentence: string): OptionError {
  return new OptionError(`${option}: ${sentence}`, { option });
}
