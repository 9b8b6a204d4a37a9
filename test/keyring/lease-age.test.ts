/** How old a copy may be when an operation uses it, on every path that hands one out. On turned clocks. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { memoryStore, Rewt, type RewtOptions, type Store } from '../../src/index.js';
import { type FaultyStore, faultyStore } from '../faulty-store.js';
import { pass, settle, times, turnTime } from '../turned-time.js';

const DAYS_MS = 3 * 86_400_000;

let register: Store;

beforeEach(() => {
  turnTime();
  // The store's clock is the server's: what is done to the wall clock of a member does not move it.
  register = memoryStore({ now: () => 1_800_000_000_000 + performance.now() });
});

afterEach(() => {
  vi.useRealTimers();
});

function member(options: Partial<RewtOptions> = {}): { rewt: Rewt; store: FaultyStore } {
  const store = faultyStore(register);
  return { rewt: new Rewt({ ...times, ...options, store }), store };
}

/** Sets the wall clock forward, and back as soon as the read under way has been answered. */
async function jumpDuring<T>(store: FaultyStore, operation: () => Promise<T>) {
  store.replyMs = 10;
  const running = settle(operation());
  await pass(1);
  const wallMs = Date.now();
  vi.setSystemTime(wallMs + DAYS_MS);
  store.replyMs = 0;
  await pass(9);
  return running;
}

describe.each([
  ['strict', { maxStaleness: 0 }],
  ['lenient', {}],
] as const)('a wall clock set forward while a %s member reads', (_, options) => {
  test('costs a good token nothing: the keyring is read again', async () => {
    const { rewt, store } = member(options);
    const { rewt: other } = member();
    await rewt.ready();
    // Without claims of time, so that the wall clock has no say in it but through the age of the copy.
    const token = await other.sign('text');
    await pass(2_000);
    expect(await jumpDuring(store, () => rewt.verify(token))).toMatchObject({ value: 'text' });
  });

  test('does not make the secret of a newer token unknown', async () => {
    const { rewt, store } = member(options);
    const { rewt: other } = member();
    await rewt.ready();
    await other.revoke();
    const token = await other.sign('text');
    expect(await jumpDuring(store, () => rewt.verify(token))).toMatchObject({ value: 'text' });
  });

  test('does not make it sign with next', async () => {
    const { rewt, store } = member(options);
    await rewt.ready();
    await pass(2_000);
    const { value = '' } = await jumpDuring(store, () => rewt.sign('text'));
    const [header = ''] = value.split('.');
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
    await rewt.ready();
    expect(kid).toBe(rewt.status().keyring?.current.kid);
  });
});

test('a strict member whose clock is set forward during every read is unavailable after storeTimeout, and never refuses a good token', async () => {
  const { rewt, store } = member({ maxStaleness: 0 });
  const token = await member().rewt.sign('text');
  await rewt.ready();
  store.replyMs = 10;
  let leaps = 0;
  const leap = (): void => {
    leaps += 1;
    vi.setSystemTime(Date.now() + DAYS_MS);
    setTimeout(leap, 4);
  };
  leap();
  const { error, ms } = await settle(rewt.verify(token));
  expect(leaps).toBeGreaterThan(50);
  expect(error).toMatchObject({ code: 'ERR_REWT_STORE_TIMEOUT', status: 503 });
  expect(ms).toBeLessThanOrEqual(1_001);
});
