/** `signer()` and `verifier()`: options read once, and whatever else `sign` and `verify` do. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest';
import { OptionError, Rewt, type RewtOptions } from '../src/index.js';
import { memoryStore } from '../src/stores/memory.js';

const opened: Rewt[] = [];
function rewtWith(options: Omit<RewtOptions, 'store'> = {}): Rewt {
  const rewt = new Rewt({ store: memoryStore(), ...options });
  opened.push(rewt);
  return rewt;
}
afterEach(() => Promise.all(opened.splice(0).map((rewt) => rewt.close())));

it('they do what sign and verify do with the same options, beside those of the instance', async () => {
  const rewt = rewtWith({ sign: { issuer: 'billing' }, verify: { issuer: 'billing' } });
  const sign = rewt.signer({ audience: 'orders', expiresIn: 30 });
  const verify = rewt.verifier({ audience: 'orders' });
  const token = await sign({ sub: 'ann' });
  const claims = await verify(token);
  expect(claims).toEqual(await rewt.verify(token, { audience: 'orders' }));
  expect(claims).toMatchObject({ sub: 'ann', aud: 'orders', iss: 'billing' });
  expect(Number(claims.exp) - Number(claims.iat)).toBe(30);

  const others = await rewt.sign({}, { audience: 'invoices' });
  await expect(verify(others)).rejects.toMatchObject({ code: 'ERR_REWT_CLAIM_MISMATCH', claim: 'aud' });
  await expect(verify('junk')).rejects.toMatchObject({ code: 'ERR_REWT_MALFORMED' });
  await expect(sign({ aud: 'twice' })).rejects.toMatchObject({ code: 'ERR_REWT_OPTION', option: 'audience' });
});

it('without options they are sign and verify of the instance', async () => {
  const rewt = rewtWith({ sign: { audience: 'orders' }, verify: { audience: 'orders' } });
  expect(await rewt.verifier()(await rewt.signer()({ sub: 'ann' }))).toMatchObject({ sub: 'ann', aud: 'orders' });
});

it('options are read when the function is made, and a later change to them is none', async () => {
  const rewt = rewtWith();
  const audience = ['orders'];
  const options = { audience };
  const verify = rewt.verifier(options);
  audience.push('invoices');
  options.audience = ['invoices'];
  await expect(verify(await rewt.sign({}, { audience: 'invoices' }))).rejects.toMatchObject({ claim: 'aud' });
});

it('nor is it one in a subclass, whose own methods get the options', async () => {
  const { sign, verify } = Rewt.prototype;
  class Watched extends Rewt {}
  Watched.prototype.sign = function (this: Watched, ...call: Parameters<typeof sign>) {
    return sign.apply(this, call);
  } as never;
  Watched.prototype.verify = function (this: Watched, ...call: Parameters<typeof verify>) {
    return verify.apply(this, call);
  } as never;
  const rewt = new Watched({ store: memoryStore() });
  opened.push(rewt);
  const audience = ['orders'];
  const options = { audience, issuer: 'billing' };
  const bound = [rewt.signer(options), rewt.verifier(options)] as const;
  audience[0] = 'invoices';
  options.issuer = 'eve';
  const claims = { aud: ['orders'], iss: 'billing' };
  expect(await rewt.verify(await bound[0]({}))).toMatchObject(claims);
  expect(await bound[1](await rewt.sign(claims))).toMatchObject(claims);
  await expect(bound[1](await rewt.sign({ ...claims, aud: 'invoices' }))).rejects.toMatchObject({ claim: 'aud' });
});

it('a subclass gets no options if none were given, so that its own defaults hold', async () => {
  class Strict extends Rewt {
    override verify = ((token: string, options = { audience: 'orders' }) => super.verify(token, options)) as never;
    override sign = ((payload: object, options = { audience: 'orders' }) => super.sign(payload, options)) as never;
  }
  const rewt = new Strict({ store: memoryStore() });
  opened.push(rewt);
  const token = await rewt.signer()({});
  expect(await rewt.verifier()(token)).toMatchObject({ aud: 'orders' });
  const foreign = await rewt.signer({ audience: 'invoices' })({});
  await expect(rewt.verifier()(foreign)).rejects.toMatchObject({ claim: 'aud' });
});

describe('wrong options are refused when the function is made:', () => {
  it.each([
    ['an unknown name', { audiense: 'orders' }, 'audiense'],
    ['a wrong value', { issuer: 7 }, 'issuer'],
    // A variable of the environment that is not set, for ever after.
    ['an audience that is undefined', { audience: undefined }, 'audience'],
    ['an issuer that is undefined', { issuer: undefined }, 'issuer'],
  ])('%s', (_, options, option) => {
    const rewt = rewtWith();
    const refusal = expect.objectContaining({ code: 'ERR_REWT_OPTION', option });
    expect(() => rewt.verifier(options as object)).toThrow(refusal);
    expect(() => rewt.signer(options as object)).toThrow(refusal);
  });
});

it('options or a callback beside the token are refused, and the index of a list is ignored', async () => {
  const rewt = rewtWith();
  const [sign, verify] = [rewt.signer(), rewt.verifier()] as unknown as ((...given: unknown[]) => Promise<string>)[];
  for (const more of [{ audience: 'orders' }, () => {}]) {
    await expect(sign?.({}, more)).rejects.toThrow(OptionError);
    await expect(verify?.('junk', more)).rejects.toThrow(OptionError);
  }
  const tokens = await Promise.all([{ n: 0 }, { n: 1 }].map(rewt.signer()));
  expect(await Promise.all(tokens.map(rewt.verifier()))).toMatchObject([{ n: 0 }, { n: 1 }]);
});

it('what a subclass demands of a token is demanded by its verifier too', async () => {
  class Strict extends Rewt {
    override verify(): never {
      throw new Error('refused by the subclass');
    }
  }
  const rewt = new Strict({ store: memoryStore() });
  opened.push(rewt);
  const token = await rewt.sign({});
  expect(() => rewt.verifier()(token)).toThrow('refused by the subclass');
});

it('what a subclass adds to a payload is added by its signer too', async () => {
  class Tenant extends Rewt {}
  const { sign } = Rewt.prototype;
  Tenant.prototype.sign = function (this: Tenant, payload: object, options: object) {
    return sign.call(this, { ...payload, tenant: 'north' }, options);
  } as never;
  const rewt = new Tenant({ store: memoryStore() });
  opened.push(rewt);
  const token = await rewt.signer({ audience: 'orders' })({ sub: 'ann' });
  expect(await rewt.verify(token)).toMatchObject({ sub: 'ann', tenant: 'north', aud: 'orders' });
});

it('they are seen by who watches operations', async () => {
  const rewt = rewtWith();
  const [sign, verify] = [rewt.signer(), rewt.verifier()];
  const seen: unknown[] = [];
  const listen = (message: unknown) => void seen.push((message as { operation: string }).operation);
  subscribe('rewt:operation', listen);
  try {
    await verify(await sign({}));
  } finally {
    unsubscribe('rewt:operation', listen);
  }
  expect(seen).toEqual(['sign', 'verify']);
});

it('a schema gives its output, and its type', async () => {
  const rewt = rewtWith();
  const schema = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value: unknown) => ({ value: { tenant: String(Object(value).tenant) } }),
      types: undefined as { input: unknown; output: { tenant: string } } | undefined,
    },
  } as const;
  const claims = await rewt.verifier({ schema })(await rewt.sign({ tenant: 7 }));
  expectTypeOf(claims).toEqualTypeOf<{ tenant: string }>();
  expect(claims).toEqual({ tenant: '7' });
});
