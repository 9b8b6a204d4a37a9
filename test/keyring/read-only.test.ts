/**
 * A member that only reads: what each row of the protocol's table means to it. On turned clocks.
 */

import { createHmac } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it, vi } from 'vitest';
import { memoryStore, Rewt, type RewtOptions, type Snapshot, type WarningMessage } from '../../src/index.js';
import { parseRing, type Ring, ringExpiresAt } from '../../src/keyring/ring.js';
import type { FaultyStore } from '../support/faulty-store.js';
import { foreignToken, turnedMembers } from '../support/turned-members.js';
import { pass, settle } from '../support/turned-time.js';

const AWAITED = { code: 'ERR_REWT_RING_AWAITED', status: 503 };
const UNKNOWN = { code: 'ERR_REWT_UNKNOWN_KEY', status: 401 };
const limits = { timeoutMs: 1, notAfterMs: Number.POSITIVE_INFINITY };
const other = 'a secret that another program has put there, by itself';

const keyring = turnedMembers();

function reader(options: Partial<RewtOptions> = {}): { rewt: Rewt; store: FaultyStore } {
  return keyring.member({ readOnly: true, ...options });
}

/** A member that signs, which began the keyring, and one that only reads it. */
async function both(options: Partial<RewtOptions> = {}) {
  const { rewt: writer, store: link } = keyring.member(options);
  const token = await writer.sign({ sub: 'a' });
  const { rewt, store } = reader(options);
  await rewt.verify(token);
  return { writer, link, token, rewt, store };
}

const held = (): Promise<Snapshot> => keyring.register.read('rewt', limits);
async function ringHeld(): Promise<Ring> {
  return parseRing((await held()).ring ?? '');
}

let puts = 0;
/** Puts K and R there as operators, old members and failovers do; null: it ends at once. */
async function put(key: { value: string; expiresAtMs: number } | null, ring: Ring | null): Promise<void> {
  const { version, nowMs } = await held();
  const wanted = {
    key: key ?? { value: other, expiresAtMs: nowMs },
    ring: {
      // Another text of the same ring: a store takes an equal one for the same write.
      text: `${JSON.stringify({ ...ring, op: ring?.op ?? 'gone' })}${' '.repeat(++puts)}`,
      expiresAtMs: ring === null ? nowMs : ringExpiresAt(ring),
    },
  };
  expect((await keyring.register.swap('rewt', version, wanted, limits)).swapped).toBe(true);
}

const current = ({ current: { secret, expiresAt } }: Ring) => ({ value: secret, expiresAtMs: expiresAt });

/** A token without a kid and an end, as the first rewt signs. */
function kidless(secret: string): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: 'old' })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const codeOf = async (work: Promise<unknown>) => (await settle(work)).error?.code ?? 'no error';

describe('a member that only reads renews its lease', () => {
  it('by a ring of which nothing is due, and writes nothing', async () => {
    const { rewt, store, token } = await both();
    await pass(2_500);
    await rewt.verify(token);
    expect(rewt.status()).toMatchObject({ copy: 'usable', waitsFor: null, ageSeconds: 0 });
    expect(store.swapCount).toBe(0);
  });

  it('by a ring whose rotation is due (rows 6 and 5), until its secrets verify no more', async () => {
    const { rewt, store } = await both();
    const ring = await ringHeld();
    const endless = kidless(ring.current.secret);
    for (const [leftMs, role] of [
      [3_000, 'current'],
      [-1_000, 'none'],
      [-364_000, 'none'],
    ] as const) {
      await pass(ring.current.expiresAt - leftMs - Date.now());
      expect((await held()).key === null ? 'none' : 'current').toBe(role);
      expect(await codeOf(rewt.verify(endless))).toBe('no error');
      // A member that is cut off signs with next, once current has ended.
      expect(await codeOf(rewt.verify(kidless(ring.next.secret)))).toBe('no error');
      expect(rewt.status()).toMatchObject({ copy: 'usable', waitsFor: null });
      expect(rewt.status().ageSeconds).toBeLessThan(1);
    }
    await pass(1_100);
    expect(await codeOf(rewt.verify(endless))).toBe('ERR_REWT_BAD_SIGNATURE');
    expect(store.swapCount).toBe(0);
  });

  it('by a ring whose times are to change (row 7)', async () => {
    const { rewt, store, token } = await both();
    const ring = await ringHeld();
    await put({ ...current(ring), expiresAtMs: ring.current.expiresAt + 60_000 }, ring);
    await pass(2_500);
    await rewt.verify(token);
    expect(rewt.status()).toMatchObject({ copy: 'usable', waitsFor: null, ageSeconds: 0 });
    expect(store.swapCount).toBe(0);
  });
});

