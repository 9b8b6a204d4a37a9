/** The option `schema`, with the libraries that people have. */

import { EventEmitter, once } from 'node:events';
import { inspect } from 'node:util';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import * as z from 'zod';
import {
  type JwtClaims,
  memoryStore,
  Rewt,
  type RewtError,
  type RewtOptions,
  type StandardSchema,
  TokenError,
  type VerifyOptions,
} from '../src/index.js';

const store = memoryStore();
const rewt = new Rewt({ store });

const schemas = {
  zod: z.object({ role: z.enum(['clerk', 'boss']), level: z.number().default(1) }),
  valibot: v.object({ role: v.picklist(['clerk', 'boss']), level: v.optional(v.number(), 1) }),
  arktype: type({ role: "'clerk' | 'boss'", level: 'number = 1' }),
};
interface Staff {
  role: 'clerk' | 'boss';
  level: number;
}

async function refusalOf(promise: Promise<unknown>): Promise<TokenError> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  if (error instanceof TokenError) return error;
  throw new Error('it was not refused');
}

describe.each(Object.entries(schemas) as [string, StandardSchema<Staff>][])('a schema of %s', (_library, schema) => {
  it('gives what it makes of the claims, in every form of verify', async () => {
    const token = await rewt.sign({ role: 'clerk' });
    const claims = await rewt.verify(token, { schema });
    expect(claims).toMatchObject({ role: 'clerk', level: 1 });
    expect(rewt.verifySync(token, { schema })).toEqual(claims);
    expect(await rewt.verifyComplete(token, { schema })).toEqual({
      header: expect.objectContaining({ alg: 'HS256' }),
      payload: claims,
      signature: expect.any(String),
    });
    const called = await new Promise((resolve) => {
      rewt.verify(token, { schema }, (error, payload) => resolve([error, payload]));
    });
    expect(called).toEqual([null, claims]);
  });

  it('refuses what does not fit, and tells where and why', async () => {
    const token = await rewt.sign({ role: 'thief', level: 'high' });
    const refusal = await refusalOf(rewt.verify(token, { schema }));
    expect(refusal).toMatchObject({ code: 'ERR_REWT_SCHEMA', status: 401 });
    expect(refusal.issues?.map(({ path }) => path).toSorted()).toEqual([['level'], ['role']]);
    expect(refusal.issues?.every(({ message }) => message.length > 5)).toBe(true);
    expect(() => rewt.verifySync(token, { schema })).toThrow(refusal.message);
    const called = await new Promise((resolve) => {
      rewt.verify(token, { schema }, (error, payload) => resolve([error, payload]));
    });
    expect(called).toEqual([refusal, undefined]);
  });

  it('shows no claim in the error unless its issues are asked for', async () => {
    const refusal = await refusalOf(rewt.verify(await rewt.sign({ role: 'ann@example.org' }), { schema }));
    const shown = [inspect(refusal), inspect({ refusal }), JSON.stringify(refusal), String(refusal.stack)];
    shown.push(JSON.stringify({ ...refusal }), JSON.stringify(Object.keys(refusal)));
    for (const text of shown) expect(text).not.toMatch(/ann@|clerk|issues/);
  });
});

