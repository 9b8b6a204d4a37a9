/**
 * What every store promises (src/stores/store.ts), as one suite that is run against each of them.
 */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../../src/errors.js';
import { announcementConformance } from './store-announcements.js';
import {
  contentsOf,
  limits,
  otherSecret,
  ringText,
  type StoreFixture,
  type StoreTraits,
  type Subject,
  secret,
  subjectOf,
} from './store-subject.js';
import { operatorConformance, timeConformance } from './store-time.js';

/**
 * Registers the suite. `make` is called once per test; tests use separate namespaces, so it may
 * share a server.
 */
export function storeConformance(
  title: string,
  make: () => Promise<StoreFixture>,
  traits: StoreTraits = { operator: true, shared: true, announces: true },
): void {
  describe(title, () => {
    const subject = subjectOf(make);
    swapConformance(subject, traits);
    versionConformance(subject, traits);
    lateSwapConformance(subject, traits);
    timeConformance(subject);
    if (traits.operator) operatorConformance(subject);
    if (traits.announces) announcementConformance(subject, traits);
    closingConformance(subject, traits);
  });
}

function swapConformance(subject: Subject, traits: StoreTraits): void {
  const { grainMs, read, wish, send, swap, write } = subject;
  const itWhenShared = traits.shared ? it : unregistered;
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
      const handles = [subject.store];
      if (subject.fixture.second) handles.push(await subject.fixture.second());
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
      const second = await subject.fixture.second?.();
      if (!second) throw new Error('the fixture lacks second');
      expect(await second.read(subject.namespace, limits)).toMatchObject({ key: null, ring: null });
      for (let n = 0; n < 5; n += 1) {
        const written = await write();
        const seen = await second.read(subject.namespace, limits);
        expect(seen).toMatchObject(contentsOf(written));
      }
    });

    it('keeps namespaces apart, odd ones too', async () => {
      const namespaces = [
        '',
        ':',
        'a',
        'a:b',
        'a:rewt-secret',
        '*',
        'żółć 🔑',
        `{tag-${randomUUID()}}`,
        subject.namespace,
      ];
      const texts = namespaces.map((name) => ringText(name));
      for (const [n, name] of namespaces.entries()) {
        const from = await subject.store.read(name, limits);
        const wanted = wish(from, { key: `${secret}${n}`, text: texts[n] ?? '' });
        const limitsNow = { ...limits, notAfterMs: from.nowMs + 10_000 };
        expect((await subject.store.swap(name, from.version, wanted, limitsNow)).swapped).toBe(true);
      }
      for (const [n, name] of namespaces.entries()) {
        const seen = await subject.store.read(name, limits);
        expect(seen.key?.value).toBe(`${secret}${n}`);
        expect(seen.ring).toBe(texts[n]);
      }
    });
  });
}

function versionConformance(subject: Subject, traits: StoreTraits): void {
  const { read, swap, write, reach, operatorSet, operatorDelete } = subject;
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
}

function lateSwapConformance(subject: Subject, traits: StoreTraits): void {
  const { read, wish, send, write, reach, operatorSet } = subject;
  const itWithOperator = traits.operator ? it : unregistered;
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
      const answer = await subject.store.swap(subject.namespace, from.version, wish(from, { key: otherSecret }), {
        ...limits,
        notAfterMs,
      });
      expect(answer.swapped).toBe(false);
      for (const seen of [answer.snapshot, await read()]) {
        expect(seen).toMatchObject(contentsOf(from));
      }
    });
  });
}

function closingConformance(subject: Subject, traits: StoreTraits): void {
  const { read, swap } = subject;
  describe('closing', () => {
    it('may be done twice, and at once', async () => {
      await read();
      await Promise.all([subject.store.close(), subject.store.close()]);
      await subject.store.close();
    });

    it('may be done before the first use', async () => {
      await subject.store.close();
    });

    it('refuses every later call with a typed error', async () => {
      const from = await read();
      await subject.store.close();
      const calls: (Promise<unknown> | undefined)[] = [read(), swap(from)];
      if (traits.announces)
        calls.push(
          subject.store.announce?.(subject.namespace, 'a', 'x', limits),
          subject.store.announcements?.(subject.namespace, limits),
        );
      for (const call of calls) {
        const error = await call?.catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(StoreError);
        expect(error).toMatchObject({ code: 'ERR_REWT_STORE_CLOSED' });
      }
    });
  });
}

function unregistered(): void {}
