/**
 * Rotations, revocations and the overlap, as members that share a keyring see them, also if the
 * store refuses to take what one of them plans. On turned clocks.
 */

import { describe, expect, it, vi } from 'vitest';
import { memoryStore, Rewt, type Snapshot } from '../../src/index.js';
import { faultyStore } from '../support/faulty-store.js';
import { foreignToken, turnedMembers } from '../support/turned-members.js';
import { pass, settle, times } from '../support/turned-time.js';

const keyring = turnedMembers();
const { member } = keyring;

/** A failover to a replica that knows no more than this. */
async function failBackTo({ key, ring }: Snapshot): Promise<void> {
  expect(await keyring.put({ value: key?.value ?? '', expiresAtMs: key?.expiresAtMs ?? 0 }, { text: ring ?? '' })).toBe(
    true,
  );
}

/** What an operator puts into K; the ring's text is another one, and says the same. */
async function operate(key: { value?: string; expiresAtMs?: number }): Promise<void> {
  const held = await keyring.register.read('rewt', { timeoutMs: 1 });
  const before = { value: held.key?.value ?? '', expiresAtMs: held.key?.expiresAtMs ?? 0 };
  expect(await keyring.put({ ...before, ...key }, { text: `${held.ring} ` })).toBe(true);
}

/** A token whose secret no member has that has read the keyring before. */
async function newerToken(): Promise<string> {
  const { rewt: other } = member();
  await other.rotate({ force: true });
  await other.rotate({ force: true });
  return other.sign({ sub: 'a' });
}

/** Long enough to sign. */
const byHand = 'an operator set this by hand, long enough';

