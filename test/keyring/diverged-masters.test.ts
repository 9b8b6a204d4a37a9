/** Masters that took turns: each has revoked by itself, so that one lineage has one epoch twice. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryStore, Rewt, type Snapshot, type Store } from '../../src/index.js';
import { type FaultyStore, faultyStore } from '../support/faulty-store.js';
import { pass, times, turnTime } from '../support/turned-time.js';

beforeEach(() => turnTime());
afterEach(() => {
  vi.useRealTimers();
});

const limits = { timeoutMs: 1, notAfterMs: Number.POSITIVE_INFINITY };

/** A store that goes on from `snapshot`: a replica that was promoted with as much as it had. */
async function masterWith({ key, ring, nowMs }: Snapshot): Promise<Store> {
  const master = memoryStore();
  const { version } = await master.read('rewt', limits);
  const wanted = {
    key: { value: key?.value ?? '', expiresAtMs: key?.expiresAtMs ?? nowMs },
    ring: { text: ring ?? '', expiresAtMs: nowMs + 1e9 },
  };
  await master.swap('rewt', version, wanted, limits);
  return master;
}

/**
 * Two masters with one past, each of which has taken a revocation that the other one lacks; and a
 * member that is led to whichever is wanted.
 */
async function twoMasters(): Promise<{
  one: Store;
  other: Store;
  rewt: Rewt;
  link: FaultyStore;
  follow(master: Store): Promise<void>;
}> {
  const one = memoryStore();
  let master = one;
  const link = faultyStore({ ...one, read: (...by) => master.read(...by), swap: (...by) => master.swap(...by) });
  const rewt = new Rewt({ ...times, store: link });
  await rewt.ready();
  const other = await masterWith(await one.read('rewt', limits));
  for (const store of [one, other]) await new Rewt({ ...times, store: faultyStore(store) }).revoke();
  return {
    one,
    other,
    rewt,
    link,
    async follow(next) {
      master = next;
      await pass(2_100);
    },
  };
}

async function codeOf(work: Promise<unknown>): Promise<string | null> {
  return work.then(
    () => null,
    (error: { code: string }) => error.code,
  );
}

describe('two masters that have each revoked at the same epoch', () => {
  it('a secret that a member saw go with the one is refused when the other brings it back', async () => {
    const { one, other, rewt, follow } = await twoMasters();
    await follow(one);
    const leaked = await rewt.sign({});
    await follow(other);
    expect(await codeOf(rewt.verify(leaked))).toBe('ERR_REWT_UNKNOWN_KEY');
    await follow(one);
    expect(await codeOf(rewt.verify(leaked))).toBe('ERR_REWT_UNKNOWN_KEY');
    await rewt.verify(await rewt.sign({}));
  });

  it('nothing of either is used by a member that has read both, even if its revocation was not written', async () => {
    const { one, other, rewt, link, follow } = await twoMasters();
    const read = async (store: Store) => (await store.read('rewt', limits)).ring ?? '';
    const before = { one: await read(one), other: await read(other) };
    await follow(one);
    await rewt.sign({});
    link.swaps = 'down';
    await follow(other);
    expect(await codeOf(rewt.sign({}))).toBe('ERR_REWT_STORE_DOWN');
    link.swaps = 'up';
    for (const master of [one, other]) {
      await follow(master);
      await rewt.sign({});
      const { current, next } = JSON.parse(await read(master));
      for (const secret of [current.secret, next.secret]) expect(before.one + before.other).not.toContain(secret);
    }
  });

  it('cost a member that has seen only one of them nothing', async () => {
    const { one, rewt, follow } = await twoMasters();
    await follow(one);
    await rewt.sign({});
    const { keyring } = rewt.status();
    await follow(one);
    await rewt.sign({});
    expect(rewt.status().keyring).toEqual(keyring);
  });
});
