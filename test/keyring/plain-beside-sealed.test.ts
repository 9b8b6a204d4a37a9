/** Plain rings among members with a seal key: what a writer puts there, and the way back. */

import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryStore, Rewt, type RewtOptions, type Store } from '../../src/index.js';
import { advance } from '../../src/keyring/advance.js';
import { keyTextOf, seenIn } from '../../src/keyring/contents.js';
import { EMPTY_HISTORY, isReplayed } from '../../src/keyring/history.js';
import { RESEAL } from '../../src/keyring/reseal.js';
import { parseRing, type Ring } from '../../src/keyring/ring.js';
import { kidOf } from '../../src/keyring/secret.js';
import { faultyStore } from '../support/faulty-store.js';
import { CURRENT, countingMint, havingSeen, NOW_MS, OTHER, RING as PLAIN_RING, POLICY } from './samples.js';

const key = randomBytes(32);
const RING: Ring = { ...PLAIN_RING, current: { ...PLAIN_RING.current, since: NOW_MS - 30_000 } };

let store: Store;
let members: Rewt[];
beforeEach(() => {
  store = memoryStore();
  members = [];
});
afterEach(() => Promise.all(members.map((rewt) => rewt.close())));

function member(options: Partial<RewtOptions> = {}): Rewt {
  const rewt = new Rewt({ store, sealKey: key, ...options });
  members.push(rewt);
  return rewt;
}
const moving = (options: Partial<RewtOptions> = {}) => member({ sealing: 'migrate', ...options });

const read = () => store.read('rewt', { timeoutMs: 1_000 });

/** Writes what a writer of the store can. */
async function write(keyText: string, ring: string): Promise<void> {
  const { version, nowMs } = await read();
  const expiresAtMs = nowMs + 80_000_000;
  const wanted = { key: { value: keyText, expiresAtMs }, ring: { text: ring, expiresAtMs } };
  await store.swap('rewt', version, wanted, { timeoutMs: 1_000, notAfterMs: Number.POSITIVE_INFINITY });
}

/** The fleet is sealed, all of it migrates, and these tokens are good. */
async function sealedFleet(): Promise<{ busy: Rewt; token: string }> {
  const busy = moving();
  await busy.sign({});
  await busy[RESEAL]({ force: true });
  return { busy, token: await busy.sign({ sub: 'ann' }) };
}

/** Both steps of the way back. */
async function unseal(busy: Rewt): Promise<void> {
  await busy[RESEAL]({ plain: true });
  expect(await busy[RESEAL]({ plain: true })).toMatchObject({ after: null, opening: false });
}

