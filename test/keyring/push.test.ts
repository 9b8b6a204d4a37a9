/**
 * What a member does with push messages: they make its copy suspect, and never do more than that.
 * On turned clocks.
 */

import { describe, expect, it, vi } from 'vitest';
import { Rewt } from '../../src/index.js';
import { ChangeListener } from '../../src/keyring/change-listener.js';
import { type Clock, processClock } from '../../src/time/clock.js';
import { faultyStore } from '../support/faulty-store.js';
import { turnedMembers } from '../support/turned-members.js';
import { pass, times } from '../support/turned-time.js';

const keyring = turnedMembers();
const { member } = keyring;

/**
 * What becomes of a call; the clock is turned only where it has to wait, as for a token of an
 * unknown secret.
 */
async function codeOf(work: Promise<unknown>): Promise<unknown> {
  let code: unknown;
  work.then(
    () => {
      code = 'accepted';
    },
    (error) => {
      code = error.code;
    },
  );
  await pass(0);
  for (let waitedMs = 0; code === undefined && waitedMs < 2_000; waitedMs += 10) await pass(10);
  return code ?? 'never settled';
}

/** How many revocations a member knows of. */
const epochOf = (rewt: Rewt): number | undefined => rewt.status().keyring?.epoch;

describe('a push message', () => {
  it('lets an unused member notice a revocation at once, by one read', async () => {
    const { rewt: a } = member();
    const { rewt: b, store } = member();
    const token = await a.sign({ sub: 'a' });
    await b.verify(token);
    await a.revoke();
    const reads = store.readCount;
    store.push();
    await pass(0);
    expect(store.readCount - reads).toBe(1);
    expect(epochOf(b)).toBe(1);
    expect(await codeOf(b.verify(token))).toBe('ERR_REWT_UNKNOWN_KEY');
  });

  it('makes operations wait for the read that it causes, also where that takes long', async () => {
    const { rewt: a } = member();
    const { rewt: b, store } = member();
    const token = await a.sign({ sub: 'a' });
    await b.verify(token);
    store.replyMs = 400;
    await a.revoke();
    store.push();
    const verdict = codeOf(b.verify(token));
    await pass(399);
    expect(epochOf(b)).toBe(0);
    await pass(1);
    expect(epochOf(b)).toBe(1);
    expect(await verdict).toBe('ERR_REWT_UNKNOWN_KEY');
  });

  it('while a read is under way is answered as soon as that is done', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    store.replyMs = 30;
    const reads = store.readCount;
    store.push();
    await pass(10);
    store.push();
    await pass(20);
    expect(store.readCount - reads).toBe(2);
  });

  it('while a read is under way makes for another one: that one may have been answered before', async () => {
    const { rewt: a } = member();
    const { rewt: b, store } = member();
    const token = await a.sign({ sub: 'a' });
    await b.verify(token);
    store.replyMs = 500;
    store.push();
    await pass(100);
    await a.revoke();
    store.push();
    await pass(400);
    expect(epochOf(b)).toBe(0);
    await pass(500);
    expect(epochOf(b)).toBe(1);
  });

  it('never makes a copy unusable: it outlives an unreadable store until maxStaleness, not longer', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' }, { expiresIn: 300 });
    store.reads = 'down';
    store.push();
    await pass(0);
    expect(await codeOf(rewt.verify(token))).toBe('accepted');
    for (let ms = 0; ms < 59_000; ms += 1_000) {
      await pass(1_000);
      store.push();
      expect(await codeOf(rewt.verify(token))).toBe('accepted');
    }
    await pass(1_000);
    expect(await codeOf(rewt.verify(token))).toBe('ERR_REWT_STORE_DOWN');
  });

  it('extends nothing: a copy whose reads fail grows old however many messages come', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    store.reads = 'hung';
    for (let ms = 0; ms < 10_000; ms += 500) {
      store.push();
      await pass(500);
    }
    expect(rewt.status().ageSeconds).toBe(10);
  });

  it('that brings no news is answered at most ten times a second, however many there are', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    const reads = store.readCount;
    for (let ms = 0; ms < 10_000; ms += 1) {
      store.push();
      await pass(1);
    }
    expect(store.readCount - reads).toBeGreaterThan(90);
    expect(store.readCount - reads).toBeLessThanOrEqual(101);
  });

  it('that arrives during a read is answered no more often either', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    store.replyMs = 40;
    const reads = store.readCount;
    for (let ms = 0; ms < 10_000; ms += 1) {
      store.push();
      await pass(1);
    }
    // One more, in advance.
    expect(store.readCount - reads).toBeLessThanOrEqual(102);
  });

  it('that comes while reads fail is answered no faster either', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    store.reads = 'down';
    const reads = store.readCount;
    for (let ms = 0; ms < 5_000; ms += 1) {
      store.push();
      await pass(1);
    }
    expect(store.readCount - reads).toBeLessThanOrEqual(51);
  });

  it('that comes amid a flood without news is heard within 100 ms all the same', async () => {
    const { rewt: a } = member();
    const { rewt: b, store } = member();
    const token = await a.sign({ sub: 'a' });
    await b.verify(token);
    for (let n = 0; n < 20; n += 1) {
      store.push();
      await pass(3);
    }
    await a.revoke();
    store.push();
    await pass(100);
    expect(epochOf(b)).toBe(1);
  });

  it('that does bring news is answered at once, however fast they follow one another', async () => {
    const { rewt: a } = member();
    const { rewt: b, store } = member();
    await b.ready();
    for (let n = 1; n <= 20; n += 1) {
      await a.revoke();
      store.push();
      await pass(0);
      expect(epochOf(b)).toBe(n);
    }
  });

  it('leaves a member that was closed alone', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    const tell = store.push.bind(store);
    const reads = store.readCount;
    tell();
    await rewt.close();
    tell();
    await pass(10_000);
    expect(store.readCount).toBeLessThanOrEqual(reads + 1);
    expect(store.watches).toBe(0);
    expect(rewt.status().push).toEqual({ state: 'off', reason: expect.stringContaining('closed') });
  });

  it('that waits for its turn is forgotten with close(): no timer is left', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    for (let n = 0; n < 3; n += 1) {
      store.push();
      await pass(1);
    }
    expect(vi.getTimerCount()).toBe(1);
    await rewt.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that waits for its turn keeps no process alive', () => {
    const timers: unknown[] = [];
    const timer: Clock['timer'] = (_ms, _callback, unref) => {
      timers.push(unref);
      return () => {};
    };
    const clock = { ...processClock, timer };
    const store = faultyStore(keyring.register);
    new ChangeListener({ store, namespace: 'rewt', clock, off: null, onChange: async () => false }).start();
    for (let n = 0; n < 3; n += 1) store.push();
    expect(timers).toEqual(['unref']);
  });
});