describe('the end of the current secret', () => {
  it('is rotated ahead of by a busy member, and no token is refused', async () => {
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

  it('is met with next by a member that cannot reach the store, and others know it', async () => {
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

  it('that no member was used for is made up for by the first that is', async () => {
    const { rewt } = member({ ttl: 120 });
    const token = await rewt.sign({ sub: 'a' });
    await pass(119_000 + 100_000);
    await expect(rewt.verify(token)).resolves.toMatchObject({ sub: 'a' });
    expect(rewt.status().keyring).toMatchObject({ epoch: 0, generation: 2 });
  });
});

describe('rotate()', () => {
  it('is refused while a member may not hold next, unless forced, and says when to come again', async () => {
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

  it('is refused for maxStaleness at most, however far the clock of the store goes back', async () => {
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

  it("counts another member's rotation as done, so that a crowd rotates once", async () => {
    const crowd = Array.from({ length: 16 }, () => member().rewt);
    await Promise.all(crowd.map((rewt) => rewt.ready()));
    await pass(60_000);
    const kids = await Promise.all(crowd.map(async (rewt) => (await rewt.rotate()).kid));
    expect(new Set(kids).size).toBe(1);
    expect(crowd[0]?.status().keyring).toMatchObject({ generation: 2 });
  });

  it('costs no token anything', async () => {
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

it('a rotate() that comes too soon is a read all the same: a revocation that it found is taken', async () => {
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

describe('revoke()', () => {
  it('by a crowd at once drops what was, and every call is a separate revocation', async () => {
    const crowd = Array.from({ length: 8 }, () => member().rewt);
    const token = await (crowd[0] as Rewt).sign({ sub: 'a' });
    const changes = await Promise.all(crowd.map((rewt) => rewt.revoke()));
    expect(Math.max(...changes.map(({ epoch }) => epoch))).toBe(8);
    for (const rewt of crowd) await expect(rewt.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  });

  it('counts at once where it was called, also if a read sent later was answered before it', async () => {
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

  it('survives a store that forgot it', async () => {
    const { rewt } = member();
    const token = await rewt.sign({ sub: 'a' });
    const lost = await keyring.register.read('rewt', { timeoutMs: 1 });
    await rewt.revoke();
    // A failover that brings back the state before.
    await failBackTo(lost);
    await pass(2_000);
    await expect(rewt.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    await expect(member().rewt.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  });
});

it('a secret that ended, was restored by a failover and retires again verifies until its new end', async () => {
  const [{ rewt: ann }, { rewt: bob }] = [member(), member()];
  await ann.ready();
  await pass(61_000);
  const before = await keyring.register.read('rewt', { timeoutMs: 1 });
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

describe('overlap', () => {
  it('is raised by a member with longer tokens before it signs, and not by one that only verifies', async () => {
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

  it('that cannot be raised keeps the member from signing, not from verifying', async () => {
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

  it('ends: a retired secret verifies until then and no longer, even if the store’s clock jumps back', async () => {
    let skewMs = 0;
    keyring.register = memoryStore({ now: () => Date.now() + skewMs });
    const { rewt } = member();
    const kidless = await keyring.legacyToken();
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

it('sign() waits until the ring grants what its token needs', async () => {
  await member({ tokenLifetime: 10 }).rewt.ready();
  const { rewt, store } = member({ tokenLifetime: 900 });
  await rewt.ready();
  store.swapTravelMs = 100;
  const { value, ms } = await settle(rewt.sign({ sub: 'a' }));
  expect(value).toBeDefined();
  expect(ms).toBeGreaterThanOrEqual(100);
  const { ring } = await keyring.register.read('rewt', { timeoutMs: 1 });
  expect(JSON.parse(ring ?? '')).toMatchObject({ overlap: 965_000 });
});

it('the log has the reason of a rotate() that comes when a rotation is due, and not the schedule', async () => {
  const { rewt } = member();
  await rewt.ready();
  await pass(3_594_000);
  await rewt.rotate({ reason: 'audit' });
  expect(rewt.status().keyring).toMatchObject({ generation: 2, changes: [{ kind: 'rotation', reason: 'audit' }] });
  await pass(3_594_000);
  await rewt.refresh();
  expect(rewt.status().keyring).toMatchObject({ generation: 3, changes: [{ reason: 'audit' }] });
});

it('the lease that a swap renews counts from when the swap was sent', async () => {
  const { rewt, store } = member();
  await rewt.ready();
  store.replyMs = 400;
  expect((await settle(rewt.rotate({ force: true }))).ms).toBe(800);
  expect(rewt.status().ageSeconds).toBe(0.4);
});

describe('close()', () => {
  it('ends every operation with a typed error, and may be called twice', async () => {
    const { rewt } = member();
    const token = await rewt.sign({ sub: 'a' });
    await rewt.close();
    await rewt.close();
    for (const work of [rewt.sign({}), rewt.verify(token), rewt.ready(), rewt.rotate(), rewt.revoke()]) {
      await expect(work).rejects.toMatchObject({ code: 'ERR_REWT_STORE_CLOSED' });
    }
    expect(rewt.status()).toMatchObject({ copy: 'none', keyring: null });
  });

  it('leaves a store that it was given open', async () => {
    const close = vi.spyOn(keyring.register, 'close');
    await using rewt = new Rewt({ store: keyring.register });
    await rewt.ready();
    await rewt.close();
    expect(close).not.toHaveBeenCalled();
  });
});

describe('a plan that the store refuses to take', () => {
  it('does not stop the member before maxStaleness if it only rotates', async () => {
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

  it('makes the member unavailable at once if it revokes', async () => {
    const { rewt, store } = member();
    const { rewt: writer } = member();
    const token = await rewt.sign({ sub: 'a' });
    // The operator's brake: this member may not write what follows from it.
    await operate({ value: byHand });
    store.swaps = 'down';
    await pass(2_000);
    await expect(rewt.verify(token)).rejects.toMatchObject({ name: 'StoreError' });
    await writer.ready();
    await pass(2_000);
    await expect(rewt.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  });

  it('takes over what another member wrote meanwhile, also where this one cannot write', async () => {
    const { rewt, store } = member({ ttl: 120 });
    const { rewt: other } = member({ ttl: 120 });
    const token = await rewt.sign({ sub: 'a' });
    await other.revoke();
    // By now a rotation is due as well, which this member may not write; the revocation counts all
    // the same.
    await pass(113_500);
    store.swaps = 'down';
    expect((await settle(rewt.verify(token))).error).toMatchObject({ status: 503 });
  });

  it.each([
    { maxStaleness: 60, outcome: { value: { sub: 'a' } } },
    { maxStaleness: 0, outcome: { error: { status: 503 } } },
  ])(
    'shows the secret of a newer token all the same (maxStaleness $maxStaleness)',
    async ({ maxStaleness, outcome }) => {
      const { rewt, store } = member({ maxStaleness });
      await rewt.ready();
      const token = await newerToken();
      await operate({ expiresAtMs: Date.now() + 1e6 });
      store.swaps = 'down';
      expect(await settle(rewt.verify(token))).toMatchObject(outcome);
      expect((await settle(rewt.verify(foreignToken))).error).toMatchObject({ status: 503 });
    },
  );

  it('that revokes leaves nothing to accept a newer token by', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    const token = await newerToken();
    await operate({ value: byHand });
    store.swaps = 'down';
    expect((await settle(rewt.verify(token))).error).toMatchObject({ status: 503 });
  });

  it('whose member is closed meanwhile accepts no token', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    const token = await newerToken();
    await operate({ expiresAtMs: Date.now() + 1e6 });
    store.swapReplyMs = 50;
    const verified = settle(rewt.verify(token));
    await pass(20);
    await rewt.close();
    expect((await verified).error).toMatchObject({ code: 'ERR_REWT_STORE_CLOSED' });
  });

  it('whose answer was lost is found to be done by the next read', async () => {
    const { rewt, store } = member();
    await rewt.ready();
    store.swaps = 'replies lost';
    await expect(rewt.revoke()).rejects.toMatchObject({ status: 503 });
    store.swaps = 'up';
    await rewt.ready();
    expect(rewt.status().keyring).toMatchObject({ epoch: 1, generation: 2 });
  });
});
