/** Everything that the doctor looks at in the folder of an embedded store. It makes nothing that is not there. */

import { existsSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { StoreError } from '../../errors.js';
import { lmdbStore } from '../../stores/lmdb.js';
import type { Announcements } from '../../stores/store.js';
import { type KeyringFacts, keyringFactsOf } from './keyring-facts.js';
import type { Failed } from './redis-facts.js';

export interface FolderFacts {
  readonly exists: boolean;
  /** Permission bits of the folder and its files, where they give something to others than their owner. */
  readonly open: readonly { readonly what: 'the folder' | 'data.mdb' | 'lock.mdb'; readonly mode: number }[];
  /** Whether the folder is this user's; null where a system knows no users. */
  readonly own: boolean | null;
  /** Of a network file system, its name. */
  readonly network: string | null;
  readonly freeBytes: number | null;
  readonly keyring: KeyringFacts | Failed | null;
  readonly announcements: Announcements | Failed;
}

const ANSWER_MS = 3_000;

const none: Announcements = { nowMs: 0, count: 0, kept: [] };

/** The magic numbers of statfs(2), on Linux. */
const networks: Readonly<Record<number, string>> = {
  26985: 'NFS',
  20859: 'SMB',
  4283649346: 'CIFS',
  4266872130: 'SMB 2',
  16914839: '9P',
  1397113167: 'AFS',
  12805120: 'Ceph',
  1702057286: 'FUSE (which may be a network)',
};

export async function folderFactsOf(folder: string, namespace: string): Promise<FolderFacts> {
  const exists = existsSync(join(folder, 'data.mdb'));
  if (!existsSync(folder)) {
    return { exists, open: [], own: null, network: null, freeBytes: null, keyring: null, announcements: none };
  }
  const parts = [
    ['the folder', folder],
    ['data.mdb', join(folder, 'data.mdb')],
    ['lock.mdb', join(folder, 'lock.mdb')],
  ] as const;
  // Windows has other permissions than these.
  const isPosix = process.getuid !== undefined;
  const open = parts
    .filter(([, path]) => isPosix && existsSync(path))
    .map(([what, path]) => ({ what, mode: statSync(path).mode & 0o777 }))
    .filter(({ mode }) => (mode & 0o077) !== 0);
  const { type, bavail, bsize } = statfsSync(folder);
  const found = {
    exists,
    open,
    own: isPosix ? statSync(folder).uid === process.getuid?.() : null,
    network: (process.platform === 'linux' ? networks[type >>> 0] : undefined) ?? null,
    freeBytes: bavail * bsize,
  };
  if (!exists) return { ...found, keyring: null, announcements: none };
  return { ...found, ...(await readFolder(folder, namespace)) };
}

async function readFolder(folder: string, namespace: string): Promise<Pick<FolderFacts, 'keyring' | 'announcements'>> {
  const store = lmdbStore({ path: folder });
  const limits = { timeoutMs: ANSWER_MS };
  try {
    const keyring = keyringFactsOf(await store.read(namespace, limits));
    const announcements = (await store.announcements?.(namespace, limits)) ?? none;
    return { keyring, announcements };
  } catch (error) {
    // A package that is missing is the caller's to mend, not the folder's.
    if (!(error instanceof StoreError)) throw error;
    const { code, message } = error;
    return { keyring: { code, message }, announcements: none };
  } finally {
    await store.close();
  }
}