describe('a watch', () => {
  it('begins with the first use, and is one however much the member is used', async () => {
    const { rewt, store } = member();
    expect(store.watches).toBe(0);
    expect(rewt.status().push).toEqual({ state: 'off', reason: expect.stringContaining('first call') });
    const token = await rewt.sign({ sub: 'a' });
    for (let n = 0; n < 100; n += 1) {
      await rewt.verify(token);
      await pass(500);
    }
    expect(store.watches).toBe(1);
    expect(rewt.status().push).toEqual({ state: 'on', reason: null });
  });

  it('is asked after each read whether it still hears, and never by a member that is not used', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    for (let ms = 0; ms < 10_000; ms += 100) {
      await rewt.verify(token);
      await pass(100);
    }
    expect(store.checkCount).toBeGreaterThanOrEqual(5);
    const checks = store.checkCount;
    await pass(3_600_000);
    expect(store.checkCount).toBe(checks);
  });

  it('is asked after a read that failed as well', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    const checks = store.checkCount;
    store.reads = 'down';
    await rewt.refresh().catch(() => {});
    expect(store.checkCount).toBe(checks + 1);
  });

  it.each([
    ['push is false', { push: false }, 'push is false'],
    ['every operation asks the store', { maxStaleness: 0 }, 'maxStaleness 0'],
  ] as const)('is not begun where %s, and status() says so', async (_, options, reason) => {
    const { rewt, store } = member(options);
    await rewt.verify(await rewt.sign({ sub: 'a' }));
    expect(store.watches).toBe(0);
    expect(rewt.status().push).toEqual({ state: 'off', reason: expect.stringContaining(reason) });
  });

  it('that cannot be had leaves the soft age alone to keep the promise', async () => {
    const { rewt: a } = member();
    const { watch: _, ...deaf } = faultyStore(keyring.register);
    const b = new Rewt({ ...times, store: deaf });
    const token = await a.sign({ sub: 'a' });
    await b.verify(token);
    expect(b.status().push).toEqual({ state: 'off', reason: expect.stringContaining('cannot push') });
    await a.revoke();
    await pass(1_999);
    expect(await codeOf(b.verify(token))).toBe('accepted');
    await pass(2);
    expect(await codeOf(b.verify(token))).toBe('ERR_REWT_UNKNOWN_KEY');
  });
});
