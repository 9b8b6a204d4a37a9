/** `rotate()` and `revoke()` with a reason, and what `revoke()` may replace. */
import { beforeEach, describe, expect, it } from 'vitest';
import { memoryStore, Rewt, type Store } from '../../src/index.js';

let store: Store;
let rewt: Rewt;
beforeEach(async () => {
  store = memoryStore();
  rewt = new Rewt({ store });
  await rewt.ready();
});

const limits = { timeoutMs: 1, notAfterMs: Number.POSITIVE_INFINITY };

async function putRing(change: (ring: string) => string): Promise<string> {
  const { version, ring } = await store.read('rewt', limits);
  const text = change(ring ?? '');
  await store.swap('rewt', version, { key: null, ring: { text, expiresAtMs: Date.now() + 1e7 } }, limits);
  return text;
}

describe('a reason', () => {
  it('of rotate() and revoke() is shown by status(), the newest first', async () => {
    await rewt.rotate({ force: true, reason: 'quarterly audit' });
    await rewt.revoke({ reason: 'leak in CI' });
    expect(rewt.status().keyring?.changes).toMatchObject([
      { kind: 'revocation', cause: 'revoke', reason: 'leak in CI' },
      { kind: 'rotation', cause: 'rotate', reason: 'quarterly audit' },
    ]);
  });

  it('is not needed: the change is in the log without one', async () => {
    await rewt.revoke();
    expect(rewt.status().keyring?.changes).toMatchObject([{ kind: 'revocation', reason: null }]);
  });

  it.each([[''], ['x'.repeat(201)], ['two\nlines'], [7]])(
    'that is %j is refused, and nothing is changed',
    async (reason) => {
      const before = await store.read('rewt', limits);
      const options = { reason: reason as string };
      await expect(rewt.revoke(options)).rejects.toMatchObject({ code: 'ERR_REWT_OPTION', option: 'reason' });
      await expect(rewt.rotate(options)).rejects.toMatchObject({ code: 'ERR_REWT_OPTION', option: 'reason' });
      expect((await store.read('rewt', limits)).version).toBe(before.version);
    },
  );
});

describe('revoke() of a keyring that cannot be read', () => {
  const newer = (ring: string) => JSON.stringify({ ...JSON.parse(ring), v: 2 });
  it.each([
    ['newer', 'unreadable', 'ERR_REWT_RING_NEWER', newer],
    ['unreadable', 'newer', 'ERR_REWT_RING_UNREADABLE', () => '{'],
  ] as const)(
    'replaces one that is %s if it is told so, not if it is told %s, and never else',
    async (replace, other, code, spoil) => {
      const text = await putRing(spoil);
      await expect(rewt.revoke()).rejects.toMatchObject({ code });
      await expect(rewt.revoke({ replace: other })).rejects.toMatchObject({ code });
      expect((await store.read('rewt', limits)).ring).toBe(text);
      await rewt.revoke({ replace, reason: 'restored' });
      expect(rewt.status().keyring?.changes).toMatchObject([{ reason: 'restored' }]);
      await rewt.verify(await rewt.sign({}));
    },
  );

  it('is an ordinary revocation if it can be read, whatever it may replace', async () => {
    const before = rewt.status().keyring;
    await rewt.revoke({ replace: 'unreadable' });
    expect(rewt.status().keyring).toMatchObject({ lineage: before?.lineage, epoch: 1 });
  });

  it.each([['all'], [true], ['']])('may not replace %j', async (replace) => {
    const work = rewt.revoke({ replace: replace as 'newer' });
    await expect(work).rejects.toMatchObject({ code: 'ERR_REWT_OPTION', option: 'replace' });
  });
});