describe('a plain ring of a writer', () => {
  it('is not sealed as it was, when R is gone and K has its mark', async () => {
    const migrating = moving();
    await migrating.sign({});
    const { key: plainKey, nowMs } = await read();
    const secret = plainKey?.value ?? '';
    const shown = { nowMs, key: { value: keyTextOf(secret, true), expiresAtMs: nowMs + 9e6 }, ring: null };
    const whole = store.read;
    store.read = async (...call) => ({ ...(await whole(...call)), ...shown });
    await expect(migrating.refresh()).rejects.toThrow('waits two seconds');
    store.read = whole;
    const contents = { ...shown, sealed: true, isForeign: false };
    const known = parseRing((await read()).ring ?? '');
    const context = { policy: POLICY, history: havingSeen(known), mint: countingMint() };
    expect(advance(seenIn(contents, context.history), context)).toMatchObject({ name: 'repair' });
    const plan = advance(seenIn(contents, context.history, false), context);
    expect(plan).toMatchObject({ revokes: true });
    expect(JSON.stringify(plan?.ring)).not.toContain(secret);
  });

  it('is row 1 for a member that knew the ring sealed, once it is sealed by another', async () => {
    const strict = member();
    await strict.sign({});
    const attacker = memoryStore();
    const forged = await new Rewt({ store: attacker }).sign({ sub: 'forged' });
    const { key: itsKey, ring } = await attacker.read('rewt', { timeoutMs: 1_000 });
    await write(itsKey?.value ?? '', ring ?? '');
    await moving()[RESEAL]({ force: true });
    await expect(strict.verify(forged)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    expect(strict.status().keyring?.changes[0]).toMatchObject({ kind: 'revocation' });
  });

  it('is no row 1 if it was announced, if the known ring was plain, or has its secrets', () => {
    const exposed = { ...RING, gen: RING.gen + 1, exposed: [kidOf(OTHER), 'a name'] };
    expect(isReplayed(exposed, havingSeen(RING), NOW_MS)).toBe(true);
    // Those of an old dump, which a member that started since never saw.
    const before = { ...RING, exposed: [kidOf(OTHER), 'an earlier name'] };
    expect(isReplayed(exposed, havingSeen(before), NOW_MS)).toBe(true);
    for (const known of [PLAIN_RING, { ...RING, opening: true }, { ...RING, exposed: exposed.exposed }]) {
      expect(isReplayed(exposed, havingSeen(known), NOW_MS)).toBe(false);
    }
    expect(isReplayed(exposed, EMPTY_HISTORY, NOW_MS)).toBe(false);
    // From before a plain time: a writer can raise its count of writes by EXPIREs.
    const known = havingSeen({ ...RING, exposed: exposed.exposed });
    expect(isReplayed({ ...RING, gen: RING.gen + 99 }, known, NOW_MS)).toBe(true);
    expect(isReplayed({ ...RING, gen: RING.gen + 99, epoch: RING.epoch + 1 }, known, NOW_MS)).toBe(false);
    // Back to plain text and sealed again, while it read nothing.
    expect(isReplayed({ ...exposed, exposed: [kidOf(CURRENT), 'x'] }, havingSeen(RING), NOW_MS)).toBe(false);
  });

  it('is not resealed while a named member takes no plain ring', async () => {
    const strict = member({ memberName: 'orders-1', maxStaleness: 60 });
    await strict.sign({});
    const { nowMs } = await read();
    const attacker = memoryStore({ now: () => nowMs });
    await new Rewt({ store: attacker }).sign({});
    const { key: itsKey, ring } = await attacker.read('rewt', { timeoutMs: 1_000 });
    await write(itsKey?.value ?? '', ring ?? '');
    await expect(moving()[RESEAL]({})).rejects.toThrow('"orders-1" takes no plain keyring');
  });
});

describe('the way back to plain text', () => {
  it.each([
    ['without a name', {}],
    ['with a name', { memberName: 'orders-1' }],
  ])('is followed by a member %s that was idle all the time', async (_, options) => {
    const { busy, token } = await sealedFleet();
    const idle = moving(options);
    expect((await idle.verify(token)).sub).toBe('ann');
    await unseal(busy);
    const later = await busy.sign({ sub: 'bob' });
    await idle.refresh();
    for (const rewt of [busy, idle]) {
      expect((await rewt.verify(token)).sub).toBe('ann');
      expect((await rewt.verify(later)).sub).toBe('bob');
    }
    expect(idle.status().keyring).toMatchObject({ sealed: null, epoch: 0 });
  });

  it('is followed by no strict member, and by none that saw its secrets in plain text', async () => {
    const { busy, token } = await sealedFleet();
    const [strict, idle] = [member(), moving()];
    for (const rewt of [strict, idle]) await rewt.verify(token);
    await unseal(busy);
    const plain = await read();
    await idle.refresh();
    await busy[RESEAL]({ force: true });
    await idle.refresh();
    await write(plain.key?.value ?? '', plain.ring ?? '');
    await idle.refresh();
    await expect(idle.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    await expect(strict.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    expect((await read()).ring).toMatch(/^rewt-sealed\./);
  });

  it('is followed by none that is shown an envelope of before, and then a secret of it', async () => {
    const { busy } = await sealedFleet();
    await busy.revoke();
    const [strict, idle] = [member(), moving()];
    for (const rewt of [strict, idle]) await rewt.refresh();
    const before = await read();
    await unseal(busy);
    const plain = await read();
    await busy[RESEAL]({ force: true });
    for (const rewt of [strict, idle, busy]) await rewt.refresh();
    await write(before.key?.value ?? '', before.ring ?? '');
    await idle.refresh();
    const attacker = memoryStore();
    const forged = await new Rewt({ store: attacker }).sign({ sub: 'forged' });
    const its = await attacker.read('rewt', { timeoutMs: 1_000 });
    const { id, epoch, gen, rev, current } = JSON.parse(plain.ring ?? '');
    const retired = [{ secret: current.secret, until: Date.now() + 9_000_000 }];
    const mixed = { ...JSON.parse(its.ring ?? ''), id, epoch, gen, rev, retired };
    await write(its.key?.value ?? '', JSON.stringify(mixed));
    for (const rewt of [idle, strict]) {
      await expect(rewt.verify(forged)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    }
  });

  it('is not opened by fields that a writer adds to a plain ring', async () => {
    const rewt = moving();
    await rewt.sign({});
    const { key: plainKey, ring } = await read();
    const parsed = JSON.parse(ring ?? '');
    const added = { ...parsed, opening: true, exposed: ['x'], current: { ...parsed.current, since: 0 } };
    await write(plainKey?.value ?? '', JSON.stringify(added));
    expect(await rewt[RESEAL]({ force: true })).toMatchObject({ opening: false, rotated: true });
    expect(rewt.status().keyring?.sealed?.opening).toBe(false);
    await write(plainKey?.value ?? '', JSON.stringify(added));
    await rewt.refresh();
    expect((await read()).ring).toMatch(/^rewt-sealed\./);
  });

  it('is undone at once without a revocation, beside an idle member too', async () => {
    const { busy, token } = await sealedFleet();
    const idle = moving();
    await idle.verify(token);
    await unseal(busy);
    await busy[RESEAL]({ force: true });
    await idle.refresh();
    for (const rewt of [busy, idle]) expect((await rewt.verify(token)).sub).toBe('ann');
  });

  it('goes on after a failover and row 1, which count the writes anew', async () => {
    const { busy } = await sealedFleet();
    const { key: mark, ring } = await read();
    for (let turn = 0; turn < 4; turn += 1) await busy.rotate({ force: true });
    await busy.revoke();
    await write(mark?.value ?? '', ring ?? '');
    await busy.refresh();
    const other = moving();
    await other[RESEAL]({ plain: true });
    await busy.refresh();
    await other[RESEAL]({ plain: true });
    const token = await other.sign({ sub: 'ann' });
    await busy.refresh();
    expect((await busy.verify(token)).sub).toBe('ann');
    expect((await other.verify(token)).sub).toBe('ann');
  });

  it('leaves no time in the plain ring that only a sealed one has', async () => {
    const { busy } = await sealedFleet();
    await unseal(busy);
    expect(parseRing((await read()).ring ?? '').current).not.toHaveProperty('since');
  });
});

it('a member that only reads comes back from one read of a wrong master', async () => {
  const { busy } = await sealedFleet();
  const reader = moving({ store: faultyStore(store), readOnly: true });
  await reader.refresh();
  const sealed = await read();
  await unseal(busy);
  await reader.refresh();
  await busy.revoke();
  const token = await busy.sign({ sub: 'ann' });
  await reader.verify(token);
  const plain = await read();
  await write(sealed.key?.value ?? '', sealed.ring ?? '');
  await expect(reader.refresh()).rejects.toMatchObject({ status: 503 });
  await write(plain.key?.value ?? '', plain.ring ?? '');
  await reader.refresh();
  expect((await reader.verify(token)).sub).toBe('ann');
});
