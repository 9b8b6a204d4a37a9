/** JSON that is copied, and numbers in it that would not survive being read and written again. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { copyJson, hasFewContainers, hasRoundedNumber, isContainer } from '../../src/jwt/json.js';
import { seeded } from '../keyring/seeded.js';

const containersOf = (value: unknown): object[] =>
  isContainer(value) ? [value, ...Object.values(value).flatMap(containersOf)] : [];

it('a copy is what parsing the text again gives, and shares no list or object', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const value = JSON.parse(text);
      const copy = copyJson(value);
      expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
      const own = new Set(containersOf(value));
      expect(own.size).toBe(containersOf(copy).length);
      for (const one of containersOf(copy)) {
        expect(own.has(one)).toBe(false);
        expect(Object.getPrototypeOf(one)).toBe(Array.isArray(one) ? Array.prototype : Object.prototype);
      }
      expect(hasFewContainers(value, own.size)).toBe(true);
      expect(own.size > 0 && hasFewContainers(value, own.size - 1)).toBe(false);
    }),
    seeded(),
  );
});

it.each([
  '9007199254740993',
  '1234567890123456789',
  '-1234567890123456789',
  '1e400',
  '-1e400',
  '1e-400',
  '1.00000000000000000001',
  '0.1234567890123456789',
  '9007199254740991.4',
])('%s is read as another number', (number) => {
  expect(hasRoundedNumber(number)).toBe(true);
  expect(hasRoundedNumber(`{"a":"1","b":[true,{"c":${number}}]}`)).toBe(true);
});

it.each([
  '0',
  '-0',
  '0.000',
  '0e9',
  '1',
  '-1.50',
  '0.1',
  '1E3',
  '1e+3',
  '100e-2',
  '1.7976931348623157e308',
  '5e-324',
  '9007199254740991',
  '123456789012345680000',
  '1e21',
  '0.30000000000000004',
  '0.0000005',
])('%s is read as it stands', (number) => {
  expect(hasRoundedNumber(number)).toBe(false);
  expect(hasRoundedNumber(`{"a":${number} , "b":[${number}]}`)).toBe(false);
});

it.each(['"9007199254740993"', '{"9007199254740993":1}', '{"a":"\\"9007199254740993","b":"\\\\"}'])(
  '%s has its digits in a text, which stays as it is',
  (text) => {
    expect(hasRoundedNumber(text)).toBe(false);
  },
);

it('a long number takes time in proportion to its length', () => {
  const begun = performance.now();
  expect(hasRoundedNumber(`${'1'.padEnd(500_000, '0')}1`)).toBe(true);
  expect(performance.now() - begun).toBeLessThan(2_000);
});
