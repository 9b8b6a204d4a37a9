/** Announcements and push of the file store. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Rewt } from '../../../src/index.js';
import { fileStore } from '../../../src/stores/file.js';
import { type FileSystem, nodeFileSystem } from '../../../src/stores/files/system.js';
import {
  ANNOUNCEMENT_LIFE_MS,
  MAX_ANNOUNCEMENT_CHARACTERS,
  MAX_ANNOUNCEMENTS,
  type Store,
} from '../../../src/stores/store.js';
import { until } from '../../support/servers.js';
import { createFolder, errno, inside, limits, remove, storeOn, swapRing } from './folder.js';

let path: string;
let store: Store;
const stores: Store[] = [];
beforeEach(() => {
  path = createFolder();
  store = fileStore({ path });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all([store, ...stores.splice(0)].map((each) => each.close()));
  remove(path);
});

function another(changes: Partial<FileSystem> = {}, now?: () => number): Store {
  const made = storeOn(path, changes, now);
  stores.push(made);
  return made;
}

describe('announcements', () => {
  const announced = async (at = store) => (await at.announcements?.('rewt', limits)) ?? { count: -1, kept: [] };

  it('cost the same system calls, however many members there are', async () => {
    let calls = 0;
    const counted = <T>(result: T): T => {
      calls += 1;
      return result;
    };
    const busy = another({
      read: (...what) => counted(nodeFileSystem.read(...what)),
      open: (...what) => counted(nodeFileSystem.open(...what)),
      facts: (...what) => counted(nodeFileSystem.facts(...what)),
    });
    await busy.announce?.('rewt', 'first', 'x', limits);
    for (let n = 0; n < 20; n += 1) await store.announce?.('rewt', `${n}`, 'x', limits);
    const costOf = async (): Promise<number> => {
      calls = 0;
      await busy.announce?.('rewt', 'first', 'x', limits);
      return calls;
    };
    const few = await costOf();
    const file = readFileSync(inside(path, 'members', readdirSync(inside(path, 'members'))[0] ?? ''));
    for (let n = 0; n < 500; n += 1) writeFileSync(inside(path, 'members', `copy${n}`), file, { mode: 0o600 });
    expect(await costOf()).toBeLessThanOrEqual(few + 1);
    expect(few).toBeLessThan(15);
  });

  it('that ended are removed by those that follow, a few at a time', async () => {
    let nowMs = Date.now();
    const turned = another({}, () => nowMs);
    for (let n = 0; n < 30; n += 1) await turned.announce?.('rewt', `${n}`, 'x', limits);
    nowMs += ANNOUNCEMENT_LIFE_MS + 2_000;
    for (let n = 0; n < 100; n += 1) await turned.announce?.('rewt', 'last', 'x', limits);
    expect(readdirSync(inside(path, 'members'))).toHaveLength(1);
    expect(await announced(turned)).toMatchObject({ count: 1, kept: [{ id: 'last' }] });
  });

  it('are counted, also those that are more than are read', async () => {
    await store.announce?.('rewt', 'newest', 'x', { ...limits, keepMs: 2 * ANNOUNCEMENT_LIFE_MS });
    const { atMs } = (await announced()).kept[0] ?? { atMs: 0 };
    for (let n = 0; n < MAX_ANNOUNCEMENTS + 10; n += 1) {
      const text = JSON.stringify({ [`m${n}`]: { text: 'x', atMs: atMs - 1 } });
      writeFileSync(inside(path, 'members', `${n}`), text, { mode: 0o600 });
    }
    // Their mtime is the present: they end at this instant, unless the clock of the store is
    // behind.
    const found = await announced(another({}, () => atMs - 1_000));
    expect(found.count).toBe(MAX_ANNOUNCEMENTS + 11);
    expect(found.kept).toHaveLength(MAX_ANNOUNCEMENTS);
    expect(found.kept.at(-1)).toMatchObject({ id: 'newest' });
  }, 30_000);

  it('that no member wrote are left out', async () => {
    await store.announce?.('rewt', 'a', 'x'.repeat(10_000), limits);
    for (const [n, text] of ['', '{', '[]', '{"b":{"text":7,"atMs":1}}', 'x'.repeat(100_000)].entries()) {
      writeFileSync(inside(path, 'members', `${n}`), text, { mode: 0o600 });
    }
    mkdirSync(inside(path, 'members', 'folder'));
    const { count, kept } = await announced();
    expect({ count, ids: kept.map(({ id }) => id) }).toEqual({ count: 1, ids: ['a'] });
    expect(kept[0]?.text).toHaveLength(MAX_ANNOUNCEMENT_CHARACTERS);
  });

  it('make the folder, but no keyring', async () => {
    await store.announce?.('rewt', 'a', 'x', limits);
    expect((await store.read('rewt', limits)).ring).toBeNull();
    expect(existsSync(inside(path, 'birth'))).toBe(false);
    remove(path);
    await store.announce?.('rewt', 'a', 'y', limits);
    expect(await announced()).toMatchObject({ count: 1, kept: [{ text: 'y' }] });
  });
});

describe('push', () => {
  it('is on once the file system reports a change by this process; an idle member notices a revocation', async () => {
    const rewt = new Rewt({ store });
    expect(rewt.status().push.state).toBe('off');
    const token = await rewt.sign({ sub: 'a' });
    await until('push is on', async () => rewt.status().push.state === 'on');
    const other = new Rewt({ store: another() });
    await other.verify(token);
    await other.revoke();
    await until('the revocation is noticed', async () => rewt.status().keyring?.epoch === 1);
    await Promise.all([rewt.close(), other.close()]);
  });

  it('goes on after the folder was deleted or moved away', async () => {
    const rewt = new Rewt({ store });
    await rewt.sign({ sub: 'a' });
    await until('push is on', async () => rewt.status().push.state === 'on');
    const kidOf = () => rewt.status().keyring?.current.kid;
    for (let round = 0; round < 3; round += 1) {
      const before = kidOf();
      // Between the revocation and its write there is no kid, and a removal then is the loss of an
      // unused member's watch.
      remove(path);
      await until(
        'push is on again',
        async () => ![before, undefined].includes(kidOf()) && rewt.status().push.state === 'on',
      );
    }
    await rewt.close();
  });

  it('notices a folder that is deleted before it is watched', async () => {
    let isDeleted = false;
    const late = another({
      watch(...what) {
        if (!isDeleted) remove(path);
        isDeleted = true;
        return nodeFileSystem.watch(...what);
      },
    });
    const rewt = new Rewt({ store: late });
    await rewt.sign({ sub: 'a' });
    await until('there is a keyring again', async () => existsSync(path) && rewt.status().push.state === 'on');
    await rewt.close();
  });

  it('is off if the folder that it is tried out in is missing, and nothing is read for that', async () => {
    let reads = 0;
    await swapRing(store, 'ring');
    remove(inside(path, 'tmp'));
    await store.read('rewt', limits);
    const watch = store.watch?.('rewt', () => {
      reads += 1;
    });
    watch?.check();
    await until('it is off', async () => watch?.status().state === 'off');
    expect(watch?.status().reason).toContain('tmp');
    expect(reads).toBe(0);
    watch?.end();
  });

  it('ends with the last member that wants it', async () => {
    let open = 0;
    const watched = another({
      watch(...what) {
        open += 1;
        const watcher = nodeFileSystem.watch(...what);
        return {
          close() {
            open -= 1;
            watcher.close();
          },
        };
      },
    });
    const members = [new Rewt({ store: watched }), new Rewt({ store: watched })];
    for (const member of members) await member.sign({ sub: 'a' });
    expect(open).toBe(1);
    await members[0]?.close();
    expect(open).toBe(1);
    await members[1]?.close();
    expect(open).toBe(0);
  });

  it.for([
    ['EMFILE', 'max_user_instances'],
    ['ENOSPC', 'max_user_watches'],
    ['ENOSYS', 'ENOSYS'],
  ] as const)('is off if the system has no watch left, and says so: %s', async ([code, word]) => {
    const poor = another({
      watch() {
        throw errno(code, 'watch');
      },
    });
    const rewt = new Rewt({ store: poor });
    await rewt.sign({ sub: 'a' });
    expect(rewt.status().push).toMatchObject({ state: 'off', reason: expect.stringContaining(word) });
    await rewt.close();
  });

  it('is off if the watch fails later', async () => {
    let fail: (error: unknown) => void = () => {};
    const failing = another({
      watch(file, onEvent, onError) {
        fail = onError;
        return nodeFileSystem.watch(file, onEvent, onError);
      },
    });
    const rewt = new Rewt({ store: failing });
    await rewt.sign({ sub: 'a' });
    await until('push is on', async () => rewt.status().push.state === 'on');
    fail(errno('EMFILE', 'watch'));
    expect(rewt.status().push.state).toBe('off');
    await rewt.close();
  });

  it('is off on a file system that reports nothing', async () => {
    const silent = another({ watch: () => ({ close() {} }) });
    const rewt = new Rewt({ store: silent });
    await rewt.sign({ sub: 'a' });
    expect(rewt.status().push.state).toBe('connecting');
    const startMs = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => startMs + 1_500);
    expect(rewt.status().push).toMatchObject({ state: 'off', reason: expect.stringContaining('does not report') });
    await rewt.close();
  });

  it('is off if it is turned off, and with maxStaleness 0', async () => {
    for (const options of [{ push: false }, { maxStaleness: 0 }]) {
      const rewt = new Rewt({ store, ...options });
      await rewt.sign({ sub: 'a' });
      expect(rewt.status().push.state).toBe('off');
      await rewt.close();
    }
  });

  it('does not make members read for what members announce, or what they try out', async () => {
    let reports = 0;
    await swapRing(store, 'ring');
    const watch = store.watch?.('rewt', () => {
      reports += 1;
    });
    watch?.check();
    await until('push is on', async () => watch?.status().state === 'on');
    const before = reports;
    const other = another();
    for (let n = 0; n < 5; n += 1) await other.announce?.('rewt', `${n}`, 'x', limits);
    await nodeFileSystem.touch(inside(path, 'tmp'));
    await nodeFileSystem.touch(inside(path, 'birth'));
    await until('the change is reported', async () => reports > before);
    expect(reports).toBe(before + 1);
    watch?.end();
  });
});
