/**
 * How old a copy may be when an operation uses it, on every path that hands one out, and which
 * operations wait for a read. On turned clocks.
 */

import { beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryStore } from '../../src/index.js';
import type { FaultyStore } from '../support/faulty-store.js';
import { foreignToken, turnedMembers } from '../support/turned-members.js';
import { pass, settle } from '../support/turned-time.js';

const DAYS_MS = 3 * 86_400_000;

const keyring = turnedMembers();
const { member } = keyring;

/** The store's clock is the server's: the wall clock of a member does not move it. */
function useServerClock(): void {
  keyring.register = memoryStore({ now: () => 1_800_000_000_000 + performance.now() });
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

describe('a young copy', () => {
  it('is used without asking the store', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    const { readCount } = store;
    for (let i = 0; i < 50; i += 1) await rewt.verify(token);
    expect(store.readCount).toBe(readCount);
  });

  it('costs a busy member at most two reads per soft age, and an unused one none', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    const before = store.readCount;
    for (let ms = 0; ms < 20_000; ms += 10) {
      await rewt.verify(token);
      await pass(10);
    }
    expect(store.readCount - before).toBeGreaterThanOrEqual(10);
    expect(store.readCount - before).toBeLessThanOrEqual(20);
    const busy = store.readCount;
    await pass(3_600_000);
    expect(store.readCount).toBe(busy);
  });

  it('of a busy member is refreshed ahead, so that no caller waits', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    store.replyMs = 500;
    for (let ms = 0; ms < 10_000; ms += 100) {
      const { ms: waited } = await settle(rewt.verify(token));
      expect(waited).toBeLessThanOrEqual(2);
      await pass(100 - waited);
    }
  });

  it('leaves no timer behind', async () => {
    const { rewt } = member();
    await rewt.verify(await rewt.sign({ sub: 'a' }));
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a copy past its soft age', () => {
  it('is refreshed by one read for all who wait', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    await pass(2_000);
    const before = store.readCount;
    await Promise.all(Array.from({ length: 100 }, () => rewt.verify(token)));
    expect(store.readCount - before).toBe(1);
  });

  it('does not hide a revocation by another member', async () => {
    const { rewt: a } = member();
    const { rewt: b } = member();
    const token = await a.sign({ sub: 'a' });
    await b.verify(token);
    await a.revoke();
    await expect(a.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    await pass(2_000);
    await expect(b.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY', status: 401 });
  });

  it('counts its age from the sending of the read, so a slow answer makes it older', async () => {
    const token = await member().rewt.sign({ sub: 'a' });
    const { rewt, store } = member();
    store.replyMs = 900;
    await settle(rewt.verify(token));
    store.replyMs = 0;
    const before = store.readCount;
    await pass(1_100);
    await rewt.verify(token);
    expect(store.readCount).toBe(before + 1);
  });

  it('is also one whose wall clock went on while the process was suspended', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    const before = store.readCount;
    vi.setSystemTime(Date.now() + 30_000);
    await rewt.verify(token);
    expect(store.readCount).toBe(before + 1);
  });
});

it('a read that took longer than a copy may be old is followed by another, while there is time', async () => {
  const token = await member().rewt.sign({ sub: 'a' });
  const { rewt, store } = member({ maxStaleness: 0.1 });
  store.replyMs = 150;
  const verifying = rewt.verify(token);
  await pass(149);
  store.replyMs = 0;
  expect((await settle(verifying)).value).toMatchObject({ sub: 'a' });
  expect(store.readCount).toBe(2);
});

describe('strict mode (maxStaleness 0)', () => {
  it('waits with every operation for a read that began after it, shared by all who came meanwhile', async () => {
    const { rewt, store } = member({ maxStaleness: 0 });
    const { rewt: other } = member();
    const token = await rewt.sign({ sub: 'a' });
    store.replyMs = 10;
    const first = rewt.verify(token);
    await pass(1);
    const before = store.readCount;
    const crowd = Array.from({ length: 50 }, () => rewt.verify(token).catch((error: unknown) => error));
    // The first read is under way and has seen the old secret; the crowd came after it and must not
    // be served by it.
    await other.revoke();
    expect((await settle(first)).value).toMatchObject({ sub: 'a' });
    for (const outcome of (await settle(Promise.all(crowd))).value ?? [])
      expect(outcome).toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    expect(store.readCount - before).toBe(1);
  });

  it('waits anew with each crowd that comes while a read is under way', async () => {
    const { rewt, store } = member({ maxStaleness: 0 });
    const { rewt: other } = member();
    store.replyMs = 10;
    for (let crowd = 0; crowd < 3; crowd += 1) {
      const token = await other.sign({ crowd });
      const first = settle(rewt.ready());
      await pass(1);
      await other.revoke();
      const { error } = await settle(rewt.verify(token));
      expect(error).toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
      await first;
    }
  });

  it('is unavailable as soon as the store is', async () => {
    const { rewt, store } = member({ maxStaleness: 0 });
    const token = await rewt.sign({ sub: 'a' });
    store.reads = 'down';
    await expect(rewt.verify(token)).rejects.toMatchObject({ status: 503 });
  });
});

