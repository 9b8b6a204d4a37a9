import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { StandardSchema } from '../../src/jwt/schema.js';
import { compileVerifyOptions, type VerifyOptions, verifyReaders } from '../../src/jwt/verify-options.js';
import { thrownBy } from './forge.js';

const schema: StandardSchema = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } };

describe('verify options', () => {
  it('take a RegExp of another realm, and nothing that only looks like one', () => {
    const { audience } = compileVerifyOptions({ audience: runInNewContext('/^orders/i') });
    expect(audience).toEqual([/^orders/i]);
    expect(audience?.[0]).toBeInstanceOf(RegExp);
    const looks = { source: '.*', flags: '', [Symbol.toStringTag]: 'RegExp' };
    expect(() => compileVerifyOptions({ audience: looks })).toThrow(
      expect.objectContaining({ code: 'ERR_REWT_OPTION', option: 'audience' }),
    );
  });

  it('are read into lists and seconds, and frozen', () => {
    const raw: VerifyOptions = {
      audience: ['a', /^b/],
      issuer: 'i',
      subject: 's',
      jwtid: 'j',
      maxAge: '2m',
      clockTolerance: 5,
      requiredClaims: ['tenant'],
      schema,
      algorithms: ['HS256'],
    };
    const compiled = compileVerifyOptions(raw);
    expect(compiled).toEqual({
      audience: ['a', /^b/],
      issuer: 'i',
      subject: 's',
      jwtid: 'j',
      maxAgeSeconds: 120,
      clockToleranceSeconds: 5,
      requiredClaims: ['tenant'],
      schema,
    });
    expect(compiled.schema).toBe(schema);
    expect([compiled, compiled.audience, compiled.issuer, compiled.requiredClaims].every(Object.isFrozen)).toBe(true);
    expect(Object.keys(raw).toSorted()).toEqual(Object.keys(verifyReaders).toSorted());
  });

  it('that are not given, or given as undefined, are those of the instance, one by one', () => {
    const defaults = compileVerifyOptions({ clockTolerance: 5, requiredClaims: ['a'], issuer: ['x', 'y'] });
    expect(compileVerifyOptions(undefined, 'verify options', defaults)).toBe(defaults);
    expect(compileVerifyOptions(null, 'verify options', defaults)).toBe(defaults);
    const compiled = compileVerifyOptions(
      { clockTolerance: undefined, requiredClaims: [] },
      'verify options',
      defaults,
    );
    expect(compiled).toMatchObject({ clockToleranceSeconds: 5, requiredClaims: [], issuer: ['x', 'y'] });
  });

  it('check nothing and tolerate nothing where nothing is given', () => {
    expect(compileVerifyOptions({})).toEqual({
      audience: undefined,
      issuer: undefined,
      subject: undefined,
      jwtid: undefined,
      maxAgeSeconds: undefined,
      clockToleranceSeconds: 0,
      requiredClaims: [],
    });
  });

  it.each<[string, unknown, RegExp]>([
    ['audience', '', /not empty, a RegExp, or a list/],
    ['audience', [], /the list is empty/],
    ['audience', ['a', null], /not empty, a RegExp/],
    ['audience', {}, /not empty, a RegExp/],
    ['issuer', '', /not empty/],
    ['issuer', [], /the list is empty/],
    ['issuer', /x/, /string/],
    ['subject', ['s'], /string/],
    ['jwtid', '', /not empty/],
    ['maxAge', '120', /unit/],
    ['clockTolerance', -1, /not negative/],
    ['clockTolerance', Number.POSITIVE_INFINITY, /finite/],
    ['requiredClaims', 'exp', /a list of claim names/],
    ['requiredClaims', [1], /string/],
    ['algorithms', 'HS256', /must be \['HS256'\]/],
    ['algorithms', [], /the list is empty/],
    ['algorithms', ['none'], /HS256 only/],
    ['algorithms', ['HS256', 'HS512'], /HS256 only/],
  ])('refuse %s that is wrong', (option, value, sentence) => {
    const error = thrownBy(() => compileVerifyOptions({ [option]: value }));
    expect(error).toMatchObject({
      name: 'OptionError',
      code: 'ERR_REWT_OPTION',
      option,
      message: expect.stringMatching(sentence),
    });
  });

  it('refuse an unknown name with a guess, and no object with a sentence', () => {
    expect(() => compileVerifyOptions({ audiance: 'x' })).toThrow(
      "verify options: unknown option 'audiance'; did you mean 'audience'?",
    );
    expect(() => compileVerifyOptions('x')).toThrow('verify options: must be a plain object');
  });

  it.each([
    'complete',
    'ignoreExpiration',
    'ignoreNotBefore',
    'clockTimestamp',
    'nonce',
    'expiresIn',
    'notBefore',
    'maxTokenAge',
    'allowInvalidAsymmetricKeyTypes',
  ])("tell those who bring '%s' what there is instead", (name) => {
    const error = thrownBy(() => compileVerifyOptions({ [name]: true }));
    expect(String(error)).toMatch(new RegExp(`verify options: '${name}' `));
    expect(String(error)).not.toContain('unknown option');
  });
});
