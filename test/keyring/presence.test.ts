/** The option `memberName`: who announces itself, when, and that nothing else depends on it. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fleetOf } from '../../src/cli/output/fleet.js';
import { memoryStore, Rewt, type RewtOptions, type Store, type UnannouncedMessage } from '../../src/index.js';
import { formatAnnouncement, parseAnnouncement } from '../../src/keyring/announcement.js';
import { createCopy } from '../../src/keyring/copy.js';
import { parseRing } from '../../src/keyring/ring.js';
import { faultyStore } from '../support/faulty-store.js';
import { pass, times, turnTime } from '../support/turned-time.js';

const limits = { timeoutMs: 1_000 };

let store: Store;
beforeEach(() => {
  turnTime();
  store = memoryStore();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Announcements that a store was asked to carry, with their instants. */
function counting(announce = store.announce?.bind(store)) {
  const said: { id: string; text: string | null; atMs: number }[] = [];
  const counted: Store = {
    ...store,
    async announce(namespace, id, text, by) {
      said.push({ id, text, atMs: Date.now() });
      await announce?.(namespace, id, text, by);
    },
  };
  return { counted, said };
}

function member(on: Store, options: Partial<RewtOptions> = {}): Rewt {
  return new Rewt({ ...times, store: on, memberName: 'orders-1', ...options });
}

async function kept(): Promise<unknown[]> {
  const found = await store.announcements?.('rewt', limits);
  return (found?.kept ?? []).map(({ text }) => parseAnnouncement(text));
}

describe('a member with a name', () => {
  it('says what it holds once it holds something, and not before', async () => {
    const rewt = member(store);
    await pass(60_000);
    expect(await kept()).toEqual([]);
    await rewt.sign({});
    const { keyring } = rewt.status();
    expect(await kept()).toEqual([
      {
        name: 'orders-1',
        lineage: keyring?.lineage,
        epoch: 0,
        revocation: null,
        generation: 1,
        next: keyring?.next.kid,
        needs: { ttl: 120_000, overlap: 0 },
        maxStaleness: 60_000,
        seals: { opens: [], takesPlain: true },
      },
    ]);
    await rewt.close();
  });

  it('announces itself once in half a minute, however much it is used', async () => {
    const { counted, said } = counting();
    const rewt = member(counted);
    await rewt.sign({});
    // That it begins to sign is announced before its time.
    await pass(2_000);
    said.splice(0, said.length - 1);
    for (let second = 0; second < 300; second += 1) {
      await rewt.sign({});
      await pass(1_000);
    }
    const gaps = said.slice(1).map(({ atMs }, index) => atMs - (said[index]?.atMs ?? 0));
    expect(said.length).toBeGreaterThanOrEqual(9);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(30_000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(33_000);
    expect(await kept()).toMatchObject([{ generation: rewt.status().keyring?.generation }]);
    await rewt.close();
  });

  it('announces within two seconds that it begins to sign, with what its tokens need', async () => {
    const rewt = member(store, { tokenLifetime: 7 });
    await expect(rewt.verify('no.to.ken')).rejects.toThrow();
    await rewt.ready();
    await pass(10_000);
    expect(await kept()).toMatchObject([{ needs: { overlap: 0 } }]);
    await rewt.sign({});
    await pass(2_000);
    const { overlap } = parseRing((await store.read('rewt', limits)).ring ?? '') as { overlap: number };
    expect(await kept()).toMatchObject([{ needs: { overlap } }]);
    expect(overlap).toBeGreaterThan(0);
    await rewt.close();
  });

  it.each(['rotate', 'revoke'] as const)('announces within two seconds what %s() has changed', async (verb) => {
    const rewt = member(store);
    await rewt.ready();
    await pass(10_000);
    await (verb === 'rotate' ? rewt.rotate({ force: true }) : rewt.revoke());
    await pass(2_000);
    expect(await kept()).toMatchObject([{ next: rewt.status().keyring?.next.kid }]);
    await rewt.close();
  });

  it('announces within two seconds what another member has changed, once it has read it', async () => {
    const rewt = member(store);
    const other = new Rewt({ ...times, store });
    await rewt.ready();
    await pass(10_000);
    await other.revoke();
    await rewt.ready();
    await pass(2_000);
    expect(await kept()).toMatchObject([{ epoch: 1, next: other.status().keyring?.next.kid }]);
    await rewt.close();
  });

  it('announces at most one thing a second, however often the keyring changes', async () => {
    const { counted, said } = counting();
    const rewt = member(counted);
    await rewt.ready();
    for (let n = 0; n < 200; n += 1) {
      await rewt.revoke();
      await pass(50);
    }
    await pass(2_000);
    expect(said.length).toBeGreaterThanOrEqual(5);
    expect(said.length).toBeLessThanOrEqual(13);
    expect(await kept()).toMatchObject([{ epoch: 200 }]);
    await rewt.close();
  });

  it('announces a change after a random delay, so that a fleet does not write at once', async () => {
    const members = Array.from({ length: 100 }, () => counting());
    const fleet = members.map(({ counted }) => member(counted));
    for (const rewt of fleet) await rewt.ready();
    await pass(10_000);
    await fleet[0]?.revoke();
    for (const rewt of fleet) await rewt.ready();
    await pass(2_000);
    const at = members.map(({ said }) => said[1]?.atMs ?? Number.NaN);
    const within = (ms: number) => at.filter((atMs) => atMs - Math.min(...at) < ms).length;
    expect(within(2_000)).toBe(100);
    expect(within(100)).toBeLessThan(40);
    for (const rewt of fleet) await rewt.close();
  });

  it('goes on announcing when it is not used, without reading', async () => {
    const rewt = member(store);
    await rewt.ready();
    const read = vi.spyOn(store, 'read');
    await pass(600_000);
    expect(await kept()).toHaveLength(1);
    expect(read).not.toHaveBeenCalled();
    await rewt.close();
  });

  it('takes its leave when it is closed, and says no more', async () => {
    const { counted, said } = counting();
    const rewt = member(counted);
    await rewt.ready();
    await rewt.close();
    expect(await kept()).toEqual([]);
    expect(said.map(({ text }) => text === null)).toEqual([false, true]);
    await rewt.close();
    await pass(300_000);
    expect(said).toHaveLength(2);
  });

  it('is one of two where another has its name', async () => {
    const both = [member(store), member(store)];
    for (const rewt of both) await rewt.ready();
    expect(await kept()).toHaveLength(2);
    for (const rewt of both) await rewt.close();
  });

  it('has a timer that keeps no process alive', async () => {
    vi.useRealTimers();
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const rewt = member(store);
    await rewt.ready();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await kept()).toHaveLength(1);
    expect(timers()).toBeLessThanOrEqual(before);
    await rewt.close();
  });
});

