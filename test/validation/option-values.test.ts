/** Values of options that no other test reads: those of the stores. */

import { expect, it } from 'vitest';
import { OptionError } from '../../src/errors.js';
import { optionReader, readArray, readClock, readCount } from '../../src/validation/option-values.js';

it('a clock is a function, and is taken as it is', () => {
  const clock = () => 7;
  expect(readClock(clock, 'now')).toBe(clock);
});

it.each([5, 'now', null, {}])('a clock that is %j is refused by the name of its option', (value) => {
  expect(() => readClock(value, 'now')).toThrow(OptionError);
  expect(() => readClock(value, 'now')).toThrow(expect.objectContaining({ code: 'ERR_REWT_OPTION', option: 'now' }));
});

const traps = ['getPrototypeOf', 'ownKeys', 'getOwnPropertyDescriptor', 'get'] as const;

it.each(traps)('what a proxy throws at %s is told as a fault of the options, without its words', (trap) => {
  const fail = () => {
    throw new Error('hidden');
  };
  const read = () =>
    optionReader(new Proxy({ now: 1 }, { [trap]: fail }), { now: readClock }, 'store options')('now', Date.now);
  expect(read).toThrow(OptionError);
  expect(read).toThrow(/cannot be read, because a getter or a proxy in it throws$/);
});

it('what a getter throws is told by the name of its option', () => {
  const raw = {
    get now(): never {
      throw new TypeError('hidden');
    },
  };
  const option = optionReader(raw, { now: readClock }, 'store options');
  expect(() => option('now', Date.now)).toThrow(
    new OptionError('now: cannot be read, because a getter or a proxy in it throws', { option: 'now' }),
  );
});

it('options are read by name, with a default where one is not given', () => {
  const option = optionReader({ now: undefined }, { now: readClock }, 'store options');
  expect(option('now', Date.now)).toBe(Date.now);
  expect(() => optionReader({ noww: 1 }, { now: readClock }, 'store options')).toThrow(
    /store options: .*did you mean 'now'/,
  );
});

it('a list is copied, and anything else is refused', () => {
  const list = [1, 2];
  expect(readArray(list, 'meters')).toEqual(list);
  expect(readArray(list, 'meters')).not.toBe(list);
  expect(() => readArray('12', 'meters')).toThrow('meters: must be a list');
});

it('a count is a whole number, 0 or more', () => {
  expect(readCount(0, 'n')).toBe(0);
  for (const wrong of [-1, 1.5, '1', null]) expect(() => readCount(wrong, 'n')).toThrow('n: must be a whole number');
});
