/** Seal keys among members, and how a keyring goes from one to another, from and to plain text. */

import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryStore, Rewt, type RewtOptions, type SealKeyOption, type Store } from '../../src/index.js';
import { RESEAL } from '../../src/keyring/reseal.js';
import { readSealKey } from '../../src/seal/seal-key.js';
import { faultyStore } from '../support/faulty-store.js';

const [first, second, other] = [randomBytes(32), randomBytes(32), randomBytes(32)];
const idOf = (key: Uint8Array) => readSealKey(key, 'key').id;

let store: Store;
let opened: Rewt[];
beforeEach(() => {
  store = memoryStore();
  opened = [];
});
afterEach(() => Promise.all(opened.map((rewt) => rewt.close())));

function member(options: Partial<RewtOptions> = {}): Rewt {
  const rewt = new Rewt({ store, ...options });
  opened.push(rewt);
  return rewt;
}

async function contents(): Promise<{ key: string; ring: string }> {
  const { key, ring } = await store.read('rewt', { timeoutMs: 1_000 });
  return { key: key?.value ?? '', ring: ring ?? '' };
}

async function write(key: string | null, ring: string): Promise<void> {
  const { version, nowMs } = await store.read('rewt', { timeoutMs: 1_000 });
  const expiresAtMs = nowMs + 60_000;
  const wanted = { key: key === null ? null : { value: key, expiresAtMs }, ring: { text: ring, expiresAtMs } };
  await store.swap('rewt', version, wanted, { timeoutMs: 1_000, notAfterMs: Number.POSITIVE_INFINITY });
}

const sealedUnder = (key: Uint8Array) => `rewt-sealed.1.${idOf(key)}.`;

