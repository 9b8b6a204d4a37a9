/**
 * The quick look of the file store: when it may go by what it saw a moment ago, and what it never
 * misses.
 */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileStoreOn } from '../../../src/stores/files/file-store.js';
import { type FileSystem, nodeFileSystem } from '../../../src/stores/files/system.js';
import type { Store } from '../../../src/stores/store.js';
import { createFolder, inside, limits, newestIn, remove, ringIn, storeOn, swapRing } from './folder.js';

let path: string;
let nowMs: number;
/** System calls of the quick look. */
let calls: string[];
let system: FileSystem;
let store: Store;
let other: Store;

beforeEach(async () => {
  path = createFolder();
  nowMs = 1_700_000_000_000;
  calls = [];
  system = {
    ...nodeFileSystem,
    identitySync(name) {
      calls.push(name);
      return nodeFileSystem.identitySync(name);
    },
  };
  store = open();
  other = storeOn(path, {}, () => nowMs);
  await swapRing(store, 'one');
});
afterEach(async () => {
  await Promise.all([store.close(), other.close()]);
  remove(path);
});

/** Another store of the same process. */
const open = (): Store => fileStoreOn(system, 'linux', { path, now: () => nowMs });
const look = (version: string, at = store): boolean => at.isUnchanged?.('rewt', version) ?? false;
const versionNow = async (): Promise<string> => (await store.read('rewt', limits)).version;
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** How many system calls a look costs. */
function costOf(version: string, at = store): number {
  const before = calls.length;
  expect(look(version, at)).toBe(true);
  return calls.length - before;
}

/** A busy machine may take a millisecond between two lines: then the measurement is made again. */
async function measured(measure: () => Promise<number[]>, expected: number[]): Promise<void> {
  let costs: number[] = [];
  for (let attempt = 0; attempt < 50; attempt += 1) {
    await nextTurn();
    costs = await measure();
    if (String(costs) === String(expected)) break;
  }
  expect(costs).toEqual(expected);
}

describe('a look', () => {
  it('is two system calls: first the next generation, then the one that is held', async () => {
    const version = await versionNow();
    await nextTurn();
    calls.length = 0;
    expect(look(version)).toBe(true);
    const held = newestIn(path);
    expect(calls).toEqual([held.replace(/1$/, '2'), held]);
  });

  it('is cached within a turn of the event loop, across awaits, by all stores of the process', async () => {
    const version = await versionNow();
    const second = open();
    await ringIn(second);
    await measured(async () => {
      const first = costOf(version);
      await null;
      return [first, costOf(version), costOf(version, second)];
    }, [2, 0, 0]);
    await second.close();
  });

  it('is made again in the next turn', async () => {
    const version = await versionNow();
    await nextTurn();
    for (let turn = 0; turn < 5; turn += 1) {
      expect(costOf(version)).toBe(2);
      await nextTurn();
    }
  });

  it('is made again in the next turn, also if another folder was looked at in that one before', async () => {
    await swapRing(store, 'other', 'other');
    const others = (await store.read('other', limits)).version;
    const version = await versionNow();
    const measure = async (): Promise<number[]> => {
      const first = costOf(version);
      await nextTurn();
      const before = calls.length;
      expect(store.isUnchanged?.('other', others)).toBe(true);
      return [first, calls.length - before, costOf(version)];
    };
    // Repeated, because a look that is a millisecond old is made again anyway.
    for (let attempt = 0; attempt < 50; attempt += 1) {
      await nextTurn();
      expect(await measure()).toEqual([2, 2, 2]);
    }
  });

  it('is made again after a millisecond, in the same turn too', async () => {
    const version = await versionNow();
    await nextTurn();
    expect(costOf(version)).toBe(2);
    const untilMs = performance.now() + 1.1;
    while (performance.now() < untilMs) await null;
    expect(costOf(version)).toBe(2);
  });

  it('is made again after a write of any store of this process', async () => {
    const second = open();
    const version = await versionNow();
    expect(look(version)).toBe(true);
    await swapRing(second, 'two');
    expect(look(version)).toBe(false);
    expect(look(await versionNow())).toBe(true);
    await second.close();
  });

  it('is not remembered while a write is under way', async () => {
    let isLinking = false;
    let finish: (() => void) | undefined;
    system = {
      ...system,
      async link(from, to) {
        if (to.includes('/ring.')) {
          isLinking = true;
          await new Promise<void>((resolve) => {
            finish = resolve;
          });
        }
        await nodeFileSystem.link(from, to);
      },
    };
    const writer = open();
    const { version } = await writer.read('rewt', limits);
    const writing = swapRing(writer, 'two');
    while (!isLinking) await nextTurn();
    expect([costOf(version, writer), costOf(version, writer)]).toEqual([2, 2]);
    finish?.();
    expect((await writing).swapped).toBe(true);
    expect(look(version, writer)).toBe(false);
    await writer.close();
  });

  it('sees what another process wrote, deleted or put in place, in the next turn', async () => {
    let version = await versionNow();
    expect(look(version)).toBe(true);
    await swapRing(other, 'two');
    await nextTurn();
    expect(look(version)).toBe(false);
    version = await versionNow();
    expect(look(version)).toBe(true);
    remove(inside(path));
    await nextTurn();
    expect(look(version)).toBe(false);
    expect(await ringIn(store)).toBeNull();
  });

  it('sees an entry end by the clock of the store, with no write and within a turn', async () => {
    const { version, nowMs: startMs } = await store.read('rewt', limits);
    const key = { value: 'secret', expiresAtMs: startMs + 50 };
    const ring = { text: 'two', expiresAtMs: startMs + 90 };
    const swapped = await store.swap('rewt', version, { key, ring }, { ...limits, notAfterMs: startMs + 10 });
    const both = swapped.snapshot.version;
    expect(look(both)).toBe(true);
    nowMs += 49;
    expect(look(both)).toBe(true);
    nowMs += 1;
    expect(look(both)).toBe(false);
    const withoutKey = await versionNow();
    expect(look(withoutKey)).toBe(true);
    nowMs += 40;
    expect(look(withoutKey)).toBe(false);
    // A clock that is set back makes entries live again.
    nowMs -= 30;
    expect(look(withoutKey)).toBe(true);
    nowMs -= 30;
    expect(look(both)).toBe(true);
  });

  it('is false for another version, before the first read, after close(), and if the system refuses it', async () => {
    const version = await versionNow();
    expect(look('another')).toBe(false);
    const second = storeOn(path, {}, () => nowMs);
    expect(look(version, second)).toBe(false);
    await ringIn(second);
    await second.close();
    expect(look(version, second)).toBe(false);
    const refuse = {
      identitySync: () => {
        throw Object.assign(new Error(), { code: 'EACCES' });
      },
    };
    const refused = storeOn(path, refuse, () => nowMs);
    expect(await ringIn(refused)).toBe('one');
    expect(look(version, refused)).toBe(false);
    await refused.close();
  });

  it('is false if another file has taken the place of the record', async () => {
    const version = await versionNow();
    const identitySync: FileSystem['identitySync'] = (name) => (name.endsWith('1') ? { device: 1n, inode: 1n } : null);
    const swapped = storeOn(path, { identitySync }, () => nowMs);
    await ringIn(swapped);
    expect(look(version, swapped)).toBe(false);
    await swapped.close();
  });
});

it('a read always looks, also right after a look', async () => {
  const version = await versionNow();
  expect(look(version)).toBe(true);
  const before = calls.length;
  await ringIn(store);
  await ringIn(store);
  expect(calls.length - before).toBe(4);
});
