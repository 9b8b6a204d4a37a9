/**
 * Which of the store's answers count, for how long, and who waits for them, when exchanges overlap
 * or fail. On turned clocks.
 */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it, vi } from 'vitest';
import type { Rewt } from '../../src/index.js';
import type { FaultyStore } from '../support/faulty-store.js';
import { turnedMembers } from '../support/turned-members.js';
import { pass, settle } from '../support/turned-time.js';

const keyring = turnedMembers();
const { member } = keyring;

const generationOf = (rewt: Rewt): number | undefined => rewt.status().keyring?.generation;

it('a rotate() whose answer was lost leaves a suspect copy: the next operation reads what it did', async () => {
  const { rewt, store } = member();
  await rewt.ready();
  store.swaps = 'replies lost';
  await expect(rewt.rotate({ force: true })).rejects.toMatchObject({ status: 503 });
  store.swaps = 'up';
  await rewt.ready();
  expect(generationOf(rewt)).toBe(2);
});

describe('an answer to a question of before', () => {
  it('does not replace that to a later one', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    store.replyMs = 500;
    const refreshing = rewt.refresh();
    await pass(100);
    store.replyMs = 0;
    await rewt.rotate({ force: true });
    expect(generationOf(rewt)).toBe(2);
    await pass(400);
    await refreshing;
    expect(generationOf(rewt)).toBe(2);
  });

  it('makes the copy suspect if it may be the older one, and the store is away then', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    store.replyMs = 500;
    const refreshing = settle(rewt.refresh());
    await pass(10);
    store.replyMs = 0;
    await rewt.rotate({ force: true });
    expect(rewt.verifySync(token)).toMatchObject({ sub: 'a' });
    store.reads = 'down';
    await pass(500);
    expect((await refreshing).error).toMatchObject({ status: 503 });
    expect(() => rewt.verifySync(token)).toThrow(expect.objectContaining({ code: 'ERR_REWT_COPY_NOT_FRESH' }));
  });

  it('does not replace that to a later one either where something is left to write', async () => {
    const { rewt, store } = member({ ttl: 120 });
    await rewt.ready();
    // Within the lead: the refresh has a rotation to write, of a keyring that has been rotated
    // meanwhile.
    await pass(114_000);
    store.replyMs = 500;
    const refreshing = rewt.refresh();
    await pass(100);
    store.replyMs = 0;
    await rewt.rotate();
    expect(generationOf(rewt)).toBe(2);
    await pass(450);
    await refreshing;
    expect(generationOf(rewt)).toBe(2);
    // Of what the older answer shows, nothing is written.
    expect(store.swapCount).toBe(2);
  });

  it("does not either if it is to this member's own write, after which another one wrote", async () => {
    const { rewt, store } = member();
    const { rewt: other } = member();
    await rewt.ready();
    const rotated = vi.fn();
    subscribe('rewt:rotated', rotated);
    store.replyMs = 10;
    store.swapReplyMs = 300;
    const rotating = settle(rewt.rotate({ force: true }));
    await pass(1);
    // Sent before the swap, and carried out after it.
    const { arrive } = slowWay(store);
    const refreshing = rewt.refresh();
    await pass(20);
    const { kid } = await other.rotate({ force: true });
    rotated.mockClear();
    arrive();
    await pass(20);
    await refreshing;
    expect(generationOf(rewt)).toBe(3);
    await pass(300);
    expect((await rotating).value).toMatchObject({ kid });
    unsubscribe('rewt:rotated', rotated);
    expect(generationOf(rewt)).toBe(3);
    expect(rotated).toHaveBeenCalledTimes(1);
  });

  it('asks for no write, which this member may have no right to: the store is read again', async () => {
    const { rewt, store } = member();
    const { rewt: other } = member();
    await rewt.ready();
    store.swaps = 'down';
    store.replyMs = 500;
    const refreshing = settle(rewt.refresh());
    await pass(10);
    await other.revoke();
    store.replyMs = 0;
    const { error } = await settle(rewt.rotate());
    expect(error).toMatchObject({ code: 'ERR_REWT_ROTATION_REFUSED' });
    await pass(500);
    expect((await refreshing).error).toBeUndefined();
    expect(store.swapCount).toBe(1);
    expect(rewt.status().keyring).toMatchObject({ epoch: 1 });
  });

  it('counts at once if it shows a later revocation', async () => {
    const { rewt, store } = member();
    const { rewt: other } = member();
    const token = await rewt.sign({ sub: 'a' });
    store.swapTravelMs = 100;
    const rotating = rewt.rotate({ force: true });
    await pass(10);
    // Sent after the swap, carried out before the revocation; the swap is carried out after it.
    await rewt.refresh();
    await other.revoke();
    await pass(90);
    await rotating;
    const reads = store.readCount;
    expect((await settle(rewt.verify(token))).error).toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    expect(rewt.status().keyring).toMatchObject({ epoch: 1 });
    // Of the kid, which may be newer: not of the copy.
    expect(store.readCount - reads).toBeLessThanOrEqual(1);
  });
});

