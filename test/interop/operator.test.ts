/**
 * What an operator does with `redis-cli`, and what members make of it (protocol.md, rows 2, 3, 7, 8
 * and 10, and below the table).
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout } from 'node:timers/promises';
import jsonwebtoken from 'jsonwebtoken';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Rewt } from '../../src/index.js';
import { freePort, type RedisServer, startRedis } from '../support/servers.js';
import { codeOf, createFleet, errorOf, type Fleet, forge, kidOf, soon, times, verifyUntilError } from './fleet.js';

const softAgeMs = (times.maxStaleness * 1_000) / 2;
const maxStalenessMs = times.maxStaleness * 1_000;
const good = 'an-operators-secret-of-more-than-32-bytes';

let server: RedisServer;
let fleet: Fleet;
let ann: Rewt;
let bob: Rewt;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());
beforeEach(() => {
  fleet = createFleet(server);
  ann = fleet.member();
  bob = fleet.member();
});
afterEach(() => fleet.close());

/** Tokens of both members, verified at both. */
async function tokensInUse(): Promise<readonly string[]> {
  const tokens = [await ann.sign({ by: 'ann' }), await bob.sign({ by: 'bob' })];
  await expectAccepted(tokens);
  return tokens;
}

/** Does the same for each token at each member, all at once. */
async function each(tokens: readonly string[], act: (rewt: Rewt, token: string) => Promise<void>): Promise<void> {
  await Promise.all([ann, bob].flatMap((rewt) => tokens.map((token) => act(rewt, token))));
}

const expectAccepted = (tokens: readonly string[]): Promise<void> =>
  each(tokens, async (rewt, token) => {
    await rewt.verify(token);
  });

/** Every member refuses every token once its copy is past the soft age, and accepts none again. */
async function expectRevoked(tokens: readonly string[], sinceMs: number): Promise<void> {
  const refusal = { name: 'JsonWebTokenError', code: 'ERR_REWT_UNKNOWN_KEY', status: 401 };
  await each(tokens, async (rewt, token) => {
    expect(await verifyUntilError(rewt, token, softAgeMs, sinceMs)).toMatchObject(refusal);
  });
  await tokensInUse();
  await each(tokens, async (rewt, token) => expect(await errorOf(rewt.verify(token))).toMatchObject(refusal));
}

/** Once copies have run out every member says so: never a word against the token. */
async function expectUnavailable(tokens: readonly string[], code: unknown, sinceMs: number): Promise<void> {
  const failure = { name: 'StoreError', code, status: 503 };
  await each(tokens, async (rewt, token) => {
    expect(await verifyUntilError(rewt, token, maxStalenessMs, sinceMs)).toMatchObject(failure);
    expect(await errorOf(rewt.sign({}))).toMatchObject(failure);
  });
}

/** One command for what would otherwise be two, with a moment between them. */
const atomically = (script: string, ...args: string[]) =>
  server.cli('EVAL', script, '2', fleet.key, fleet.ring, ...args);

describe('DEL', () => {
  it('revokes: no member accepts a token signed before, and a fresh secret signs', async () => {
    const tokens = await tokensInUse();
    const before = await fleet.secret();
    expect(await server.cli('DEL', fleet.key)).toBe('1');
    await expectRevoked(tokens, performance.now());
    expect(await fleet.secret()).not.toBe(before);
    expect([ann.status().keyring?.epoch, bob.status().keyring?.epoch]).toEqual([1, 1]);
    expect(ann.status().keyring?.retired).toEqual([]);
  });
});

