/**
 * The options of `rewtAuth`: wrong ones are refused at set-up, and what goes into a header can be
 * nothing but its own part.
 */
import { describe, expect, it, vi } from 'vitest';
import { memoryStore, OptionError, Rewt, TokenError } from '../../src/index.js';
import { createBearer } from '../../src/middleware/bearer.js';
import { overridden, readAuthOptions } from '../../src/middleware/options.js';

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
  ])('the options %o are refused', (options, message) => {
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
    expect(() => readAuthOptions({ realm: text })).toThrow(
      expect.objectContaining({ code: 'ERR_REWT_OPTION', option: 'realm' }),
    );
    expect(() => readAuthOptions({ scope: text })).toThrow(
      expect.objectContaining({ code: 'ERR_REWT_OPTION', option: 'scope' }),
    );
  });

  it.each([' a', 'a ', 'a  b', ' '])('%j is no scope: names have one space between them', (scope) => {
    expect(() => readAuthOptions({ scope })).toThrow(
      expect.objectContaining({ code: 'ERR_REWT_OPTION', option: 'scope' }),
    );
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

  it('is given to verify as it is', () => {
    const pattern = /^orders/;
    expect(readAuthOptions({ audience: pattern, maxAge: '1m', realm: 'x' }).verify).toEqual({
      audience: pattern,
      maxAge: '1m',
    });
    expect(readAuthOptions({ realm: 'x' }).verify).toEqual({});
  });
});

it('a Rewt reads the options once, at set-up, and not with each request', async () => {
  const token = await rewt.sign({ sub: 'ann' }, { audience: 'orders' });
  const verifier = vi.spyOn(rewt, 'verifier');
  const { judge } = createBearer(rewt, { audience: 'orders' }, () => token);
  for (let time = 0; time < 3; time += 1) expect(await judge({})).toMatchObject({ sub: 'ann' });
  expect(verifier).toHaveBeenCalledExactlyOnceWith({ audience: 'orders' });
});

it('a substitute with verify alone gets token and options, and no token that a header cannot carry', async () => {
  const verify = vi.fn(async () => ({ sub: 'ann' }));
  const judged = (given: string) => createBearer({ verify }, { audience: 'orders' }, () => given).judge({});
  expect(await judged('any-token')).toEqual({ sub: 'ann' });
  expect(await judged('one, Bearer two')).toMatchObject({ status: 400 });
  expect(verify).toHaveBeenCalledExactlyOnceWith('any-token', { audience: 'orders' });
});

it('a subclass that refuses more tokens refuses them at a route too', async () => {
  class Strict extends Rewt {
    override async verify(): Promise<never> {
      throw new TokenError({ code: 'ERR_REWT_CLAIM_INVALID', message: 'on the list of the refused' });
    }
  }
  const strict = new Strict({ store });
  const { judge } = createBearer(strict, {}, () => token);
  const token = await strict.sign({});
  expect(await judge({})).toMatchObject({ status: 401 });
});

describe('what stands in for the verify of a Rewt is asked itself, and about well-formed tokens only:', () => {
  type Verify = (token: string) => Promise<object>;
  class Replaced extends Rewt {}
  const wrapped = (verify: Verify, ofTarget: (method: unknown, target: object) => unknown): Rewt =>
    new Proxy(new Rewt({ store }), {
      get: (target, name) => (name === 'verify' ? verify : ofTarget(Reflect.get(target, name), target)),
    });
  it.each<[string, (verify: Verify) => Parameters<typeof createBearer>[0]]>([
    [
      'of a subclass',
      (verify) => {
        Replaced.prototype.verify = verify as never;
        return new Replaced({ store });
      },
    ],
    ['of an object that inherits from a Rewt', (verify) => Object.assign(Object.create(rewt), { verify })],
    ['of a Proxy', (verify) => wrapped(verify, (method) => method)],
    ['of a Proxy that binds', (verify) => wrapped(verify, (method, to) => Object(method).bind?.(to) ?? method)],
    ['of a substitute that has a verifier too', (verify) => ({ verify, verifier: () => async () => ({ sub: 'bob' }) })],
    ['of a mock whose verifier returns nothing', (verify) => ({ verify, verifier: () => undefined as never })],
  ])('%s', async (_, make) => {
    const verify = vi.fn(async () => ({ sub: 'stand-in' }));
    const judged = (given: string) => createBearer(make(verify), { maxAge: '1m' }, () => given).judge({});
    expect(await judged(await rewt.sign({ sub: 'ann' }))).toEqual({ sub: 'stand-in' });
    expect(await judged('one, Bearer two')).toMatchObject({ status: 400 });
    expect(verify).toHaveBeenCalledExactlyOnceWith(expect.any(String), { maxAge: '1m' });
  });

  it.each([
    ['of the class, which was patched', Rewt.prototype],
    ['of one Rewt, which is spied on later', rewt],
  ])('%s', async (_, owner) => {
    const token = await rewt.sign({ sub: 'ann' });
    let given = token;
    const { judge } = createBearer(rewt, {}, () => given);
    const bound = rewt.verifier();
    const verify = vi.spyOn(owner, 'verify').mockImplementation((async () => ({ sub: 'stand-in' })) as never);
    try {
      expect(await judge({})).toEqual({ sub: 'stand-in' });
      expect(await createBearer(rewt, {}, () => token).judge({})).toEqual({ sub: 'stand-in' });
      expect(await bound(token)).toEqual({ sub: 'stand-in' });
      expect(verify).toHaveBeenCalledTimes(3);
      given = 'one, Bearer two';
      expect(await judge({})).toMatchObject({ status: 400 });
      expect(verify).toHaveBeenCalledTimes(3);
    } finally {
      verify.mockRestore();
    }
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no promise');
      },
    ],
    ['returns claims, and no promise', () => ({ sub: 'stand-in' })],
  ])('also if it %s', async (_, verify) => {
    for (const method of [{ verify }, { verifier: () => verify }]) {
      for (const options of [{}, { token: () => 'any-token' }]) {
        const { judge } = createBearer(Object.assign(new Rewt({ store }), method), options, () => 'any-token');
        const outcome = await judge({}).catch((error) => error.message);
        expect(['no promise', { sub: 'stand-in' }]).toContainEqual(outcome);
      }
    }
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
  for (const text of ['just a text', '"quoted"', 'null', '[1]']) {
    const token = await rewt.sign(text);
    expect(typeof (await rewt.verify<string>(token))).toBe('string');
    for (const options of [{}, { authorize }]) {
      const { judge } = createBearer(rewt, options, () => token);
      expect(await judge({})).toMatchObject({ status: 401, body: '{"error":"invalid_token"}' });
    }
  }
  expect(authorize).not.toHaveBeenCalled();
});
