/**
 * The file store: the suite of all stores, and what only a store of files can get wrong in one
 * process.
 */

import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OptionError } from '../../../src/errors.js';
import { Rewt } from '../../../src/rewt.js';
import { fileStore } from '../../../src/stores/file.js';
import { fileStoreOn } from '../../../src/stores/files/file-store.js';
import { formatRecord } from '../../../src/stores/files/records.js';
import { nodeFileSystem } from '../../../src/stores/files/system.js';
import type { StoreRecord } from '../../../src/stores/record.js';
import type { Store } from '../../../src/stores/store.js';
import { storeConformance } from '../../conformance/store.js';
import {
  createFolder,
  inside,
  limits,
  newestIn,
  recordsIn,
  remove,
  rewrite,
  ringIn,
  storeOn,
  swapRing,
} from './folder.js';

storeConformance('the file store', async () => {
  let nowMs = 1_700_000_000_000;
  const path = createFolder();
  const stores: Store[] = [];
  const create = (): Store => {
    const store = fileStore({ path, now: () => nowMs });
    stores.push(store);
    return store;
  };
  const setKey = (namespace: string, key: StoreRecord['key']): Promise<void> =>
    rewrite(path, namespace, ({ ring }, parent) => formatRecord(nodeFileSystem.randomName(12), parent, { key, ring }));
  return {
    store: create(),
    async dispose() {
      await Promise.all(stores.map((store) => store.close()));
      remove(path);
    },
    advanceMs: (ms) => {
      nowMs += ms;
    },
    second: async () => create(),
    operatorSet: (namespace, value, ttlMs) =>
      setKey(namespace, { value, expiresAtMs: ttlMs === null ? null : nowMs + ttlMs }),
    operatorDelete: (namespace) => setKey(namespace, null),
  };
});