describe('SET', () => {
  it('of a good value revokes, and that value signs, with the TTL that it has', async () => {
    const tokens = await tokensInUse();
    await server.cli('SET', fleet.key, good);
    await expectRevoked(tokens, performance.now());
    expect(await fleet.secret()).toBe(good);
    expect([ann.status().keyring?.current.kid, bob.status().keyring?.current.kid]).toEqual([kidOf(good), kidOf(good)]);
    expect(jsonwebtoken.verify(await ann.sign({ by: 'ann' }), good)).toMatchObject({ by: 'ann' });
    const ttlMs = Number(await server.cli('PTTL', fleet.key));
    expect(ttlMs).toBeGreaterThan(0);
    expect(ttlMs).toBeLessThanOrEqual(times.ttl * 1_000);
  });

  it('of a good value with EX keeps that TTL as the schedule', async () => {
    const tokens = await tokensInUse();
    await server.cli('SET', fleet.key, good, 'EX', '30');
    await expectRevoked(tokens, performance.now());
    expect(await fleet.secret()).toBe(good);
    expect(Number(await server.cli('PTTL', fleet.key))).toBeLessThanOrEqual(30_000);
  });

  it('of the value that is there already, which only takes its TTL away, is undone', async () => {
    const tokens = await tokensInUse();
    const secret = await fleet.secret();
    await server.cli('SET', fleet.key, secret);
    await vi.waitFor(async () => {
      await expectAccepted(tokens);
      expect(Number(await server.cli('PTTL', fleet.key))).toBeGreaterThan(0);
    }, soon);
    expect(await fleet.secret()).toBe(secret);
  });

  describe.each([
    ['31 bytes', Buffer.from('x'.repeat(31))],
    ['no bytes', Buffer.alloc(0)],
    ['bytes that are not UTF-8', Buffer.alloc(40, 0xff)],
  ])('of %s', (_, value) => {
    it('revokes, is never used, and is replaced', async () => {
      const tokens = await tokensInUse();
      await server.cli('SET', fleet.key, value);
      const sinceMs = performance.now();
      const forged = forge(value);
      expect(await codeOf(ann.verify(forged))).toBe('ERR_REWT_BAD_SIGNATURE');
      await expectRevoked(tokens, sinceMs);
      expect(await fleet.secret()).toMatch(/^[\w-]{43}$/);
      expect(ann.status().keyring?.epoch).toBe(1);
      expect(await codeOf(bob.verify(forged))).toBe('ERR_REWT_BAD_SIGNATURE');
    });

    it('is warned of on the channel each time, and by the process once', async () => {
      const told: unknown[] = [];
      const warned: unknown[] = [];
      const tell = (message: unknown) => told.push(message);
      const warn = (warning: Error) => warned.push(warning);
      subscribe('rewt:warning', tell);
      process.on('warning', warn);
      try {
        await ann.sign({});
        for (const epoch of [1, 2]) {
          await server.cli('SET', fleet.key, value);
          await vi.waitFor(async () => {
            await ann.sign({});
            expect(ann.status().keyring?.epoch).toBe(epoch);
          }, soon);
        }
        // Warnings are given in a later turn.
        await setTimeout(0);
      } finally {
        unsubscribe('rewt:warning', tell);
        process.off('warning', warn);
      }
      const warning = { namespace: fleet.namespace, code: 'REWT_UNUSABLE_SECRET', message: expect.any(String) };
      expect(told).toEqual([warning, warning]);
      expect(warned).toEqual([expect.objectContaining({ name: 'RewtWarning', code: 'REWT_UNUSABLE_SECRET' })]);
    });
  });
});

describe('EXPIRE', () => {
  it('moves the schedule, in the ring too', async () => {
    const tokens = await tokensInUse();
    for (const seconds of ['30', '90']) {
      await server.cli('EXPIRE', fleet.key, seconds);
      await vi.waitFor(async () => {
        await expectAccepted(tokens);
        const dueMs = await fleet.expiresAtMs();
        for (const rewt of [ann, bob]) {
          expect(Math.abs(Number(rewt.status().keyring?.current.expiresAt) - dueMs)).toBeLessThanOrEqual(5);
        }
      }, soon);
      const leftMs = Number(await server.cli('PTTL', fleet.key));
      expect(leftMs).toBeLessThanOrEqual(Number(seconds) * 1_000);
      expect(leftMs).toBeGreaterThan(Number(seconds) * 1_000 - 15_000);
    }
    expect(ann.status().keyring?.epoch).toBe(0);
  });

  it('brings the next rotation forward, and costs no token', async () => {
    const tokens = await tokensInUse();
    const { current, next } = ann.status().keyring ?? {};
    await server.cli('EXPIRE', fleet.key, '3');
    await vi.waitFor(async () => {
      await expectAccepted(tokens);
      expect(ann.status().keyring?.current.kid).toBe(next?.kid);
    }, soon);
    // The schedule is that of `ttl` again.
    expect(Number(await server.cli('TTL', fleet.key))).toBeGreaterThan(30);
    await expectAccepted([await ann.sign({}), await bob.sign({})]);
    expect(bob.status().keyring).toMatchObject({ epoch: 0, retired: [{ kid: current?.kid }] });
  });
});

describe('PERSIST', () => {
  it('is undone: a secret always has an end', async () => {
    const tokens = await tokensInUse();
    const dueMs = await fleet.expiresAtMs();
    expect(await server.cli('PERSIST', fleet.key)).toBe('1');
    await vi.waitFor(async () => {
      await expectAccepted(tokens);
      expect(Math.abs((await fleet.expiresAtMs()) - dueMs)).toBeLessThan(50);
    }, soon);
    expect(ann.status().keyring?.epoch).toBe(0);
  });
});

