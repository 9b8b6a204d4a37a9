/**
 * What members do while the store cannot be read: whose operations wait, how long they last, and
 * what is published of it, once each. On turned clocks.
 */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryStore, Rewt, type Store } from '../../src/index.js';
import { faultyStore } from '../support/faulty-store.js';
import { foreignToken, turnedMembers } from '../support/turned-members.js';
import { pass, settle } from '../support/turned-time.js';

const keyring = turnedMembers();
const { member } = keyring;

const channels = ['rewt:degraded', 'rewt:recovered', 'rewt:warning'];
const messages: unknown[] = [];
const listen = (message: unknown, channel: string | symbol): void => void messages.push([channel, message]);

beforeEach(() => {
  messages.length = 0;
  for (const channel of channels) subscribe(channel, listen);
});
afterEach(() => {
  for (const channel of channels) unsubscribe(channel, listen);
});

const degraded = (code: string) => ['rewt:degraded', { namespace: 'rewt', code }];
const recovered = (outageMs: number) => ['rewt:recovered', { namespace: 'rewt', outageMs }];

it('each outage is reported once, with its first failure, and its end once, with its duration', async () => {
  const { rewt, store } = member();
  await rewt.ready();
  const told: unknown[] = [];
  for (const failures of [3, 1]) {
    store.reads = 'down';
    for (let count = 0; count < failures; count += 1) {
      await rewt.refresh().catch(() => {});
      await pass(5_000);
    }
    expect(messages).toEqual([...told, degraded('ERR_REWT_STORE_DOWN')]);
    store.reads = 'up';
    for (let count = 0; count < 2; count += 1) {
      await rewt.refresh();
      await pass(5_000);
    }
    told.push(degraded('ERR_REWT_STORE_DOWN'), recovered(failures * 5_000));
    expect(messages).toEqual(told);
  }
});

it('an operation that has waited its time fails with the last error of the store, until that replies', async () => {
  await member().rewt.ready();
  const { rewt, store } = member({ maxStaleness: 0 });
  store.reads = 'down';
  await settle(rewt.ready());
  store.reads = 'up';
  store.replyMs = 1_500;
  expect(await settle(rewt.ready())).toMatchObject({ error: { code: 'ERR_REWT_STORE_DOWN' }, ms: 1_000 });
  await pass(1_000);
  expect(await settle(rewt.ready())).toMatchObject({ error: { code: 'ERR_REWT_STORE_TIMEOUT' }, ms: 1_000 });
});

it('fails so even if the store, and its error, are from another copy of rewt', async () => {
  vi.resetModules();
  const { StoreError } = await import('../../src/errors.js');
  await member().rewt.ready();
  const { rewt, store } = member({ maxStaleness: 0 });
  vi.spyOn(store, 'read').mockRejectedValueOnce(new StoreError('ERR_REWT_STORE_DENIED', 'from another copy'));
  await settle(rewt.ready());
  store.replyMs = 1_500;
  expect(await settle(rewt.ready())).toMatchObject({ error: { code: 'ERR_REWT_STORE_DENIED' }, ms: 1_000 });
});

it('a member that was closed tells of no outage that it finds', async () => {
  const { rewt, store } = member();
  await rewt.ready();
  store.reads = 'hung';
  const refreshing = settle(rewt.refresh());
  await rewt.close();
  await pass(2_000);
  await refreshing;
  expect(messages).toEqual([]);
});

it('a member that was closed tells of no master that may be deposed', async () => {
  const { rewt, store } = member();
  await rewt.ready();
  store.mayBeDeposed = true;
  store.replyMs = 100;
  const refreshing = settle(rewt.refresh());
  await pass(10);
  await rewt.close();
  await pass(200);
  await refreshing;
  expect(messages).toEqual([]);
  expect(rewt.status().waitsFor).toBeNull();
});

