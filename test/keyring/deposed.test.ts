/**
 * A store whose answers may come from a master that was replaced: what they take away, and that
 * they give nothing. On turned clocks.
 */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryStore, Rewt } from '../../src/index.js';
import { parseRing, type Ring } from '../../src/keyring/ring.js';
import { turnedMembers } from '../support/turned-members.js';
import { pass, settle } from '../support/turned-time.js';

const READ_ONLY = { code: 'ERR_REWT_STORE_READ_ONLY', status: 503 };
const limits = { timeoutMs: 1, notAfterMs: Number.POSITIVE_INFINITY };

const keyring = turnedMembers();
const { member } = keyring;

/** A member of the same keyring that reads the true master. */
async function elsewhere(): Promise<Rewt> {
  const { rewt } = member();
  await rewt.ready();
  return rewt;
}

/** Writes what no member would, as operators and failovers do. */
async function put(change: (ring: Ring) => { key?: string; ring: Partial<Ring> }): Promise<void> {
  const { version, key, ring } = await keyring.register.read('rewt', limits);
  const before = parseRing(ring ?? '');
  const changed = change(before);
  const value = changed.key ?? key?.value ?? '';
  const wanted = {
    key: { value, expiresAtMs: key?.expiresAtMs ?? before.current.expiresAt },
    ring: {
      text: JSON.stringify({ ...before, ...changed.ring, op: `put ${performance.now()}` }),
      expiresAtMs: Date.now() + 1e8,
    },
  };
  expect((await keyring.register.swap('rewt', version, wanted, limits)).swapped).toBe(true);
}

async function kept(): Promise<() => Promise<void>> {
  const { key, ring } = await keyring.register.read('rewt', limits);
  return () => put(() => ({ key: key?.value ?? '', ring: JSON.parse(ring ?? '') as Ring }));
}

