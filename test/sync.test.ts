/**
 * `signSync` and `verifySync`: what they do on a fresh copy, and that they answer nothing where the
 * store would have to be asked.
 */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryStore, Rewt, type RewtOptions, type Store } from '../src/index.js';
import { thrownBy } from './jwt/forge.js';
import { type FaultyStore, faultyStore } from './support/faulty-store.js';
import { pass, times, turnTime } from './support/turned-time.js';

const notFresh = { name: 'StoreError', code: 'ERR_REWT_COPY_NOT_FRESH', status: 503 };

let register: Store;

beforeEach(() => {
  turnTime();
  register = memoryStore();
});

afterEach(() => {
  vi.useRealTimers();
});

function member(options: Partial<RewtOptions> = {}): { rewt: Rewt; store: FaultyStore } {
  const store = faultyStore(register);
  return { rewt: new Rewt({ ...times, ...options, store }), store };
}

describe('verifySync and signSync on a fresh copy', () => {
  it('they answer at once, as the promises do, and ask no store', async () => {
    const { rewt, store } = member({ verify: { issuer: 'billing' } });
    await rewt.sign({});
    const { readCount } = store;
    const token = rewt.signSync({ username: 'a@b.c' }, { issuer: 'billing', audience: 'orders' });
    const claims = rewt.verifySync<{ username: string }>(token, { audience: 'orders' });
    expect(claims).toEqual(await rewt.verify(token, { audience: 'orders' }));
    expect(claims.username).toBe('a@b.c');
    expect(store.readCount).toBe(readCount);
  });

  it('they throw what the promises reject with', async () => {
    const { rewt } = member();
    const token = await rewt.sign({ aud: 'stock' });
    expect(thrownBy(() => rewt.signSync(1 as never))).toMatchObject({ code: 'ERR_REWT_PAYLOAD' });
    expect(thrownBy(() => rewt.signSync({}, { expiresin: 1 } as never))).toMatchObject({ code: 'ERR_REWT_OPTION' });
    expect(thrownBy(() => rewt.verifySync('a.b.c'))).toMatchObject({ code: 'ERR_REWT_MALFORMED', status: 401 });
    expect(thrownBy(() => rewt.verifySync(token, { audience: 'orders' }))).toMatchObject({
      code: 'ERR_REWT_CLAIM_MISMATCH',
      claim: 'aud',
    });
    const forged = token.slice(0, -43) + 'A'.repeat(43);
    expect(thrownBy(() => rewt.verifySync(forged))).toMatchObject({ code: 'ERR_REWT_BAD_SIGNATURE' });
  });

  it('they keep it fresh themselves', async () => {
    const { rewt } = member();
    const token = await rewt.sign({});
    for (let ms = 0; ms < 20_000; ms += 500) {
      rewt.verifySync(token);
      rewt.signSync({});
      await pass(500);
    }
  });
});