/** Lets the next read leave, and arrive at the store once `arrive()` is called. */
function slowWay(store: FaultyStore): { arrive: () => void } {
  const read = store.read.bind(store);
  let arrive = () => {};
  const way = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  store.read = async (...by) => {
    store.read = read;
    await way;
    return read(...by);
  };
  return { arrive: () => arrive() };
}

/** As by an operator: K is gone, and the ring is there. */
async function pulledBrake(): Promise<void> {
  await overwrite((ring) => JSON.stringify({ ...JSON.parse(ring), op: 'another' }));
}

/** As by FLUSHALL. */
async function flushed(): Promise<void> {
  await overwrite(() => 'gone', 0);
}

async function overwrite(by: (ring: string) => string, expiresAtMs?: number): Promise<void> {
  const { ring } = await keyring.register.read('rewt', { timeoutMs: 1 });
  expect(await keyring.put({}, { text: by(ring ?? ''), expiresAtMs })).toBe(true);
}

describe('of two answers that come at once', () => {
  /** Holds back the answers to all reads until `come()`. */
  function heldBack(store: FaultyStore): { come: () => void } {
    let come = () => {};
    const answers = new Promise<void>((resolve) => {
      come = resolve;
    });
    const read = store.read.bind(store);
    store.read = async (...by) => {
      const snapshot = await read(...by);
      await answers;
      return snapshot;
    };
    return { come };
  }

  it('the newer one revokes what the older one shows', async () => {
    const { rewt, store } = member();
    const { rewt: other } = member();
    const token = await rewt.sign({ sub: 'a' });
    await other.rotate({ force: true });
    store.swaps = 'down';
    const { come } = heldBack(store);
    const rotating = settle(rewt.rotate());
    await pass(10);
    await pulledBrake();
    const refreshing = settle(rewt.refresh());
    await pass(10);
    come();
    expect((await rotating).error).toMatchObject({ code: 'ERR_REWT_ROTATION_REFUSED' });
    expect((await refreshing).error).toMatchObject({ status: 503 });
    store.reads = 'down';
    expect((await settle(rewt.verify(token))).error).toMatchObject({ status: 503 });
  });

  it.each<[string, () => Promise<void>]>([
    ['a brake', pulledBrake],
    ['no keyring', flushed],
  ])(
    'the one of what was sent earlier, and carried out later, shows %s: that is not forgotten',
    async (_what, lose) => {
      const { rewt, store } = member();
      const token = await rewt.sign({ sub: 'a' });
      store.swaps = 'down';
      const { come } = heldBack(store);
      const { arrive } = slowWay(store);
      const rotating = settle(rewt.rotate());
      const refreshing = settle(rewt.refresh());
      await pass(10);
      await lose();
      arrive();
      await pass(10);
      come();
      await refreshing;
      expect((await rotating).error).toMatchObject({ status: 503 });
      store.reads = 'down';
      expect((await settle(rewt.verify(token))).error).toMatchObject({ status: 503 });
    },
  );

  it.each<[string, () => Promise<void>]>([
    ['takes no revocation back', async () => {}],
    ['hides no keyring that was begun in place of one that cannot be read', () => overwrite(() => 'ruined')],
  ])('the one of what was sent later, and carried out earlier, %s', async (_what, ruin) => {
    const { rewt, store } = member();
    const { rewt: other } = member();
    const token = await rewt.sign({ sub: 'a' });
    const { come } = heldBack(store);
    const { arrive } = slowWay(store);
    const refreshing = rewt.refresh();
    const rotating = settle(rewt.rotate());
    await pass(10);
    await ruin();
    await other.revoke({ replace: 'unreadable' });
    arrive();
    await pass(10);
    come();
    await refreshing;
    expect((await rotating).error).toMatchObject({ code: 'ERR_REWT_ROTATION_REFUSED' });
    store.reads = 'down';
    expect((await settle(rewt.verify(token))).error).toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  });
});