describe('FLUSHALL', () => {
  it('revokes, and a new lineage begins', async () => {
    const tokens = await tokensInUse();
    const lineage = ann.status().keyring?.lineage;
    await server.cli('FLUSHALL');
    await expectRevoked(tokens, performance.now());
    expect(ann.status().keyring?.lineage).not.toBe(lineage);
    expect(bob.status().keyring?.lineage).toBe(ann.status().keyring?.lineage);
  });
});

describe('what happens to the ring alone', () => {
  it('DEL: it is written back as it was, and no token is lost', async () => {
    const tokens = await tokensInUse();
    const before = ann.status().keyring;
    await server.cli('DEL', fleet.ring);
    await vi.waitFor(async () => {
      await expectAccepted(tokens);
      expect(await server.cli('EXISTS', fleet.ring)).toBe('1');
    }, soon);
    await expectAccepted(await tokensInUse());
    const { lineage, epoch, current, next } = bob.status().keyring ?? {};
    expect({ lineage, epoch, current, next }).toEqual({
      lineage: before?.lineage,
      epoch: 0,
      current: before?.current,
      next: before?.next,
    });
  });

  it.each([
    ['garbage', 'ERR_REWT_RING_UNREADABLE', () => '{"v":1,"id":'],
    ['another JSON', 'ERR_REWT_RING_UNREADABLE', () => '{"hello":"world"}'],
    [
      'a ring without secrets',
      'ERR_REWT_RING_UNREADABLE',
      (ring: string) => JSON.stringify({ ...JSON.parse(ring), current: {} }),
    ],
    ['a newer format', 'ERR_REWT_RING_NEWER', (ring: string) => JSON.stringify({ ...JSON.parse(ring), v: 2 })],
  ])(
    '%s: an error that no caller takes for a refusal, until revoke() is told to replace it',
    async (_, code, spoil) => {
      const tokens = await tokensInUse();
      await server.cli('SET', fleet.ring, spoil(await server.cli('GET', fleet.ring)), 'KEEPTTL');
      const sinceMs = performance.now();
      // A copy does not know this kid, and the store cannot tell: no verdict.
      const unknown = jsonwebtoken.sign({}, good, { keyid: 'AAAAAAAAAAA' });
      expect(await codeOf(ann.verify(unknown))).toBe(code);
      await expectUnavailable(tokens, code, sinceMs);
      const secret = await fleet.secret();
      const ring = await server.cli('GET', fleet.ring);
      const [replace, other] =
        code === 'ERR_REWT_RING_NEWER' ? (['newer', 'unreadable'] as const) : (['unreadable', 'newer'] as const);
      expect(await codeOf(ann.revoke())).toBe(code);
      expect(await codeOf(ann.revoke({ replace: other }))).toBe(code);
      expect(await server.cli('GET', fleet.ring)).toBe(ring);
      await ann.revoke({ replace });
      await expectRevoked(tokens, performance.now());
      expect(await fleet.secret()).not.toBe(secret);
    },
  );
});

describe('a key of the wrong type', () => {
  it('in place of K is an error once copies have run out, and a revocation once it is deleted', async () => {
    const tokens = await tokensInUse();
    await atomically("redis.call('DEL', KEYS[1]) return redis.call('LPUSH', KEYS[1], 'x')");
    await expectUnavailable(tokens, 'ERR_REWT_STORE_WRONG_TYPE', performance.now());
    await server.cli('DEL', fleet.key);
    await expectRevoked(tokens, performance.now());
  });

  it.each([
    ['K', 1],
    ['the ring', 2],
  ])('in place of %s is replaced by revoke() if it is told so, and never else', async (_, which) => {
    const tokens = await tokensInUse();
    await atomically(`redis.call('DEL', KEYS[${which}]) return redis.call('LPUSH', KEYS[${which}], 'x')`);
    expect(await codeOf(ann.revoke())).toBe('ERR_REWT_STORE_WRONG_TYPE');
    expect(await codeOf(ann.revoke({ replace: 'newer' }))).toBe('ERR_REWT_STORE_WRONG_TYPE');
    expect(await server.cli('TYPE', which === 1 ? fleet.key : fleet.ring)).toBe('list');
    await ann.revoke({ replace: 'unreadable' });
    await expectRevoked(tokens, performance.now());
    await expectAccepted(await tokensInUse());
  });

  it('in place of the ring is an error once copies have run out, and repaired once it is deleted', async () => {
    const tokens = await tokensInUse();
    await atomically("redis.call('DEL', KEYS[2]) return redis.call('LPUSH', KEYS[2], 'x')");
    await expectUnavailable(tokens, 'ERR_REWT_STORE_WRONG_TYPE', performance.now());
    await server.cli('DEL', fleet.ring);
    await expectAccepted(tokens);
  });
});

