/** Values of options that no other test reads: those of the stores. */

import { expect, test } from 'vitest';
import { OptionError } from '../src/errors.js';
import { asClock, optionReader } from '../src/option-values.js';

test('a clock is a function, and is taken as it is', () => {
  const clock = () => 7;
  expect(asClock(clock, 'now')).toBe(clock);
});

test.each([5, 'now', null, {}])('a clock that is %j is refused by the name of its option', (value) => {
  expect(() => asClock(value, 'now')).toThrow(OptionError);
  expect(() => asClock(value, 'now')).toThrow(/^now: must be a function/);
});

test('options are read by name, with a default where one is not given', () => {
  const option = optionReader({ now: undefined }, ['now'], 'store options');
  expect(option('now', asClock, Date.now)).toBe(Date.now);
  expect(() => optionReader({ noww: 1 }, ['now'], 'store options')).toThrow(/store options: .*did you mean 'now'/);
});
