/** What every store promises (src/stores/store.ts), as one suite that is run against each of them. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StoreError } from '../../src/errors.js';
import {
  ANNOUNCEMENT_LIFE_MS,
  type Announcements,
  LONGEST_ANNOUNCEMENT,
  type Snapshot,
  type Store,
  type SwapAnswer,
  type WantedState,
} from '../../src/stores/store.js';

/** One store on data of its own, and what a test can do to it from outside. */
export interface StoreFixture {
  readonly store: Store;
  /** Closes the store, every second one, and removes the data. */
  dispose(): Promise<void>;
  /** Turns the store's clock forward, where tests can turn it. */
  advanceMs?(ms: number): void;
  /** Another connection or handle on the same data; absent where there is only one. */
  second?(): Promise<Store>;
  /** Writes K past rewt, as an operator would; `ttlMs` null: without a TTL. */
  operatorSet?(namespace: string, value: string, ttlMs: number | null): Promise<void>;
  operatorDelete?(namespace: string): Promise<void>;
}

const limits = { timeoutMs: 5_000 };
const secret = 'an-old-secret-of-forty-three-characters-000';
const otherSecret = 'another-secret-of-forty-three-characters-11';

/** A ring text as unique as a real one. */
function ringText(filling = ''): string {
  return JSON.stringify({ v: 1, op: randomUUID(), filling });
}

/** All of a snapshot but its times, which a store may give with a grain. */
function contentsOf({ key, ring, version }: Snapshot) {
  return { key: key && { value: key.value }, ring, version };
}

/** What some stores have and others, by their nature, have not; what is not there has no tests. */
export interface StoreTraits {
  /** Others than rewt can write K: the fixture has `operatorSet` and `operatorDelete`. */
  readonly operator: boolean;
  /** Several handles can share the data: the fixture has `second`. */
  readonly shared: boolean;
  /** It carries what members say of themselves. */
  readonly announces: boolean;
}

