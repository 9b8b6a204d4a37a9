/**
 * What the file store answers when a folder or a disk does not do as it should: a typed error that
 * says what to do, and the keyring as it was.
 */

import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Rewt } from '../../../src/index.js';
import { fileStore } from '../../../src/stores/file.js';
import { nodeFileSystem } from '../../../src/stores/files/system.js';
import type { Store } from '../../../src/stores/store.js';
import {
  caught,
  DENIED,
  DOWN,
  errno,
  inside,
  limits,
  newestIn,
  remove,
  ringIn,
  storesInFolder,
  swapRing,
} from './folder.js';

const given = storesInFolder();
const { failing } = given;
let path: string;
let store: Store;
beforeEach(() => {
  ({ path, store } = given);
});

/** Moves the record away, and gives the name that it had. */
function moveRecord(): string {
  const record = newestIn(path);
  renameSync(record, inside(path, 'x'));
  return record;
}

function lmdbFolder(folder: string): void {
  mkdirSync(folder);
  writeFileSync(join(folder, 'data.mdb'), '');
}

describe('a folder', () => {
  it.for([
    ['is a file', () => writeFileSync(join(path, 'file'), ''), 'file'],
    ['lies below a file', () => writeFileSync(join(path, 'file'), ''), 'file/below'],
    ['lies in a folder that does not exist', () => {}, 'gone/keys'],
    ['was kept by LMDB', () => lmdbFolder(join(path, 'l')), 'l'],
  ] as const)('is a typed error that names it if it %s', async ([, arrange, name]) => {
    arrange();
    const folder = join(path, name);
    const broken = given.open(folder);
    const error = { ...DOWN, message: expect.stringContaining(folder) };
    expect(await caught(ringIn(broken))).toMatchObject(error);
    const swap = { key: null, ring: { text: 'ring', expiresAtMs: Date.now() + 60_000 } };
    const swapLimits = { ...limits, notAfterMs: Date.now() + 5_000 };
    expect(await caught(broken.swap('rewt', '', swap, swapLimits))).toMatchObject(error);
    expect(await caught(broken.announce?.('rewt', 'a', 'x', limits) ?? Promise.resolve())).toMatchObject(error);
  });

  it('that could not be used works as soon as it has been mended', async () => {
    const folder = join(path, 'above', 'keys');
    const mended = given.open(folder);
    await expect(ringIn(mended)).rejects.toMatchObject(DOWN);
    mkdirSync(join(path, 'above'));
    expect(await ringIn(mended)).toBeNull();
    expect((await swapRing(mended, 'ring')).swapped).toBe(true);
  });

  it('is a typed error, and no empty keyring, if the folder above it is gone', async () => {
    renameSync(path, `${path}-x`);
    mkdirSync(path);
    const below = given.open(join(path, 'a', 'b'));
    expect(await caught(ringIn(below))).toMatchObject(DOWN);
    remove(path);
    renameSync(`${path}-x`, path);
  });

  it.for([
    ['a folder in place of a record', () => mkdirSync(moveRecord())],
    ['a symbolic link in place of a record', () => symlinkSync(inside(path, 'x'), moveRecord())],
    ['a pipe in place of a record', () => execFileSync('mkfifo', ['-m', '600', moveRecord()])],
    ['a birth that is none', () => writeFileSync(inside(path, 'birth'), 'x')],
    ['an empty birth', () => writeFileSync(inside(path, 'birth'), '')],
  ] as const)('is a typed error that names it if it has %s', async ([, arrange]) => {
    arrange();
    expect(await caught(ringIn(failing({})))).toMatchObject({ ...DOWN, message: expect.stringContaining(path) });
  });

  it('is a typed error, and no empty keyring, if it is a link to a folder that is gone', async () => {
    const target = `${path}-target`;
    renameSync(path, target);
    symlinkSync(target, path);
    const other = failing({});
    expect(await ringIn(other)).toBe('before');
    renameSync(target, `${target}-away`);
    const refusal = { code: 'ERR_REWT_STORE_DOWN', message: expect.stringMatching(`${path} is a link.*not mounted`) };
    for (const one of [other, failing({})]) {
      expect(await caught(ringIn(one))).toMatchObject(refusal);
      expect(await caught(swapRing(one, 'after'))).toMatchObject(refusal);
    }
    renameSync(`${target}-away`, target);
    expect(await ringIn(other)).toBe('before');
    remove(target);
  });

  it('is a typed error if a record has the last number, which the next swap could not follow', async () => {
    const record = newestIn(path);
    const last = record.replace(/\d{12}$/, '9'.repeat(12));
    copyFileSync(record, last);
    const other = failing({});
    const refusal = {
      code: 'ERR_REWT_STORE_DOWN',
      message: expect.stringMatching(`^${last} .* Restore ${inside(path)}, or`),
    };
    expect(await caught(swapRing(other, 'after'))).toMatchObject(refusal);
    expect(await caught(ringIn(other))).toMatchObject(refusal);
    // A member that holds the record before may write one more.
    await caught(swapRing(store, 'after'));
    expect(await caught(swapRing(store, 'after that'))).toMatchObject(refusal);
    rmSync(last);
    expect(await swapRing(other, 'mended')).toMatchObject({ swapped: true });
  });

  it('refuses a swap if it has a file in place of the folder of drafts', async () => {
    remove(inside(path, 'tmp'));
    writeFileSync(inside(path, 'tmp'), '');
    expect(await caught(swapRing(store, 'next'))).toMatchObject({ ...DOWN, message: expect.stringContaining(path) });
    expect(await ringIn(store)).toBe('before');
    remove(inside(path, 'tmp'));
    expect((await swapRing(store, 'next')).swapped).toBe(true);
  });
});

