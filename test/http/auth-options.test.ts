/** The options of `rewtAuth`: wrong ones are told at set-up, and what goes into a header can be nothing but its own part. */
import { describe, expect, it, vi } from 'vitest';
import { overridden, readAuthOptions } from '../../src/http/auth-options.js';
import { createBearer } from '../../src/http/bearer.js';
import { memoryStore, OptionError, Rewt } from '../../src/index.js';

const store = memoryStore();
const rewt = new Rewt({ store });

describe('options that are wrong are refused at set-up', () => {
  it.each([
    [{ audiance: 'orders' }, "did you mean 'audience'?"],
    [{ optinal: true }, "did you mean 'optional'?"],
    [{ complete: true }, "'complete' is not supported here"],
    [{ secret: 'text' }, 'the keyring of your Rewt has it'],
    [{ getToken: () => '' }, "is called 'token' here"],
    [{ credentialsRequired: false }, "is 'optional: true' here"],
    [{ audience: '' }, 'audience: must be a string that is not empty'],
    [{ audience: [] }, 'audience: the list is empty'],
    [{ maxAge: '120' }, 'maxAge: a string needs a unit'],
    [{ algorithms: ['none'] }, 'HS256 only'],
    [{ token: 'text' }, 'token: must be a function'],
    [{ authorize: true }, 'authorize: must be a function'],
    [{ optional: 'yes' }, 'optional: must be true or false'],
    [{ scope: '' }, 'scope: must be names'],
    [{ scope: 5 }, 'scope: must be names'],
    [{ realm: '' }, 'realm: must be 1 to 200'],
    [null, 'must be a plain object'],
    ['text', 'must be a plain object'],
  ])('%o', (options, message) => {
    expect(() => readAuthOptions(options)).toThrow(message);
    expect(() => readAuthOptions(options)).toThrow(OptionError);
  });

  it.each([undefined, null, {}, 'a rewt', { verify: true }])('%o is no Rewt', (rewt) => {
    expect(() => createBearer(rewt as never, {}, () => undefined)).toThrow('needs a Rewt');
  });
});

describe('a header cannot be ended from within', () => {
  const hostile = [
    'a"b',
    'a\\b',
    'a\r\nSet-Cookie: a=b',
    'a\nb',
    'a\u0000b',
    'a\u007fb',
    'a\tb',
    'é',
    '…',
    'a'.repeat(1_001),
  ];

  it.each(hostile)('%j is no realm, and no scope', (text) => {
    expect(() => readAuthOptions({ realm: text })).toThrow(/^realm: /);
    expect(() => readAuthOptions({ scope: text })).toThrow(/^scope: /);
  });

  it.each([' a', 'a ', 'a  b', ' '])('%j is no scope: names have one space between them', (scope) => {
    expect(() => readAuthOptions({ scope })).toThrow(/^scope: /);
  });

  it('what is allowed stands in the challenge as it is', () => {
    const realm = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at))
      .filter((unit) => unit !== '"' && unit !== '\\')
      .join('');
    const { responses } = readAuthOptions({ realm, scope: 'orders:read !#[]~' });
    expect(responses.missing.headers['www-authenticate']).toBe(`Bearer realm="${realm}"`);
    expect(responses.forbidden.headers['www-authenticate']).toBe(
      `Bearer realm="${realm}", error="insufficient_scope", scope="orders:read !#[]~"`,
    );
  });
});

describe('overrides', () => {
  it('replace what they name, and leave what is undefined or not named', () => {
    const authorize = () => false;
    const options = { audience: 'orders', authorize, optional: false };
    expect(overridden(options, { audience: 'billing', authorize: undefined as never })).toEqual({
      audience: 'billing',
      authorize,
      optional: false,
    });
  });

  it.each(['audience', 'issuer'])('name no %s that is undefined, as a variable that is not set would', (option) => {
    const unset = { [option]: undefined };
    for (const [options, overrides] of [
      [unset, {}],
      [{ [option]: 'orders' }, unset],
    ] as const) {
      const make = () => createBearer(rewt, createBearer(rewt, options, () => '').optionsWith(overrides), () => '');
      expect(make).toThrow(expect.objectContaining({ code: 'ERR_REWT_OPTION', option }));
    }
  });

  it.each([{ audiance: 'billing' }, { complete: true }])('%o are refused as options are', (overrides) => {
    expect(() => overridden({}, overrides as never)).toThrow(OptionError);
  });
});

describe('what was read at set-up', () => {
  it('stays as it was, whatever becomes of the object that it was read from', async () => {
    const token = await rewt.sign({ sub: 'ann' }, { audience: 'billing' });
    const options = { audience: 'orders', authorize: () => false };
    const { judge, optionsWith } = createBearer(rewt, options, () => token);
    options.audience = 'billing';
    options.authorize = () => true;
    expect(await judge({})).toMatchObject({ status: 401 });
    expect(await createBearer(rewt, optionsWith({}), () => token).judge({})).toMatchObject({ status: 401 });
  });

  it('is given to verify as it is, but that it gives claims', () => {
    const pattern = /^orders/;
    expect(readAuthOptions({ audience: pattern, maxAge: '1m', realm: 'x' }).verify).toEqual({
      audience: pattern,
      maxAge: '1m',
      complete: false,
    });
    expect(readAuthOptions({ realm: 'x' }).verify).toEqual({ complete: false });
  });
});

it('an error that is no verdict goes to the framework as it is, whatever it calls itself', async () => {
  const errors = [new Error('bug'), Object.assign(new Error('not ours'), { status: 401 }), new OptionError('misused')];
  for (const error of errors) {
    const { judge } = createBearer({ verify: () => Promise.reject(error) }, {}, () => 'token');
    await expect(judge({})).rejects.toBe(error);
  }
});

it('a signed text is no claims set, and no policy is asked about it', async () => {
  const authorize = vi.fn(() => true);
  // By whose defaults each token is given as a whole, a text among it.
  const whole = new Rewt({ store, verify: { complete: true } });
  for (const text of ['just a text', '"quoted"', 'null', '[1]']) {
    const token = await rewt.sign(text);
    expect(typeof (await rewt.verify<string>(token))).toBe('string');
    for (const [one, options] of [rewt, whole].flatMap((one) => [[one, {}] as const, [one, { authorize }] as const])) {
      const { judge } = createBearer(one, options, () => token);
      expect(await judge({})).toMatchObject({ status: 401, body: '{"error":"invalid_token"}' });
    }
  }
  expect(authorize).not.toHaveBeenCalled();
});
