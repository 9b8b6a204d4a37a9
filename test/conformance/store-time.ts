/** What a store does as time passes by its clock, and when an operator writes K past rewt. */
import { describe, expect, it } from 'vitest';
import { otherSecret, type Subject, secret } from './store-subject.js';

export function timeConformance(subject: Subject): void {
  const { grainMs, read, wish, send, swap, write, reach } = subject;
  describe("time, by the store's clock", () => {
    it('is whole milliseconds that never go backwards', async () => {
      let lastMs = 0;
      for (let n = 0; n < 50; n += 1) {
        const { nowMs } = n % 5 === 0 ? await write() : await read();
        expect(Number.isSafeInteger(nowMs)).toBe(true);
        expect(nowMs).toBeGreaterThanOrEqual(lastMs);
        lastMs = nowMs;
      }
    });

    it('ends K at its expiry, and leaves R', async () => {
      const from = await read();
      const wanted = wish(from, { keyTtlMs: 50 });
      const endMs = from.nowMs + 50;
      await send(from, wanted);
      const after = await reach(endMs + grainMs(), ({ nowMs, key }) => {
        if (key === null) expect(nowMs).toBeGreaterThanOrEqual(endMs - grainMs());
        else expect(nowMs).toBeLessThan(endMs + grainMs());
      });
      expect(after.key).toBeNull();
      expect(after.ring).toBe(wanted.ring.text);
    });

    it('ends R at its expiry, and leaves K', async () => {
      const from = await read();
      const wanted = wish(from, { ringTtlMs: 50 });
      await send(from, wanted);
      const after = await reach(wanted.ring.expiresAtMs + grainMs(), ({ nowMs, ring }) => {
        if (ring === null) expect(nowMs).toBeGreaterThanOrEqual(wanted.ring.expiresAtMs - grainMs());
        else expect(nowMs).toBeLessThan(wanted.ring.expiresAtMs + grainMs());
      });
      expect(after.ring).toBeNull();
      expect(after.key?.value).toBe(secret);
    });

    it.for([
      ['K', 'key', 'keyTtlMs'],
      ['R', 'ring', 'ringTtlMs'],
    ] as const)('makes the version stale when %s ends', async ([, entry, option]) => {
      // On a busy machine an entry may have ended before its own swap is answered: then once
      // more, with longer.
      let ttlMs = 50;
      let old = await write({ [option]: ttlMs });
      for (; old[entry] === null; old = await write({ [option]: ttlMs })) ttlMs *= 2;
      await reach(old.nowMs + ttlMs + grainMs());
      expect((await swap(old)).swapped).toBe(false);
    });

    it('does not bring an ended K back with a swap that leaves K alone', async () => {
      const { nowMs } = await write({ keyTtlMs: 50 });
      await reach(nowMs + 50 + grainMs());
      expect((await write({ key: null })).key).toBeNull();
    });
  });
}

export function operatorConformance(subject: Subject): void {
  const { grainMs, read, write, operatorSet, operatorDelete } = subject;
  describe('an operator', () => {
    it('sets K, which the next read shows', async () => {
      const { ring } = await write();
      await operatorSet(otherSecret, 30_000);
      const seen = await read();
      expect(seen).toMatchObject({ key: { value: otherSecret }, ring });
      const leftMs = (seen.key?.expiresAtMs ?? 0) - seen.nowMs;
      expect(leftMs).toBeGreaterThan(20_000);
      expect(leftMs).toBeLessThanOrEqual(30_000 + grainMs());
    });

    it('sets K without a TTL, which a swap that leaves K alone does not change', async () => {
      await operatorSet(otherSecret, null);
      const key = { value: otherSecret, expiresAtMs: null };
      expect(await read()).toMatchObject({ key, ring: null });
      expect(await write({ key: null })).toMatchObject({ key });
    });

    it('deletes K, which the next read shows', async () => {
      const { ring } = await write();
      await operatorDelete();
      expect(await read()).toMatchObject({ key: null, ring });
    });
  });
}
