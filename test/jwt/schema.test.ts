import { describe, expect, it } from 'vitest';
import { OptionError, TokenError } from '../../src/errors.js';
import { applySchema, applySchemaSync, readSchema, type StandardSchema } from '../../src/jwt/schema.js';
import { thrownBy } from './forge.js';

/** A schema of no library, with this for its `validate`. */
function schemaWith(validate: (value: unknown) => unknown): StandardSchema {
  return { '~standard': { version: 1, vendor: 'test', validate: validate as never } };
}

const passes = schemaWith((value) => ({ value }));

describe('a schema', () => {
  it('is an object or a function with the property ~standard of version 1', () => {
    const callable = Object.assign(() => {}, passes);
    expect(readSchema(passes, 'schema')).toBe(passes);
    expect(readSchema(callable, 'schema')).toBe(callable);
  });

  it.each([
    null,
    undefined,
    'schema',
    1,
    {},
    () => {},
    { '~standard': null },
    { '~standard': 1 },
    { '~standard': { version: 1 } },
    { '~standard': { version: 1, validate: {} } },
    { '~standard': { version: 2, validate() {} } },
    { parse() {} },
  ])('cannot be %o: the option is refused', (value) => {
    expect(thrownBy(() => readSchema(value, 'schema'))).toMatchObject({ code: 'ERR_REWT_OPTION', option: 'schema' });
  });
});

/**
 * Each case is tried with a schema that takes its time and with one that does not, and says the
 * same.
 */
async function outcome(validate: (value: unknown) => unknown, payload: unknown = {}) {
  const slow = schemaWith(async (value) => validate(value));
  const waited = await Promise.resolve(applySchema(payload, slow)).catch((error: unknown) => error);
  let atOnce: unknown;
  try {
    atOnce = applySchemaSync(payload, schemaWith(validate));
  } catch (error) {
    atOnce = error;
  }
  expect(atOnce).toEqual(waited);
  return waited;
}

describe('what a schema says', () => {
  it('is what becomes of the payload', async () => {
    expect(await outcome(() => ({ value: 7 }))).toBe(7);
    expect(await outcome((value) => ({ value, issues: undefined }), 'a text')).toBe('a text');
    expect(await outcome(() => ({ value: undefined }))).toBe(undefined);
  });

  it('refuses with its issues, each with the names that lead to it', async () => {
    const symbol = Symbol('s');
    const issues = [
      { message: 'no path' },
      { message: 'keys', path: ['a', 1, symbol] },
      { message: 'segments', path: [{ key: 'b' }, 'c'] },
    ];
    const refusal = await outcome(() => ({ issues, value: 1 }));
    expect(refusal).toBeInstanceOf(TokenError);
    expect(refusal).toMatchObject({ code: 'ERR_REWT_SCHEMA', status: 401, name: 'JsonWebTokenError' });
    expect((refusal as TokenError).issues).toEqual([
      { message: 'no path', path: [] },
      { message: 'keys', path: ['a', 1, symbol] },
      { message: 'segments', path: ['b', 'c'] },
    ]);
  });

  it('refuses also without an issue in the list', async () => {
    expect(await outcome(() => ({ issues: [], value: 1 }))).toMatchObject({ code: 'ERR_REWT_SCHEMA', issues: [] });
  });

  it.each([undefined, null, true, 'fine', {}, { success: true }, { issues: null }, { issues: 1 }, { issues: [null] }])(
    'is no permission where it is %o',
    async (result) => {
      const error = await outcome(() => result);
      if (result && typeof result === 'object' && 'issues' in result && result.issues === 1) {
        expect(error).toMatchObject({ code: 'ERR_REWT_SCHEMA' });
      } else expect(error).toBeInstanceOf(OptionError);
    },
  );

  it('is not repeated where the schema fails, since it may be about the payload', async () => {
    const fails = () => {
      throw new Error('ann@example.org is no name');
    };
    const error = await outcome(fails);
    expect(error).toMatchObject({ code: 'ERR_REWT_OPTION', option: 'schema' });
    expect(String((error as Error).stack)).not.toMatch(/ann@/);
  });

  const thenable = (then: (settle: (value: unknown) => void, fail: (error: Error) => void) => void, on: object = {}) =>
    Object.defineProperty(on, 'then', { value: then });

  it.each([
    ['never settles', thenable(() => {})],
    ['fails', thenable((_, fail) => fail(new Error('ann@example.org')))],
    [
      'is a function',
      thenable(
        (settle) => settle(1),
        () => {},
      ),
    ],
  ])('is no value that is a promise, such as one that %s', async (_, value) => {
    const error = await outcome(() => ({ value }));
    expect(error).toMatchObject({ code: 'ERR_REWT_OPTION', message: expect.stringContaining('then()') });
  });

  it('may take its time, but not where no caller waits', async () => {
    const slow = schemaWith(async (value) => ({ value }));
    expect(await applySchema({ a: 1 }, slow)).toEqual({ a: 1 });
    expect(thrownBy(() => applySchemaSync({}, slow))).toMatchObject({
      code: 'ERR_REWT_OPTION',
      option: 'schema',
    });
    const fails = schemaWith(async () => {
      throw new Error('unheard');
    });
    // No code handles its failure: an unhandled rejection would end this run.
    expect(thrownBy(() => applySchemaSync({}, fails))).toMatchObject({ message: /await verify/ });
  });
});
