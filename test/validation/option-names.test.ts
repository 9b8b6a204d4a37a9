import { describe, expect, it } from 'vitest';
import { OptionError } from '../../src/errors.js';
import { assertKnownNames } from '../../src/validation/option-names.js';
import { thrownBy } from '../jwt/forge.js';

const known = ['ttl', 'tokenLifetime', 'maxStaleness', 'redisConn'];

function refused(raw: object, retired?: Record<string, string>): OptionError {
  const error = thrownBy(() => assertKnownNames(raw, known, 'rewt options', retired));
  expect(error).toBeInstanceOf(OptionError);
  return error as OptionError;
}

describe('the names of options', () => {
  it('pass where all are known, and where there are none', () => {
    assertKnownNames({ ttl: 1, redisConn: undefined }, known, 'rewt options');
    assertKnownNames(Object.create(null), known, 'rewt options');
  });

  it.each([
    ['tokenLifeTime', 'tokenLifetime'],
    ['tokenlifetim', 'tokenLifetime'],
    ['maxStalenes', 'maxStaleness'],
    ['maxStalenesss', 'maxStaleness'],
    ['rediscon', 'redisConn'],
    ['ttk', 'ttl'],
    ['TTL', 'ttl'],
  ])('that are misspelt (%s) get a guess', (name, meant) => {
    const error = refused({ [name]: 1 });
    expect(error.message).toBe(`rewt options: unknown option '${name}'; did you mean '${meant}'?`);
    expect(error.option).toBe(name);
  });

  it('get the nearest guess where several are near', () => {
    const error = thrownBy(() => assertKnownNames({ audienc: 1 }, ['audio__', 'audienzz', 'audience'], 'x'));
    expect(String(error)).toContain("did you mean 'audience'?");
  });

  it.each(['tk', 'colour', '', 'a'.repeat(41)])('that are like nothing known (%j) get the list', (name) => {
    expect(refused({ [name]: 1 }).message).toMatch(/known are ttl, tokenLifetime, maxStaleness, redisConn$/);
  });

  it('that were retired get their own sentence', () => {
    expect(refused({ cacheSecret: true }, { cacheSecret: "'cacheSecret' is now 'maxStaleness'" }).message).toBe(
      "rewt options: 'cacheSecret' is now 'maxStaleness'",
    );
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'from Object.prototype (%s) are unknown like any other',
    (name) => {
      const raw = JSON.parse(`{"${name}": 1}`);
      expect(refused(raw, { cacheSecret: 'x' }).message).toContain(`unknown option '${name}'`);
    },
  );

  it('are shown escaped and cut, and values not at all', () => {
    const error = refused({ [`\u001b[31m\n'\u202e${'x'.repeat(1000)}`]: 'canary-value' });
    expect(error.message).toMatch(/unknown option '\\u001b\[31m\\u000a\\u0027\\u202ex+…'/);
    expect(error.message.length).toBeLessThan(200);
    expect(error.message).not.toContain('canary-value');
    expect(error.option).not.toContain('\n');
  });
});