describe('a Redis that', () => {
  let own: RedisServer;
  beforeEach(async () => {
    own = await startRedis();
    fleet = createFleet(own);
  });
  afterEach(() => own?.stop());

  it('is stopped (SIGSTOP): members last until maxStaleness, then fail in time, and notice its return', async () => {
    const storeTimeoutMs = 300;
    const heard: string[] = [];
    const degraded = () => heard.push('degraded');
    const recovered = () => heard.push('recovered');
    subscribe('rewt:degraded', degraded);
    subscribe('rewt:recovered', recovered);
    try {
      const rewt = fleet.member({ storeTimeout: storeTimeoutMs / 1_000 });
      // Again, should a busy machine not keep so short a deadline.
      const token = await vi.waitFor(() => rewt.sign({ user: 'ann' }), soon);
      const readBegunMs = await vi.waitFor(async () => {
        const begunMs = performance.now();
        await rewt.ready();
        return begunMs;
      }, soon);
      const readEndedMs = performance.now();
      heard.length = 0;
      process.kill(own.pid, 'SIGSTOP');

      const error = await verifyUntilError(rewt, token, maxStalenessMs, readEndedMs);
      // The copy is as old as the read that brought it, so this cannot come earlier.
      expect(performance.now() - readBegunMs).toBeGreaterThanOrEqual(maxStalenessMs);
      expect(error).toMatchObject({ name: 'StoreError', code: 'ERR_REWT_STORE_TIMEOUT', status: 503 });

      for (const call of [() => rewt.sign({}), () => rewt.verify(token), () => rewt.rotate(), () => rewt.revoke()]) {
        const sinceMs = performance.now();
        expect(await errorOf(call())).toMatchObject({ name: 'StoreError', status: 503 });
        // Far more than promised, for a busy machine; the clients themselves would wait for ever.
        expect(performance.now() - sinceMs).toBeLessThan(storeTimeoutMs + 20_000);
      }
      const junkMs = performance.now();
      for (let count = 0; count < 100; count += 1) expect(await codeOf(rewt.verify('junk'))).toBe('ERR_REWT_MALFORMED');
      expect(performance.now() - junkMs).toBeLessThan(100 * storeTimeoutMs);
      expect(heard).toEqual(['degraded']);

      process.kill(own.pid, 'SIGCONT');
      await vi.waitFor(async () => rewt.sign({ user: 'ann' }), soon);
      expect(heard).toEqual(['degraded', 'recovered']);
    } finally {
      unsubscribe('rewt:degraded', degraded);
      unsubscribe('rewt:recovered', recovered);
    }
  });

  it('became a replica refuses a rotation that is due; its tokens verify again once it takes writes', async () => {
    // It is asked until the deadline, since a client may be on its way to another master.
    ann = fleet.member({ storeTimeout: 1 });
    bob = fleet.member({ storeTimeout: 1 });
    const tokens = await tokensInUse();
    // A call that waits for the next read may not live to see what it comes to.
    const code = expect.stringMatching(/^ERR_REWT_STORE_(READ_ONLY|TIMEOUT)$/);
    await own.cli('REPLICAOF', '127.0.0.1', String(await freePort()));
    const refused = [ann.rotate({ force: true }), bob.revoke()].map(codeOf);
    expect(await Promise.all(refused)).toEqual(['ERR_REWT_STORE_READ_ONLY', 'ERR_REWT_STORE_READ_ONLY']);
    await expectUnavailable(tokens, code, performance.now() + 15_000);
    await own.cli('REPLICAOF', 'NO', 'ONE');
    await vi.waitFor(() => expectAccepted(tokens), soon);
    await own.cli('EXPIRE', fleet.key, '3');
    await vi.waitFor(async () => {
      await expectAccepted(tokens);
      for (const rewt of [ann, bob]) {
        expect(Number(rewt.status().keyring?.current.expiresAt)).toBeLessThan(Date.now() + 4_000);
      }
    }, soon);
    await own.cli('REPLICAOF', '127.0.0.1', String(await freePort()));
    await expectUnavailable(tokens, code, performance.now() + 15_000);
    await own.cli('REPLICAOF', 'NO', 'ONE');
    await vi.waitFor(() => expectAccepted(tokens), soon);
    expect(ann.status().keyring?.epoch).toBe(0);
  });
});
