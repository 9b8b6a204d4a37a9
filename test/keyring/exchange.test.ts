/** Two exchanges of one member that overlap: what the older answer proves, and what it does not. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryStore, Rewt, type Store, StoreError } from '../../src/index.js';
import type { Replaceable } from '../../src/keyring/contents-reader.js';
import { Exchange } from '../../src/keyring/exchange.js';
import { formatRing, parseRing, type Ring } from '../../src/keyring/ring.js';
import { unsealed } from '../../src/keyring/sealing.js';
import type { ReadLimits, SwapLimits } from '../../src/stores/store.js';
import { processClock } from '../../src/time/clock.js';
import { pass, turnTime } from '../support/turned-time.js';
import { exchangeOn, limits, put, refresh, revoke, rotate, slowStore } from './exchanges.js';

beforeEach(() => turnTime());
afterEach(() => {
  vi.useRealTimers();
});

it('an exchange that writes twice says what the second write replaced', async () => {
  const { one, store } = slowStore();
  const expected: string[] = [];
  const swap: Store['swap'] = (...by) => {
    expected.push(by[1]);
    return one.swap(...by);
  };
  const exchange = exchangeOn({ ...store, swap });
  const { ring, replaced } = await exchange.run(refresh);
  expect(replaced).toBe(expected[0]);
  // An EXPIRE to follow, before the rotation.
  await put(one, ring.current.secret, formatRing({ ...ring, op: 'another' }), ring.current.expiresAt - 1_000);
  const rotated = await exchange.run(rotate());
  expect(expected).toHaveLength(3);
  expect(rotated.replaced).toBe(expected[2]);
});

it('an exchange whose second write is lost says that it replaced nothing', async () => {
  const { one, store } = slowStore();
  const other = new Rewt({ store: one });
  let swaps = 0;
  const swap: Store['swap'] = async (...by) => {
    swaps += 1;
    if (swaps === 3) await other.rotate({ force: true });
    return one.swap(...by);
  };
  const exchange = exchangeOn({ ...store, swap });
  const { ring } = await exchange.run(refresh);
  // An EXPIRE to follow, before the rotation.
  await put(one, ring.current.secret, formatRing({ ...ring, op: 'another' }), ring.current.expiresAt - 1_000);
  expect(await exchange.run(rotate())).toMatchObject({ replaced: null });
  expect(swaps).toBe(3);
});

it('a plan is its own from before its swap until the exchange has come to its end', async () => {
  const { store } = slowStore();
  const found: unknown[] = [];
  const planOf = (ring: Ring) => exchange.planOf(ring, { ...ring, id: 'before' })?.name;
  const swap: Store['swap'] = (...by) => {
    found.push(planOf(parseRing(by[2].ring.text)));
    return store.swap(...by);
  };
  const exchange = new Exchange({ ...store, swap }, 'rewt', 1_000, processClock, unsealed());
  const ring = await exchange.run(revoke(), (settled) => {
    found.push(planOf(settled.ring));
    return settled.ring;
  });
  found.push(planOf(ring));
  expect(found).toEqual(['revocation', 'revocation', undefined]);
});

describe('a store', () => {
  function listening(part: Partial<Store> = {}) {
    const { store, hold } = slowStore();
    const reads: ReadLimits[] = [];
    const swaps: SwapLimits[] = [];
    const exchange = exchangeOn({
      ...store,
      ...part,
      read(namespace, limits) {
        reads.push(limits);
        return store.read(namespace, limits);
      },
      swap(...by) {
        swaps.push(by[3]);
        return store.swap(...by);
      },
    });
    return { exchange, reads, swaps, hold };
  }

  it('can test whether a ring is of the lineage that this member knows, once it knows one', async () => {
    const { exchange, reads } = listening();
    const { ring } = await exchange.run(refresh);
    expect(reads[0]?.isHeld).toBeUndefined();
    await exchange.run(refresh);
    const isHeld = (text: string) => reads[1]?.isHeld?.(text);
    expect(isHeld(formatRing({ ...ring, op: 'another' }))).toBe(true);
    expect(isHeld(formatRing({ ...ring, id: 'another' }))).toBe(false);
    expect(isHeld('no ring')).toBe(false);
  });

  it.each([
    ['unreadable', true],
    ['newer', false],
    [null, false],
  ] as const)(
    'learns with a read whether K of a wrong type may be replaced (replace: %s)',
    async (replace, replacesWrongType) => {
      const { exchange, reads } = listening();
      await exchange.run({ ...refresh, replace });
      expect(reads).toMatchObject([{ replacesWrongType }]);
    },
  );

  it('learns when a swap must be over: as late after the read as the time that its answer has left', async () => {
    const { exchange, swaps, hold } = listening();
    const beganMs = Date.now();
    hold(300);
    const running = exchange.run(refresh);
    await pass(300);
    await running;
    expect(swaps).toEqual([{ timeoutMs: 700, notAfterMs: beganMs + 700 }]);
  });
});

it("what a store fails with is passed on if it is rewt's own error", async () => {
  const down = new StoreError('ERR_REWT_STORE_TIMEOUT', 'hung');
  const exchange = exchangeOn({ ...memoryStore(), read: () => Promise.reject(down) });
  await expect(exchange.run(refresh)).rejects.toBe(down);
});

it('nothing is taken over from a master that may be deposed and shows no keyring', async () => {
  const pending = vi.fn();
  const { one, store } = slowStore();
  const read: Store['read'] = async (...by) => ({ ...(await one.read(...by)), mayBeDeposed: true });
  const exchange = exchangeOn({ ...store, read });
  await expect(exchange.run({ ...refresh, onPlan: pending })).rejects.toMatchObject({
    code: 'ERR_REWT_STORE_READ_ONLY',
  });
  expect(pending).not.toHaveBeenCalled();
});

describe('a second name whose ring', () => {
  const newer = '{"v":2}';
  async function beside(text: string, replace: Replaceable | null) {
    const { one, store } = slowStore();
    const { ring } = await exchangeOn(one).run(refresh);
    const read: Store['read'] = async (...by) => ({ ...(await one.read(...by)), beside: text });
    return { ring, running: exchangeOn({ ...store, read }).run({ ...refresh, replace }) };
  }

  it.each([null, 'unreadable', 'newer'] as const)('cannot be read is none (replace: %s)', async (replace) => {
    const { ring, running } = await beside('no ring', replace);
    expect((await running).ring.current).toEqual(ring.current);
  });

  it.each([null, 'unreadable'] as const)(
    'is of a later version keeps the other from use (replace: %s)',
    async (replace) => {
      const { running } = await beside(newer, replace);
      await expect(running).rejects.toMatchObject({ code: 'ERR_REWT_RING_NEWER' });
    },
  );

  it('is of a later version may be replaced', async () => {
    const { ring, running } = await beside(newer, 'newer');
    expect((await running).ring.current).toEqual(ring.current);
  });
});

describe('an answer to a read that was sent before a revocation came', () => {
  it('is no proof that the store lost it: nothing is revoked again', async () => {
    const { store, hold } = slowStore();
    const exchange = exchangeOn(store);
    await exchange.run(refresh);
    hold(500);
    const late = exchange.run(refresh);
    const { ring } = await exchange.run(revoke());
    await pass(500);
    expect((await late).ring).toEqual(ring);
    expect((await exchange.run(refresh)).ring).toEqual(ring);
  });

  it('is one once the store shows it again: nothing of what it showed is used', async () => {
    const { one, other, store, hold, follow } = slowStore();
    const exchange = exchangeOn(store);
    await exchange.run(refresh);
    const { key, ring } = await one.read('rewt', limits);
    await put(other, key?.value ?? '', ring ?? '');
    const rewt = new Rewt({ store: other });
    await rewt.rotate({ force: true });
    const found = await other.read('rewt', limits);
    const { next } = parseRing(found.ring ?? '');

    hold(500);
    follow(other);
    const late = exchange.run(refresh);
    follow(one);
    await exchange.run(revoke());
    follow(other);
    await pass(500);
    expect((await late).ring.epoch).toBe(2);
    expect((await late).replaced).not.toBeNull();

    // What it showed comes back as K alone, as if an operator had put it there.
    await put(other, next.secret, 'x');
    await other.swap(
      'rewt',
      (await other.read('rewt', limits)).version,
      { key: null, ring: { text: 'gone', expiresAtMs: 0 } },
      limits,
    );
    expect((await exchange.run(refresh)).ring.current.secret).not.toBe(next.secret);
  });
});

describe('an answer to a read from before the lineage was there that this member knows', () => {
  /** An exchange whose first answer, of another lineage, comes after its second. */
  async function overtaken() {
    const { one, other, store, hold, follow } = slowStore();
    for (const master of [one, other]) await new Rewt({ store: master }).ready();
    const exchange = exchangeOn(store);
    return { exchange, one, other, hold, follow };
  }

  it('is no proof that the store has it: the lineage that is there is not left', async () => {
    const { exchange, other, hold, follow } = await overtaken();
    hold(100);
    const late = exchange.run(refresh);
    follow(other);
    const { ring } = await exchange.run(refresh);
    await pass(100);
    await late;
    expect(await exchange.run(refresh)).toMatchObject({ ring, replaced: null });
  });

  it('is no proof of a loss if it shows no keyring: nothing is revoked for it', async () => {
    const { exchange, other, hold, follow } = await overtaken();
    follow(memoryStore());
    hold(100);
    const calls: string[] = [];
    const late = exchange.run({
      ...refresh,
      onPlan: () => calls.push('pending'),
      onUnproven: () => calls.push('unproven'),
    });
    follow(other);
    const { ring } = await exchange.run(refresh);
    await pass(100);
    expect((await late).ring).toEqual(ring);
    expect(calls).toEqual(['unproven']);
  });

  it('is no proof that the store has it if its master may be deposed', async () => {
    const { exchange, one, other, hold, follow } = await overtaken();
    const deposed: Store = { ...one, read: async (...by) => ({ ...(await one.read(...by)), mayBeDeposed: true }) };
    follow(deposed);
    hold(100);
    const late = exchange.run(refresh);
    late.catch(() => {});
    follow(other);
    const { ring } = await exchange.run(refresh);
    await pass(100);
    await expect(late).rejects.toMatchObject({ code: 'ERR_REWT_STORE_READ_ONLY' });
    expect(await exchange.run(refresh)).toMatchObject({ ring, replaced: null });
  });
});