describe('a schema', () => {
  const asked = vi.fn((value: unknown) => ({ value }));
  const schema: StandardSchema = { '~standard': { version: 1, vendor: 'test', validate: asked } };

  it('is not asked about a token that is refused for anything else', async () => {
    const token = await rewt.sign({ aud: 'mail' });
    const forged = `${token.slice(0, -4)}AAAA`;
    await refusalOf(rewt.verify(forged, { schema }));
    await refusalOf(rewt.verify(token, { schema, audience: 'orders' }));
    await refusalOf(rewt.verify(token, { schema, requiredClaims: ['role'] }));
    expect(() => rewt.verifySync(forged, { schema })).toThrow(TokenError);
    expect(asked).not.toHaveBeenCalled();
    await rewt.verify(token, { schema, audience: 'mail' });
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it('judges a text where the payload is one', async () => {
    const token = await rewt.sign('a text');
    expect(await rewt.verify(token, { schema: z.string().toUpperCase() })).toBe('A TEXT');
    await expect(rewt.verify(token, { schema: schemas.zod })).rejects.toMatchObject({ code: 'ERR_REWT_SCHEMA' });
  });

  it('may be asynchronous, but not for verifySync', async () => {
    const slow = z.object({ role: z.string() }).refine(async ({ role }) => role === 'clerk');
    const token = await rewt.sign({ role: 'clerk' });
    expect(await rewt.verify(token, { schema: slow })).toEqual({ role: 'clerk' });
    expect(() => rewt.verifySync(token, { schema: slow })).toThrow(
      expect.objectContaining({ code: 'ERR_REWT_OPTION', option: 'schema' }),
    );
    await expect(rewt.verify(await rewt.sign({ role: 'boss' }), { schema: slow })).rejects.toMatchObject({
      code: 'ERR_REWT_SCHEMA',
    });
    const called = await new Promise((resolve) => {
      rewt.verify(token, { schema: slow }, (error, payload) => resolve([error, payload]));
    });
    expect(called).toEqual([null, { role: 'clerk' }]);
  });

  /** One that waits until the test gives its answer. */
  function waiting() {
    const events = new EventEmitter();
    const validate = async () => {
      events.emit('asked');
      const [value] = await once(events, 'answered');
      return { value };
    };
    const schema: StandardSchema = { '~standard': { version: 1, vendor: 'test', validate } };
    return { schema, asked: once(events, 'asked'), answer: (value: unknown) => events.emit('answered', value) };
  }

  it('is waited for as long as a store would be', async () => {
    vi.useFakeTimers();
    try {
      const patient = new Rewt({ store, storeTimeout: 2 });
      const token = await patient.sign({});
      const { schema } = waiting();
      const refusal = patient.verify(token, { schema }).catch((error: unknown) => error);
      await vi.advanceTimersByTimeAsync(1_999);
      expect(await Promise.race([refusal, 'nothing yet'])).toBe('nothing yet');
      await vi.advanceTimersByTimeAsync(1);
      expect(await refusal).toMatchObject({
        name: 'OptionError',
        option: 'schema',
        message: expect.stringMatching(/^schema: .* within storeTimeout/),
      });
      await patient.verify(token, { schema: z.object({}).refine(async () => true) });
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([
    ['is revoked', (member: Rewt) => member.revoke(), 'ERR_REWT_UNKNOWN_KEY'],
    ['expires', async () => vi.setSystemTime(Date.now() + 61_000), 'ERR_REWT_EXPIRED'],
  ])('that takes its time lets in no token that %s meanwhile', async (_, ends, code) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const member = new Rewt({ store: memoryStore(), clockTolerance: 0 });
      const token = await member.sign({ role: 'clerk' }, { expiresIn: 60 });
      const { schema, answer, asked } = waiting();
      const verdict = member.verify(token, { schema }).catch((error: unknown) => error);
      await asked;
      await ends(member);
      answer('fits');
      expect(await verdict).toMatchObject({ code });
    } finally {
      vi.useRealTimers();
    }
  });

  it('runs each time, on a separate copy of the claims, also for a token that is remembered', async () => {
    const marks = v.looseObject({ seen: v.optional(v.array(v.number()), []) });
    const spoils: StandardSchema<Record<string, unknown>> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) => {
          const claims = value as Record<string, unknown>;
          claims.spoilt = 'spoilt' in claims;
          return { value: claims };
        },
      },
    };
    for (const payload of [{ role: 'clerk' }, { role: 'clerk', nested: { list: [1] } }]) {
      const token = await rewt.sign(payload);
      for (let times = 0; times < 4; times += 1) {
        expect(await rewt.verify(token, { schema: spoils })).toMatchObject({ spoilt: false });
        const { seen } = await rewt.verify(token, { schema: marks });
        expect(seen).toEqual([]);
        seen.push(times);
      }
    }
  });

  it('holds for all of an instance, unless a call has another', async () => {
    const staff = new Rewt({ store, verify: { schema: schemas.zod } });
    expect(await staff.verify(await staff.sign({ role: 'boss' }))).toEqual({ role: 'boss', level: 1 });
    const guest = await staff.sign({ role: 'guest' });
    await expect(staff.verify(guest)).rejects.toMatchObject({ code: 'ERR_REWT_SCHEMA' });
    expect(await staff.verify(guest, { audience: undefined, schema: z.object({ role: z.string() }) })).toEqual({
      role: 'guest',
    });
  });

  it('has to be one', async () => {
    const wrong = { schema: { parse: () => ({}) } as never };
    await expect(rewt.verify('any', wrong)).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_REWT_OPTION', option: 'schema' }),
    );
    expect(() => new Rewt({ store, verify: wrong })).toThrow(
      expect.objectContaining({ code: 'ERR_REWT_OPTION', option: 'schema' }),
    );
    expect(() => new Rewt({ store, schema: schemas.zod } as never)).toThrow(/'schema' goes under 'verify'/);
  });
});

