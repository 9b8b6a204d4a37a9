/** An exchange that comes to no end within storeTimeout: which of two errors says so. */

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Store } from '../../src/index.js';
import { pass, turnTime } from '../support/turned-time.js';
import { exchangeOn, refresh, slowStore } from './exchanges.js';

beforeEach(() => turnTime());
afterEach(() => {
  vi.useRealTimers();
});

it('an exchange fails as contended if each of its writes loses until the time is over', async () => {
  const { store } = slowStore();
  const swap: Store['swap'] = async (namespace, _version, _wanted, by) => {
    await new Promise((resolve) => setTimeout(resolve, 400));
    return { swapped: false, snapshot: await store.read(namespace, by) };
  };
  const refused = expect(exchangeOn({ ...store, swap }).run(refresh)).rejects.toMatchObject({
    code: 'ERR_REWT_STORE_CONTENDED',
  });
  await pass(1_200);
  await refused;
});

it('an exchange fails as too slow if the time is over before anything was written', async () => {
  const { store } = slowStore();
  const read: Store['read'] = async (...by) => {
    const answer = await store.read(...by);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return answer;
  };
  const late = exchangeOn({ ...store, read }).run(refresh);
  const refused = expect(late).rejects.toMatchObject({ code: 'ERR_REWT_STORE_TIMEOUT' });
  await pass(1_000);
  await refused;
});