describe('the file store', () => {
  let path: string;
  let store: Store;
  beforeEach(() => {
    path = createFolder();
    store = fileStore({ path });
  });
  afterEach(async () => {
    await store.close();
    remove(path);
  });

  it('makes nothing by looking', async () => {
    const folder = join(path, 'later');
    const later = fileStore({ path: folder });
    expect(existsSync(folder)).toBe(false);
    expect(await ringIn(later)).toBeNull();
    expect(await later.announcements?.('rewt', limits)).toMatchObject({ count: 0 });
    await later.announce?.('rewt', 'a', null, limits);
    expect(later.isUnchanged?.('rewt', '')).toBe(false);
    await later.close();
    expect(existsSync(folder)).toBe(false);
  });

  it('keeps all files for their owner alone, whatever the umask says', async () => {
    const folder = join(path, 'keys.d');
    const umask = process.umask(0);
    try {
      const made = fileStore({ path: folder });
      await swapRing(made, 'ring');
      await made.announce?.('rewt', 'a', 'x', limits);
      await made.close();
    } finally {
      process.umask(umask);
    }
    const modeOf = (name: string) => statSync(name).mode & 0o777;
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
    expect(names.length).toBeGreaterThan(6);
    for (const name of [folder, ...names]) expect(modeOf(name)).toBe(statSync(name).isDirectory() ? 0o700 : 0o600);
  });

  it('takes namespaces that no file can be named by, and that differ in case only', async () => {
    const names = ['a', 'A', '.', '..', '/etc', 'x\0y', 'ü'.repeat(5_000), 'e\u0301', '\u00e9', 'con'];
    for (const name of names) await swapRing(store, `ring of ${name}`, name);
    for (const name of names) expect(await ringIn(store, name)).toBe(`ring of ${name}`);
    expect(readdirSync(path)).toHaveLength(names.length);
    expect(readFileSync(inside(path, '..', readdirSync(path)[0] ?? '', 'namespace'), 'utf8')).toBeTypeOf('string');
  });

  it('leaves two records and no draft, with more only for a minute', async () => {
    let minutes = 0;
    const linkedAt = new Map<string, number>();
    const slow = storeOn(path, {
      async link(from, to) {
        await nodeFileSystem.link(from, to);
        linkedAt.set(to, minutes * 61_000);
      },
      async facts(name) {
        const facts = await nodeFileSystem.facts(name);
        return facts && { ...facts, changedMs: linkedAt.get(name) ?? facts.changedMs };
      },
    });
    for (let n = 1; n <= 4; n += 1) await swapRing(slow, `ring ${n}`);
    expect(recordsIn(path)).toHaveLength(4);
    for (let n = 5; n <= 8; n += 1) {
      minutes += 1;
      await swapRing(slow, `ring ${n}`);
    }
    // The one before the last two goes once the newest is a minute old.
    expect(recordsIn(path).map((name) => Number(name.slice(-12)))).toEqual([6, 7, 8]);
    expect(readdirSync(inside(path, 'tmp'))).toEqual([]);
    await slow.close();
  });

  it('removes no record above one that it could not remove', async () => {
    const far = new Map<string, number>();
    const stuck = storeOn(path, {
      async unlink(name) {
        if (/ring\..*1$/.test(name)) throw Object.assign(new Error(), { code: 'EBUSY' });
        await nodeFileSystem.unlink(name);
      },
      async facts(name) {
        const facts = await nodeFileSystem.facts(name);
        if (facts !== null && !far.has(name)) far.set(name, far.size * 61_000);
        return facts && { ...facts, changedMs: far.get(name) ?? 0 };
      },
    });
    for (let n = 1; n <= 6; n += 1) expect((await swapRing(stuck, `ring ${n}`)).swapped).toBe(true);
    expect(recordsIn(path)).toHaveLength(6);
    await stuck.close();
  });

  it('removes what writers left under tmp once it is a minute old, and nothing else', async () => {
    await swapRing(store, 'one');
    for (const name of ['old', 'young']) writeFileSync(inside(path, 'tmp', name), 'draft', { mode: 0o600 });
    mkdirSync(inside(path, 'tmp', 'folder'));
    const later = storeOn(path, {
      async facts(name) {
        const facts = await nodeFileSystem.facts(name);
        return facts && { ...facts, changedMs: facts.changedMs - (name.endsWith('old') ? 120_000 : 0) };
      },
    });
    await swapRing(later, 'two');
    expect(readdirSync(inside(path, 'tmp')).sort()).toEqual(['folder', 'young'].sort());
    await later.close();
  });

  describe('a folder that is changed under way', () => {
    it('is an empty keyring once it is deleted, and is made again', async () => {
      await swapRing(store, 'before');
      const { version } = await store.read('rewt', limits);
      remove(inside(path));
      expect(store.isUnchanged?.('rewt', version)).toBe(false);
      expect(await ringIn(store)).toBeNull();
      await swapRing(store, 'after');
      remove(path);
      expect(await ringIn(store)).toBeNull();
      expect((await swapRing(store, 'again')).swapped).toBe(true);
      expect(await ringIn(store)).toBe('again');
    });

    it('is an empty keyring once it is moved away, and the old one when it is back', async () => {
      await swapRing(store, 'before');
      renameSync(path, `${path}-moved`);
      expect(await ringIn(store)).toBeNull();
      renameSync(`${path}-moved`, path);
      expect(await ringIn(store)).toBe('before');
    });

    it('is unchanged by a backup of hard links, which is a keyring too', async () => {
      await swapRing(store, 'one');
      const { version } = await store.read('rewt', limits);
      const backup = `${path}-backup`;
      for (const name of readdirSync(inside(path))) {
        mkdirSync(inside(backup), { recursive: true, mode: 0o700 });
        if (statSync(inside(path, name)).isFile()) linkSync(inside(path, name), inside(backup, name));
      }
      expect(store.isUnchanged?.('rewt', version)).toBe(true);
      await swapRing(store, 'two');
      const copy = fileStore({ path: backup });
      expect(await ringIn(copy)).toBe('one');
      expect((await swapRing(copy, 'three')).swapped).toBe(true);
      expect(await ringIn(store)).toBe('two');
      await copy.close();
      remove(backup);
    });

    it('is refused under the name of another namespace', async () => {
      await swapRing(store, 'ring');
      const names = readdirSync(path);
      await swapRing(store, 'other', 'other');
      const other = readdirSync(path).find((name) => !names.includes(name)) ?? '';
      remove(inside(path));
      cpSync(join(path, other), inside(path), { recursive: true });
      await expect(ringIn(store)).rejects.toMatchObject({
        code: 'ERR_REWT_STORE_DOWN',
        message: expect.stringContaining('namespace'),
      });
      expect(await ringIn(store, 'other')).toBe('other');
    });

    it('is read without the file that names it, which the next swap writes', async () => {
      await swapRing(store, 'ring');
      remove(inside(path, 'namespace'));
      const other = storeOn(path);
      expect(await ringIn(other)).toBe('ring');
      expect(readdirSync(inside(path))).not.toContain('namespace');
      expect((await swapRing(other, 'next')).swapped).toBe(true);
      expect(readFileSync(inside(path, 'namespace'), 'utf8')).toBe('rewt');
      expect(readdirSync(inside(path, 'tmp'))).toEqual([]);
      expect(await ringIn(store)).toBe('next');
      await other.close();
    });

    it('takes no foreign file for a record', async () => {
      await swapRing(store, 'ring');
      const birth = readFileSync(inside(path, 'birth'), 'utf8');
      const foreign = [
        `ring.${birth}.9`,
        `ring.${birth}.000000000009.bak`,
        `ring.${'f'.repeat(32)}.000000000009`,
        '.DS_Store',
      ];
      for (const name of foreign) writeFileSync(inside(path, name), 'foreign');
      expect(await ringIn(fileStore({ path }))).toBe('ring');
      expect((await swapRing(store, 'next')).swapped).toBe(true);
      expect(await ringIn(fileStore({ path }))).toBe('next');
    });
  });

  describe('a record that is damaged', () => {
    it.for(['', '{"v":1,"op":"x"', '[]', 'null', '{"v":1,"op":7,"parent":null,"key":null,"ring":null}', '\u0000'])(
      'is a ring that cannot be read, and never the one before: %j',
      async (text) => {
        await swapRing(store, 'before');
        await swapRing(store, 'damaged next');
        writeFileSync(newestIn(path), text);
        const fresh = storeOn(path);
        expect(await fresh.read('rewt', limits)).toMatchObject({ key: null, ring: text });
        expect((await swapRing(fresh, 'mended')).swapped).toBe(true);
        expect(await ringIn(fresh)).toBe('mended');
        await fresh.close();
      },
    );
  });

  describe('descriptors', () => {
    const openFiles = (): number => readdirSync('/dev/fd').length;

    it('are one for each folder, however many stores there are, and none after the last is closed', async () => {
      await swapRing(store, 'ring');
      const before = openFiles();
      const stores = Array.from({ length: 20 }, () => fileStore({ path }));
      for (const each of stores) expect(await ringIn(each)).toBe('ring');
      expect(openFiles()).toBe(before);
      for (const each of stores) await swapRing(each, 'ring');
      await Promise.all(stores.map((each) => ringIn(each)));
      expect(openFiles()).toBe(before);
      await Promise.all([store, ...stores].map((each) => each.close()));
      expect(openFiles()).toBe(before - 1);
    });

    it('are left by none of 500 stores and their watches, each on a separate folder', async () => {
      // The first watch of a process opens the one descriptor that Node keeps for all of them.
      for (let n = 0, before = 0; n <= 500; n += 1) {
        if (n === 1) before = openFiles();
        const each = fileStore({ path: join(path, `${n % 50}`) });
        await swapRing(each, `${n}`);
        const watch = each.watch?.('rewt', () => {});
        watch?.check();
        if (n % 2) watch?.end();
        await each.close();
        if (n === 500) expect(openFiles()).toBe(before);
      }
    });

    it('are closed by calls that were under way when their store was closed', async () => {
      await swapRing(store, 'ring');
      await store.close();
      const before = openFiles();
      const other = fileStore({ path });
      const reads = Array.from({ length: 10 }, () => ringIn(other));
      await other.close();
      expect(await Promise.all(reads)).toEqual(reads.map(() => 'ring'));
      expect(openFiles()).toBe(before);
    });
  });

  it('refuses a namespace that is no text, since two of them would share a folder', async () => {
    const rewt = new Rewt({ store, redisNamespace: 'a\ud800' });
    await expect(rewt.sign({})).rejects.toMatchObject({
      code: 'ERR_REWT_OPTION',
      option: 'redisNamespace',
      message: expect.stringContaining('half a surrogate pair'),
    });
  });

  it('asks for a folder in a sentence if none is given', () => {
    for (const wrong of [{ path: '' }, { path: 'a\0b' }, { path: 7 as unknown as string }]) {
      expect(() => fileStore(wrong)).toThrow(OptionError);
    }
  });

  it('runs on Linux and macOS only', () => {
    expect(() => fileStoreOn(nodeFileSystem, 'win32', { path })).toThrow(OptionError);
    expect(() => fileStoreOn(nodeFileSystem, 'darwin', { path })).not.toThrow();
  });
});
