/** What a writer of Redis, or a change of mind, makes of a sealed keyring and its way back. */

import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryStore, OptionError, Rewt, type RewtOptions, type SealKeyOption, type Store } from '../../src/index.js';
import { advance } from '../../src/keyring/advance.js';
import { keyTextOf, seenIn } from '../../src/keyring/contents.js';
import { EMPTY_HISTORY, isReplayed } from '../../src/keyring/history.js';
import { RESEAL } from '../../src/keyring/reseal.js';
import { SealKeys } from '../../src/keyring/seal-keys.js';
import { Sealing } from '../../src/keyring/sealing.js';
import { readSealKey } from '../../src/seal/seal-key.js';
import { processClock } from '../../src/time/clock.js';
import { CURRENT, countingMint, havingSeen, NEXT, NOW_MS, RING as PLAIN_RING, POLICY } from './samples.js';

const [first, second] = [randomBytes(32), randomBytes(32)];
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

const moving = (sealKey: SealKeyOption) => member({ sealKey, sealing: 'migrate' });

const read = () => store.read('rewt', { timeoutMs: 1_000 });
type Kept = Awaited<ReturnType<typeof read>>;

/** Puts back what was read before, as a writer of the store can. */
async function putBack({ key, ring, nowMs }: Kept): Promise<void> {
  const { version } = await read();
  const held = key === null ? null : { value: key.value ?? '', expiresAtMs: key.expiresAtMs ?? nowMs + 600_000 };
  const wanted = { key: held, ring: { text: ring ?? '', expiresAtMs: nowMs + 600_000 } };
  await store.swap('rewt', version, wanted, { timeoutMs: 1_000, notAfterMs: Number.POSITIVE_INFINITY });
}

describe('the times of K', () => {
  const RING = { ...PLAIN_RING, current: { ...PLAIN_RING.current, since: NOW_MS - 30_000 } };

  it('do not keep a secret signing whose mark a writer sets early', () => {
    const key = { value: keyTextOf(NEXT, true), expiresAtMs: NOW_MS + 1e12 };
    const seen = seenIn({ nowMs: NOW_MS, key, ring: RING, sealed: true, isForeign: false }, EMPTY_HISTORY);
    const plan = advance(seen, { policy: POLICY, history: EMPTY_HISTORY, mint: countingMint() });
    expect(plan).toMatchObject({ name: 'late rotation', writesKey: true });
    expect(plan?.ring.current).toMatchObject({ secret: NEXT, expiresAt: NOW_MS + RING.ttl, since: NOW_MS });
  });

  it('do not keep a secret verifying that signed to its end, and could not be retired then', () => {
    const endMs = NOW_MS - 30_000 + 2 * RING.ttl;
    const ring = { ...RING, retired: [] };
    const key = { value: keyTextOf(CURRENT, true), expiresAtMs: endMs + 1e12 };
    for (const [history, signedUntilMs] of [
      [EMPTY_HISTORY, RING.current.expiresAt],
      [havingSeen({ ...ring, current: { ...ring.current, expiresAt: endMs } }), endMs],
    ] as const) {
      const seen = seenIn({ nowMs: endMs + 9_000, key, ring, sealed: true, isForeign: false }, history);
      const plan = advance(seen, { policy: POLICY, history, mint: countingMint() });
      const until = signedUntilMs + RING.overlap;
      expect(plan).toMatchObject({ name: 'rotation' });
      expect(plan?.ring.retired).toEqual(until > seen.nowMs ? [{ secret: CURRENT, until }] : []);
    }
  });

  it('do not make an old ring good after its end, however often it is put back', () => {
    const history = havingSeen({ ...RING, gen: RING.gen + 1 });
    const endMs = NOW_MS - 30_000 + 2 * RING.ttl + RING.overlap;
    expect(isReplayed(RING, history, endMs - 1)).toBe(false);
    expect(isReplayed(RING, history, endMs)).toBe(true);
    expect(isReplayed({ ...RING, gen: RING.gen + 1 }, history, endMs)).toBe(false);
    expect(isReplayed(RING, havingSeen({ ...RING, id: 'another', gen: 99 }), endMs)).toBe(false);
    expect(CURRENT).toBe(RING.current.secret);
  });
});

