/** What a store keeps of its members' announcements. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ANNOUNCEMENT_LIFE_MS, type Announcements, MAX_ANNOUNCEMENT_CHARACTERS } from '../../src/stores/store.js';
import { contentsOf, limits, type StoreTraits, type Subject } from './store-subject.js';

export function announcementConformance(subject: Subject, traits: StoreTraits): void {
  const { read, write } = subject;
  const itWhenShared = traits.shared ? it : unregistered;
  describe('announcements', () => {
    const announce = async (
      id: string,
      text: string | null,
      on = subject.store,
      name = subject.namespace,
      keepMs?: number,
    ) => on.announce?.(name, id, text, keepMs === undefined ? limits : { ...limits, keepMs });
    async function kept(name = subject.namespace, on = subject.store) {
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
      const names = [
        subject.namespace,
        `${subject.namespace}:`,
        tag,
        `${tag}:b`,
        `b${tag}`,
        `żółć ${subject.namespace}`,
      ];
      for (const name of names) await announce('a', name, subject.store, name);
      for (const name of names) expect(textsOf(await kept(name))).toEqual({ a: name });
    });

    it('have no part in the keyring', async () => {
      const before = await write();
      await announce('a', 'one');
      expect(await read()).toMatchObject(contentsOf(before));
    });

    it('are cut where no reader goes on', async () => {
      await announce('a', 'x'.repeat(10_000));
      const [{ text = '' } = {}] = (await kept()).kept;
      expect(text.length).toBeGreaterThan(200);
      expect(text.length).toBeLessThanOrEqual(MAX_ANNOUNCEMENT_CHARACTERS);
    });

    itWhenShared('reach every handle', async () => {
      const second = await subject.fixture.second?.();
      if (!second) throw new Error('the fixture lacks second');
      await announce('a', 'one');
      await announce('b', 'two', second);
      for (const on of [subject.store, second])
        expect(textsOf(await kept(subject.namespace, on))).toEqual({ a: 'one', b: 'two' });
    });

    it('end by themselves, each on its own', async () => {
      // Where the clock cannot be turned, the fixture of that store has a separate test.
      if (!subject.fixture.advanceMs) return;
      await announce('longer', 'one', subject.store, subject.namespace, 2 * ANNOUNCEMENT_LIFE_MS + 1_000);
      await announce('a', 'one');
      subject.fixture.advanceMs(ANNOUNCEMENT_LIFE_MS - 1_000);
      await announce('b', 'two');
      subject.fixture.advanceMs(1_000);
      expect((await kept()).kept.map(({ id }) => id)).toEqual(['longer', 'a', 'b']);
      subject.fixture.advanceMs(1);
      expect((await kept()).kept.map(({ id }) => id)).toEqual(['longer', 'b']);
      subject.fixture.advanceMs(ANNOUNCEMENT_LIFE_MS);
      expect((await kept()).kept.map(({ id }) => id)).toEqual(['longer']);
      await announce('b', null);
      expect((await kept()).kept.map(({ id }) => id)).toEqual(['longer']);
      subject.fixture.advanceMs(1_000);
      expect(await kept()).toMatchObject({ count: 0, kept: [] });
    });
  });
}

function unregistered(): void {}
