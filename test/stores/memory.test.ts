/** The memory store keeps the contract of every store, on a clock that the tests turn. */
import { expect, it } from 'vitest';
import { memoryStore } from '../../src/stores/memory.js';
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
  // Nobody but the one object that has it can reach its data.
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