describe('a read from a master that may be deposed', () => {
  it.each([600_000, -600_000])('shows no time: its clock is %i ms ahead', async (aheadMs) => {
    const { rewt, store } = member();
    const other = await elsewhere();
    const token = await other.sign({ sub: 'a' });
    await other.rotate({ force: true });
    await rewt.verify(token);
    const read = store.read.bind(store);
    store.read = async (...by) => {
      const snapshot = await read(...by);
      return snapshot.mayBeDeposed ? { ...snapshot, nowMs: snapshot.nowMs + aheadMs } : snapshot;
    };
    // A later generation is taken over.
    await other.rotate({ force: true });
    store.mayBeDeposed = true;
    await settle(rewt.refresh());
    expect(rewt.status().keyring).toMatchObject({ generation: 3 });
    expect(rewt.verifySync(token)).toMatchObject({ sub: 'a' });
    expect(rewt.status().storeTime).toEqual(new Date());
    store.mayBeDeposed = false;
    await settle(rewt.refresh());
    expect(rewt.verifySync(token)).toMatchObject({ sub: 'a' });
  });

  it('renews no lease: a member accepts no longer than maxStaleness after the last read that counts', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    await pass(1_000);
    store.mayBeDeposed = true;
    let last = 0;
    for (let ms = 1_000; ms < 70_000; ms += 500) {
      const { value } = await settle(rewt.verify(token));
      if (value !== undefined) last = performance.now();
      await pass(500);
    }
    const counted = performance.now();
    expect(counted - last).toBeGreaterThan(9_000);
    expect(last).toBeGreaterThan(counted - 12_000);
    expect((await settle(rewt.verify(token))).error).toMatchObject(READ_ONLY);
    expect((await settle(rewt.sign({ sub: 'a' }))).error).toMatchObject(READ_ONLY);
    expect(rewt.status().copy).toBe('expired');
  });

  it.each([0, 60])(
    'begins no lease: a member that starts is unavailable at once (maxStaleness %i)',
    async (maxStaleness) => {
      await elsewhere();
      const { rewt, store } = member({ maxStaleness });
      store.mayBeDeposed = true;
      expect((await settle(rewt.ready())).error).toMatchObject(READ_ONLY);
      expect(rewt.status().copy).toBe('none');
    },
  );

  it('makes a strict member unavailable at once', async () => {
    const { rewt, store } = member({ maxStaleness: 0 });
    const token = await rewt.sign({ sub: 'a' });
    store.mayBeDeposed = true;
    expect((await settle(rewt.verify(token))).error).toMatchObject(READ_ONLY);
  });

  it('makes no unknown kid final: the error is that of the store, at once', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    const token = await new Rewt({ store: memoryStore() }).sign({ from: 'elsewhere' });
    store.mayBeDeposed = true;
    const { error, ms } = await settle(rewt.verify(token));
    expect(error).toMatchObject(READ_ONLY);
    expect(ms).toBeLessThan(200);
  });

  it('is a failed read for pacing: for a soft age the next read is in the background', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    store.mayBeDeposed = true;
    await pass(2_000);
    await rewt.verify(token);
    const { readCount } = store;
    store.replyMs = 500;
    for (let count = 0; count < 20; count += 1) {
      expect((await settle(rewt.verify(token))).ms).toBeLessThanOrEqual(1);
      await pass(50);
    }
    expect(store.readCount - readCount).toBeLessThanOrEqual(2);
  });

  it('writes nothing: rotate() and revoke() fail, and nothing has changed', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    const { version } = await keyring.register.read('rewt', limits);
    store.mayBeDeposed = true;
    expect((await settle(rewt.rotate({ force: true }))).error).toMatchObject(READ_ONLY);
    expect((await settle(rewt.revoke())).error).toMatchObject(READ_ONLY);
    expect(store.swapCount).toBe(1);
    expect((await keyring.register.read('rewt', limits)).version).toBe(version);
    // The member goes on with its copy.
    await expect(rewt.verify(token)).resolves.toMatchObject({ sub: 'a' });
  });

  it('takes nothing away for a revoke() that it refuses, though it shows a later generation', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    await (await elsewhere()).rotate({ force: true });
    store.mayBeDeposed = true;
    expect((await settle(rewt.revoke())).error).toMatchObject(READ_ONLY);
    expect(rewt.status()).toMatchObject({ copy: 'usable', keyring: { epoch: 0, generation: 2 } });
    await expect(rewt.verify(token)).resolves.toMatchObject({ sub: 'a' });
  });

  it('begins no keyring where there is none', async () => {
    const { rewt, store } = member();
    store.mayBeDeposed = true;
    expect((await settle(rewt.sign({ sub: 'a' }))).error).toMatchObject(READ_ONLY);
    expect(store.swapCount).toBe(0);
  });

  it('takes away what was revoked: a later epoch counts at once', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    await (await elsewhere()).revoke();
    store.mayBeDeposed = true;
    await pass(2_000);
    expect((await settle(rewt.verify(token))).error).toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    expect(rewt.status()).toMatchObject({ copy: 'usable', keyring: { epoch: 1 } });
    // What it took over it may use for as long as its lease lasts, and that it may not renew.
    await expect(rewt.sign({ sub: 'a' })).resolves.toMatch(/\./);
    await pass(58_100);
    expect((await settle(rewt.sign({ sub: 'a' }))).error).toMatchObject(READ_ONLY);
  });

  it('drops what an operator dropped: a brake stops the member at once, and is made up for later', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    const restore = await kept();
    await put(() => ({ key: 'a secret that an operator has put there, by hand', ring: {} }));
    store.mayBeDeposed = true;
    await pass(2_000);
    expect((await settle(rewt.verify(token))).error).toMatchObject(READ_ONLY);
    // The master that took its place knows nothing of the brake.
    await restore();
    store.mayBeDeposed = false;
    expect((await settle(rewt.verify(token))).error).toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    expect(rewt.status().keyring?.epoch).toBe(2);
  });

  it('takes away a keyring that was begun anew since: the new lineage is taken over', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    keyring.register = memoryStore();
    const elder = store.read.bind(store);
    const other = await elsewhere();
    // The same way, to a master that was flushed and begun anew before it lost its replicas.
    const { store: fresh } = member();
    fresh.mayBeDeposed = true;
    store.read = (...by) => fresh.read(...by);
    await pass(2_000);
    expect((await settle(rewt.verify(token))).error).toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    expect(rewt.status()).toMatchObject({ copy: 'usable', keyring: { lineage: other.status().keyring?.lineage } });
    // The master that it had left comes back: none of its secrets is used again.
    store.read = elder;
    await pass(2_000);
    expect((await settle(rewt.verify(token))).error).toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  });

  it('takes over a later generation, without a longer life', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    const other = await elsewhere();
    await other.rotate({ force: true });
    store.mayBeDeposed = true;
    await pass(2_000);
    await rewt.sign({ sub: 'a' });
    expect(rewt.status().keyring?.signing).toBe(other.status().keyring?.signing);
    expect(rewt.status().ageSeconds).toBeGreaterThanOrEqual(2);
  });

  it.each([
    { maxStaleness: 60, outcome: { value: { sub: 'a' } } },
    { maxStaleness: 0, outcome: { error: READ_ONLY } },
  ])(
    'shows the secret of a token of a later generation (maxStaleness $maxStaleness)',
    async ({ maxStaleness, outcome }) => {
      const { rewt, store } = member({ maxStaleness });
      await rewt.ready();
      const other = await elsewhere();
      await other.rotate({ force: true });
      await other.rotate({ force: true });
      const token = await other.sign({ sub: 'a' });
      store.mayBeDeposed = true;
      expect(await settle(rewt.verify(token))).toMatchObject(outcome);
      await other.revoke();
      await pass(2_000);
      expect((await settle(rewt.verify(token))).value).toBeUndefined();
    },
  );

  it.each([
    ['an earlier generation', (rewt: Rewt) => rewt.rotate({ force: true })],
    ['an earlier epoch', (rewt: Rewt) => rewt.revoke()],
  ])('takes nothing over from %s, which is all that a deposed master knows', async (_, change) => {
    const { rewt, store } = member();
    await rewt.ready();
    const restore = await kept();
    await change(rewt);
    const token = await rewt.sign({ sub: 'a' });
    const held = rewt.status().keyring;
    await restore();
    store.mayBeDeposed = true;
    await pass(2_000);
    await expect(rewt.verify(token)).resolves.toMatchObject({ sub: 'a' });
    await pass(2_000);
    await expect(rewt.sign({ sub: 'a' })).resolves.toMatch(/\./);
    expect(rewt.status().keyring).toEqual(held);
    expect(store.swapCount).toBe(2);
  });

  it('is over with the first read that counts', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    store.mayBeDeposed = true;
    await pass(61_000);
    expect((await settle(rewt.verify(token))).error).toMatchObject(READ_ONLY);
    store.mayBeDeposed = false;
    await pass(200);
    expect((await settle(rewt.verify(token))).value).toMatchObject({ sub: 'a' });
  });
});