describe('without a ring a member that only reads', () => {
  it('begins none (row 2), and waits for a member that signs', async () => {
    const { rewt, store } = reader();
    expect((await settle(rewt.ready())).error).toMatchObject({ ...AWAITED, message: expect.stringMatching(/signs/) });
    expect((await settle(rewt.verify(foreignToken))).error).toMatchObject(AWAITED);
    expect(rewt.status()).toMatchObject({ copy: 'none', waitsFor: 'member' });
    const token = await keyring.member().rewt.sign({ sub: 'a' });
    await pass(200);
    expect((await settle(rewt.verify(token))).value).toMatchObject({ sub: 'a' });
    expect(rewt.status()).toMatchObject({ copy: 'usable', waitsFor: null });
    expect(store.swapCount).toBe(0);
  });

  it('adopts no secret of an old fleet (row 4)', async () => {
    await put({ value: other, expiresAtMs: Date.now() + 60_000 }, null);
    const { rewt, store } = reader();
    expect((await settle(rewt.verify(kidless(other)))).error).toMatchObject(AWAITED);
    expect(store.swapCount).toBe(0);
    await keyring.member().rewt.ready();
    await pass(200);
    expect((await settle(rewt.verify(kidless(other)))).value).toMatchObject({ sub: 'old' });
  });

  it('goes on until maxStaleness if only the ring is lost (row 3), and until it is written back', async () => {
    const { writer, rewt, store, token } = await both();
    const ring = await ringHeld();
    await put(current(ring), null);
    await pass(58_000);
    expect((await settle(rewt.verify(token))).value).toMatchObject({ sub: 'a' });
    expect((await settle(rewt.verify(foreignToken))).error).toMatchObject(AWAITED);
    await pass(2_000);
    expect((await settle(rewt.verify(token))).error).toMatchObject(AWAITED);
    expect(rewt.status()).toMatchObject({ copy: 'expired', waitsFor: 'member' });
    await writer.refresh();
    await pass(200);
    expect((await settle(rewt.verify(token))).value).toMatchObject({ sub: 'a' });
    expect(store.swapCount).toBe(0);
  });

  it('drops its copy at once if all is lost (row 2), as that is a revocation', async () => {
    const { writer, rewt, token } = await both();
    await put(null, null);
    await pass(2_000);
    expect((await settle(rewt.verify(token))).error).toMatchObject(AWAITED);
    expect(rewt.status()).toMatchObject({ copy: 'none', waitsFor: 'member' });
    await writer.refresh();
    await pass(200);
    expect((await settle(rewt.verify(token))).error).toMatchObject(UNKNOWN);
  });
});