describe('a system call that fails', () => {
  it.for([
    ['ENOSPC', 'create', 'ERR_REWT_STORE_FULL'],
    ['ENOSPC', 'write', 'ERR_REWT_STORE_FULL'],
    ['EDQUOT', 'write', 'ERR_REWT_STORE_FULL'],
    ['EFBIG', 'write', 'ERR_REWT_STORE_FULL'],
    ['ENOSPC', 'sync', 'ERR_REWT_STORE_FULL'],
    ['ENOSPC', 'link', 'ERR_REWT_STORE_FULL'],
    ['EROFS', 'create', 'ERR_REWT_STORE_READ_ONLY'],
    ['EACCES', 'create', 'ERR_REWT_STORE_DENIED'],
    ['EMFILE', 'create', 'ERR_REWT_STORE_DOWN'],
    ['EIO', 'sync', 'ERR_REWT_STORE_DOWN'],
    ['EMLINK', 'link', 'ERR_REWT_STORE_DOWN'],
    ['ENOTSUP', 'link', 'ERR_REWT_STORE_DOWN'],
    ['EXOTIC', 'write', 'ERR_REWT_STORE_DOWN'],
  ] as const)(
    'is its error, and nothing has happened, if no record is linked yet: %s of %s',
    async ([code, call, expected]) => {
      const other = failing({ [call]: () => Promise.reject(errno(code, call)) });
      const error = await caught(swapRing(other, 'next'));
      expect(error).toMatchObject({ name: 'StoreError', code: expected, cause: { code, syscall: call } });
      expect(error).toMatchObject({ message: expect.stringContaining(path) });
      expect(error).toMatchObject({ message: expect.not.stringContaining('may or may not') });
      expect(await ringIn(other)).toBe('before');
      expect(readdirSync(inside(path, 'tmp'))).toEqual([]);
      expect((await swapRing(store, 'next')).swapped).toBe(true);
    },
  );

  it.for(['syncFolder', 'unlink', 'list', 'open', 'factsOfTarget'] as const)(
    'is "may or may not have happened", whatever it is, if a record was linked: %s',
    async (call) => {
      let isLinked = false;
      const real = nodeFileSystem[call] as (name: string) => Promise<never>;
      const other = failing({
        async link(from, to) {
          await nodeFileSystem.link(from, to);
          isLinked = true;
        },
        [call]: (file: string) => (isLinked ? Promise.reject(errno('ENOSPC', call)) : real(file)),
      });
      const error = await caught(swapRing(other, 'next'));
      expect(error).toMatchObject({ ...DOWN, message: expect.stringContaining('may or may not have happened') });
      expect(await ringIn(store)).toBe('next');
    },
  );

  it.for(['EIO', 'ETIMEDOUT'] as const)(
    'may have linked the record if it is link, and its code does not say: %s',
    async (code) => {
      const other = failing({
        async link(from, to) {
          await nodeFileSystem.link(from, to);
          throw errno(code, 'link');
        },
      });
      const error = await caught(swapRing(other, 'next'));
      expect(error).toMatchObject({ ...DOWN, message: expect.stringContaining('may or may not have happened') });
      expect(await ringIn(store)).toBe('next');
    },
  );

  it('is typed if it reads, and no older record takes the place of the one that cannot be read', async () => {
    await swapRing(store, 'after');
    for (const call of ['open', 'read', 'list', 'factsOfOpen', 'facts', 'factsOfTarget'] as const) {
      const other = failing({ [call]: () => Promise.reject(errno('EIO', call)) });
      expect(await caught(ringIn(other))).toMatchObject({ ...DOWN, cause: { code: 'EIO', syscall: call } });
    }
    const gone = newestIn(path);
    const real = nodeFileSystem.open;
    const unreadable = failing({
      open: (file) => (file === gone ? Promise.reject(errno('EACCES', 'open')) : real(file)),
    });
    expect(await caught(ringIn(unreadable))).toMatchObject(DENIED);
  });

  it('is not seen by the caller if it only tidies up', async () => {
    let isLinked = false;
    const other = failing({
      async link(from, to) {
        await nodeFileSystem.link(from, to);
        isLinked = true;
      },
      facts: (file) =>
        isLinked && file.endsWith('/tmp/left') ? Promise.reject(errno('EIO', 'lstat')) : nodeFileSystem.facts(file),
    });
    writeFileSync(inside(path, 'tmp', 'left'), '');
    expect((await swapRing(other, 'next')).swapped).toBe(true);
  });

  it('is a timeout if it comes too late, which says that the change may have happened', async () => {
    const { version, nowMs } = await store.read('rewt', limits);
    const wanted = { key: null, ring: { text: 'next', expiresAtMs: nowMs + 60_000 } };
    const asleep = failing({ link: () => new Promise(() => {}), list: () => new Promise(() => {}) });
    const shortly = { timeoutMs: 20, notAfterMs: nowMs + 60_000 };
    const timeout = { name: 'StoreError', code: 'ERR_REWT_STORE_TIMEOUT' };
    expect(await caught(asleep.read('rewt', shortly))).toMatchObject({
      ...timeout,
      message: expect.not.stringContaining('may or may not'),
    });
    const slow = failing({ link: () => new Promise(() => {}) });
    const error = await caught(slow.swap('rewt', version, wanted, shortly));
    expect(error).toMatchObject({ ...timeout, message: expect.stringContaining('may or may not have happened') });
  }, 10_000);
});