describe('a member that reads a master that may be deposed', () => {
  const warnings: { code: string }[] = [];
  const collect = (message: unknown): void => void warnings.push(message as { code: string });

  beforeEach(() => {
    warnings.length = 0;
    subscribe('rewt:warning', collect);
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  });
  afterEach(() => {
    unsubscribe('rewt:warning', collect);
    vi.restoreAllMocks();
  });

  it('warns at the first such read, and again when it begins anew', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    for (const episode of [1, 2]) {
      store.mayBeDeposed = true;
      for (let count = 0; count < 5; count += 1) {
        await pass(2_000);
        await settle(rewt.ready());
      }
      expect(warnings.map(({ code }) => code)).toEqual(Array(episode).fill('REWT_TOO_FEW_REPLICAS'));
      store.mayBeDeposed = false;
      await pass(2_000);
      await settle(rewt.refresh());
    }
  });

  it('shows in its status what it waits for, until it may read again', async () => {
    const { rewt, store } = member();
    expect(rewt.status().waitsFor).toBeNull();
    store.mayBeDeposed = true;
    await settle(rewt.ready());
    expect(rewt.status()).toMatchObject({ copy: 'none', waitsFor: 'replicas' });
    store.mayBeDeposed = false;
    await pass(200);
    await settle(rewt.ready());
    expect(rewt.status()).toMatchObject({ copy: 'usable', waitsFor: null });
  });

  it('says so after a command too, which is the first to read it', async () => {
    const { rewt, store } = member();
    store.mayBeDeposed = true;
    expect((await settle(rewt.revoke())).error).toMatchObject(READ_ONLY);
    expect(rewt.status().waitsFor).toBe('replicas');
    expect(warnings).toHaveLength(1);
  });
});

it('a swap whose answer comes from a master that may be deposed by then is not taken for done', async () => {
  const { rewt, store } = member();
  await rewt.ready();
  const before = rewt.status();
  store.mayBeDeposed = 'swaps';
  expect((await settle(rewt.rotate({ force: true }))).error).toMatchObject(READ_ONLY);
  await pass(10);
  expect(rewt.status().ageSeconds).toBeGreaterThan(before.ageSeconds ?? 0);
});