it('neither members in use nor idle members count as silent after the store was away for 22 s', async () => {
  const register = faultyStore(store);
  let isAway = false;
  const on: Store = {
    ...store,
    local: false,
    read: (...args) => register.read(...args),
    swap: (...args) => register.swap(...args),
    async announce(...args) {
      if (isAway) throw new Error('away');
      await store.announce?.(...args);
    },
  };
  const used = [member(on), member(on, { memberName: 'orders-2' })];
  const idle = member(on, { memberName: 'orders-3' });
  const token = await idle.sign({}, { expiresIn: 300 });
  const use = () => Promise.all(used.map((rewt) => rewt.verify(token)));
  for (let ms = 0; ms < 59_000; ms += 500) {
    await use();
    await pass(500);
  }
  isAway = true;
  register.reads = 'down';
  for (let ms = 0; ms < 22_000; ms += 500) {
    await use();
    await pass(500);
  }
  isAway = false;
  register.reads = 'up';
  const silent = new Set<string>();
  for (let ms = 0; ms < 40_000; ms += 500) {
    await use();
    await pass(500);
    const { keyring } = used[0]?.status() ?? {};
    const found = await store.announcements?.('rewt', limits);
    // The read that finds the store back, and the announcement of that.
    if (ms < 3_500 || !keyring || !found) continue;
    const fleet = fleetOf(keyring, found);
    expect(fleet?.size).toBe(3);
    for (const { name, silent: isSilent } of fleet?.members ?? []) if (isSilent) silent.add(name);
  }
  expect([...silent]).toEqual([]);
  for (const rewt of [...used, idle]) await rewt.close();
});

it('an announcement is kept for as long as the member’s copy may be used, even if that exceeds an hour', async () => {
  const rewt = member(store, { ttl: '8h', tokenLifetime: '1h', maxStaleness: '4h' });
  await rewt.sign({});
  await pass(3_000);
  store.announce = async () => {
    throw new Error('refused');
  };
  await pass(4 * 3_600_000 + 40_000);
  expect(await kept()).toMatchObject([{ name: 'orders-1', maxStaleness: 4 * 3_600_000 }]);
  await pass(10_000);
  expect(await kept()).toEqual([]);
  await rewt.close();
});

it('a member without a name announces nothing', async () => {
  const { counted, said } = counting();
  const rewt = new Rewt({ ...times, store: counted });
  await rewt.sign({});
  await pass(300_000);
  await rewt.close();
  expect(said).toEqual([]);
});

