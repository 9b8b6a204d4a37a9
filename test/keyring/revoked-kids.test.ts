/** A token whose secret this member saw revoked: refused at once, whatever the store does. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryStore, Rewt, type RewtOptions, type Store } from '../../src/index.js';
import { type FaultyStore, faultyStore } from '../support/faulty-store.js';
import { pass, settle, times, turnTime } from '../support/turned-time.js';

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
  it('is refused without a read, however often it comes', async () => {
    const { rewt, store, revoked } = await afterRevocation();
    const { readCount } = store;
    for (let n = 0; n < 50; n += 1) await expect(rewt.verify(revoked)).rejects.toMatchObject(unknown);
    expect(store.readCount).toBe(readCount);
  });

  it.each([60, 0])('is 401 while the store is away, where others are 503 (maxStaleness %d)', async (maxStaleness) => {
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

  it('is refused by verifySync at once, and not for want of a fresh copy', async () => {
    const { rewt, revoked } = await afterRevocation();
    expect(() => rewt.verifySync(revoked)).toThrow(expect.objectContaining(unknown));
    await pass(2_100);
    expect(() => rewt.verifySync(revoked)).toThrow(expect.objectContaining(unknown));
  });

  it('is refused by its kid alone: nothing of its payload is looked at', async () => {
    const { rewt, revoked } = await afterRevocation();
    const [header] = revoked.split('.');
    const odd = `${header}.${Buffer.from('not JSON').toString('base64url')}.${'A'.repeat(43)}`;
    await expect(rewt.verify(odd)).rejects.toMatchObject(unknown);
  });

  it('says nothing of a closed member', async () => {
    const { rewt, revoked } = await afterRevocation();
    await rewt.close();
    await expect(rewt.verify(revoked)).rejects.toMatchObject({ code: 'ERR_REWT_STORE_CLOSED' });
  });
});

it('a revoked token makes a member with an old copy read in the background, and find a lost revocation', async () => {
  const { rewt, store, revoked } = await afterRevocation();
  await pass(2_100);
  const { readCount } = store;
  for (let n = 0; n < 20; n += 1) await expect(rewt.verify(revoked)).rejects.toMatchObject(unknown);
  await pass(10);
  expect(store.readCount).toBe(readCount + 1);
});

it('a kid that this member never saw revoked is read for, as ever', async () => {
  const { rewt, store } = await afterRevocation();
  const { readCount } = store;
  const foreign = await new Rewt({ store: memoryStore() }).sign({});
  await expect(rewt.verify(foreign)).rejects.toMatchObject(unknown);
  expect(store.readCount).toBeGreaterThan(readCount);
});

/**
 * A store that goes to `master`, or once `lead(true)` was called to what that held when this began:
 * a failover that lost what came after.
 */
async function losing(master: Store): Promise<{ store: FaultyStore; lead(toOld: boolean): void }> {
  const old = memoryStore();
  const { key, ring } = await master.read('rewt', { timeoutMs: 1 });
  const { version } = await old.read('rewt', { timeoutMs: 1 });
  const wanted = {
    key: { value: key?.value ?? '', expiresAtMs: key?.expiresAtMs ?? 0 },
    ring: { text: ring ?? '', expiresAtMs: Date.now() + 1e9 },
  };
  await old.swap('rewt', version, wanted, { timeoutMs: 1, notAfterMs: Number.POSITIVE_INFINITY });
  let led = master;
  const store: Store = { ...master, read: (...by) => led.read(...by), swap: (...by) => led.swap(...by) };
  return {
    store: faultyStore(store),
    lead(toOld) {
      led = toOld ? old : master;
    },
  };
}

describe('a store that loses a revocation', () => {
  it('for one read of a member that cannot write makes good tokens 503, and never 401', async () => {
    const register = memoryStore();
    const fleet = new Rewt({ ...times, store: faultyStore(register) });
    await fleet.sign({});
    const { store, lead } = await losing(register);
    await fleet.revoke();
    store.swaps = 'down';
    const gateway = new Rewt({ ...times, store });
    const good = await fleet.sign({});
    await gateway.verify(good);
    for (const toOld of [true, false, false]) {
      lead(toOld);
      await pass(2_500);
      expect((await settle(gateway.verify(good))).error).toMatchObject({ status: 503 });
      expect(() => gateway.verifySync(good)).toThrow(expect.objectContaining({ status: 503 }));
    }
    await fleet.revoke();
    await pass(2_500);
    await gateway.verify(await fleet.sign({}));
    expect((await settle(gateway.verify(good))).error).toMatchObject(unknown);
  });

  it.each([60, 0])(
    'gets it again from a member that sees nothing but the stolen token (maxStaleness %d)',
    async (maxStaleness) => {
      const register = memoryStore();
      const stolen = await new Rewt({ ...times, store: faultyStore(register) }).sign({});
      const { store, lead } = await losing(register);
      const rewt = new Rewt({ ...times, maxStaleness, store });
      await rewt.revoke();
      lead(true);
      await pass(2_100);
      await expect(rewt.verify(stolen)).rejects.toMatchObject(unknown);
      await pass(10);
      const other = new Rewt({ ...times, store });
      expect((await settle(other.verify(stolen))).error).toMatchObject(unknown);
    },
  );
});

it('a flood of revoked tokens makes a strict member read ten times a second, even without the store', async () => {
  const { rewt, store, revoked } = await afterRevocation({ maxStaleness: 0 });
  for (const reads of ['up', 'down'] as const) {
    store.reads = reads;
    const { readCount } = store;
    for (let ms = 0; ms < 1_000; ms += 5) {
      await expect(rewt.verify(revoked)).rejects.toMatchObject(unknown);
      await pass(5);
    }
    expect(store.readCount - readCount).toBeGreaterThan(5);
    expect(store.readCount - readCount).toBeLessThanOrEqual(11);
  }
});
