/**
 * Folders of the file store, for its tests: made, changed past the store, and on file systems that
 * fail.
 */

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { fileStore } from '../../../src/stores/file.js';
import { Drafts } from '../../../src/stores/files/drafts.js';
import { fileStoreOn } from '../../../src/stores/files/file-store.js';
import { Look } from '../../../src/stores/files/look.js';
import { Place } from '../../../src/stores/files/place.js';
import { Reader } from '../../../src/stores/files/reader.js';
import { folderName, recordName } from '../../../src/stores/files/records.js';
import { type FileSystem, nodeFileSystem } from '../../../src/stores/files/system.js';
import type { StoreRecord } from '../../../src/stores/record.js';
import type { Store, SwapAnswer } from '../../../src/stores/store.js';

export const limits = { timeoutMs: 5_000 };

export const createFolder = (): string => mkdtempSync(join(tmpdir(), 'rewt-file-'));
export const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true });

/** A store as another process would have it: it shares no descriptor and no watch with others. */
export function storeOn(path: string, changes: Partial<FileSystem> = {}, now: () => number = Date.now): Store {
  return fileStoreOn({ ...nodeFileSystem, ...changes }, 'linux', { path, now });
}

/** The error of a system call, as Node gives it. */
export function errno(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: of a test`), { code, syscall });
}

/** Writes a ring in place of the one that is there. */
export async function swapRing(store: Store, text: string, namespace = 'rewt'): Promise<SwapAnswer> {
  const { version, nowMs } = await store.read(namespace, limits);
  const ring = { text, expiresAtMs: nowMs + 86_400_000 };
  return store.swap(namespace, version, { key: null, ring }, { ...limits, notAfterMs: nowMs + 60_000 });
}

export const ringIn = async (store: Store, namespace = 'rewt'): Promise<string | null> =>
  (await store.read(namespace, limits)).ring;

export const caught = (work: Promise<unknown>): Promise<unknown> => work.catch((reason: unknown) => reason);

/** The folder of a namespace, or a file in it. */
export const inside = (path: string, ...names: string[]): string => join(path, folderName('rewt'), ...names);

/** The records of a namespace, oldest first. */
export const recordsIn = (path: string): string[] =>
  readdirSync(inside(path))
    .filter((name) => name.startsWith('ring.'))
    .sort();

export const newestIn = (path: string): string => inside(path, recordsIn(path).at(-1) ?? '');

/** Writes the next record past the store. */
export async function rewrite(
  path: string,
  namespace: string,
  text: (before: StoreRecord, parent: string | null) => string,
): Promise<void> {
  const place = new Place(nodeFileSystem, path, namespace);
  const look = new Look(nodeFileSystem);
  const birth = await new Drafts(place).makeBirth();
  const { record, op, generation } = await new Reader(place, look).read();
  await look.end();
  writeFileSync(place.file(recordName(birth ?? '', generation + 1)), text(record, op), { flag: 'wx', mode: 0o600 });
}

export const DOWN = { name: 'StoreError', code: 'ERR_REWT_STORE_DOWN' };
export const DENIED = { name: 'StoreError', code: 'ERR_REWT_STORE_DENIED' };

export interface StoresInFolder {
  path: string;
  /** Its first store, which has written the ring 'before'. */
  store: Store;
  /** Opens one more store, by default in the same folder, that is closed after the test. */
  open(folder?: string): Store;
  /** A store of another process, some of whose system calls fail or lie. */
  failing(changes: Partial<FileSystem>): Store;
}

/** Gives each test of this file a folder, and removes it with its stores. */
export function storesInFolder(): StoresInFolder {
  const stores: Store[] = [];
  const opened = (store: Store): Store => {
    stores.push(store);
    return store;
  };
  const given = {
    path: '',
    open: (folder = given.path) => opened(fileStore({ path: folder })),
    failing: (changes: Partial<FileSystem>) => opened(storeOn(given.path, changes)),
  } as StoresInFolder;
  beforeEach(async () => {
    given.path = createFolder();
    given.store = given.open();
    await swapRing(given.store, 'before');
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    remove(given.path);
  });
  return given;
}