describe('an answer to a read that was carried out before what the member has seen since', () => {
  async function rotatedMeanwhile(lateMs: number) {
    const { other, store, hold, follow } = slowStore();
    const exchange = exchangeOn(store);
    const { ring: earlier } = await exchange.run(refresh);
    await put(other, earlier.current.secret, formatRing(earlier), earlier.current.expiresAt);
    hold(lateMs);
    const calls: string[] = [];
    const late = exchange.run({ ...refresh, onUnproven: () => calls.push('unproven') });
    late.catch(() => {});
    const { ring } = await exchange.run(rotate());
    expect(ring).toMatchObject({ id: earlier.id, epoch: earlier.epoch, gen: earlier.gen + 1 });
    await pass(lateMs);
    return { exchange, earlier, ring, late, calls, goBack: () => follow(other) };
  }

  it('brings no earlier ring back: the store is read once more', async () => {
    const { late, ring, calls } = await rotatedMeanwhile(100);
    expect((await late).ring).toEqual(ring);
    expect(calls).toEqual(['unproven']);
  });

  it('counts at once if it shows the same as what was read since', async () => {
    const { one, store, hold } = slowStore();
    const exchange = exchangeOn(store);
    const { ring: earlier } = await exchange.run(refresh);
    const { current, gen } = earlier;
    await put(one, current.secret, formatRing({ ...earlier, gen: gen + 1, op: 'another' }), current.expiresAt);
    hold(100);
    const calls: string[] = [];
    const late = exchange.run({ ...refresh, onUnproven: () => calls.push('unproven') });
    const { ring } = await exchange.run(refresh);
    await pass(100);
    expect((await late).ring).toBe(ring);
    expect(calls).toEqual([]);
  });

  /**
   * What a late answer does that shows another ring, or no K, from before a rotation of the member.
   */
  async function lateWith(part: Partial<Ring>, keyExpiresAtMs?: number) {
    const { one, other, store, hold, follow } = slowStore();
    const exchange = exchangeOn(store);
    const { ring: earlier } = await exchange.run(refresh);
    const { current } = earlier;
    const text = formatRing({ ...earlier, ...part, op: 'another' });
    await put(other, current.secret, text, keyExpiresAtMs ?? current.expiresAt);
    hold(100);
    follow(other);
    const calls: string[] = [];
    const late = exchange.run({ ...refresh, onUnproven: () => calls.push('unproven') });
    follow(one);
    await exchange.run(rotate());
    await pass(100);
    return { found: await late, calls };
  }

  it('counts at once if it shows a later revocation, even after fewer writes', async () => {
    const { found, calls } = await lateWith({ epoch: 1, rev: 'x' });
    expect(found.ring).toMatchObject({ epoch: 1, rev: 'x' });
    expect(calls).toEqual([]);
  });

  it('counts at once if it has to be revoked: the later ring is, too', async () => {
    const { found } = await lateWith({}, 0);
    expect(found.replaced).not.toBeNull();
    expect(found.ring.epoch).toBe(2);
  });

  it('settles no write of before either: the store is read once more', async () => {
    const { one, store } = slowStore();
    let heldMs = 100;
    const swap: Store['swap'] = async (...by) => {
      const ms = heldMs;
      heldMs = 0;
      const answer = await one.swap(...by);
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
      return answer;
    };
    await new Rewt({ store: one }).ready();
    const exchange = exchangeOn({ ...store, swap });
    const late = exchange.run(rotate());
    await pass(10);
    const { ring } = await exchange.run(rotate());
    await pass(90);
    expect(await late).toMatchObject({ ring, replaced: null });
  });

  it('revokes nothing for a rotation that it began, should its swap be done all the same', async () => {
    const { one, other, store, hold, follow } = slowStore();
    const exchange = exchangeOn(store);
    const { ring: earlier } = await exchange.run(refresh);
    await put(other, earlier.current.secret, formatRing(earlier), earlier.current.expiresAt);
    hold(100);
    follow(other);
    const calls: string[] = [];
    const late = exchange.run({ ...rotate(), onUnproven: () => calls.push('unproven') });
    follow(one);
    await exchange.run(rotate());
    follow(other);
    await pass(100);
    const { ring, replaced } = await late;
    expect(ring.epoch).toBe(0);
    expect(ring.current.secret).not.toBe(earlier.current.secret);
    expect(replaced).not.toBeNull();
    expect(calls).toEqual(['unproven']);
  });

  it('fails if the time is over by then', async () => {
    const { late } = await rotatedMeanwhile(1_000);
    await expect(late).rejects.toMatchObject({ code: 'ERR_REWT_STORE_TIMEOUT' });
  });

  it('is one thing, and a store that was led back another: that is followed by what is sent next', async () => {
    const { exchange, earlier, goBack } = await rotatedMeanwhile(100);
    goBack();
    expect((await exchange.run(refresh)).ring).toEqual(earlier);
  });
});
