import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OptionError } from '../../src/errors.js';
import { parseDuration } from '../../src/time/duration.js';
import { seeded } from '../keyring/seeded.js';
import { thrownBy } from './forge.js';

const unitMs: Record<string, number> = {
  ms: 1,
  milliseconds: 1,
  s: 1000,
  sec: 1000,
  second: 1000,
  m: 60_000,
  min: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
  hours: 3_600_000,
  d: 86_400_000,
  days: 86_400_000,
  w: 604_800_000,
  weeks: 604_800_000,
  y: 31_557_600_000,
  years: 31_557_600_000,
};

describe('a duration', () => {
  it.each([
    ['15m', 900],
    ['2 days', 172_800],
    ['1.5h', 5400],
    ['.5h', 1800],
    ['250ms', 0.25],
    ['1 Week', 604_800],
    ['0s', 0],
    [0, 0],
    [90, 90],
    [1.5, 1.5],
  ])('%j is %d seconds', (value, seconds) => {
    expect(parseDuration(value, 'expiresIn')).toBe(seconds);
  });

  it('is its number times its unit, whatever the number, the unit, its case and the spaces between', () => {
    fc.assert(
      fc.property(
        fc.nat(1_000_000),
        fc.option(fc.nat(999)),
        fc.constantFrom(...Object.keys(unitMs)),
        fc.nat(3),
        fc.boolean(),
        (whole, fraction, unit, spaces, upper) => {
          const amount = fraction === null ? `${whole}` : `${whole}.${fraction}`;
          const text = `${amount}${' '.repeat(spaces)}${upper ? unit.toUpperCase() : unit}`;
          expect(parseDuration(text, 'maxAge')).toBe((Number(amount) * (unitMs[unit] as number)) / 1000);
        },
      ),
      seeded(),
    );
  });

  it.each(['120', '1.5', ' 3 '])('without a unit (%j) is refused with the reason and the remedy', (value) => {
    const error = thrownBy(() => parseDuration(value, 'expiresIn'));
    expect(error).toBeInstanceOf(OptionError);
    expect(error).toMatchObject({ code: 'ERR_REWT_OPTION', option: 'expiresIn' });
    expect(String(error)).toMatch(/expiresIn.*unit.*jsonwebtoken reads '120' as milliseconds.*number/);
  });

  it.each([
    ['', /not a duration/],
    ['15 parsecs', /not a duration/],
    ['15', /unit/],
    ['1.h', /not a duration/],
    ['-5m', /not a duration/],
    ['1e3s', /not a duration/],
    ['5m 3s', /not a duration/],
    ['5\tm', /not a duration/],
    ['5m\n', /not a duration/],
    ['1constructor', /not a duration/],
    ['1__proto__', /not a duration/],
    [`${'1'.repeat(100_000)}m`, /at most 40/],
    [-1, /not negative/],
    [Number.NaN, /finite/],
    [Number.POSITIVE_INFINITY, /finite/],
    [null, /seconds as a number, or a string/],
    [true, /seconds as a number, or a string/],
    [Symbol.iterator, /seconds as a number, or a string/],
    [{}, /seconds as a number, or a string/],
    [new Date(0), /seconds as a number, or a string/],
    [undefined, /seconds as a number, or a string/],
  ])('%s is refused, naming the option', (value, sentence) => {
    const error = thrownBy(() => parseDuration(value, 'clockTolerance'));
    expect(error).toMatchObject({
      name: 'OptionError',
      option: 'clockTolerance',
      message: expect.stringMatching(sentence),
    });
    expect(String(error)).toContain('clockTolerance: ');
  });
});