describe('the way back to plain text', () => {
  /** A fleet on the way back: the ring announces that plain text may follow. */
  async function opening(): Promise<{ rewt: Rewt; kept: Kept }> {
    const rewt = moving(first);
    await rewt[RESEAL]({ force: true });
    await rewt[RESEAL]({ plain: true });
    expect(rewt.status().keyring?.sealed).toMatchObject({ opening: true });
    return { rewt, kept: await read() };
  }

  async function expectPlainRefused(rewt: Rewt): Promise<void> {
    const attacker = memoryStore();
    const forged = await new Rewt({ store: attacker }).sign({ sub: 'forged' });
    await putBack(await attacker.read('rewt', { timeoutMs: 1_000 }));
    await expect(rewt.verify(forged)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  }

  it.each([
    ['a reseal to the same key', (rewt: Rewt) => rewt[RESEAL]({})],
    ['a revocation', (rewt: Rewt) => rewt.revoke()],
  ])('is taken back by %s', async (_, takeBack) => {
    const { rewt } = await opening();
    await takeBack(rewt);
    expect(rewt.status().keyring?.sealed).toMatchObject({ keyId: idOf(first), opening: false });
    await expectPlainRefused(rewt);
  });

  it('is taken back by a reseal to another key, which says so', async () => {
    const { rewt } = await opening();
    const result = await moving([second, first])[RESEAL]({});
    expect(result).toMatchObject({ before: idOf(first), after: idOf(second), opening: false });
    expect(rewt.status().keyring?.sealed?.opening).toBe(true);
    await expect(rewt.refresh()).rejects.toThrow(idOf(second));
  });

  it('is not opened again by the ring that announced it', async () => {
    const { rewt, kept } = await opening();
    await rewt[RESEAL]({});
    await putBack(kept);
    await rewt.refresh();
    await expectPlainRefused(rewt);
  });

  it('is shut by a sealed ring, also by one that is not trusted', async () => {
    const sealing = new Sealing({
      keyName: 'rewt',
      keys: new SealKeys([readSealKey(first, 'key')], processClock),
      migrates: true,
    });
    sealing.took({ ring: PLAIN_RING, form: 'plain' });
    sealing.distrusted({ ring: PLAIN_RING, form: 'plain' });
    expect(sealing.takesPlain).toBe(true);
    sealing.distrusted({ ring: { ...PLAIN_RING, opening: true }, form: { keyId: idOf(first) } });
    expect(sealing.takesPlain).toBe(false);
    expect(sealing.formInPlaceOf({ keyId: idOf(second) })).toEqual({ keyId: idOf(first) });
  });

  it('is not opened by a ring that is not trusted', async () => {
    const { rewt, kept } = await opening();
    await rewt[RESEAL]({});
    await rewt.revoke();
    await putBack(kept);
    await rewt.refresh();
    expect(rewt.status().keyring?.sealed?.opening).toBe(false);
    await expectPlainRefused(rewt);
  });
});

describe('reseal from plain text', () => {
  it('says whether a secret signs that was plain text', async () => {
    const rewt = moving(first);
    await rewt.sign({});
    expect(await rewt[RESEAL]({ force: true })).toMatchObject({ rotated: true, exposed: true });
    expect(await rewt[RESEAL]({})).toMatchObject({ rotated: false, exposed: true });
    await rewt.rotate({ force: true });
    expect(await rewt[RESEAL]({})).toMatchObject({ rotated: false, exposed: false });
  });

  it('is refused while a named member is of an earlier version, unless it is forced', async () => {
    const rewt = moving(first);
    await rewt.sign({});
    const { lineage, epoch, generation, next } = rewt.status().keyring ?? expect.fail('there is a keyring');
    const older = { name: 'orders-1', lineage, epoch, generation, next: next.kid };
    await store.announce?.('rewt', 'id', JSON.stringify(older), { timeoutMs: 1_000, keepMs: 60_000 });
    await expect(rewt[RESEAL]({})).rejects.toThrow('"orders-1"');
    expect(rewt.status().keyring?.sealed).toBeNull();
    expect(await rewt[RESEAL]({ force: true })).toMatchObject({ unknown: ['orders-1'] });
  });
});

it('row 1 is written under the key of before, not of the ring that was put back', async () => {
  const rewt = member({ sealKey: [second, first] });
  const old = member({ sealKey: first });
  await old.sign({});
  const kept = await read();
  await rewt[RESEAL]({});
  await rewt.revoke();
  await putBack(kept);
  await rewt.refresh();
  expect((await read()).ring).toContain(`rewt-sealed.1.${idOf(second)}.`);
});

describe('a function as seal key', () => {
  it('that returns other keys later takes none away', async () => {
    let nowMs = 0;
    let returned = [readSealKey(first, 'key')];
    const keys = new SealKeys(async () => returned, { ...processClock, monotonicMs: () => nowMs });
    await keys.ready(1_000);
    returned = [readSealKey(second, 'key')];
    nowMs += 1_000;
    keys.askAgain();
    await vi.waitFor(() => expect(keys.ids).toEqual([idOf(second), idOf(first)]));
    expect(keys.first()).toBe(idOf(second));
  });

  it('whose error cannot be put in words is asked again, and rejects nowhere', async () => {
    let nowMs = 0;
    let answer = async () => [readSealKey(first, 'key')];
    const keys = new SealKeys(() => answer(), { ...processClock, monotonicMs: () => nowMs });
    await keys.ready(1_000);
    const odd = Object.defineProperty(new Error('x'), 'name', {
      get() {
        throw new Error('y');
      },
    });
    answer = () => Promise.reject(odd);
    nowMs += 1_000;
    keys.askAgain();
    await new Promise((resolve) => setImmediate(resolve));
    answer = async () => [readSealKey(second, 'key')];
    nowMs += 60_000;
    keys.askAgain();
    await vi.waitFor(() => expect(keys.ids).toContain(idOf(second)));
  });

  it.each([
    ['a text that is no key', () => 'hunter2', 'sealKey: must be 32 random bytes'],
    ['an error with a name in the style of one', () => Promise.reject(named('DisabledException')), 'DisabledException'],
    ['an error whose name is a secret', () => Promise.reject(named('hunter2')), 'failed (Error)'],
  ])('with %s is told apart, and quotes no secret', async (_, sealKey, words) => {
    const failed = member({ sealKey }).sign({});
    await expect(failed).rejects.toMatchObject({ code: 'ERR_REWT_RING_SEALED' });
    await expect(failed).rejects.toThrow(words);
    await expect(failed).rejects.not.toThrow('hunter2');
  });
});

it('is not left plain by a variable that is not set', () => {
  expect(() => member({ sealKey: undefined } as object)).toThrow(OptionError);
  expect(() => member({ sealKey: undefined } as object)).toThrow('sealKey: is undefined');
});

function named(name: string): Error {
  return Object.assign(new Error('hunter2'), { name });
}
