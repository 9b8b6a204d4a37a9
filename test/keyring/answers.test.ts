/** Which of the store's answers count, for how long, and who waits for them, when exchanges overlap or fail. On turned clocks. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { memoryStore, Rewt, type RewtOptions, type Store } from '../../src/index.js';
import { type FaultyStore, faultyStore } from '../faulty-store.js';
import { pass, settle, times, turnTime } from '../turned-time.js';

let register: Store;

beforeEach(() => {
  turnTime();
  register = memoryStore();
});
afterEach(() => {
  vi.useRealTimers();
});

function member(options: Partial<RewtOptions> = {}): { rewt: Rewt; store: FaultyStore } {
  const store = faultyStore(register);
  return { rewt: new Rewt({ ...times, ...options, store }), store };
}

const generationOf = (rewt: Rewt): number | undefined => rewt.status().keyring?.generation;

describe('after a read that failed', () => {
  /** A copy past its soft age, whose store has just failed and is back. */
  async function failedOnce() {
    const { rewt, store } = member();
    const { rewt: other } = member();
    const token = await rewt.sign({ sub: 'a' });
    await pass(10_000);
    store.reads = 'down';
    await rewt.verify(token);
    store.reads = 'up';
    return { rewt, store, other, token };
  }

  test('an answer ends the pause: what is suspect then is waited for again', async () => {
    const { rewt, store, other, token } = await failedOnce();
    await pass(1_000);
    await rewt.verify(token);
    await pass(0);
    await other.revoke();
    store.replyMs = 50;
    store.push();
    expect((await settle(rewt.verify(token))).error).toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  });

  test('operations wait for the store again after one soft age, and not before', async () => {
    const early = await failedOnce();
    await early.other.revoke();
    await pass(1_990);
    expect((await settle(early.rewt.verify(early.token))).value).toMatchObject({ sub: 'a' });
    const late = await failedOnce();
    await late.other.revoke();
    await pass(2_000);
    expect((await settle(late.rewt.verify(late.token))).error).toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  });
});

test('a rotate() whose answer was lost leaves a suspect copy: the next operation reads what it did', async () => {
  const { rewt, store } = member();
  await rewt.ready();
  store.swaps = 'replies lost';
  await expect(rewt.rotate({ force: true })).rejects.toMatchObject({ status: 503 });
  store.swaps = 'up';
  await rewt.ready();
  expect(generationOf(rewt)).toBe(2);
});

describe('an answer to a question of before', () => {
  test('does not replace that to a later one', async () => {
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

  test('makes the copy suspect if it may be the older one, and the store is away then', async () => {
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

  test('does not replace that to a later one either where something is left to write', async () => {
    const { rewt, store } = member({ ttl: 120 });
    await rewt.ready();
    // Within the lead: the refresh has a rotation to write, of a keyring that has been rotated meanwhile.
    await pass(114_000);
    store.replyMs = 500;
    const refreshing = rewt.refresh();
    await pass(100);
    store.replyMs = 0;
    await rewt.rotate();
    expect(generationOf(rewt)).toBe(2);
    store.swapTravelMs = 200;
    await pass(450);
    expect(store.swapCount).toBe(3);
    expect(generationOf(rewt)).toBe(2);
    await pass(200);
    await refreshing;
    expect(generationOf(rewt)).toBe(2);
  });

  test('counts at once if it shows a later revocation', async () => {
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

/** As by an operator: K is gone, and the ring is there. */
async function pulledBrake(): Promise<void> {
  await overwrite((ring) => JSON.stringify({ ...JSON.parse(ring), op: 'another' }));
}

/** As by FLUSHALL. */
async function flushed(): Promise<void> {
  await overwrite(() => 'gone', 0);
}

async function overwrite(by: (ring: string) => string, expiresAtMs = Date.now() + 1e8): Promise<void> {
  const { ring, version } = await register.read('rewt', { timeoutMs: 1 });
  const text = by(ring ?? '');
  const wanted = { key: { value: '', expiresAtMs: 0 }, ring: { text, expiresAtMs } };
  await register.swap('rewt', version, wanted, { timeoutMs: 1, notAfterMs: Number.POSITIVE_INFINITY });
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

  test('the newer one revokes what the older one shows', async () => {
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

  /** Lets the next read leave, and arrive at the store once `arrive()` is called. */
  function slowWay(store: FaultyStore): { arrive: () => void } {
    const read = store.read;
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

  test.each<[string, () => Promise<void>]>([
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

  test.each<[string, () => Promise<void>]>([
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

test('an answer that comes after close() publishes nothing, though it ends an outage', async () => {
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

test('an answer from before a revocation leaves the copy of after it, should the store be away from then on', async () => {
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

test('the reason of a rotate() that comes when a rotation is due is in the log, and of the schedule nothing is', async () => {
  const { rewt } = member();
  await rewt.ready();
  await pass(3_594_000);
  await rewt.rotate({ reason: 'audit' });
  expect(rewt.status().keyring).toMatchObject({ generation: 2, changes: [{ kind: 'rotation', reason: 'audit' }] });
  await pass(3_594_000);
  await rewt.refresh();
  expect(rewt.status().keyring).toMatchObject({ generation: 3, changes: [{ reason: 'audit' }] });
});

test('the lease that a swap renews counts from when the swap was sent', async () => {
  const { rewt, store } = member();
  await rewt.ready();
  store.replyMs = 400;
  expect((await settle(rewt.rotate({ force: true }))).ms).toBe(800);
  expect(rewt.status().ageSeconds).toBe(0.4);
});

test('sign() waits until the ring grants what its token needs', async () => {
  await member({ tokenLifetime: 10 }).rewt.ready();
  const { rewt, store } = member({ tokenLifetime: 900 });
  await rewt.ready();
  store.swapTravelMs = 100;
  const { value, ms } = await settle(rewt.sign({ sub: 'a' }));
  expect(value).toBeDefined();
  expect(ms).toBeGreaterThanOrEqual(100);
  const { ring } = await register.read('rewt', { timeoutMs: 1 });
  expect(JSON.parse(ring ?? '')).toMatchObject({ overlap: 965_000 });
});

test('a warning about K that comes after close() is not published', async () => {
  const { rewt, store } = member();
  await rewt.ready();
  const { ring, version } = await register.read('rewt', { timeoutMs: 1 });
  const wanted = {
    key: { value: 'short', expiresAtMs: Date.now() + 1e7 },
    ring: { text: JSON.stringify({ ...JSON.parse(ring ?? ''), op: 'another' }), expiresAtMs: Date.now() + 1e8 },
  };
  await register.swap('rewt', version, wanted, { timeoutMs: 1, notAfterMs: Number.POSITIVE_INFINITY });
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

test("another member's revocation is not this one's, though this one's rotation was answered late", async () => {
  const { rewt, store } = member();
  const { rewt: other } = member();
  await rewt.ready();
  store.swapReplyMs = 300;
  const rotating = settle(rewt.rotate({ force: true }));
  await pass(10);
  await other.revoke();
  await rewt.refresh();
  store.swapReplyMs = 0;
  store.swapTravelMs = 100;
  await pass(300);
  await other.revoke();
  const messages: unknown[] = [];
  const revoked = (message: unknown) => messages.push(message);
  subscribe('rewt:revoked', revoked);
  await pass(200);
  await rotating;
  unsubscribe('rewt:revoked', revoked);
  expect(messages).toMatchObject([{ epoch: 2, cause: 'read', own: false }]);
});