describe('a revocation that is due', () => {
  it.each([
    ['K was deleted (row 8)', () => null],
    ['K was set (row 10)', () => ({ value: other, expiresAtMs: Date.now() + 600_000 })],
  ])('takes the copy of a member that only reads at once, and is left to others: %s', async (_, key) => {
    const { writer, rewt, store, token } = await both();
    await put(key(), await ringHeld());
    await pass(2_000);
    expect((await settle(rewt.verify(token))).error).toMatchObject({
      ...AWAITED,
      message: expect.stringContaining('rewt revoke'),
    });
    expect(rewt.status()).toMatchObject({ copy: 'none', waitsFor: 'member' });
    await pass(100_000);
    expect((await settle(rewt.verify(token))).error).toMatchObject(AWAITED);
    await writer.refresh();
    await pass(200);
    expect((await settle(rewt.verify(token))).error).toMatchObject(UNKNOWN);
    await rewt.verify(await writer.sign({}));
    expect(rewt.status()).toMatchObject({ copy: 'usable', waitsFor: null, keyring: { epoch: 1 } });
    expect(store.swapCount).toBe(0);
  });

  it('stays due for it if K is put back, until a member has written', async () => {
    const { writer, rewt, token } = await both();
    const ring = await ringHeld();
    await put(null, ring);
    await pass(2_000);
    expect((await settle(rewt.verify(token))).error).toMatchObject(AWAITED);
    await put(current(ring), ring);
    await pass(2_000);
    expect((await settle(rewt.verify(token))).error).toMatchObject(AWAITED);
    expect(rewt.status()).toMatchObject({ copy: 'none', waitsFor: 'member' });
    await writer.rotate({ force: true });
    await pass(200);
    expect((await settle(rewt.verify(token))).value).toMatchObject({ sub: 'a' });
  });

  it('is the rollback of another one (row 1): nothing of that ring is used, and the right one is', async () => {
    const { writer, rewt, store, token } = await both();
    const old = await ringHeld();
    await writer.revoke();
    const since = await writer.sign({ sub: 'b' });
    await pass(2_000);
    await rewt.verify(since);
    const right = await ringHeld();
    await put(current(old), old);
    await pass(2_000);
    expect((await settle(rewt.refresh())).error).toMatchObject(AWAITED);
    expect((await settle(rewt.verify(token))).error).toMatchObject(AWAITED);
    expect((await settle(rewt.verify(since))).error).toMatchObject(AWAITED);
    expect(rewt.status()).toMatchObject({ copy: 'none', waitsFor: 'member' });
    await put(current(right), right);
    await pass(200);
    expect((await settle(rewt.verify(since))).value).toMatchObject({ sub: 'b' });
    expect((await settle(rewt.verify(token))).error).toMatchObject(UNKNOWN);
    expect(store.swapCount).toBe(0);
  });

  it('is done by the next member that signs after a rollback', async () => {
    const { writer, rewt, token } = await both();
    const old = await ringHeld();
    await writer.revoke();
    await pass(2_000);
    await settle(rewt.verify(token));
    await put(current(old), old);
    await pass(2_000);
    expect((await settle(rewt.refresh())).error).toMatchObject(AWAITED);
    expect((await settle(rewt.verify(token))).error).toMatchObject(AWAITED);
    await writer.refresh();
    await pass(200);
    expect((await settle(rewt.verify(token))).error).toMatchObject(UNKNOWN);
    expect(rewt.status()).toMatchObject({ copy: 'usable', keyring: { epoch: 2 } });
  });
});

describe('after the rotation of an original rewt (row 9) a member that only reads', () => {
  async function rotatedByOther() {
    const members = await both();
    const ring = await ringHeld();
    const late = await (async () => {
      await pass(ring.current.expiresAt - 200_000 - Date.now());
      return members.writer.sign({ sub: 'late' });
    })();
    await pass(ring.current.expiresAt + 1 - Date.now());
    await put({ value: other, expiresAtMs: Date.now() + 600_000 }, ring);
    await pass(1_000);
    return { ...members, late, ring };
  }

  it('goes on with the ring, and proves no secret unknown', async () => {
    const { rewt, store, late, ring, writer } = await rotatedByOther();
    expect((await settle(rewt.verify(late))).value).toMatchObject({ sub: 'late' });
    expect((await settle(rewt.verify(kidless(other)))).error).toMatchObject(AWAITED);
    expect(await settle(rewt.verify(kidless('a guess of someone, forty characters long')))).toMatchObject({
      error: AWAITED,
    });
    expect((await settle(rewt.verify(foreignToken))).error).toMatchObject(AWAITED);
    expect(rewt.status()).toMatchObject({ copy: 'usable', waitsFor: 'member' });
    // What no secret could make good.
    const forged = `${late.slice(0, late.lastIndexOf('.'))}.${'A'.repeat(43)}`;
    expect(await codeOf(rewt.verify(forged))).toBe('ERR_REWT_BAD_SIGNATURE');
    expect(await codeOf(rewt.verify('junk'))).toBe('ERR_REWT_MALFORMED');
    expect((await settle(rewt.verify(kidless(ring.current.secret)))).value).toMatchObject({ sub: 'old' });
    expect(store.swapCount).toBe(0);

    await writer.refresh();
    await pass(200);
    expect((await settle(rewt.verify(kidless(other)))).value).toMatchObject({ sub: 'old' });
    expect((await settle(rewt.verify(foreignToken))).error).toMatchObject(UNKNOWN);
    expect(rewt.status()).toMatchObject({ waitsFor: null });
  });

  it('answers 503 to what it cannot know with a copy that is never fresh, too', async () => {
    await rotatedByOther();
    const { rewt } = reader({ maxStaleness: 0 });
    expect((await settle(rewt.verify(kidless(other)))).error).toMatchObject(AWAITED);
  });
});

it('a member that only reads believes no master that may be deposed', async () => {
  const { rewt, store, token } = await both();
  store.mayBeDeposed = true;
  await pass(61_000);
  expect((await settle(rewt.verify(token))).error).toMatchObject({ code: 'ERR_REWT_STORE_READ_ONLY' });
  expect(rewt.status()).toMatchObject({ copy: 'expired', waitsFor: 'replicas' });
});