describe('a sealed keyring', () => {
  it('keeps no secret in the store, and works among all forms of a key', async () => {
    const text = `rewtsk_${first.toString('base64url')}`;
    const forms = [first, text, [first], [second, text], () => first, async () => [second, first]];
    const signed = await Promise.all(forms.map((sealKey) => member({ sealKey }).sign({ sub: 'ann' })));
    for (const sealKey of forms) {
      for (const token of signed) expect((await member({ sealKey }).verify(token)).sub).toBe('ann');
    }
    const { key, ring } = await contents();
    expect(key).toMatch(/^rewt-kid\.[\w-]{11}$/);
    expect(ring).toMatch(/^rewt-sealed\.1\.[\w-]{11}\.[\w-]+$/);
  });

  it('is refused without its key, and nothing is written', async () => {
    await member({ sealKey: first }).sign({});
    const before = await contents();
    for (const rewt of [member(), member({ sealKey: second })]) {
      for (const call of [rewt.sign({}), rewt.rotate(), rewt.revoke(), rewt.revoke({ replace: 'unreadable' })]) {
        await expect(call).rejects.toMatchObject({ code: 'ERR_REWT_RING_SEALED', status: 503 });
        await expect(call).rejects.toThrow(idOf(first));
      }
    }
    expect(await contents()).toEqual(before);
  });

  it('is replaced by revoke({ replace }) alone, if its key is lost', async () => {
    const token = await member({ sealKey: first }).sign({});
    await member({ sealKey: second }).revoke({ replace: 'sealed' });
    expect((await contents()).ring).toContain(sealedUnder(second));
    await expect(member({ sealKey: second }).verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  });

  it('is begun in plain text by no member that saw it sealed, or sees its mark', async () => {
    await member({ sealKey: first }).sign({});
    const { key, ring } = await contents();
    const [refused, unasked, migrating] = [member(), member(), member({ sealKey: second, sealing: 'migrate' })];
    for (const rewt of [refused, migrating]) await expect(rewt.sign({})).rejects.toThrow(idOf(first));
    const empty = { key: null, ring: null };
    const alone = { key: { value: key, expiresAtMs: Date.now() + 9_000 }, ring: null };
    const read = store.read;
    const shown =
      (part: object) =>
      async (...call: Parameters<Store['read']>) => ({ ...(await read(...call)), ...part });
    store.read = shown(empty);
    await expect(refused.sign({})).rejects.toMatchObject({ code: 'ERR_REWT_RING_SEALED' });
    await expect(refused.revoke()).rejects.toMatchObject({ code: 'ERR_REWT_RING_SEALED' });
    store.read = shown(alone);
    for (const rewt of [refused, unasked]) {
      await expect(rewt.sign({})).rejects.toMatchObject({ code: 'ERR_REWT_RING_SEALED' });
    }
    store.read = read;
    expect(await contents()).toEqual({ key, ring });
    // The store is empty: one with a key begins a sealed ring, also while it migrates.
    store = Object.assign(store, memoryStore());
    await expect(refused.sign({})).rejects.toMatchObject({ code: 'ERR_REWT_RING_SEALED' });
    await migrating.sign({});
    expect((await contents()).ring).toContain(sealedUnder(second));
  });

  it('is followed by a plain one for a member without a key, once it is written or asked for', async () => {
    await member({ sealKey: first }).sign({});
    const rewt = member();
    await expect(rewt.sign({})).rejects.toMatchObject({ code: 'ERR_REWT_RING_SEALED' });
    await rewt.revoke({ replace: 'sealed' });
    store = Object.assign(store, memoryStore());
    await rewt.sign({});
    expect((await contents()).ring).toMatch(/^\{/);
  });

  it('is unreadable in another namespace', async () => {
    await member({ sealKey: first }).sign({});
    const { key, ring } = await contents();
    const { version } = await store.read('orders', { timeoutMs: 1_000 });
    const wanted = {
      key: { value: key, expiresAtMs: Date.now() + 9_000 },
      ring: { text: ring, expiresAtMs: Date.now() + 9_000 },
    };
    await store.swap('orders', version, wanted, { timeoutMs: 1_000, notAfterMs: Number.POSITIVE_INFINITY });
    const rewt = member({ sealKey: first, redisNamespace: 'orders' });
    await expect(rewt.sign({})).rejects.toMatchObject({ code: 'ERR_REWT_RING_UNREADABLE' });
  });

  it('keeps its key, whichever a member has first', async () => {
    await member({ sealKey: first }).sign({});
    const deployed = member({ sealKey: [second, first] });
    await deployed.rotate({ force: true });
    expect((await contents()).ring).toContain(sealedUnder(first));
    await deployed.revoke();
    expect((await contents()).ring).toContain(sealedUnder(first));
    // An empty store: the key of the last ring, or the first one for a member that has seen none.
    store = Object.assign(store, memoryStore());
    await deployed.sign({});
    expect((await contents()).ring).toContain(sealedUnder(first));
  });

  it('takes a plain ring for the brake', async () => {
    const attacker = memoryStore();
    const token = await new Rewt({ store: attacker }).sign({ sub: 'forged' });
    const forged = await attacker.read('rewt', { timeoutMs: 1_000 });
    const rewt = member({ sealKey: first });
    const good = await rewt.sign({});
    await write(forged.key?.value ?? '', forged.ring ?? '');
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    try {
      await expect(rewt.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
      const type = { type: 'RewtWarning', code: 'REWT_PLAIN_RING' };
      expect(warned.mock.calls).toEqual([[expect.stringContaining("sealing: 'migrate'"), type]]);
    } finally {
      warned.mockRestore();
    }
    await expect(rewt.verify(good)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    expect(rewt.status().keyring).toMatchObject({
      epoch: 1,
      sealed: { keyId: idOf(first) },
      changes: [{ cause: 'brake', reason: 'a plain ring stood in place of a sealed one' }],
    });
  });

  it('waits for a member that may know the ring, and then begins anew', async () => {
    let nowMs = Date.now();
    store = memoryStore({ now: () => nowMs });
    const knows = member({ sealKey: first });
    const token = await knows.sign({ sub: 'ann' });
    const { key, ring } = await contents();
    store = Object.assign(store, memoryStore({ now: () => nowMs }));
    await write(key, '{}');
    // A ring that has ended: K alone is left.
    const alone = {
      ...store,
      read: async (...call: Parameters<Store['read']>) => ({ ...(await store.read(...call)), ring: null }),
    };
    const fresh = new Rewt({ store: alone, sealKey: first });
    opened.push(fresh);
    await expect(fresh.sign({})).rejects.toThrow('waits two seconds');
    nowMs += 1_999;
    await expect(fresh.sign({})).rejects.toThrow('waits two seconds');
    await write(key, ring);
    expect((await knows.verify(token)).sub).toBe('ann');
  });
});

describe('reseal', () => {
  const moving = (sealKey: SealKeyOption, name?: string) =>
    member({ sealKey, sealing: 'migrate', ...(name === undefined ? {} : { memberName: name }) });

  it('puts a ring under another key, with K, its TTL and every token as they were', async () => {
    const rewt = member({ sealKey: [second, first] });
    const old = member({ sealKey: first });
    const token = await old.sign({ sub: 'ann' });
    const before = await store.read('rewt', { timeoutMs: 1_000 });
    expect(await rewt[RESEAL]({})).toMatchObject({
      before: idOf(first),
      after: idOf(second),
      rotated: false,
      opening: false,
    });
    const after = await store.read('rewt', { timeoutMs: 1_000 });
    expect(after.key).toEqual(before.key);
    expect(after.ring).toContain(sealedUnder(second));
    expect((await rewt.verify(token)).sub).toBe('ann');
    await expect(member({ sealKey: first }).sign({})).rejects.toMatchObject({ code: 'ERR_REWT_RING_SEALED' });
    expect(await rewt[RESEAL]({})).toMatchObject({ before: idOf(second), after: idOf(second) });
    expect(await rewt[RESEAL]({ to: idOf(first) })).toMatchObject({ after: idOf(first) });
    expect(rewt.status().keyring?.sealed).toEqual({
      keyId: idOf(first),
      opens: true,
      exposedUntil: null,
      opening: false,
    });
  });

  it('rotates on the way from plain text, and says how long secrets of then verify', async () => {
    const plain = member();
    const token = await plain.sign({ sub: 'ann' });
    const [a, b] = [moving(first), moving(first)];
    expect((await a.verify(token)).sub).toBe('ann');
    await b.rotate({ force: true });
    expect((await contents()).ring).toMatch(/^\{/);
    await expect(a[RESEAL]({})).rejects.toMatchObject({ code: 'ERR_REWT_ROTATION_REFUSED' });
    const { before, after, rotated } = await a[RESEAL]({ force: true });
    expect({ before, after, rotated }).toEqual({ before: null, after: idOf(first), rotated: true });
    for (const rewt of [a, b]) expect((await rewt.verify(token)).sub).toBe('ann');
    const { keyring } = b.status();
    expect(keyring?.sealed?.exposedUntil).toEqual(keyring?.current.verifiesUntil);
    await a.rotate({ force: true });
    await b.refresh();
    expect(b.status().keyring?.sealed?.exposedUntil).toEqual(b.status().keyring?.retired[0]?.verifiesUntil);
    await a.revoke();
    await b.refresh();
    expect(b.status().keyring?.sealed?.exposedUntil).toBeNull();
  });

  it('lets a member that has seen an envelope take nothing plain any more, also while it migrates', async () => {
    const plain = member();
    await plain.sign({});
    const kept = await contents();
    const rewt = moving(first);
    await rewt[RESEAL]({ force: true });
    await write(kept.key, kept.ring);
    await rewt.sign({});
    expect((await contents()).ring).toContain(sealedUnder(first));
    expect(rewt.status().keyring?.epoch).toBe(1);
  });

  it('goes back to plain text in two steps, and no token is lost', async () => {
    const [a, b] = [moving(first), moving(first)];
    await a[RESEAL]({ force: true });
    const token = await a.sign({ sub: 'ann' });
    await b.verify(token);
    expect(await a[RESEAL]({ plain: true })).toMatchObject({ after: idOf(first), opening: true });
    await b.refresh();
    expect(await a[RESEAL]({ plain: true })).toMatchObject({ before: idOf(first), after: null, opening: false });
    expect((await contents()).ring).toMatch(/^\{/);
    for (const rewt of [a, b, member()]) expect((await rewt.verify(token)).sub).toBe('ann');
    expect((await contents()).ring).not.toContain('opening');
  });

  it('is refused for a key that this member, or a named one, does not open', async () => {
    const named = moving(first, 'orders-1');
    await named.sign({});
    const rewt = moving([second, first]);
    await expect(rewt[RESEAL]({})).rejects.toMatchObject({
      option: 'memberName',
      message: expect.stringContaining(idOf(second)),
    });
    await expect(rewt[RESEAL]({ to: idOf(other) })).rejects.toMatchObject({ option: 'to' });
    await expect(rewt[RESEAL]({ to: idOf(first), plain: true })).rejects.toMatchObject({ option: 'to' });
    expect(await rewt[RESEAL]({ to: idOf(first), force: true })).toMatchObject({ known: 1, unknown: [] });
  });

  it('waits before plain text for a named member that takes none', async () => {
    const rewt = moving(first);
    await rewt[RESEAL]({ force: true });
    const strict = member({ sealKey: first, memberName: 'orders-1' });
    await strict.sign({});
    for (let call = 0; call < 2; call += 1)
      expect(await rewt[RESEAL]({ plain: true })).toMatchObject({ opening: true });
    await strict.close();
    expect(await rewt[RESEAL]({ plain: true })).toMatchObject({ after: null });
  });

  it('is done although the answer to its write was lost', async () => {
    await member({ sealKey: first }).sign({});
    const faulty = faultyStore(store);
    const rewt = new Rewt({ store: faulty, sealKey: [second, first], storeTimeout: 5 });
    opened.push(rewt);
    expect(await rewt[RESEAL]({})).toMatchObject({ after: idOf(second) });
  });
});

describe('a function as seal key', () => {
  it('is asked again for an id that it did not return, and not for each read', async () => {
    await member({ sealKey: second }).sign({});
    let calls = 0;
    let keys: Uint8Array[] = [first];
    const rewt = member({
      sealKey: async () => {
        calls += 1;
        return keys;
      },
    });
    await expect(rewt.sign({})).rejects.toMatchObject({ code: 'ERR_REWT_RING_SEALED' });
    for (let call = 0; call < 5; call += 1) await expect(rewt.sign({})).rejects.toThrow();
    expect(calls).toBeLessThanOrEqual(2);
    keys = [second];
  });

  it.each([
    ['fails', () => Promise.reject(new TypeError('token=hunter2')), 'failed (TypeError)'],
    ['returns no key', async () => [] as Uint8Array[], 'failed (sealKey: must be 1 to 4 keys'],
    ['returns a passphrase', async () => 'correct horse battery staple', 'failed (sealKey: must be 32 random bytes'],
  ])('that %s makes the member unavailable, and is not quoted', async (_, sealKey, words) => {
    const failed = member({ sealKey }).sign({});
    await expect(failed).rejects.toMatchObject({ code: 'ERR_REWT_RING_SEALED', status: 503 });
    await expect(failed).rejects.toThrow(words);
    await expect(failed).rejects.not.toThrow('hunter2');
  });

  it('that does not answer is waited for no longer than the store', async () => {
    const rewt = member({ sealKey: () => new Promise<never>(() => {}), storeTimeout: 0.2 });
    await expect(rewt.sign({})).rejects.toThrow('has not answered yet');
  });
});

describe('options', () => {
  it.each([
    ['sealKey', { sealKey: 'secret' }],
    ['sealKey', { sealKey: [] }],
    ['sealKey', { sealKey: Array.from({ length: 5 }, () => randomBytes(32)) }],
    ['sealKey', { sealKey: randomBytes(31) }],
    ['sealing', { sealKey: first, sealing: 'yes' as 'migrate' }],
    ['sealing', { sealing: 'migrate' as const }],
  ])('refuse a wrong %s', (option, options) => {
    expect(() => member(options)).toThrow(expect.objectContaining({ code: 'ERR_REWT_OPTION', option }));
  });
});