describe('verifySync and signSync without a fresh copy', () => {
  it('they answer nothing before the first read, and find it done later', async () => {
    const { rewt } = member();
    const { token } = { token: await member().rewt.sign({}) };
    expect(thrownBy(() => rewt.signSync({}))).toMatchObject(notFresh);
    expect(thrownBy(() => rewt.verifySync(token))).toMatchObject(notFresh);
    await pass(1);
    expect(rewt.verifySync(rewt.signSync({ sub: 'a' }))).toMatchObject({ sub: 'a' });
    expect(rewt.verifySync(token)).toBeTypeOf('object');
  });

  it('verifySync says "not fresh" of a kid that the copy does not know, and has it read', async () => {
    const { rewt, store } = member();
    await rewt.sign({});
    const other = member().rewt;
    await other.revoke();
    const token = await other.sign({ sub: 'after' });
    expect(thrownBy(() => rewt.verifySync(token))).toMatchObject(notFresh);
    await pass(1);
    expect(rewt.verifySync(token)).toMatchObject({ sub: 'after' });
    const { readCount } = store;
    const elsewhere = await new Rewt({ store: memoryStore() }).sign({});
    for (let i = 0; i < 1_000; i += 1) expect(thrownBy(() => rewt.verifySync(elsewhere))).toMatchObject(notFresh);
    await pass(1_000);
    expect(store.readCount - readCount).toBeLessThanOrEqual(2);
    await expect(rewt.verify(elsewhere)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  });

  it('a copy past its soft age answers nothing, whether the store can be read or not', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({});
    await pass(2_000);
    store.reads = 'down';
    expect(thrownBy(() => rewt.verifySync(token))).toMatchObject(notFresh);
    expect(thrownBy(() => rewt.signSync({}))).toMatchObject(notFresh);
    await expect(rewt.verify(token)).resolves.toBeTypeOf('object');
    store.reads = 'up';
    // The read that the last call has asked for comes a tenth of a second later.
    await pass(2_200);
    expect(thrownBy(() => rewt.verifySync(token))).toMatchObject(notFresh);
    await pass(1);
    expect(rewt.verifySync(token)).toBeTypeOf('object');
  });

  it('a suspect copy answers nothing until it was read again', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({});
    store.replyMs = 50;
    store.push();
    expect(thrownBy(() => rewt.verifySync(token))).toMatchObject(notFresh);
    await pass(60);
    expect(rewt.verifySync(token)).toBeTypeOf('object');
  });

  it('with maxStaleness 0 they never answer', async () => {
    const { rewt } = member({ maxStaleness: 0 });
    const token = await rewt.sign({});
    expect(thrownBy(() => rewt.verifySync(token))).toMatchObject(notFresh);
    expect(thrownBy(() => rewt.signSync({}))).toMatchObject(notFresh);
    await pass(1_000);
    expect(thrownBy(() => rewt.verifySync(token))).toMatchObject(notFresh);
  });

  it('junk is junk, and causes no read', async () => {
    const { rewt, store } = member();
    expect(thrownBy(() => rewt.verifySync('junk'))).toMatchObject({ code: 'ERR_REWT_MALFORMED' });
    expect(store.readCount).toBe(0);
  });

  it('signSync answers nothing while the ring grants less than its tokens need', async () => {
    await member().rewt.sign({});
    const { rewt } = member({ tokenLifetime: 900 });
    await rewt.ready();
    expect(thrownBy(() => rewt.signSync({}))).toMatchObject(notFresh);
    await pass(1);
    expect(rewt.verifySync(rewt.signSync({}))).toBeTypeOf('object');
  });
});

it('a store on this machine, which async calls read each time, serves them from a copy for a soft age', async () => {
  const rewt = new Rewt({ ...times, store: register });
  const token = await rewt.sign({});
  expect(rewt.verifySync(token)).toBeTypeOf('object');
  const other = new Rewt({ ...times, store: register });
  await other.revoke();
  await pass(1_999);
  // By then it was read again, in the background of the call before.
  rewt.verifySync(token);
  await pass(1);
  // It saw the revocation, so there is nothing to wait for.
  expect(thrownBy(() => rewt.verifySync(token))).toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  await expect(rewt.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
});

it('a closed member says that it is closed', async () => {
  const { rewt } = member();
  const token = await rewt.sign({});
  await rewt.close();
  expect(thrownBy(() => rewt.verifySync(token))).toMatchObject({ code: 'ERR_REWT_STORE_CLOSED' });
  expect(thrownBy(() => rewt.signSync({}))).toMatchObject({ code: 'ERR_REWT_STORE_CLOSED' });
});

it('a callback, which would never be called, is refused', async () => {
  const { rewt } = member();
  const token = await rewt.sign({});
  const misused = { code: 'ERR_REWT_OPTION', option: 'callback' };
  // As a program in JavaScript can call them.
  const { signSync, verifySync } = rewt as unknown as Record<string, (...given: unknown[]) => unknown>;
  for (const given of [[() => {}], [undefined, () => {}], [{}, () => {}]]) {
    expect(thrownBy(() => signSync?.call(rewt, {}, ...given))).toMatchObject(misused);
    expect(thrownBy(() => verifySync?.call(rewt, token, ...given))).toMatchObject(misused);
  }
});