describe('a folder that is deleted amid a swap', () => {
  it.for([
    ['before its draft is made', 'create'],
    ['before it is linked', 'link'],
  ] as const)('%s loses it: nothing has happened', async ([, call]) => {
    const real = nodeFileSystem[call] as (...names: string[]) => Promise<never>;
    let isDeleted = false;
    const other = failing({
      [call]: async (...names: string[]) => {
        if (!isDeleted) remove(path);
        isDeleted = true;
        return real(...names);
      },
    });
    expect(await swapRing(other, 'next')).toMatchObject({ swapped: false, snapshot: { ring: null } });
    expect(existsSync(path)).toBe(false);
  });

  it('is never brought back if another made it again: the swap may or may not have happened', async () => {
    const other = failing({
      async link(from, to) {
        // What a copy of the folder would still have: its drafts.
        const draft = readFileSync(from);
        remove(path);
        await swapRing(fileStore({ path }), 'fresh');
        writeFileSync(from, draft, { mode: 0o600 });
        await nodeFileSystem.link(from, to);
      },
    });
    const error = await caught(swapRing(other, 'old'));
    expect(error).toMatchObject({ ...DOWN, message: expect.stringContaining('may or may not have happened') });
    expect(await ringIn(failing({}))).toBe('fresh');
  });
});

it('a member reads that its ring is damaged, and revoke() can replace it', async () => {
  await store.close();
  remove(path);
  mkdirSync(path, { mode: 0o700 });
  store = given.open();
  const rewt = new Rewt({ store });
  const token = await rewt.sign({ sub: 'a' });
  const record = newestIn(path);
  writeFileSync(record, readFileSync(record).subarray(0, 100));
  const other = new Rewt({ store: failing({}) });
  expect(await caught(other.verify(token))).toMatchObject({ code: 'ERR_REWT_RING_UNREADABLE' });
  await other.revoke({ replace: 'unreadable' });
  expect(await other.verify(await other.sign({ sub: 'b' }))).toMatchObject({ sub: 'b' });
  expect(await caught(other.verify(token))).toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  await Promise.all([rewt.close(), other.close()]);
});
