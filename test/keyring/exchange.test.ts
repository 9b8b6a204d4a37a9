/** Two exchanges of one member that overlap: what the older answer proves, and what it does not. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { processClock } from '../../src/clock.js';
import { memoryStore, Rewt, type Store } from '../../src/index.js';
import { advance } from '../../src/keyring/advance.js';
import { revocation, rotation } from '../../src/keyring/commands.js';
import { type Errand, Exchange, mint } from '../../src/keyring/exchange.js';
import { formatRing, parseRing, type Ring } from '../../src/keyring/ring.js';
import { pass, turnTime } from '../turned-time.js';
import { POLICY } from './samples.js';

beforeEach(() => turnTime());
afterEach(() => {
  vi.useRealTimers();
});

const refresh: Errand = {
  propose: (seen, known) => advance(seen, POLICY, known, mint),
  pending() {},
  unproven() {},
  mayBeDeposed() {},
};
const revoke = (): Errand => ({
  ...revocation(() => POLICY, { reason: null, replace: null }),
  pending() {},
  unproven() {},
  mayBeDeposed() {},
});

function exchangeOn(store: Store) {
  const exchange = new Exchange(store, 'rewt', 1_000, processClock);
  return { run: (errand: Errand) => exchange.run(errand, (settled) => settled) };
}

const limits = { timeoutMs: 1, notAfterMs: Number.POSITIVE_INFINITY };

/** A store that goes to whichever master it is led to, and whose next answer to a read may be on its way for as long as a test likes. */
function slowStore() {
  const masters = { one: memoryStore(), other: memoryStore() };
  let master = masters.one;
  let heldMs = 0;
  const store: Store = {
    ...master,
    async read(...by) {
      const ms = heldMs;
      heldMs = 0;
      const snapshot = await master.read(...by);
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
      return snapshot;
    },
    swap: (...by) => master.swap(...by),
  };
  return {
    ...masters,
    store,
    hold(ms: number) {
      heldMs = ms;
    },
    follow(next: Store) {
      master = next;
    },
  };
}

/** Puts these texts there, whatever was there. */
async function put(store: Store, key: string, ring: string, expiresAtMs = Date.now() + 1e7): Promise<void> {
  const { version } = await store.read('rewt', limits);
  const wanted = { key: { value: key, expiresAtMs }, ring: { text: ring, expiresAtMs: Date.now() + 1e7 } };
  await store.swap('rewt', version, wanted, limits);
}

const rotate = (): Errand => ({ ...refresh, ...rotation(() => POLICY, { force: true, reason: null }) });

test('an exchange that writes twice says what the second write replaced', async () => {
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

describe('an answer to a read that was sent before a revocation came', () => {
  test('is no proof that the store lost it: nothing is revoked again', async () => {
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

  test('is one once its swap is done: nothing of what it showed is used', async () => {
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
    expect((await late).wrote?.name).toBe('rollback');

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

  test('is no proof that the store has it: the lineage that is there is not left', async () => {
    const { exchange, other, hold, follow } = await overtaken();
    hold(100);
    const late = exchange.run(refresh);
    follow(other);
    const { ring } = await exchange.run(refresh);
    await pass(100);
    await late;
    expect(await exchange.run(refresh)).toMatchObject({ ring, wrote: null });
  });

  test('nor is one that shows no keyring: nothing is taken away for it', async () => {
    const { exchange, other, hold, follow } = await overtaken();
    follow(memoryStore());
    hold(100);
    const calls: string[] = [];
    const late = exchange.run({
      ...refresh,
      pending: () => calls.push('pending'),
      unproven: () => calls.push('unproven'),
    });
    follow(other);
    const { ring } = await exchange.run(refresh);
    await pass(100);
    expect((await late).ring).toEqual(ring);
    expect(calls).toEqual(['unproven']);
  });

  test('nor if its master may be deposed', async () => {
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
    expect(await exchange.run(refresh)).toMatchObject({ ring, wrote: null });
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
    const late = exchange.run({ ...refresh, unproven: () => calls.push('unproven') });
    late.catch(() => {});
    const { ring } = await exchange.run(rotate());
    expect(ring).toMatchObject({ id: earlier.id, epoch: earlier.epoch, gen: earlier.gen + 1 });
    await pass(lateMs);
    return { exchange, earlier, ring, late, calls, goBack: () => follow(other) };
  }

  test('brings no earlier ring back: the store is read once more', async () => {
    const { late, ring, calls } = await rotatedMeanwhile(100);
    expect((await late).ring).toEqual(ring);
    expect(calls).toEqual(['unproven']);
  });

  test('counts at once if it shows the same as what was read since', async () => {
    const { one, store, hold } = slowStore();
    const exchange = exchangeOn(store);
    const { ring: earlier } = await exchange.run(refresh);
    const { current, gen } = earlier;
    await put(one, current.secret, formatRing({ ...earlier, gen: gen + 1, op: 'another' }), current.expiresAt);
    hold(100);
    const calls: string[] = [];
    const late = exchange.run({ ...refresh, unproven: () => calls.push('unproven') });
    const { ring } = await exchange.run(refresh);
    await pass(100);
    expect((await late).ring).toBe(ring);
    expect(calls).toEqual([]);
  });

  /** What a late answer does that shows another ring, or no K, from before a rotation of the member. */
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
    const late = exchange.run({ ...refresh, unproven: () => calls.push('unproven') });
    follow(one);
    await exchange.run(rotate());
    await pass(100);
    return { found: await late, calls };
  }

  test('counts at once if it shows a later revocation, even after fewer writes', async () => {
    const { found, calls } = await lateWith({ epoch: 1, rev: 'x' });
    expect(found.ring).toMatchObject({ epoch: 1, rev: 'x' });
    expect(calls).toEqual([]);
  });

  test('counts at once if it has to be revoked: the later ring is, too', async () => {
    const { found } = await lateWith({}, 0);
    expect(found.wrote?.name).toBe('rollback');
    expect(found.ring.epoch).toBe(2);
  });

  test('settles the write that it is about: nothing is read once more', async () => {
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
    expect(await late).toMatchObject({ ring: { gen: ring.gen - 1 }, wrote: { name: 'rotation' } });
  });

  test('fails if the time is over by then', async () => {
    const { late } = await rotatedMeanwhile(1_000);
    await expect(late).rejects.toMatchObject({ code: 'ERR_REWT_STORE_CONTENDED' });
  });

  test('is one thing, and a store that was led back another: that is followed by what is sent next', async () => {
    const { exchange, earlier, goBack } = await rotatedMeanwhile(100);
    goBack();
    expect((await exchange.run(refresh)).ring).toEqual(earlier);
  });
});
