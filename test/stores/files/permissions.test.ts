/**
 * Who may read and write a folder of the file store, which of its files the store refuses for it,
 * and whom the files belong to that it makes.
 */

import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type FileSystem, nodeFileSystem } from '../../../src/stores/files/system.js';
import type { Store } from '../../../src/stores/store.js';
import {
  caught,
  createFolder,
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

describe('permissions', () => {
  it.for([
    ['the path', () => path],
    ['the folder of the namespace', () => inside(path)],
    ['the birth', () => inside(path, 'birth')],
    ['a record', () => newestIn(path)],
  ] as const)('that let others write to %s are refused, and name what to run', async ([, file]) => {
    chmodSync(file(), 0o720);
    const message = expect.stringContaining(`chmod go-w ${file()}, then rewt revoke`);
    expect(await caught(ringIn(failing({})))).toMatchObject({ ...DENIED, message });
    chmodSync(file(), 0o700);
    expect(await ringIn(failing({}))).toBe('before');
  });

  it.for([
    ['the path', () => path],
    ['the folder of the namespace', () => inside(path)],
  ] as const)(
    'that let others write to %s stop no member that holds a record, and what is put there is refused',
    async ([, folder]) => {
      expect(await ringIn(store)).toBe('before');
      chmodSync(folder(), 0o777);
      expect(await ringIn(store)).toBe('before');
      expect(await caught(swapRing(store, 'next'))).toMatchObject(DENIED);
      copyFileSync(newestIn(path), newestIn(path).replace(/\d$/, '2'));
      expect(await caught(ringIn(store))).toMatchObject(DENIED);
    },
  );

  it('name a path with spaces and quotes as one argument of the shell', async () => {
    const folder = join(path, "it's mine");
    mkdirSync(folder);
    chmodSync(folder, 0o720);
    const theirs = given.open(folder);
    const message = expect.stringContaining(`chmod go-w '${path}/it'\\''s mine'`);
    expect(await caught(ringIn(theirs))).toMatchObject({ ...DENIED, message });
  });

  it('do not matter if others may only read', async () => {
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
      expect(await caught(call ?? Promise.resolve())).toMatchObject({ ...DENIED, message });
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
    expect(await caught(ringIn(planted))).toMatchObject({ ...DENIED, message });
  });

  it('are kept by root in a folder of another user: each file that it makes is given to the owner', async () => {
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

  it.runIf(process.getuid?.() === 0)('let a user go on with what root has made for it', async () => {
    const folder = join(path, 'theirs');
    mkdirSync(folder, { mode: 0o700 });
    chownSync(folder, 4_242, 4_242);
    const root = given.open(folder);
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
        const refused = { ...DOWN, message: expect.stringContaining(inside(path, name)) };
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

  it('that make Linux refuse links to the files of others are told from a file system without links', async () => {
    const refused = { link: () => Promise.reject(errno('EPERM', 'link')) };
    expect(await caught(swapRing(failing(refused), 'x'))).toMatchObject({
      ...DOWN,
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
      ...DENIED,
      message: expect.stringContaining('fs.protected_hardlinks'),
    });
  });
});