describe('a store that cannot be read', () => {
  it.each(['down', 'hung'] as const)(
    'is survived until maxStaleness and not a millisecond longer (%s)',
    async (fault) => {
      const { rewt, store } = member();
      const token = await rewt.sign({ sub: 'a' });
      const lastReadMs = performance.now();
      await pass(1);
      store.reads = fault;
      let served = 0;
      while (performance.now() - lastReadMs < 59_990) {
        const { value, error } = await settle(rewt.verify(token));
        // An operation that began in time may end past the bound: then it has to fail.
        if (performance.now() - lastReadMs < 60_000) expect(value, String(error)).toMatchObject({ sub: 'a' });
        served += 1;
        await pass(7);
      }
      expect(served).toBeGreaterThan(1_000);
      await pass(Math.max(0, lastReadMs + 60_000 - performance.now()));
      const late = await settle(rewt.verify(token));
      expect(late.error).toMatchObject({ name: 'StoreError', status: 503 });
      expect(late.ms).toBeLessThanOrEqual(1_001);
      expect((await settle(rewt.sign({ sub: 'a' }))).error).toMatchObject({ status: 503 });
    },
  );

  it('never makes a token invalid: an unknown kid is answered with 503, junk still with 401', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    store.reads = 'down';
    await pass(1);
    expect((await settle(rewt.verify(foreignToken))).error).toMatchObject({ status: 503 });
    expect((await settle(rewt.verify('junk'))).error).toMatchObject({ status: 401, code: 'ERR_REWT_MALFORMED' });
  });

  it('makes no caller wait twice: after the first failure a busy member asks it behind their backs', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    store.reads = 'hung';
    await pass(2_000);
    const before = store.readCount;
    const waits: number[] = [];
    while (waits.length < 2_000) {
      waits.push((await settle(rewt.verify(token))).ms);
      await pass(10);
    }
    expect(waits[0]).toBeGreaterThan(900);
    expect(Math.max(...waits.slice(1))).toBeLessThanOrEqual(20);
    // It has been asked all the while.
    expect(store.readCount - before).toBeGreaterThanOrEqual(9);
  });

  it('is asked again, and waited for, by a member that was idle since', async () => {
    const { rewt, store } = member();
    const { rewt: other } = member();
    const token = await rewt.sign({ sub: 'a' });
    store.reads = 'down';
    await pass(10_000);
    await rewt.verify(token);
    store.reads = 'up';
    await other.revoke();
    await pass(20_000);
    await expect(rewt.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  });

  it('is noticed to be back within the soft age', async () => {
    const { rewt, store } = member();
    const { rewt: other } = member();
    const token = await rewt.sign({ sub: 'a' });
    store.reads = 'down';
    await pass(10_000);
    await rewt.verify(token);
    store.reads = 'up';
    await other.revoke();
    for (let ms = 0; ms < 2_000; ms += 100) {
      await rewt.verify(token).catch(() => {});
      await pass(100);
    }
    await expect(rewt.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  });

  it.each(['sign', 'verify', 'ready', 'rotate', 'revoke'] as const)(
    'that hangs holds up %s() no longer than storeTimeout',
    async (verb) => {
      const { rewt, store } = member();
      store.reads = 'hung';
      const calls = {
        sign: () => rewt.sign({}),
        verify: () => rewt.verify(foreignToken),
        ready: () => rewt.ready(),
        rotate: () => rewt.rotate(),
        revoke: () => rewt.revoke(),
      };
      // Some are there already, so that this one would have to wait for a second read.
      rewt.ready().catch(() => {});
      await pass(900);
      const { error, ms } = await settle(calls[verb]() as Promise<unknown>);
      expect(error).toMatchObject({ status: 503 });
      expect(ms).toBeLessThanOrEqual(1_001);
    },
  );
});

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

  it('an answer ends the pause: what is suspect then is waited for again', async () => {
    const { rewt, store, other, token } = await failedOnce();
    await pass(1_000);
    await rewt.verify(token);
    await pass(0);
    await other.revoke();
    store.replyMs = 50;
    store.push();
    expect((await settle(rewt.verify(token))).error).toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  });

  it('operations wait for the store again after one soft age, and not before', async () => {
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

it('a member without a copy reads a store that fails at once ten times a second, not faster', async () => {
  const { rewt, store } = member();
  store.reads = 'down';
  for (let ms = 0; ms < 3_000; ms += 1) {
    rewt.sign({ sub: 'a' }).catch(() => {});
    await pass(1);
  }
  expect(store.readCount).toBeGreaterThan(20);
  expect(store.readCount).toBeLessThanOrEqual(32);
  store.reads = 'up';
  const { value, ms } = await settle(rewt.sign({ sub: 'a' }));
  expect(value).toBeDefined();
  expect(ms).toBeLessThanOrEqual(102);
});

it.each(['rotate', 'revoke'] as const)(
  '%s() waits no longer than storeTimeout, whatever its store makes of that',
  async (verb) => {
    const { rewt, store } = member();
    await rewt.ready();
    store.replyMs = 1_500;
    expect(await settle(rewt[verb]())).toMatchObject({ error: { code: 'ERR_REWT_STORE_TIMEOUT' }, ms: 1_000 });
  },
);

it('an operation that waits for the read after the one under way gets that, though the first one fails', async () => {
  const { rewt, store } = member({ maxStaleness: 0 });
  const token = await rewt.sign({ sub: 'a' });
  store.reads = 'hung';
  const first = settle(rewt.verify(token));
  await pass(500);
  const second = settle(rewt.verify(token));
  store.reads = 'up';
  expect((await first).error).toMatchObject({ code: 'ERR_REWT_STORE_TIMEOUT' });
  expect((await second).value).toMatchObject({ sub: 'a' });
});

it('a custom store may fail with anything: what comes out is typed, and says nothing of it', async () => {
  const broken: Store = {
    ...memoryStore(),
    read: () => Promise.reject(new Error('redis://user:hunter2@host')),
  };
  const error = await new Rewt({ store: broken }).ready().catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'ERR_REWT_STORE_DOWN', status: 503 });
  expect(String(error)).not.toContain('hunter2');
});

