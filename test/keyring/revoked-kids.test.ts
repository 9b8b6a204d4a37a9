/** A token whose secret this member saw revoked: refused at once, whatever the store does. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { memoryStore, Rewt, type RewtOptions } from '../../src/index.js';
import { type FaultyStore, faultyStore } from '../faulty-store.js';
import { pass, times, turnTime } from '../turned-time.js';

beforeEach(() => turnTime());
afterEach(() => {
  vi.useRealTimers();
});

const unknown = { status: 401, code: 'ERR_REWT_UNKNOWN_KEY' };

/** A member that saw a revocation by another one, with a token of before. */
async function afterRevocation(
  options: Partial<RewtOptions> = {},
): Promise<{ rewt: Rewt; store: FaultyStore; revoked: string }> {
  const register = memoryStore();
  const store = faultyStore(register);
  const rewt = new Rewt({ ...times, ...options, store });
  const revoked = await rewt.sign({});
  await new Rewt({ ...times, store: faultyStore(register) }).revoke();
  await pass(2_100);
  await rewt.sign({});
  return { rewt, store, revoked };
}

describe('a token whose secret this member saw revoked', () => {
  test('is refused without a read, however often it comes', async () => {
    const { rewt, store, revoked } = await afterRevocation();
    const { readCount } = store;
    for (let n = 0; n < 50; n += 1) await expect(rewt.verify(revoked)).rejects.toMatchObject(unknown);
    expect(store.readCount).toBe(readCount);
  });

  test.each([60, 0])('is 401 while the store is away, where others are 503 (maxStaleness %d)', async (maxStaleness) => {
    const { rewt, store, revoked } = await afterRevocation({ maxStaleness });
    const live = await rewt.sign({});
    store.reads = 'down';
    await pass(61_000);
    await expect(rewt.verify(revoked)).rejects.toMatchObject(unknown);
    const foreign = await new Rewt({ store: memoryStore() }).sign({});
    const others = Promise.allSettled([rewt.verify(live), rewt.verify(foreign)]);
    await pass(1_000);
    for (const other of await others) expect(other).toMatchObject({ reason: { status: 503 } });
  });

  test('is refused by verifySync at once, and not for want of a fresh copy', async () => {
    const { rewt, revoked } = await afterRevocation();
    expect(() => rewt.verifySync(revoked)).toThrow(expect.objectContaining(unknown));
    await pass(2_100);
    expect(() => rewt.verifySync(revoked)).toThrow(expect.objectContaining(unknown));
  });

  test('is refused by its kid alone: nothing of its payload is looked at', async () => {
    const { rewt, revoked } = await afterRevocation();
    const [header] = revoked.split('.');
    const odd = `${header}.${Buffer.from('not JSON').toString('base64url')}.${'A'.repeat(43)}`;
    await expect(rewt.verify(odd)).rejects.toMatchObject(unknown);
  });

  test('says nothing of a closed member', async () => {
    const { rewt, revoked } = await afterRevocation();
    await rewt.close();
    await expect(rewt.verify(revoked)).rejects.toMatchObject({ code: 'ERR_REWT_STORE_CLOSED' });
  });
});

test('a revoked token makes a member with a copy past its soft age read behind its back, so that a revocation that the store lost is found', async () => {
  const { rewt, store, revoked } = await afterRevocation();
  await pass(2_100);
  const { readCount } = store;
  for (let n = 0; n < 20; n += 1) await expect(rewt.verify(revoked)).rejects.toMatchObject(unknown);
  await pass(10);
  expect(store.readCount).toBe(readCount + 1);
});

test('a kid that this member never saw revoked is read for, as ever', async () => {
  const { rewt, store } = await afterRevocation();
  const { readCount } = store;
  const foreign = await new Rewt({ store: memoryStore() }).sign({});
  await expect(rewt.verify(foreign)).rejects.toMatchObject(unknown);
  expect(store.readCount).toBeGreaterThan(readCount);
});
