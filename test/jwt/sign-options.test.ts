import { describe, expect, it } from 'vitest';
import { claimOfOption, compileSignOptions, type SignOptions, signReaders } from '../../src/jwt/sign-options.js';
import { thrownBy } from './forge.js';

describe('sign options', () => {
  it('are read into seconds, and frozen', () => {
    const raw: SignOptions = {
      expiresIn: '2m',
      notBefore: 5,
      audience: ['a', 'b'],
      issuer: 'i',
      subject: 's',
      jwtid: 'j',
      noTimestamp: true,
      header: { typ: 'at+jwt', cty: undefined, x: { y: 1 } },
      algorithm: 'HS256',
    };
    const compiled = compileSignOptions(raw);
    expect(compiled).toEqual({
      expiresInSeconds: 120,
      notBeforeSeconds: 5,
      audience: ['a', 'b'],
      issuer: 'i',
      subject: 's',
      jwtid: 'j',
      noTimestamp: true,
      header: { typ: 'at+jwt', x: { y: 1 } },
      writing: claimOfOption,
    });
    expect([compiled, compiled.audience, compiled.header].every(Object.isFrozen)).toBe(true);
    expect(Object.keys(raw).toSorted()).toEqual(Object.keys(signReaders).toSorted());
  });

  it('that are not given, or given as undefined, are those of the instance, one by one', () => {
    const defaults = compileSignOptions({ issuer: 'mine', audience: 'yours', header: { a: 1 } });
    expect(compileSignOptions(undefined, 'sign options', defaults)).toBe(defaults);
    expect(compileSignOptions(null, 'sign options', defaults)).toBe(defaults);
    const compiled = compileSignOptions(
      { issuer: undefined, audience: ['theirs'], header: {} },
      'sign options',
      defaults,
    );
    expect(compiled).toMatchObject({ issuer: 'mine', audience: ['theirs'], header: {} });
  });

  it('are what they were when they were read, whatever becomes of the object', () => {
    const raw = { audience: ['a'], header: { x: ['y'] } };
    const compiled = compileSignOptions(raw);
    raw.audience.push('b');
    raw.header.x.push('z');
    expect(compiled).toMatchObject({ audience: ['a'], header: { x: ['y'] } });
  });

  it('are taken from the object itself, not from what it inherits', () => {
    const polluted = Object.prototype as { issuer?: string };
    try {
      polluted.issuer = 'mallory';
      expect(compileSignOptions({}).issuer).toBeUndefined();
    } finally {
      delete polluted.issuer;
    }
  });

  it.each<[string, unknown, RegExp]>([
    ['expiresIn', '120', /unit/],
    ['expiresIn', -1, /not negative/],
    ['expiresIn', null, /seconds/],
    ['notBefore', '10', /unit/],
    ['audience', '', /not empty/],
    ['audience', [], /the list is empty/],
    ['audience', [1], /string/],
    ['audience', /x/, /string/],
    ['issuer', ['i'], /string/],
    ['issuer', '', /not empty/],
    ['issuer', null, /string/],
    ['subject', 1, /string/],
    ['jwtid', {}, /string/],
    ['noTimestamp', 1, /true or false/],
    ['algorithm', 'HS512', /HS256 only/],
    ['algorithm', 'none', /HS256 only/],
    ['header', 'x', /plain object/],
    ['header', [], /plain object/],
    ['header', new Date(), /plain object/],
    ['header', { alg: 'none' }, /header.alg: is reserved/],
    ['header', { kid: undefined }, /header.kid: is reserved/],
    ['header', { crit: ['x'] }, /header.crit: is reserved/],
    ['header', { b64: false }, /header.b64: is reserved/],
    ['header', { x: 1n }, /cannot be written as a JSON object/],
    ['header', { toJSON: () => 'x' }, /cannot be written as a JSON object/],
  ])('refuse %s that is wrong', (option, value, sentence) => {
    const error = thrownBy(() => compileSignOptions({ [option]: value }));
    expect(error).toMatchObject({
      name: 'OptionError',
      code: 'ERR_REWT_OPTION',
      option,
      message: expect.stringMatching(sentence),
    });
  });

  it.each(['alg', 'kid', 'crit', 'b64'])('refuse %s where the toJSON() of a header puts it there', (name) => {
    const header = { x: 1, toJSON: () => ({ [name]: 'none' }) };
    expect(() => compileSignOptions({ header })).toThrow(`header.${name}: is reserved and set by rewt. Remove it`);
  });

  it.each([1, null, ''])('refuse a typ that is no type (%j)', (typ) => {
    expect(() => compileSignOptions({ header: { typ } })).toThrow(
      expect.objectContaining({ code: 'ERR_REWT_OPTION', option: 'header.typ' }),
    );
  });

  it.each(['x', 1, true, [], new Map(), () => 1])('refuse what is no object of options (%s)', (raw) => {
    expect(() => compileSignOptions(raw, 'options of sign()')).toThrow(/^options of sign\(\): must be a plain object/);
  });

  it('refuse an unknown name with a guess', () => {
    expect(() => compileSignOptions({ expiresin: 1 })).toThrow(
      "sign options: unknown option 'expiresin'; did you mean 'expiresIn'?",
    );
  });

  it.each(['keyid', 'mutatePayload', 'encoding', 'allowInsecureKeySizes', 'allowInvalidAsymmetricKeyTypes'])(
    "tell users of jsonwebtoken why there is no '%s'",
    (name) => {
      const error = thrownBy(() => compileSignOptions({ [name]: 'x' }));
      expect(String(error)).toMatch(new RegExp(`sign options: '${name}' .*: `));
    },
  );
});
