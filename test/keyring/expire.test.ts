/**
 * What an operator's EXPIRE costs right after a rotation (docs/operations.md). On turned clocks.
 */

import { describe, expect, it } from 'vitest';
import { turnedMembers } from '../support/turned-members.js';
import { pass, settle, times } from '../support/turned-time.js';

const keyring = turnedMembers();
const { member } = keyring;

/** EXPIRE on K: the ring stays as it was, but for a word that makes it another text. */
async function expireIn(ms: number): Promise<void> {
  const { version, key, ring } = await keyring.register.read('rewt', { timeoutMs: 1 });
  const text = JSON.stringify({ ...JSON.parse(ring ?? ''), op: 'expire' });
  const wanted = {
    key: { value: key?.value ?? '', expiresAtMs: Date.now() + ms },
    ring: { text, expiresAtMs: Date.now() + 1e8 },
  };
  const limits = { timeoutMs: 1, notAfterMs: Number.POSITIVE_INFINITY };
  expect((await keyring.register.swap('rewt', version, wanted, limits)).swapped).toBe(true);
}

/**
 * Two members share a keyring. One is cut off, then the other rotates, and follows an EXPIRE `ms`
 * later.
 */
async function rotatedTwice(ms: number) {
  const [here, away] = [member(), member()];
  await here.rewt.sign({ n: 0 });
  await away.rewt.ready();
  await pass(times.maxStaleness * 1_000);
  await away.rewt.refresh();
  away.store.reads = 'down';
  await here.rewt.rotate();
  const first = await here.rewt.sign({ n: 1 });
  await pass(ms);
  // Ends within the lead of every member, so that the next read rotates.
  await expireIn(6_000);
  await here.rewt.refresh();
  const second = await here.rewt.sign({ n: 2 });
  return { first, second, away: away.rewt };
}

describe('an EXPIRE that brings a rotation near', () => {
  it('within maxStaleness of the last one leads to a secret that a cut-off member does not hold: 503', async () => {
    const { first, second, away } = await rotatedTwice(10_000);
    await expect(away.verify(first)).resolves.toMatchObject({ n: 1 });
    const { error } = await settle(away.verify(second));
    expect(error).toMatchObject({ code: 'ERR_REWT_STORE_DOWN', status: 503 });
  });

  it('later than that costs no request: a copy from before the last rotation has run out anyway', async () => {
    const { first, second, away } = await rotatedTwice(times.maxStaleness * 1_000);
    for (const token of [first, second]) {
      expect((await settle(away.verify(token))).error).toMatchObject({ code: 'ERR_REWT_STORE_DOWN' });
    }
  });

  it('is followed at once, without a look at how young the next secret is', async () => {
    const { rewt } = member();
    await rewt.sign({});
    const { current, next } = rewt.status().keyring ?? {};
    await expireIn(6_000);
    await rewt.refresh();
    expect(rewt.status().keyring).toMatchObject({ current: { kid: next?.kid }, retired: [{ kid: current?.kid }] });
  });
});