describe('a store that does not take announcements', () => {
  const messages: unknown[] = [];
  const listen = (message: unknown): void => void messages.push(message);
  beforeEach(() => {
    messages.length = 0;
    subscribe('rewt:unannounced', listen);
  });
  afterEach(() => void unsubscribe('rewt:unannounced', listen));

  it('costs no operation anything, and is told on a channel alone', async () => {
    const warned = vi.spyOn(process, 'emitWarning');
    const { counted, said } = counting(async () => {
      throw new Error('redis://user:hunter2@host');
    });
    const rewt = member(counted);
    await rewt.verify(await rewt.sign({}));
    await pass(70_000);
    const message: UnannouncedMessage = { namespace: 'rewt', memberName: 'orders-1', code: 'ERR_REWT_STORE_DOWN' };
    // At the first copy, soon after it begins to sign, and then twice.
    expect(messages).toEqual([message, message, message, message]);
    expect(said).toHaveLength(4);
    expect(warned).not.toHaveBeenCalled();
    await rewt.close();
  });

  it('is waited for by close() alone if it never answers, for storeTimeout', async () => {
    const { counted, said } = counting(() => new Promise(() => {}));
    const rewt = member(counted);
    await rewt.verify(await rewt.sign({}));
    await rewt.revoke();
    await pass(300_000);
    // Never two under way.
    expect(said).toHaveLength(1);
    let closed = false;
    const closing = rewt.close().then(() => {
      closed = true;
    });
    await pass(999);
    expect(closed).toBe(false);
    await pass(1);
    await closing;
  });

  it('is refused together with a memberName if it cannot carry one', () => {
    const { announce: _, ...without } = store;
    expect(() => member(without)).toThrow(expect.objectContaining({ code: 'ERR_REWT_OPTION', option: 'memberName' }));
  });
});

it.each([['x'.repeat(65)], ['a\nb'], ['\u202ea'], [''], [7]])('the name %j is refused', (memberName) => {
  const named = () => member(store, { memberName: memberName as string });
  expect(named).toThrow(expect.objectContaining({ code: 'ERR_REWT_OPTION', option: 'memberName' }));
});

describe('an announcement', () => {
  const needs = { ttlMs: 8_000, overlapMs: 4_500, maxStalenessMs: 2_000 };
  const good = { name: 'n', lineage: 'l', epoch: 0, generation: 1, next: 'k' };
  const secret = 'a-secret-of-forty-three-characters-00000000';
  const ring = parseRing(
    JSON.stringify({
      v: 1,
      id: 'lineage',
      epoch: 2,
      rev: 'x',
      gen: 7,
      op: 'op',
      ttl: 1_000,
      overlap: 1_000,
      current: { secret, expiresAt: 1 },
      next: { secret: `${secret}1`, since: 1 },
      retired: [],
    }),
  );

  const seals = { opens: ['key-id-11ch'], takesPlain: false };

  it('is kids and counters, and no secret', () => {
    const copy = createCopy(ring);
    const text = formatAnnouncement('n', copy, needs, seals);
    expect(text).not.toContain('forty-three');
    expect(parseAnnouncement(text)).toEqual({
      name: 'n',
      lineage: 'lineage',
      epoch: 2,
      revocation: 'x',
      generation: 7,
      next: copy.next.kid,
      needs: { ttl: 8_000, overlap: 4_500 },
      maxStaleness: 2_000,
      seals,
    });
  });

  it('names no revocation where there was none, and says nothing of it where an older member speaks', () => {
    const { rev: _, ...unnamed } = ring;
    expect(parseAnnouncement(formatAnnouncement('n', createCopy(unnamed), needs, seals))).toMatchObject({
      revocation: null,
    });
    expect(parseAnnouncement(JSON.stringify(good))).toEqual(good);
    expect(parseAnnouncement(JSON.stringify({ ...good, revocation: 7 }))).toEqual(good);
    for (const odd of [null, 7, {}, { ttl: 1 }, { ttl: 1, overlap: -1 }, { ttl: '1', overlap: 1 }]) {
      expect(parseAnnouncement(JSON.stringify({ ...good, needs: odd }))).toEqual(good);
    }
    for (const odd of [
      null,
      7,
      {},
      { opens: [] },
      { opens: [7], takesPlain: true },
      { opens: 'x', takesPlain: true },
    ]) {
      expect(parseAnnouncement(JSON.stringify({ ...good, seals: odd }))).toEqual(good);
    }
    for (const odd of [null, -1, '1']) {
      expect(parseAnnouncement(JSON.stringify({ ...good, kidless: odd }))).toEqual(good);
    }
  });

  it.each([
    ['no JSON', 'x'],
    ['null', 'null'],
    ['a list', '[]'],
    ['a text', '"x"'],
    ...Object.keys(good).flatMap((name) => [
      [`without ${name}`, JSON.stringify({ ...good, [name]: undefined })],
      [`with another ${name}`, JSON.stringify({ ...good, [name]: [-1] })],
    ]),
    ['with half a generation', JSON.stringify({ ...good, generation: 0.5 })],
    ['before all generations', JSON.stringify({ ...good, generation: -1 })],
  ])('that no member wrote is none: %s', (_, text) => {
    expect(parseAnnouncement(String(text))).toBeNull();
  });
});
