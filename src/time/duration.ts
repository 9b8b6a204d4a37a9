/** Durations as people write them in options: seconds, or a string with a unit. */

import { OptionError } from '../errors.js';

/** Bounds the work that a hostile string can cause; no real duration is longer. */
const MAX_CHARACTERS = 40;

/**
 * A decimal number, spaces, a unit. Nothing in it can match in two ways, so it takes linear time.
 */
const spelling = /^(\d+(?:\.\d+)?|\.\d+) *([a-z]+)$/i;

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The units that jsonwebtoken accepts (its year is 365.25 days too). */
const unitMs: ReadonlyMap<string, number> = new Map(
  (
    [
      [1, 'ms msec msecs millisecond milliseconds'],
      [SECOND_MS, 's sec secs second seconds'],
      [MINUTE_MS, 'm min mins minute minutes'],
      [HOUR_MS, 'h hr hrs hour hours'],
      [DAY_MS, 'd day days'],
      [7 * DAY_MS, 'w week weeks'],
      [365.25 * DAY_MS, 'y yr yrs year years'],
    ] as const
  ).flatMap(([ms, words]) => words.split(' ').map((word) => [word, ms])),
);

/**
 * Reads a duration given as the option named `option`.
 *
 * @param value seconds as a number (finite, not negative), or a string with a unit: `'15m'`, `'2
 * days'`, `'1.5h'`, `'250ms'`.
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
  if (value.length > MAX_CHARACTERS) throw refusal(option, `a duration has at most ${MAX_CHARACTERS} characters`);
  const [, amount, word] = spelling.exec(value) ?? [];
  if (amount !== undefined && word !== undefined) {
    const unit = unitMs.get(word.toLowerCase());
    if (unit !== undefined) return (Number(amount) * unit) / SECOND_MS;
  }
  if (/^[\d. ]+$/.test(value)) {
    throw refusal(
      option,
      "a string needs a unit such as '15m', because jsonwebtoken reads '120' as milliseconds and " +
        'people mean seconds; for seconds give a number',
    );
  }
  throw refusal(option, "not a duration; write it as '250ms', '30s', '15m', '1.5h', '2 days', '1w' or '1y'");
}

function refusal(option: string, sentence: string): OptionError {
  return new OptionError(`${option}: ${sentence}`, { option });
}
