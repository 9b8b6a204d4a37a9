/** The memory store keeps the contract of every store, on a clock that the tests turn. */
import { expect, it } from 'vitest';
import { Rewt } from '../../src/index.js';
import { memoryStore } from '../../src/stores/memory.js';
import { ANNOUNCEMENT_LIFE_MS } from '../../src/stores/store.js';
import { storeConformance } from '../conformance/store.js';

storeConformance(
  'the memory store',
  async () => {
    let nowMs = 1_700_000_000_000;
    const store = memoryStore({ now: () => nowMs });
    return {
      store,
      dispose: () => store.close(),
      advanceMs: (ms) => {
        nowMs += ms;
      },
    };
  },
  // Only the one object that has it can reach its data.
  { operator: false, shared: false, announces: true },
);

it('two memory stores share nothing', async () => {
  const limits = { timeoutMs: 1_000 };
  const [one, other] = [memoryStore(), memoryStore()];
  const { version, nowMs } = await one.read('rewt', limits);
  const ring = { text: 'ring', expiresAtMs: nowMs + 1_000 };
  await one.swap('rewt', version, { key: null, ring }, { ...limits, notAfterMs: nowMs + 1_000 });
  expect((await one.read('rewt', limits)).ring).toBe('ring');
  expect((await other.read('rewt', limits)).ring).toBeNull();
});

it('the memory store takes the clock of the machine by default', async () => {
  const beforeMs = Date.now();
  const { nowMs } = await memoryStore().read('rewt', { timeoutMs: 1_000 });
  expect(nowMs).toBeGreaterThanOrEqual(beforeMs);
  expect(nowMs).toBeLessThanOrEqual(Date.now());
});

it('the memory store keeps an announcement from before its clock was set back until the next one', async () => {
  let nowMs = 1_700_000_000_000;
  const store = memoryStore({ now: () => nowMs });
  const limits = { timeoutMs: 1_000 };
  await store.announce?.('rewt', 'a', 'one', limits);
  nowMs -= 2 * ANNOUNCEMENT_LIFE_MS;
  await store.announce?.('rewt', 'b', 'two', limits);
  const kept = async () => (await store.announcements?.('rewt', limits))?.kept.map(({ id, text }) => id + text);
  expect(await kept()).toEqual(['btwo', 'aone']);
  await store.announce?.('rewt', 'a', 'three', limits);
  expect((await kept())?.sort()).toEqual(['athree', 'btwo']);
});

it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e300, -5, undefined, 'noon'])(
  'a clock of the memory store that says %s is an error at once, and nothing is written by it',
  async (said) => {
    let nowMs: unknown = said;
    const store = memoryStore({ now: () => nowMs as number });
    const rewt = new Rewt({ store });
    for (const call of [rewt.sign({}), rewt.ready(), rewt.rotate(), rewt.revoke()]) {
      await expect(call).rejects.toMatchObject({ code: 'ERR_REWT_OPTION', option: 'now' });
    }
    nowMs = 1_700_000_000_000;
    expect(await store.read('rewt', { timeoutMs: 1_000 })).toMatchObject({ key: null, ring: null });
  },
);

it('a store of another make whose clock gives no number is an error at once', async () => {
  const store = memoryStore();
  const read: typeof store.read = async (...args) => ({ ...(await store.read(...args)), nowMs: Number.NaN });
  let swaps = 0;
  const swap: typeof store.swap = (...args) => {
    swaps += 1;
    return store.swap(...args);
  };
  const rewt = new Rewt({ store: { ...store, read, swap } });
  await expect(rewt.ready()).rejects.toMatchObject({ code: 'ERR_REWT_STORE_DOWN' });
  expect(swaps).toBe(0);
});