describe('an unknown kid', () => {
  it('starts at most ten reads a second, however many come', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    const before = store.readCount;
    const outcomes: Promise<unknown>[] = [];
    for (let ms = 0; ms < 3_000; ms += 1) {
      outcomes.push(rewt.verify(foreignToken).catch((error: { code: string }) => error.code));
      await pass(1);
    }
    await pass(200);
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['ERR_REWT_UNKNOWN_KEY']));
    expect(store.readCount - before).toBeGreaterThan(20);
    expect(store.readCount - before).toBeLessThanOrEqual(31);
  });

  it('that is genuine is known after at most 100 ms, in the middle of such a flood', async () => {
    const { rewt, store } = member();
    const { rewt: other } = member();
    await rewt.ready();
    await pass(5);
    for (let i = 0; i < 50; i += 1) rewt.verify(foreignToken).catch(() => {});
    await pass(1);
    await other.revoke();
    const token = await other.sign({ sub: 'new' });
    rewt.verify(foreignToken).catch(() => {});
    const { value, ms } = await settle(rewt.verify(token));
    expect(value).toMatchObject({ sub: 'new' });
    expect(ms).toBeLessThanOrEqual(102);
    expect(store.readCount).toBeLessThan(6);
  });

  it('is decided by the read ahead that begins with its call', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    await pass(1_500);
    const reads = store.readCount;
    store.replyMs = 50;
    const { error, ms } = await settle(rewt.verify(foreignToken));
    expect(error).toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    expect(ms).toBe(50);
    expect(store.readCount).toBe(reads + 1);
  });

  it('is decided by the read that the token waited for anyway', async () => {
    const { rewt, store } = member();
    await expect(rewt.verify(foreignToken)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    expect(store.readCount).toBe(1);
  });
});

describe('a clock that jumps', () => {
  it('forward under a read of a strict member costs that one operation at most', async () => {
    const { rewt, store } = member({ maxStaleness: 0 });
    const { rewt: other } = member();
    await rewt.ready();
    store.replyMs = 10;
    const reading = settle(rewt.verify(await other.sign({ sub: 'a' })));
    await pass(1);
    vi.setSystemTime(Date.now() + 3 * 86_400_000);
    await reading;
    store.replyMs = 0;
    await expect(rewt.verify(await rewt.sign({ sub: 'b' }))).resolves.toMatchObject({ sub: 'b' });
    await expect(rewt.verify(await other.sign({ sub: 'c' }))).resolves.toMatchObject({ sub: 'c' });
  });

  it('forward in a store that takes no writes ends what had its end meanwhile', async () => {
    let skewMs = 0;
    keyring.register = memoryStore({ now: () => Date.now() + skewMs });
    const { rewt, store } = member({ maxStaleness: 10 });
    const kidless = await keyring.legacyToken();
    await rewt.verify(kidless);
    const { keyring: before } = rewt.status();
    store.swaps = 'down';
    skewMs = 2 * 3_600_000;
    await pass(3_000);
    await expect(rewt.verify(kidless)).rejects.toMatchObject({ status: 503 });
    expect(rewt.status().keyring?.signing).toBe(before?.next.kid);
  });

  it('in the store, forth and back, costs what a revocation costs: what is signed afterwards is fine', async () => {
    let skewMs = 0;
    keyring.register = memoryStore({ now: () => Date.now() + skewMs });
    const { rewt } = member();
    const { rewt: other } = member();
    await rewt.ready();
    skewMs = 5_400_000;
    await pass(2_000);
    await rewt.ready();
    skewMs = 0;
    await pass(2_000);
    for (let minute = 0; minute < 60; minute += 1) {
      await expect(rewt.verify(await other.sign({ sub: 'a' }))).resolves.toMatchObject({ sub: 'a' });
      await expect(other.verify(await rewt.sign({ sub: 'b' }))).resolves.toMatchObject({ sub: 'b' });
      await pass(60_000);
    }
  });
});

describe.each([
  ['strict', { maxStaleness: 0 }],
  ['lenient', {}],
] as const)('a wall clock set forward while a %s member reads', (_, options) => {
  beforeEach(useServerClock);

  it('costs a good token nothing: the keyring is read again', async () => {
    const { rewt, store } = member(options);
    const { rewt: other } = member();
    await rewt.ready();
    // Without claims of time, so that the wall clock has no say in it but through the age of the
    // copy.
    const token = await other.sign('text');
    await pass(2_000);
    expect(await jumpDuring(store, () => rewt.verify(token))).toMatchObject({ value: 'text' });
  });

  it('does not make the secret of a newer token unknown', async () => {
    const { rewt, store } = member(options);
    const { rewt: other } = member();
    await rewt.ready();
    await other.revoke();
    const token = await other.sign('text');
    expect(await jumpDuring(store, () => rewt.verify(token))).toMatchObject({ value: 'text' });
  });

  it('does not make it sign with next', async () => {
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

it('a wall clock that is set right costs a good token nothing, also if the store takes no writes', async () => {
  useServerClock();
  const { rewt, store } = member();
  const token = await rewt.sign('text');
  const { key, ring } = await keyring.register.read('rewt', { timeoutMs: 1 });
  // An operator's `EXPIRE`: to follow it takes a write.
  const expiresAtMs = key?.expiresAtMs ?? 0;
  const moved = { value: key?.value ?? '', expiresAtMs: expiresAtMs - 600_000 };
  expect(await keyring.put(moved, { text: `${ring} `, expiresAtMs: expiresAtMs + 1e7 })).toBe(true);
  store.swaps = 'down';
  await pass(2_000);
  vi.setSystemTime(Date.now() - DAYS_MS);
  expect(await settle(rewt.verify(token))).toMatchObject({ value: 'text' });
  await pass(1_500);
  vi.setSystemTime(Date.now() + DAYS_MS);
  expect(await settle(rewt.verify(token))).toMatchObject({ value: 'text' });
});

it('a strict member whose clock jumps ahead in every read is unavailable, and rejects no good token', async () => {
  useServerClock();
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