/** Registers the suite. `make` is called once per test; tests use namespaces of their own, so it may share a server. */
export function storeConformance(
  title: string,
  make: () => Promise<StoreFixture>,
  traits: StoreTraits = { operator: true, shared: true, announces: true },
): void {
  const itWithOperator = traits.operator ? it : unregistered;
  const itWhenShared = traits.shared ? it : unregistered;

  describe(title, () => {
    let fixture: StoreFixture;
    let store: Store;
    let namespace: string;

    beforeEach(async () => {
      fixture = await make();
      store = fixture.store;
      namespace = `conformance-${randomUUID()}`;
    });
    afterEach(() => fixture.dispose());

    /** How much an expiry may be off: a store with a clock of its own may keep a TTL rather than an instant. A turned clock is exact. */
    const grainMs = (): number => (fixture.advanceMs ? 0 : 5);

    const read = (): Promise<Snapshot> => store.read(namespace, limits);

    interface Wish {
      readonly key?: string | null;
      readonly text?: string;
      readonly keyTtlMs?: number;
      readonly ringTtlMs?: number;
    }
    function wish(
      from: Snapshot,
      { key = secret, text = ringText(), keyTtlMs = 60_000, ringTtlMs = 90_000 }: Wish,
    ): WantedState {
      return {
        key: key === null ? null : { value: key, expiresAtMs: from.nowMs + keyTtlMs },
        ring: { text, expiresAtMs: from.nowMs + ringTtlMs },
      };
    }
    const send = (from: Snapshot, wanted: WantedState, on = store): Promise<SwapAnswer> =>
      on.swap(namespace, from.version, wanted, { ...limits, notAfterMs: from.nowMs + 10_000 });
    const swap = (from: Snapshot, wanted: Wish = {}): Promise<SwapAnswer> => send(from, wish(from, wanted));

    /** A swap that must succeed; answers with what is there then. */
    async function write(wanted: Wish = {}): Promise<Snapshot> {
      const { swapped, snapshot } = await swap(await read(), wanted);
      expect(swapped).toBe(true);
      return snapshot;
    }

    /** Lets the store's clock reach `untilMs`: turned where it can be, else waited for. Calls `look` with each read on the way. */
    async function reach(untilMs: number, look: (snapshot: Snapshot) => void = () => {}): Promise<Snapshot> {
      const giveUpMs = Date.now() + 10_000;
      for (;;) {
        const snapshot = await read();
        look(snapshot);
        if (snapshot.nowMs >= untilMs) return snapshot;
        if (Date.now() > giveUpMs) throw new Error(`the store's clock is still ${untilMs - snapshot.nowMs} ms away`);
        if (fixture.advanceMs) fixture.advanceMs(1);
        else await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }

    async function operatorSet(value: string, ttlMs: number | null): Promise<void> {
      if (!fixture.operatorSet) throw new Error('the fixture lacks operatorSet');
      await fixture.operatorSet(namespace, value, ttlMs);
    }
    async function operatorDelete(): Promise<void> {
      if (!fixture.operatorDelete) throw new Error('the fixture lacks operatorDelete');
      await fixture.operatorDelete(namespace);
    }

    describe('reading and swapping', () => {
      it('reads an untouched namespace as empty', async () => {
        const snapshot = await read();
        expect(snapshot.key).toBeNull();
        expect(snapshot.ring).toBeNull();
        expect(snapshot.version).toBeTypeOf('string');
      });

      it('writes both entries from empty, and answers with them', async () => {
        const empty = await read();
        const wanted = wish(empty, { keyTtlMs: 45_000 });
        const expiresAtMs = empty.nowMs + 45_000;
        const { swapped, snapshot } = await send(empty, wanted);
        expect(swapped).toBe(true);
        for (const seen of [snapshot, await read()]) {
          expect(seen.key?.value).toBe(secret);
          expect(seen.ring).toBe(wanted.ring.text);
          expect(seen.version).toBe(snapshot.version);
          expect(Math.abs((seen.key?.expiresAtMs ?? 0) - expiresAtMs)).toBeLessThanOrEqual(grainMs());
        }
      });

      it.each([
        ['quotes and backslashes', `"'\`\\"\\u0041\\`],
        ['control characters', '\u0000\u0001\n\r\t\u001b\u007f\u2028'],
        ['unicode', 'żółć 密钥 🔑 e\u0301 \ufeff'],
        ['100 kB', 'ü"\n'.repeat(25_000)],
      ])('gives back exactly what was written: %s', async (_, filling) => {
        const text = `${randomUUID()}${filling}`;
        const key = `${secret}${filling}`;
        const written = await write({ key, text });
        for (const seen of [written, await read()]) {
          expect(seen.ring).toBe(text);
          expect(seen.key?.value).toBe(key);
        }
      });

      it('leaves K and its TTL alone where no new K is wanted', async () => {
        const before = await write({ keyTtlMs: 45_000 });
        const text = ringText();
        const after = await write({ key: null, text, ringTtlMs: 300_000 });
        expect(after.ring).toBe(text);
        expect(after.key?.value).toBe(secret);
        const shiftMs = Math.abs((after.key?.expiresAtMs ?? 0) - (before.key?.expiresAtMs ?? 0));
        expect(shiftMs).toBeLessThanOrEqual(grainMs());
      });

      it('writes R alone into an empty namespace', async () => {
        const text = ringText();
        expect(await write({ key: null, text })).toMatchObject({ key: null, ring: text });
      });

      it('answers a conflict with what is there, and writes nothing', async () => {
        const empty = await read();
        const text = ringText();
        const current = await write({ text });
        const { swapped, snapshot } = await swap(empty, { key: otherSecret });
        expect(swapped).toBe(false);
        for (const seen of [snapshot, await read()]) {
          expect(seen.ring).toBe(text);
          expect(seen.key?.value).toBe(secret);
          expect(seen.version).toBe(current.version);
        }
      });

      it('lets the loser of a swap try again from the answer', async () => {
        const empty = await read();
        await write();
        const { snapshot } = await swap(empty);
        const text = ringText();
        expect(await swap(snapshot, { text })).toMatchObject({ swapped: true, snapshot: { ring: text } });
      });

      it('makes one winner of fifty swaps from the same version, on all handles', async () => {
        const from = await write();
        const handles = [store];
        if (fixture.second) handles.push(await fixture.second());
        const texts = Array.from({ length: 50 }, () => ringText());
        const answers = await Promise.all(
          texts.map((text, n) =>
            send(from, wish(from, { key: `${otherSecret}${n}`, text }), handles[n % handles.length]),
          ),
        );
        const winners = texts.filter((_, n) => answers[n]?.swapped);
        expect(winners).toHaveLength(1);
        expect(new Set(answers.map((answer) => answer.snapshot.ring))).toEqual(new Set(winners));
        expect((await read()).key?.value).toBe(`${otherSecret}${texts.indexOf(winners[0] ?? '')}`);
      });

      itWhenShared('shows every handle what another one wrote', async () => {
        const second = await fixture.second?.();
        if (!second) throw new Error('the fixture lacks second');
        expect(await second.read(namespace, limits)).toMatchObject({ key: null, ring: null });
        for (let n = 0; n < 5; n += 1) {
          const written = await write();
          const seen = await second.read(namespace, limits);
          expect(seen).toMatchObject(contentsOf(written));
        }
      });

      it('keeps namespaces apart, odd ones too', async () => {
        const namespaces = ['', ':', 'a', 'a:b', 'a:rewt-secret', '*', 'żółć 🔑', `{tag-${randomUUID()}}`, namespace];
        const texts = namespaces.map((name) => ringText(name));
        for (const [n, name] of namespaces.entries()) {
          const from = await store.read(name, limits);
          const wanted = wish(from, { key: `${secret}${n}`, text: texts[n] ?? '' });
          const limitsNow = { ...limits, notAfterMs: from.nowMs + 10_000 };
          expect((await store.swap(name, from.version, wanted, limitsNow)).swapped).toBe(true);
        }
        for (const [n, name] of namespaces.entries()) {
          const seen = await store.read(name, limits);
          expect(seen.key?.value).toBe(`${secret}${n}`);
          expect(seen.ring).toBe(texts[n]);
        }
      });
    });

    describe('versions', () => {
      it('do not change by reading, nor by time alone', async () => {
        for (const arrange of [read, write]) {
          const before = await arrange();
          expect((await reach(before.nowMs + 10)).version).toBe(before.version);
        }
      });

      it('reveal neither entry', async () => {
        const { version, ring } = await write();
        expect(version).not.toContain(secret);
        expect(version).not.toContain(ring);
      });

      const changes: [string, () => Promise<unknown>][] = [
        ['a swap of both entries', () => write({ key: otherSecret })],
        ['a swap of R alone', () => write({ key: null })],
        ['a swap of K to the same value', () => write({ key: secret })],
      ];
      const changesByHand: typeof changes = [
        ['a K set by hand', () => operatorSet(otherSecret, 60_000)],
        ['a K deleted by hand', () => operatorDelete()],
      ];
      it.each(traits.operator ? [...changes, ...changesByHand] : changes)('go stale by %s', async (_, change) => {
        const old = await write();
        await change();
        const now = await read();
        expect(now.version).not.toBe(old.version);
        const refused = await swap(old);
        expect(refused).toMatchObject({ swapped: false, snapshot: { version: now.version, ring: now.ring } });
      });
    });

    describe('a swap sent twice, or late', () => {
      it('answers both sendings alike', async () => {
        const from = await read();
        const wanted = wish(from, {});
        const first = await send(from, wanted);
        const second = await send(from, wanted);
        expect(first.swapped).toBe(true);
        expect(second.swapped).toBe(true);
        expect(second.snapshot).toMatchObject({ ring: wanted.ring.text, version: first.snapshot.version });
      });

      it('answers both alike when they are sent at once', async () => {
        const from = await write();
        const wanted = wish(from, { key: otherSecret });
        const answers = await Promise.all([send(from, wanted), send(from, wanted)]);
        expect(answers.map((answer) => answer.swapped)).toEqual([true, true]);
      });

      itWithOperator('writes once: the second sending leaves a K alone that was set in between', async () => {
        const from = await read();
        const wanted = wish(from, {});
        await send(from, wanted);
        await operatorSet(otherSecret, 60_000);
        const { snapshot } = await send(from, wanted);
        for (const seen of [snapshot, await read()]) {
          expect(seen.key?.value).toBe(otherSecret);
          expect(seen.ring).toBe(wanted.ring.text);
        }
      });

      it('does not undo a later swap', async () => {
        const from = await read();
        const wanted = wish(from, {});
        await send(from, wanted);
        const later = await write({ key: otherSecret });
        await send(from, wanted);
        expect(await read()).toMatchObject(contentsOf(later));
      });

      it('does nothing once the store is past its last instant', async () => {
        const from = await reach((await write()).nowMs + 2);
        const notAfterMs = from.nowMs - 1;
        const answer = await store.swap(namespace, from.version, wish(from, { key: otherSecret }), {
          ...limits,
          notAfterMs,
        });
        expect(answer.swapped).toBe(false);
        for (const seen of [answer.snapshot, await read()]) {
          expect(seen).toMatchObject(contentsOf(from));
        }
      });
    });

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
        // On a busy machine an entry may have ended before its own swap is answered: then once more, with longer.
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

    (traits.operator ? describe : unregistered)('an operator', () => {
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

    (traits.announces ? describe : unregistered)('announcements', () => {
      const announce = async (id: string, text: string | null, on = store, name = namespace, keepMs?: number) =>
        on.announce?.(name, id, text, keepMs === undefined ? limits : { ...limits, keepMs });
      async function kept(name = namespace, on = store) {
        const found = await on.announcements?.(name, limits);
        if (!found) throw new Error('the store lacks announcements');
        return found;
      }
      const textsOf = ({ kept: found }: Announcements) => Object.fromEntries(found.map(({ id, text }) => [id, text]));

      it('are none at first, and none is made by looking', async () => {
        expect(await kept()).toMatchObject({ count: 0, kept: [] });
        expect(await kept()).toMatchObject({ count: 0, kept: [] });
      });

      it("are kept as they were said, each with its instant by the store's clock", async () => {
        const before = await read();
        await announce('a', '{"name":"żółć 🔑","n":1}');
        await announce('b', 'two\nlines');
        const found = await kept();
        expect(found.count).toBe(2);
        expect(textsOf(found)).toEqual({ a: '{"name":"żółć 🔑","n":1}', b: 'two\nlines' });
        for (const { atMs } of found.kept) {
          expect(atMs).toBeGreaterThanOrEqual(before.nowMs);
          expect(atMs).toBeLessThanOrEqual(found.nowMs);
        }
      });

      it('take the place of what the same member said before', async () => {
        await announce('a', 'one');
        await announce('a', 'two');
        await announce('a', 'two');
        expect(await kept()).toMatchObject({ count: 1, kept: [{ id: 'a', text: 'two' }] });
      });

      it('are taken back by null, as often as one likes', async () => {
        await announce('a', 'one');
        await announce('b', 'one');
        for (let time = 0; time < 2; time += 1) await announce('a', null);
        expect(textsOf(await kept())).toEqual({ b: 'one' });
      });

      it('of one member in each namespace, odd ones too, are kept apart', async () => {
        const tag = `{tag-${randomUUID()}}`;
        const names = [namespace, `${namespace}:`, tag, `${tag}:b`, `b${tag}`, `żółć ${namespace}`];
        for (const name of names) await announce('a', name, store, name);
        for (const name of names) expect(textsOf(await kept(name))).toEqual({ a: name });
      });

      it('have no part in the keyring', async () => {
        const before = await write();
        await announce('a', 'one');
        expect(await read()).toMatchObject(contentsOf(before));
      });

      it('are cut where nobody would read on', async () => {
        await announce('a', 'x'.repeat(10_000));
        const [{ text = '' } = {}] = (await kept()).kept;
        expect(text.length).toBeGreaterThan(200);
        expect(text.length).toBeLessThanOrEqual(LONGEST_ANNOUNCEMENT);
      });

      itWhenShared('reach every handle', async () => {
        const second = await fixture.second?.();
        if (!second) throw new Error('the fixture lacks second');
        await announce('a', 'one');
        await announce('b', 'two', second);
        for (const on of [store, second]) expect(textsOf(await kept(namespace, on))).toEqual({ a: 'one', b: 'two' });
      });

      it('end by themselves, each on its own', async () => {
        // Where the clock cannot be turned, the fixture of that store has a test of its own.
        if (!fixture.advanceMs) return;
        await announce('longer', 'one', store, namespace, 2 * ANNOUNCEMENT_LIFE_MS + 1_000);
        await announce('a', 'one');
        fixture.advanceMs(ANNOUNCEMENT_LIFE_MS - 1_000);
        await announce('b', 'two');
        fixture.advanceMs(1_000);
        expect((await kept()).kept.map(({ id }) => id)).toEqual(['longer', 'a', 'b']);
        fixture.advanceMs(1);
        expect((await kept()).kept.map(({ id }) => id)).toEqual(['longer', 'b']);
        fixture.advanceMs(ANNOUNCEMENT_LIFE_MS);
        expect((await kept()).kept.map(({ id }) => id)).toEqual(['longer']);
        await announce('b', null);
        expect((await kept()).kept.map(({ id }) => id)).toEqual(['longer']);
        fixture.advanceMs(1_000);
        expect(await kept()).toMatchObject({ count: 0, kept: [] });
      });
    });

    describe('closing', () => {
      it('may be done twice, and at once', async () => {
        await read();
        await Promise.all([store.close(), store.close()]);
        await store.close();
      });

      it('may be done before the first use', async () => {
        await store.close();
      });

      it('refuses every later call with a typed error', async () => {
        const from = await read();
        await store.close();
        const calls: (Promise<unknown> | undefined)[] = [read(), swap(from)];
        if (traits.announces)
          calls.push(store.announce?.(namespace, 'a', 'x', limits), store.announcements?.(namespace, limits));
        for (const call of calls) {
          const error = await call?.catch((reason: unknown) => reason);
          expect(error).toBeInstanceOf(StoreError);
          expect(error).toMatchObject({ code: 'ERR_REWT_STORE_CLOSED' });
        }
      });
    });
  });
}

function unregistered(): void {}