it('an answer that comes after close() publishes nothing, though it ends an outage', async () => {
  const { rewt, store } = member();
  await rewt.ready();
  store.reads = 'down';
  await settle(rewt.refresh());
  store.reads = 'up';
  store.replyMs = 100;
  const recovered = vi.fn();
  subscribe('rewt:recovered', recovered);
  const refreshing = settle(rewt.refresh());
  await pass(10);
  await rewt.close();
  await pass(200);
  await refreshing;
  unsubscribe('rewt:recovered', recovered);
  expect(recovered).not.toHaveBeenCalled();
});

it('a reply from before a revocation keeps the copy from after it, even if the store goes away', async () => {
  const { rewt, store } = member();
  await rewt.ready();
  store.swapTravelMs = 100;
  const revoking = rewt.revoke();
  await pass(50);
  // Sent after the swap and carried out before it; answered after the swap was.
  store.replyMs = 200;
  const refreshing = settle(rewt.refresh());
  await pass(10);
  store.replyMs = 0;
  await pass(60);
  await revoking;
  const token = await rewt.sign({ sub: 'a' });
  await pass(20);
  store.reads = 'down';
  await pass(300);
  expect((await refreshing).error).toMatchObject({ status: 503 });
  expect((await settle(rewt.verify(token))).value).toMatchObject({ sub: 'a' });
});

it('a warning about K that comes after close() is not published', async () => {
  const { rewt, store } = member();
  await rewt.ready();
  const { ring } = await keyring.register.read('rewt', { timeoutMs: 1 });
  const text = JSON.stringify({ ...JSON.parse(ring ?? ''), op: 'another' });
  expect(await keyring.put({ value: 'short', expiresAtMs: Date.now() + 1e7 }, { text })).toBe(true);
  store.replyMs = 100;
  const warned = vi.fn();
  subscribe('rewt:warning', warned);
  const refreshing = settle(rewt.refresh());
  await pass(10);
  await rewt.close();
  await pass(200);
  await refreshing;
  unsubscribe('rewt:warning', warned);
  expect(warned).not.toHaveBeenCalled();
});

it("another member's revocation is not this one's, though this one's rotation was answered late", async () => {
  const { rewt, store } = member();
  const { rewt: other } = member();
  await rewt.ready();
  store.swapReplyMs = 300;
  const rotating = settle(rewt.rotate({ force: true }));
  await pass(10);
  await other.revoke();
  await rewt.refresh();
  await other.revoke();
  const messages: unknown[] = [];
  const revoked = (message: unknown) => messages.push(message);
  subscribe('rewt:revoked', revoked);
  await pass(300);
  await rotating;
  unsubscribe('rewt:revoked', revoked);
  expect(messages).toMatchObject([{ epoch: 2, cause: 'read', own: false }]);
});
