/** What the file store answers when a folder or a disk does not do as it should: a typed error that says what to do, and the keyring as it was. */

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Rewt } from '../../src/index.js';
import { fileStore } from '../../src/stores/file.js';
import { type FileSystem, nodeFileSystem } from '../../src/stores/file-system.js';
import type { Store } from '../../src/stores/store.js';
import {
  caught,
  createFolder,
  errno,
  inside,
  limits,
  newestIn,
  remove,
  ringIn,
  storeOn,
  swapRing,
} from './file-folder.js';

let path: string;
let store: Store;
const stores: Store[] = [];
beforeEach(async () => {
  path = createFolder();
  store = fileStore({ path });
  await swapRing(store, 'before');
});
afterEach(async () => {
  await Promise.all([store, ...stores.splice(0)].map((each) => each.close()));
  remove(path);
});

/** A store of another process, some of whose system calls fail or lie. */
function failing(changes: Partial<FileSystem>): Store {
  const made = storeOn(path, changes);
  stores.push(made);
  return made;
}

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

const down = { name: 'StoreError', code: 'ERR_REWT_STORE_DOWN' };
const denied = { name: 'StoreError', code: 'ERR_REWT_STORE_DENIED' };

describe('a folder that cannot be used is a typed error that names it', () => {
  it.for([
    ['is a file', () => writeFileSync(join(path, 'file'), ''), 'file'],
    ['lies below a file', () => writeFileSync(join(path, 'file'), ''), 'file/below'],
    ['lies in a folder that does not exist', () => {}, 'gone/keys'],
    ['was kept by LMDB', () => lmdbFolder(join(path, 'l')), 'l'],
  ] as const)('if it %s', async ([, arrange, name]) => {
    arrange();
    const folder = join(path, name);
    const broken = fileStore({ path: folder });
    stores.push(broken);
    const error = { ...down, message: expect.stringContaining(folder) };
    expect(await caught(ringIn(broken))).toMatchObject(error);
    const swap = { key: null, ring: { text: 'ring', expiresAtMs: Date.now() + 60_000 } };
    const swapLimits = { ...limits, notAfterMs: Date.now() + 5_000 };
    expect(await caught(broken.swap('rewt', '', swap, swapLimits))).toMatchObject(error);
    expect(await caught(broken.announce?.('rewt', 'a', 'x', limits) ?? Promise.resolve())).toMatchObject(error);
  });

  it('but works as soon as it has been mended', async () => {
    const folder = join(path, 'above', 'keys');
    const mended = fileStore({ path: folder });
    stores.push(mended);
    await expect(ringIn(mended)).rejects.toThrow('does not exist');
    mkdirSync(join(path, 'above'));
    expect(await ringIn(mended)).toBeNull();
    expect((await swapRing(mended, 'ring')).swapped).toBe(true);
  });

  it('if the folder above it is gone, and not an empty keyring', async () => {
    renameSync(path, `${path}-x`);
    mkdirSync(path);
    const below = fileStore({ path: join(path, 'a', 'b') });
    stores.push(below);
    expect(await caught(ringIn(below))).toMatchObject(down);
    remove(path);
    renameSync(`${path}-x`, path);
  });

  it.for([
    ['a folder in place of a record', () => mkdirSync(moveRecord())],
    ['a symbolic link in place of a record', () => symlinkSync(inside(path, 'x'), moveRecord())],
    ['a pipe in place of a record', () => execFileSync('mkfifo', ['-m', '600', moveRecord()])],
    ['a birth that is none', () => writeFileSync(inside(path, 'birth'), 'x')],
    ['an empty birth', () => writeFileSync(inside(path, 'birth'), '')],
  ] as const)('if it has %s', async ([, arrange]) => {
    arrange();
    expect(await caught(ringIn(failing({})))).toMatchObject({ ...down, message: expect.stringContaining(path) });
  });

  it('if it is a link to a folder that is gone, and not an empty keyring', async () => {
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

  it('if a record has the last number, which the next swap could not follow', async () => {
    const record = newestIn(path);
    const last = record.replace(/\d{12}$/, '9'.repeat(12));
    copyFileSync(record, last);
    const other = failing({});
    const refusal = { code: 'ERR_REWT_STORE_DOWN', message: expect.stringMatching(`is damaged: ${last}`) };
    expect(await caught(swapRing(other, 'after'))).toMatchObject(refusal);
    expect(await caught(ringIn(other))).toMatchObject(refusal);
    // A member that holds the record before may write one more.
    await caught(swapRing(store, 'after'));
    expect(await caught(swapRing(store, 'after that'))).toMatchObject(refusal);
    rmSync(last);
    expect(await swapRing(other, 'mended')).toMatchObject({ swapped: true });
  });

  it('if it has a file in place of the folder of drafts', async () => {
    remove(inside(path, 'tmp'));
    writeFileSync(inside(path, 'tmp'), '');
    expect(await caught(swapRing(store, 'next'))).toMatchObject({ ...down, message: expect.stringContaining(path) });
    expect(await ringIn(store)).toBe('before');
    remove(inside(path, 'tmp'));
    expect((await swapRing(store, 'next')).swapped).toBe(true);
  });
});

describe('permissions', () => {
  it.for([
    ['the path', () => path],
    ['the folder of the namespace', () => inside(path)],
    ['the birth', () => inside(path, 'birth')],
    ['a record', () => newestIn(path)],
  ] as const)('that let others write to %s are refused, and name what to run', async ([, file]) => {
    chmodSync(file(), 0o720);
    const message = expect.stringContaining(`chmod go-w ${file()}`);
    expect(await caught(ringIn(failing({})))).toMatchObject({ ...denied, message });
    chmodSync(file(), 0o700);
    expect(await ringIn(failing({}))).toBe('before');
  });

  it('name a path with spaces and quotes as one argument of the shell', async () => {
    const folder = join(path, "it's mine");
    mkdirSync(folder);
    chmodSync(folder, 0o720);
    const theirs = fileStore({ path: folder });
    stores.push(theirs);
    const message = expect.stringContaining(`chmod go-w '${path}/it'\\''s mine'`);
    expect(await caught(ringIn(theirs))).toMatchObject({ ...denied, message });
  });

  it('of others to read are not the business of the store', async () => {
    chmodSync(path, 0o755);
    chmodSync(newestIn(path), 0o644);
    expect(await ringIn(failing({}))).toBe('before');
  });

  it('refuse a user who is not the owner, before anything is written, with what to run', async () => {
    const me = nodeFileSystem.userName(nodeFileSystem.userId()) ?? '';
    const other = failing({ userId: () => 4_242 });
    const before = readdirSync(path, { recursive: true }).sort();
    const message = expect.stringContaining(`sudo -u ${me} rewt`);
    for (const call of [ringIn(other), swapRing(other, 'x'), other.announce?.('rewt', 'a', 'x', limits)]) {
      expect(await caught(call ?? Promise.resolve())).toMatchObject({ ...denied, message });
    }
    expect(readdirSync(path, { recursive: true }).sort()).toEqual(before);
  });

  it('refuse a record of another owner', async () => {
    const planted = failing({
      async factsOfOpen(fd) {
        const facts = await nodeFileSystem.factsOfOpen(fd);
        return { ...facts, owner: facts.bytes > 32 ? 4_242 : facts.owner };
      },
    });
    const message = expect.stringContaining("sudo -u '#4242' rewt");
    expect(await caught(ringIn(planted))).toMatchObject({ ...denied, message });
  });

  it('of a folder of another user are kept by root: each file that it makes is given to the owner', async () => {
    const given: string[] = [];
    const owned = (facts: Awaited<ReturnType<FileSystem['facts']>>) => facts && { ...facts, owner: 4_242, group: 77 };
    const root = failing({
      userId: () => 0,
      facts: async (file) => owned(await nodeFileSystem.facts(file)),
      factsOfTarget: async (file) => owned(await nodeFileSystem.factsOfTarget(file)),
      factsOfOpen: async (fd) => ({ ...(await nodeFileSystem.factsOfOpen(fd)), owner: 4_242 }),
      give: async (_, owner, group) => void given.push(`${owner}:${group}`),
      giveFolder: async (file, owner, group) => void given.push(`${file.slice(path.length)} ${owner}:${group}`),
    });
    remove(inside(path, 'tmp'));
    expect((await swapRing(root, 'by root')).swapped).toBe(true);
    await root.announce?.('rewt', 'a', 'x', limits);
    const folder = inside(path).slice(path.length);
    expect(given).toEqual([`${folder}/tmp 4242:77`, '4242:77', '4242:77', `${folder}/members 4242:77`]);
  });

  it.runIf(process.getuid?.() === 0)('of what root makes for another user let that user go on', async () => {
    const folder = join(path, 'theirs');
    mkdirSync(folder, { mode: 0o700 });
    chownSync(folder, 4_242, 4_242);
    const root = fileStore({ path: folder });
    stores.push(root);
    await swapRing(root, 'by root');
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    for (const each of names) {
      expect(await nodeFileSystem.facts(join(folder, each))).toMatchObject({ owner: 4_242, group: 4_242 });
    }
  });

  it.for(['file', 'link'] as const)('are not given away with a %s that took the name of a new folder', async (kind) => {
    const made = join(path, 'made');
    if (kind === 'file') writeFileSync(made, 'of root');
    else symlinkSync(path, made);
    const given = nodeFileSystem.giveFolder(made, process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
    expect(await caught(given)).toMatchObject({ syscall: 'open', code: expect.stringMatching(/ENOTDIR|ELOOP/) });
  });

  it.for(['tmp', 'members'])(
    'outside of the folder are not used: %s that is a symbolic link is refused',
    async (name) => {
      const outside = createFolder();
      try {
        remove(inside(path, name));
        symlinkSync(outside, inside(path, name));
        const refused = { ...down, message: expect.stringContaining(inside(path, name)) };
        const created: string[] = [];
        const watched = failing({
          create(file) {
            created.push(realpathSync(dirname(file)));
            return nodeFileSystem.create(file);
          },
        });
        expect(await caught(watched.announce?.('rewt', 'a', 'x', limits) ?? Promise.resolve())).toMatchObject(refused);
        if (name === 'tmp') expect(await caught(swapRing(watched, 'x'))).toMatchObject(refused);
        expect(created).not.toContain(realpathSync(outside));
        expect(readdirSync(outside)).toEqual([]);
      } finally {
        remove(outside);
      }
    },
  );

  it('of Linux against links to the files of others are told from a file system without links', async () => {
    const refused = { link: () => Promise.reject(errno('EPERM', 'link')) };
    expect(await caught(swapRing(failing(refused), 'x'))).toMatchObject({
      ...down,
      message: expect.stringMatching(/no hard links|makes no hard links/),
    });
    const owned = (facts: Awaited<ReturnType<FileSystem['facts']>>) => facts && { ...facts, owner: 4_242 };
    const root = failing({
      ...refused,
      userId: () => 0,
      facts: async (file) => owned(await nodeFileSystem.facts(file)),
      factsOfTarget: async (file) => owned(await nodeFileSystem.factsOfTarget(file)),
      factsOfOpen: async (fd) => ({ ...(await nodeFileSystem.factsOfOpen(fd)), owner: 4_242 }),
      give: async () => {},
    });
    expect(await caught(swapRing(root, 'x'))).toMatchObject({
      ...denied,
      message: expect.stringContaining('fs.protected_hardlinks'),
    });
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
    'before a record is linked is its error, and nothing has happened: %s of %s',
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
    'after a record was linked is "may or may not have happened", whatever it is: %s',
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
      expect(error).toMatchObject({ ...down, message: expect.stringContaining('may or may not have happened') });
      expect(await ringIn(store)).toBe('next');
    },
  );

  it.for(['EIO', 'ETIMEDOUT'] as const)(
    'of link itself may have linked it, if the code does not say: %s',
    async (code) => {
      const other = failing({
        async link(from, to) {
          await nodeFileSystem.link(from, to);
          throw errno(code, 'link');
        },
      });
      const error = await caught(swapRing(other, 'next'));
      expect(error).toMatchObject({ ...down, message: expect.stringContaining('may or may not have happened') });
      expect(await ringIn(store)).toBe('next');
    },
  );

  it('while reading is typed, and no older record takes the place of the one that cannot be read', async () => {
    await swapRing(store, 'after');
    for (const call of ['open', 'read', 'list', 'factsOfOpen', 'facts', 'factsOfTarget'] as const) {
      const other = failing({ [call]: () => Promise.reject(errno('EIO', call)) });
      expect(await caught(ringIn(other))).toMatchObject({ ...down, cause: { code: 'EIO', syscall: call } });
    }
    const gone = newestIn(path);
    const real = nodeFileSystem.open;
    const unreadable = failing({
      open: (file) => (file === gone ? Promise.reject(errno('EACCES', 'open')) : real(file)),
    });
    expect(await caught(ringIn(unreadable))).toMatchObject(denied);
  });

  it('while tidying up is nothing to the caller', async () => {
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

  it('too late is a timeout, which says that the change may have happened', async () => {
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

  it('and made again by another is never brought back: the swap may or may not have happened', async () => {
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
    expect(error).toMatchObject({ ...down, message: expect.stringContaining('may or may not have happened') });
    expect(await ringIn(failing({}))).toBe('fresh');
  });
});

it('tells a member that its ring cannot be read, and lets revoke() replace it', async () => {
  await store.close();
  remove(path);
  mkdirSync(path, { mode: 0o700 });
  store = fileStore({ path });
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
