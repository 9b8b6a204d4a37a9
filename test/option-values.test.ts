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

const traps = ['getPrototypeOf', 'ownKeys', 'getOwnPropertyDescriptor', 'get'] as const;

test.each(traps)('what a proxy throws at %s is told as a fault of the options, without its words', (trap) => {
  const fail = () => {
    throw new Error('hidden');
  };
  const read = () =>
    optionReader(new Proxy({ now: 1 }, { [trap]: fail }), ['now'], 'store options')('now', asClock, Date.now);
  expect(read).toThrow(OptionError);
  expect(read).toThrow(/cannot be read, since a getter or a proxy in it throws$/);
});

test('what a getter throws is told by the name of its option', () => {
  const raw = {
    get now(): never {
      throw new TypeError('hidden');
    },
  };
  const option = optionReader(raw, ['now'], 'store options');
  expect(() => option('now', asClock, Date.now)).toThrow(
    new OptionError('now: cannot be read, since a getter or a proxy in it throws', { option: 'now' }),
  );
});

test('options are read by name, with a default where one is not given', () => {
  const option = optionReader({ now: undefined }, ['now'], 'store options');
  expect(option('now', asClock, Date.now)).toBe(Date.now);
  expect(() => optionReader({ noww: 1 }, ['now'], 'store options')).toThrow(/store options: .*did you mean 'now'/);
});

test('a count is a whole number, 0 or more', async () => {
  const { asCount } = await import('../src/option-values.js');
  expect(asCount(0, 'n')).toBe(0);
  for (const wrong of [-1, 1.5, '1', null]) expect(() => asCount(wrong, 'n')).toThrow('n: must be a whole number');
});