it('30 s without a store, with the default maxStaleness, fail no operation, even with a due rotation', async () => {
  const options = { ttl: 120, tokenLifetime: 60, clockTolerance: 5, storeTimeout: 1 };
  const members = Array.from({ length: 3 }, () => {
    const store = faultyStore(keyring.register);
    return { rewt: new Rewt({ ...options, store }), store };
  });
  const kids = new Set<unknown>();
  const inFlight: { readonly token: string; readonly endMs: number }[] = [];
  for (let second = 0; second < 240; second += 1) {
    // The first secret ends after 120 s, in the midst of the silence; it would have been rotated
    // seven seconds before.
    for (const { store } of members) store.reads = second >= 105 && second < 135 ? 'hung' : 'up';
    for (const { rewt } of members) {
      const { value: token = '', error } = await settle(rewt.sign({ second }));
      expect(error).toBeUndefined();
      inFlight.push({ token, endMs: Date.now() + 60_000 });
    }
    for (const { token, endMs } of inFlight.filter((_, index) => index % 7 === second % 7)) {
      if (Date.now() > endMs) continue;
      const { rewt } = members[second % 3] as (typeof members)[number];
      const { value, error } = await settle(rewt.verifyComplete(token));
      expect(error).toBeUndefined();
      kids.add(value?.header.kid);
    }
    await pass(1_000);
  }
  // The secret that was next all the time signs from 120 s on, whichever member made it current:
  // nothing was revoked, nothing rotated twice.
  expect(kids.size).toBe(2);
  expect(members.map(({ rewt }) => rewt.status().keyring?.epoch)).toEqual([0, 0, 0]);
});

it('a store that is silent beyond a soft age delays one request, and not those that come meanwhile', async () => {
  const { rewt, store } = member({ storeTimeout: 5 });
  const token = await rewt.sign({ sub: 'a' }, { expiresIn: 300 });
  await pass(2_000);
  store.reads = 'hung';
  let waitedMs = 0;
  for (let elapsedMs = 0; elapsedMs < 30_000; ) {
    const { ms, error } = await settle(rewt.verify(token));
    expect(error).toBeUndefined();
    waitedMs += ms > 1 ? ms : 0;
    elapsedMs += ms + 100;
    await pass(100);
  }
  expect(waitedMs).toBeLessThanOrEqual(5_001);
});