it('a member that only reads drops its copy by a brake that a deposed master shows', async () => {
  const { rewt, store, token } = await both();
  const ring = await ringHeld();
  await put(null, ring);
  store.mayBeDeposed = true;
  await pass(2_000);
  expect((await settle(rewt.verify(token))).error).toMatchObject({ code: 'ERR_REWT_STORE_READ_ONLY' });
  expect(rewt.status().copy).toBe('none');
  await put(current(ring), ring);
  store.mayBeDeposed = false;
  await pass(200);
  expect((await settle(rewt.verify(token))).error).toMatchObject(AWAITED);
});

it('a member that only reads asks for no longer ttl, and warns once that it has too short a one', async () => {
  const warnings: WarningMessage[] = [];
  const listen = (message: unknown): void => void warnings.push(message as WarningMessage);
  subscribe('rewt:warning', listen);
  vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  try {
    const quick = { ttl: 8, tokenLifetime: 4, maxStaleness: 2, clockTolerance: 1 };
    const { rewt: writer } = keyring.member(quick);
    const { rewt, store } = reader({ ttl: undefined });
    for (let second = 0; second < 150; second += 1) {
      await rewt.verify(await writer.sign({}));
      await pass(1_000);
    }
    expect(warnings).toMatchObject([{ code: 'REWT_TTL_TOO_SHORT' }]);
    expect(store.swapCount).toBe(0);
    expect((await ringHeld()).ttl).toBe(8_000);
  } finally {
    unsubscribe('rewt:warning', listen);
    vi.restoreAllMocks();
  }
});

describe('a sealed keyring', () => {
  const sealKey = Buffer.from(Array.from({ length: 32 }, (_, index) => (index * 37 + 201) % 256));

  it('is read with the seal key, even while its rotation is due, and not without', async () => {
    const { writer, rewt, store } = await both({ sealKey });
    await pass(3_590_000);
    const token = await writer.sign({});
    await pass(7_000);
    expect(await codeOf(rewt.verify(token))).toBe('no error');
    expect(await codeOf(reader().rewt.verify(token))).toBe('ERR_REWT_RING_SEALED');
    expect(store.swapCount).toBe(0);
  });

  it('is to be revoked if a plain one was put in its place', async () => {
    const { writer, rewt, store, token } = await both({ sealKey });
    const sealed = keyring.register;
    keyring.register = memoryStore();
    await keyring.member().rewt.ready();
    const plain = await ringHeld();
    keyring.register = sealed;
    await put(current(plain), plain);
    await pass(2_000);
    for (const one of [token, kidless(plain.current.secret)]) {
      const { error } = await settle(rewt.verify(one));
      expect(error).toMatchObject({ ...AWAITED, message: expect.stringContaining('rewt revoke') });
    }
    await writer.refresh();
    await pass(200);
    expect((await settle(rewt.verify(token))).error).toMatchObject(UNKNOWN);
    expect(await codeOf(rewt.verify(kidless(plain.current.secret)))).toBe('ERR_REWT_BAD_SIGNATURE');
    expect(store.swapCount).toBe(0);
  });
});

it('what changes is noticed at once by push', async () => {
  const { writer, rewt, store, token } = await both();
  await writer.revoke();
  store.push();
  await pass(10);
  expect((await settle(rewt.verify(token))).error).toMatchObject(UNKNOWN);
});

describe('what a member that only reads refuses', () => {
  const refusal = { code: 'ERR_REWT_OPTION', option: 'readOnly', message: expect.stringContaining('rewt acl') };

  it('sign, rotate and revoke, at once and without a read', async () => {
    const { rewt, store } = reader();
    await expect(rewt.sign({})).rejects.toMatchObject(refusal);
    await expect(rewt.rotate()).rejects.toMatchObject(refusal);
    await expect(rewt.revoke()).rejects.toMatchObject(refusal);
    expect(() => rewt.signSync({})).toThrow(expect.objectContaining(refusal));
    expect(() => rewt.signer()).toThrow(expect.objectContaining(refusal));
    const called = new Promise((resolve) => rewt.sign({}, (...outcome) => resolve(outcome[0])));
    expect(await called).toMatchObject(refusal);
    expect(store.readCount).toBe(0);
  });

  it('a store of this machine', () => {
    expect(() => new Rewt({ store: memoryStore(), readOnly: true })).toThrow(
      expect.objectContaining({ code: 'ERR_REWT_OPTION', option: 'readOnly' }),
    );
  });
});
