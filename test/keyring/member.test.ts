/** The lease: what a member does with a copy that ages, a store that fails, and tokens whose secret it does not know. */

import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { memoryStore, Rewt, type RewtOptions, type Snapshot, type Store } from '../../src/index.js';
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

/** A failover to a replica that knows no more than this. */
async function failBackTo({ key, ring }: Snapshot): Promise<void> {
  const { version } = await register.read('rewt', { timeoutMs: 1 });
  const wanted = {
    key: { value: key?.value ?? '', expiresAtMs: key?.expiresAtMs ?? 0 },
    ring: { text: ring ?? '', expiresAtMs: Date.now() + 1e7 },
  };
  const limits = { timeoutMs: 1, notAfterMs: Number.POSITIVE_INFINITY };
  expect((await register.swap('rewt', version, wanted, limits)).swapped).toBe(true);
}

const unknownKid = (await foreignToken()).token;

/** A well-formed token of some other keyring. */
async function foreignToken(): Promise<{ token: string }> {
  return { token: await new Rewt({ store: memoryStore() }).sign({ from: 'elsewhere' }) };
}

describe('a young copy', () => {
  test('is used without asking the store', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    const { readCount } = store;
    for (let i = 0; i < 50; i += 1) await rewt.verify(token);
    expect(store.readCount).toBe(readCount);
  });

  test('costs a busy member at most two reads per soft age, and an unused one none', async () => {
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

  test('of a busy member is refreshed ahead, so that nobody waits', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    store.replyMs = 500;
    for (let ms = 0; ms < 10_000; ms += 100) {
      const { ms: waited } = await settle(rewt.verify(token));
      expect(waited).toBeLessThanOrEqual(2);
      await pass(100 - waited);
    }
  });

  test('leaves no timer behind', async () => {
    const { rewt } = member();
    await rewt.verify(await rewt.sign({ sub: 'a' }));
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a copy past its soft age', () => {
  test('is refreshed by one read for all who wait', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    await pass(2_000);
    const before = store.readCount;
    await Promise.all(Array.from({ length: 100 }, () => rewt.verify(token)));
    expect(store.readCount - before).toBe(1);
  });

  test('does not hide a revocation by another member', async () => {
    const { rewt: a } = member();
    const { rewt: b } = member();
    const token = await a.sign({ sub: 'a' });
    await b.verify(token);
    await a.revoke();
    await expect(a.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    await pass(2_000);
    await expect(b.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY', status: 401 });
  });

  test('counts its age from the sending of the read, so a slow answer makes it older', async () => {
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

  test('is also one whose wall clock went on while the process was suspended', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    const before = store.readCount;
    vi.setSystemTime(Date.now() + 30_000);
    await rewt.verify(token);
    expect(store.readCount).toBe(before + 1);
  });
});

describe('a store that cannot be read', () => {
  test.each(['down', 'hung'] as const)(
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

  test('never makes a token invalid: an unknown kid is answered with 503, junk still with 401', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    store.reads = 'down';
    await pass(1);
    expect((await settle(rewt.verify(unknownKid))).error).toMatchObject({ status: 503 });
    expect((await settle(rewt.verify('junk'))).error).toMatchObject({ status: 401, code: 'ERR_REWT_MALFORMED' });
  });

  test('makes nobody wait twice: after the first failure a busy member asks it behind their backs', async () => {
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

  test('is asked again, and waited for, by a member that was idle since', async () => {
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

  test('is noticed to be back within the soft age', async () => {
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

  test.each(['sign', 'verify', 'ready', 'rotate', 'revoke'] as const)(
    'that hangs holds up %s() no longer than storeTimeout',
    async (verb) => {
      const { rewt, store } = member();
      store.reads = 'hung';
      const calls = {
        sign: () => rewt.sign({}),
        verify: () => rewt.verify(unknownKid),
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

test('a read that took longer than a copy may be old is followed by another, while there is time', async () => {
  const token = await member().rewt.sign({ sub: 'a' });
  const { rewt, store } = member({ maxStaleness: 0.1 });
  store.replyMs = 150;
  const verifying = rewt.verify(token);
  await pass(149);
  store.replyMs = 0;
  expect((await settle(verifying)).value).toMatchObject({ sub: 'a' });
  expect(store.readCount).toBe(2);
});

test('a store that fails at once is asked ten times a second by a member without a copy, not as often as it can refuse', async () => {
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

test('a store of somebody else may fail with anything: what comes out is typed, and says nothing of it', async () => {
  const broken: Store = {
    ...memoryStore(),
    read: () => Promise.reject(new Error('redis://user:hunter2@host')),
  };
  const error = await new Rewt({ store: broken }).ready().catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'ERR_REWT_STORE_DOWN', status: 503 });
  expect(String(error)).not.toContain('hunter2');
});

describe('a clock that jumps', () => {
  test('forward under a read of a strict member costs that one operation at most', async () => {
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

  test('forward in a store that takes no writes ends what had its end meanwhile', async () => {
    let skewMs = 0;
    register = memoryStore({ now: () => Date.now() + skewMs });
    const { rewt, store } = member({ maxStaleness: 10 });
    const kidless = await legacyToken();
    await rewt.verify(kidless);
    const { keyring } = rewt.status();
    store.swaps = 'down';
    skewMs = 2 * 3_600_000;
    await pass(3_000);
    await expect(rewt.verify(kidless)).rejects.toMatchObject({ status: 503 });
    expect(rewt.status().keyring?.signing).toBe(keyring?.next.kid);
  });

  test('in the store, forth and back, costs what a revocation costs: what is signed afterwards is fine', async () => {
    let skewMs = 0;
    register = memoryStore({ now: () => Date.now() + skewMs });
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

describe('strict mode (maxStaleness 0)', () => {
  test('waits with every operation for a read that began after it, shared by all who came meanwhile', async () => {
    const { rewt, store } = member({ maxStaleness: 0 });
    const { rewt: other } = member();
    const token = await rewt.sign({ sub: 'a' });
    store.replyMs = 10;
    const first = rewt.verify(token);
    await pass(1);
    const before = store.readCount;
    const crowd = Array.from({ length: 50 }, () => rewt.verify(token).catch((error: unknown) => error));
    // The first read is under way and has seen the old secret; the crowd came after it and must not be served by it.
    await other.revoke();
    expect((await settle(first)).value).toMatchObject({ sub: 'a' });
    for (const outcome of (await settle(Promise.all(crowd))).value ?? [])
      expect(outcome).toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    expect(store.readCount - before).toBe(1);
  });

  test('is unavailable as soon as the store is', async () => {
    const { rewt, store } = member({ maxStaleness: 0 });
    const token = await rewt.sign({ sub: 'a' });
    store.reads = 'down';
    await expect(rewt.verify(token)).rejects.toMatchObject({ status: 503 });
  });
});

describe('an unknown kid', () => {
  test('starts at most ten reads a second, however many come', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    const before = store.readCount;
    const outcomes: Promise<unknown>[] = [];
    for (let ms = 0; ms < 3_000; ms += 1) {
      outcomes.push(rewt.verify(unknownKid).catch((error: { code: string }) => error.code));
      await pass(1);
    }
    await pass(200);
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['ERR_REWT_UNKNOWN_KEY']));
    expect(store.readCount - before).toBeGreaterThan(20);
    expect(store.readCount - before).toBeLessThanOrEqual(31);
  });

  test('that is genuine is known after at most 100 ms, in the middle of such a flood', async () => {
    const { rewt, store } = member();
    const { rewt: other } = member();
    await rewt.ready();
    await pass(5);
    for (let i = 0; i < 50; i += 1) rewt.verify(unknownKid).catch(() => {});
    await pass(1);
    await other.revoke();
    const token = await other.sign({ sub: 'new' });
    rewt.verify(unknownKid).catch(() => {});
    const { value, ms } = await settle(rewt.verify(token));
    expect(value).toMatchObject({ sub: 'new' });
    expect(ms).toBeLessThanOrEqual(102);
    expect(store.readCount).toBeLessThan(6);
  });

  test('is decided by the read that the token waited for anyway', async () => {
    const { rewt, store } = member();
    await expect(rewt.verify(unknownKid)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    expect(store.readCount).toBe(1);
  });
});

describe('a plan that the store refuses to take', () => {
  test('and that only rotates does not stop the member before maxStaleness', async () => {
    const { rewt, store } = member({ ttl: 120 });
    const token = await rewt.sign({ sub: 'a' });
    await pass(112_000);
    await rewt.verify(token);
    const lastRenewalMs = performance.now();
    store.swaps = 'down';
    while (performance.now() - lastRenewalMs < 59_900) {
      await rewt.verify(await rewt.sign({ sub: 'b' }));
      await pass(500);
    }
    await pass(200);
    expect((await settle(rewt.sign({ sub: 'b' }))).error).toMatchObject({ status: 503 });
    store.swaps = 'up';
    await rewt.verify(await rewt.sign({ sub: 'c' }));
  });

  test('and that revokes makes it unavailable at once', async () => {
    const { rewt, store } = member();
    const { rewt: writer } = member();
    const token = await rewt.sign({ sub: 'a' });
    const snapshot = await register.read('rewt', { timeoutMs: 1 });
    // The operator's brake: K alone is replaced, and this member may not write what follows from it.
    await register.swap(
      'rewt',
      snapshot.version,
      {
        key: { value: 'an operator set this by hand, long enough', expiresAtMs: Date.now() + 1e6 },
        ring: { text: `${snapshot.ring} `, expiresAtMs: Date.now() + 1e7 },
      },
      { timeoutMs: 1, notAfterMs: Number.POSITIVE_INFINITY },
    );
    store.swaps = 'down';
    await pass(2_000);
    await expect(rewt.verify(token)).rejects.toMatchObject({ name: 'StoreError' });
    await writer.ready();
    await pass(2_000);
    await expect(rewt.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  });

  test('takes over what another member wrote meanwhile, also where this one cannot write', async () => {
    const { rewt, store } = member({ ttl: 120 });
    const { rewt: other } = member({ ttl: 120 });
    const token = await rewt.sign({ sub: 'a' });
    await other.revoke();
    // By now a rotation is due as well, which this member may not write; the revocation counts all the same.
    await pass(113_500);
    store.swaps = 'down';
    expect((await settle(rewt.verify(token))).error).toMatchObject({ status: 503 });
  });

  test('whose answer was lost is found to be done by the next read', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    store.swaps = 'replies lost';
    await expect(rewt.revoke()).rejects.toMatchObject({ status: 503 });
    store.swaps = 'up';
    await rewt.ready();
    expect(rewt.status().keyring).toMatchObject({ epoch: 1, generation: 2 });
  });
});

describe('the end of the current secret', () => {
  test('is rotated ahead of by a busy member, and no token is refused', async () => {
    const { rewt } = member({ ttl: 60, maxStaleness: 10, tokenLifetime: 30 });
    const { rewt: other } = member({ ttl: 60, maxStaleness: 10, tokenLifetime: 30 });
    const kids = new Set<string>();
    let token = await rewt.sign({ sub: 'a' });
    for (let s = 0; s < 600; s += 1) {
      await pass(500);
      await other.verify(token);
      token = await rewt.sign({ sub: 'a' });
      await other.verify(token);
      kids.add(rewt.status().keyring?.signing ?? '');
    }
    expect(kids.size).toBeGreaterThanOrEqual(5);
    expect(rewt.status().keyring).toMatchObject({ epoch: 0 });
  });

  test('is met with next by a member that cannot reach the store, and others know it', async () => {
    const { rewt, store } = member({ ttl: 120 });
    const { rewt: other } = member({ ttl: 120 });
    await rewt.ready();
    await other.ready();
    const next = other.status().keyring?.next.kid;
    await pass(110_000);
    await rewt.ready();
    store.reads = 'down';
    await pass(15_000);
    const token = await rewt.sign({ sub: 'a' });
    expect(rewt.status().keyring?.signing).toBe(next);
    await expect(other.verify(token)).resolves.toMatchObject({ sub: 'a' });
    // There is no second promotion: until the copy is too old, it stays next.
    await pass(30_000);
    await rewt.sign({ sub: 'a' });
    expect(rewt.status().keyring?.signing).toBe(next);
  });

  test('that nobody was there for is made up for by whoever comes first', async () => {
    const { rewt } = member({ ttl: 120 });
    const token = await rewt.sign({ sub: 'a' });
    await pass(119_000 + 100_000);
    await expect(rewt.verify(token)).resolves.toMatchObject({ sub: 'a' });
    expect(rewt.status().keyring).toMatchObject({ epoch: 0, generation: 2 });
  });
});

describe('rotate()', () => {
  test('is refused while somebody may not hold next, unless forced, and says when to come again', async () => {
    const { rewt } = member();
    await rewt.ready();
    await pass(20_000);
    await expect(rewt.rotate()).rejects.toMatchObject({
      code: 'ERR_REWT_ROTATION_REFUSED',
      message: expect.stringContaining('in 40 s'),
    });
    const { kid } = await rewt.rotate({ force: true });
    expect(rewt.status().keyring?.signing).toBe(kid);
    await pass(60_000);
    await expect(rewt.rotate()).resolves.toMatchObject({ epoch: 0 });
  });

  test('is refused for maxStaleness at most, however far the clock of the store goes back', async () => {
    let shiftMs = 0;
    const store = faultyStore(memoryStore({ now: () => Date.now() + shiftMs }));
    const rewt = new Rewt({ ...times, store });
    await rewt.ready();
    await pass(60_000);
    shiftMs = -3_600_000;
    await expect(rewt.rotate()).rejects.toMatchObject({ code: 'ERR_REWT_ROTATION_REFUSED' });
    await pass(60_000);
    await rewt.rotate();
  });

  test("counts another member's rotation as done, so that a crowd rotates once", async () => {
    const crowd = Array.from({ length: 16 }, () => member().rewt);
    await Promise.all(crowd.map((rewt) => rewt.ready()));
    await pass(60_000);
    const kids = await Promise.all(crowd.map(async (rewt) => (await rewt.rotate()).kid));
    expect(new Set(kids).size).toBe(1);
    expect(crowd[0]?.status().keyring).toMatchObject({ generation: 2 });
  });

  test('costs no token anything', async () => {
    const { rewt } = member();
    const { rewt: other } = member();
    await other.ready();
    const before = await other.sign({ sub: 'a' });
    await pass(60_000);
    await rewt.rotate();
    const after = await rewt.sign({ sub: 'b' });
    await expect(rewt.verify(await other.sign({ sub: 'c' }))).resolves.toMatchObject({ sub: 'c' });
    await expect(other.verify(after)).resolves.toMatchObject({ sub: 'b' });
    await expect(rewt.verify(before)).resolves.toMatchObject({ sub: 'a' });
  });
});

describe('revoke()', () => {
  test('by a crowd at once drops what was, and every call is a revocation of its own', async () => {
    const crowd = Array.from({ length: 8 }, () => member().rewt);
    const token = await (crowd[0] as Rewt).sign({ sub: 'a' });
    const changes = await Promise.all(crowd.map((rewt) => rewt.revoke()));
    expect(Math.max(...changes.map(({ epoch }) => epoch))).toBe(8);
    for (const rewt of crowd) await expect(rewt.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  });

  test('counts at once where it was called, also if a read sent later was answered before it', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({ sub: 'a' });
    await pass(2_000);
    store.swapTravelMs = 25;
    const revoking = rewt.revoke();
    await pass(1);
    await expect(rewt.verify(token)).resolves.toMatchObject({ sub: 'a' });
    await pass(25);
    await revoking;
    await expect(rewt.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  });

  test('survives a store that forgot it', async () => {
    const { rewt } = member();
    const token = await rewt.sign({ sub: 'a' });
    const lost = await register.read('rewt', { timeoutMs: 1 });
    await rewt.revoke();
    // A failover that brings back the state before.
    await failBackTo(lost);
    await pass(2_000);
    await expect(rewt.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    await expect(member().rewt.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  });
});

describe('overlap', () => {
  test('is raised by a member with longer tokens before it signs, and not by one that only verifies', async () => {
    const { rewt: short } = member({ tokenLifetime: 10 });
    await short.ready();
    const { rewt: long, store } = member({ tokenLifetime: 900 });
    await long.verify(await short.sign({ sub: 'a' }));
    expect(store.swapCount).toBe(0);
    const token = await long.sign({ sub: 'b' });
    expect(long.status().keyring).toMatchObject({ overlap: 965 });
    await pass(61_000);
    await short.rotate();
    await pass(830_000);
    await expect(short.verify(token)).resolves.toMatchObject({ sub: 'b' });
  });

  test('that cannot be raised keeps the member from signing, not from verifying', async () => {
    const { rewt: short } = member({ tokenLifetime: 10 });
    const token = await short.sign({ sub: 'a' });
    const { rewt: long, store } = member({ tokenLifetime: 900 });
    await long.verify(token);
    store.swaps = 'down';
    await expect(long.sign({ sub: 'b' })).rejects.toMatchObject({ status: 503 });
    await expect(long.verify(token)).resolves.toMatchObject({ sub: 'a' });
    // Nor later, when every copy of before is too old.
    await pass(80_000);
    await expect(long.verify(await short.sign({ sub: 'c' }))).resolves.toMatchObject({ sub: 'c' });
  });

  test('ends: a retired secret verifies until then and no longer, also where the clock of the store jumps back', async () => {
    let skewMs = 0;
    register = memoryStore({ now: () => Date.now() + skewMs });
    const { rewt } = member();
    const kidless = await legacyToken();
    await pass(61_000);
    await rewt.rotate();
    await pass(364_000);
    // So often that it is remembered, which must not help it.
    for (let i = 0; i < 4; i += 1) await expect(rewt.verify(kidless)).resolves.toMatchObject({ sub: 'old' });
    await pass(2_000);
    await expect(rewt.verify(kidless)).rejects.toMatchObject({ code: 'ERR_REWT_BAD_SIGNATURE' });
    skewMs = -10_000;
    await pass(2_000);
    await expect(rewt.verify(kidless)).rejects.toMatchObject({ code: 'ERR_REWT_BAD_SIGNATURE' });
  });
});

/** As the first rewt signs: no kid, no exp. */
async function legacyToken(): Promise<string> {
  await member().rewt.ready();
  const secret = (await register.read('rewt', { timeoutMs: 1 })).key?.value ?? '';
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: 'old' })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

describe('close()', () => {
  test('ends every operation with a typed error, and may be called twice', async () => {
    const { rewt } = member();
    const token = await rewt.sign({ sub: 'a' });
    await rewt.close();
    await rewt.close();
    for (const work of [rewt.sign({}), rewt.verify(token), rewt.ready(), rewt.rotate(), rewt.revoke()]) {
      await expect(work).rejects.toMatchObject({ code: 'ERR_REWT_STORE_CLOSED' });
    }
    expect(rewt.status()).toMatchObject({ copy: 'none', keyring: null });
  });

  test('leaves a store that it was given open', async () => {
    const close = vi.spyOn(register, 'close');
    await using rewt = new Rewt({ store: register });
    await rewt.ready();
    await rewt.close();
    expect(close).not.toHaveBeenCalled();
  });
});

test('30 s without a store, with the default maxStaleness, fail no operation, and a rotation that fell into them is noticed by nobody', async () => {
  const options = { ttl: 120, tokenLifetime: 60, clockTolerance: 5, storeTimeout: 1 };
  const members = Array.from({ length: 3 }, () => {
    const store = faultyStore(register);
    return { rewt: new Rewt({ ...options, store }), store };
  });
  const kids = new Set<unknown>();
  const inFlight: { readonly token: string; readonly endMs: number }[] = [];
  for (let second = 0; second < 240; second += 1) {
    // The first secret ends after 120 s, in the midst of the silence; it would have been rotated seven seconds before.
    for (const { store } of members) store.reads = second >= 105 && second < 135 ? 'hung' : 'up';
    for (const { rewt } of members) {
      const { value: token = '', error } = await settle(rewt.sign({ second }));
      expect(error).toBeUndefined();
      inFlight.push({ token, endMs: Date.now() + 60_000 });
    }
    for (const { token, endMs } of inFlight.filter((_, index) => index % 7 === second % 7)) {
      if (Date.now() > endMs) continue;
      const { rewt } = members[second % 3] as (typeof members)[number];
      const { value, error } = await settle(rewt.verify(token, { complete: true }));
      expect(error).toBeUndefined();
      kids.add(value?.header.kid);
    }
    await pass(1_000);
  }
  // The secret that was next all the time signs from 120 s on, whoever made it current: nothing was revoked, nothing rotated twice.
  expect(kids.size).toBe(2);
  expect(members.map(({ rewt }) => rewt.status().keyring?.epoch)).toEqual([0, 0, 0]);
});

test('a rotate() that comes too soon is a read all the same: a revocation that it found is taken', async () => {
  const { rewt: ann } = member();
  const { rewt: bob, store } = member();
  await ann.sign({ sub: 'a' });
  await bob.ready();
  await ann.revoke();
  const { value, error } = await settle(bob.rotate());
  expect([value, error?.code]).toEqual([undefined, 'ERR_REWT_ROTATION_REFUSED']);
  expect(bob.status()).toMatchObject({ copy: 'usable', keyring: { epoch: 1 } });
  // Its copy is fresh: nothing is asked for what comes next.
  const reads = store.readCount;
  await bob.sign({ sub: 'b' });
  expect(store.readCount).toBe(reads);
});

test('a secret that had ended as retired, that a failover brought back, and that retires anew, verifies until its new end', async () => {
  const [{ rewt: ann }, { rewt: bob }] = [member(), member()];
  await ann.ready();
  await pass(61_000);
  const before = await register.read('rewt', { timeoutMs: 1 });
  await ann.rotate();
  await pass(400_000);
  await ann.ready();
  // While it signs once more, only the other one is there.
  await failBackTo(before);
  const token = await bob.sign({ sub: 'b' });
  await bob.rotate({ force: true });
  await pass(3_000);
  await expect(ann.verify(token)).resolves.toMatchObject({ sub: 'b' });
});

test('a store that is silent for longer than a soft age at a time makes one request wait, and not all of those that come meanwhile', async () => {
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