describe('the types', () => {
  interface Mine {
    tenant: string;
    sub: string;
  }
  const token = rewt.sign({ tenant: 'a', role: 'clerk', sub: 's' });

  it('are the output of the schema', async () => {
    const { zod, valibot, arktype } = schemas;
    expectTypeOf(await rewt.verify(await token, { schema: zod })).toEqualTypeOf<Staff>();
    expectTypeOf(await rewt.verify(await token, { schema: valibot })).toEqualTypeOf<Staff>();
    expectTypeOf(await rewt.verify(await token, { schema: arktype })).toEqualTypeOf<Staff>();
    expectTypeOf(rewt.verifySync(await token, { schema: zod })).toEqualTypeOf<Staff>();
    expectTypeOf((await rewt.verifyComplete(await token, { schema: zod })).payload).toEqualTypeOf<Staff>();
    rewt.verify(await token, { schema: zod }, (error, payload) => {
      if (error === null) expectTypeOf(payload).toEqualTypeOf<Staff>();
    });
    const staff = new Rewt({ store, verify: { schema: zod, audience: 'x' } });
    const wide = staff.verify('');
    wide.catch(() => {});
    expectTypeOf((await wide.catch(() => null))?.role).toEqualTypeOf<'clerk' | 'boss' | undefined>();
    // It verifies for others than those it signs for.
    expectTypeOf(staff.sign).toBeCallableWith({ anything: true });
  });

  it('are the claims of the instance', async () => {
    const mine = new Rewt<Mine>({ store });
    const claims = await mine.verify(await mine.sign({ tenant: 'a' }, { subject: 's' }));
    expectTypeOf(claims.tenant).toEqualTypeOf<string>();
    expectTypeOf(claims.sub).toEqualTypeOf<string>();
    expectTypeOf(claims.exp).toEqualTypeOf<number | undefined>();
    expectTypeOf((await mine.verifyComplete(await token)).payload.tenant).toEqualTypeOf<string>();
    expectTypeOf(mine.verifySync(await token).tenant).toEqualTypeOf<string>();
    expectTypeOf(await mine.verify(await token, { schema: schemas.zod })).toEqualTypeOf<Staff>();
    expectTypeOf((await mine.verify<{ other: number }>(await token)).other).toEqualTypeOf<number>();
    mine.signSync({ tenant: 'a', exp: Math.floor(Date.now() / 1_000) + 9, sub: 's' });
    // @ts-expect-error: a claim is missing
    mine.signSync({ sub: 's' });
    // @ts-expect-error: a claim is of another type
    mine.signSync({ tenant: 1 });
    // @ts-expect-error: no such claim
    mine.signSync({ tenant: 'a', tenat: 'b' });
    const texts = new Rewt<string>({ store });
    expectTypeOf(await texts.verify(await texts.sign('a text'))).toEqualTypeOf<string>();
  });

  it('let a Rewt of any claims go wherever a Rewt is wanted, and none where other claims are signed', () => {
    const mine = new Rewt<Mine>({ store });
    const staff = new Rewt({ store, verify: { schema: schemas.zod } });
    expectTypeOf(mine).toExtend<Rewt>();
    expectTypeOf(staff).toExtend<Rewt>();
    expectTypeOf(new Rewt<string>({ store })).toExtend<Rewt>();
    expectTypeOf(mine).toExtend<Pick<Rewt, 'verify'>>();
    expectTypeOf(mine).not.toExtend<Rewt<{ tenant: number }>>();
    expectTypeOf(new Rewt({ store })).toEqualTypeOf<Rewt>();
    expectTypeOf(staff.sign).toBeCallableWith({ anything: true });
  });

  it('of options that may have a schema leave the claims as they are', async () => {
    const options: RewtOptions = { store };
    expectTypeOf((await new Rewt(options).verify(await token)).anything).toEqualTypeOf<unknown>();
    const mine = new Rewt<Mine>(options);
    const verifyOptions: VerifyOptions = {};
    expectTypeOf((await mine.verify(await token, verifyOptions)).tenant).toEqualTypeOf<string>();
    expectTypeOf(await mine.verify<unknown>(await token)).toEqualTypeOf<JwtClaims>();
  });

  it('are not inferred from where a result goes', async () => {
    const mine = new Rewt<Mine>({ store });
    // @ts-expect-error: the claims have no such member
    const claims: { other: number } = await mine.verify(await token);
    // @ts-expect-error: nor here
    const atOnce: { other: number } = mine.verifySync(await token);
    expect(claims).toEqual(atOnce);
  });

  it('of callbacks are inferred, with and without options', async () => {
    const mine = new Rewt<Mine>({ store });
    mine.sign({ tenant: 'a' }, (error, made) => expectTypeOf(error === null ? made : '').toEqualTypeOf<string>());
    mine.sign({ tenant: 'a' }, { expiresIn: 9 }, (...outcome) => {
      expectTypeOf(outcome).toEqualTypeOf<[error: null, result: string] | [error: RewtError, result: undefined]>();
    });
    mine.verify(await token, (error, claims) => {
      if (error === null) expectTypeOf(claims.tenant).toEqualTypeOf<string>();
      else expectTypeOf(claims).toEqualTypeOf<undefined>();
    });
    mine.verify(await token, { subject: 's' }, (error, claims) => {
      if (error === null) expectTypeOf(claims.exp).toEqualTypeOf<number | undefined>();
    });
    mine.verify(await token, undefined, (error, claims) => {
      if (error === null) expectTypeOf(claims.sub).toEqualTypeOf<string>();
    });
    mine.verify<{ other: number }>(await token, (error, claims) => {
      if (error === null) expectTypeOf(claims.other).toEqualTypeOf<number>();
    });
  });

  it('are any claims where nothing was said', async () => {
    const claims = await rewt.verify(await token);
    expectTypeOf(claims.anything).toEqualTypeOf<unknown>();
    expectTypeOf(claims.exp).toEqualTypeOf<number | undefined>();
    expectTypeOf(rewt.sign).toBeCallableWith('a text');
  });
});
