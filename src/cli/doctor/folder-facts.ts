/** The facts that the doctor collects in the folder of an embedded store. It creates nothing. */

import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  type Stats,
  statfsSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { StoreError } from '../../errors.js';
import type { Sealing } from '../../keyring/sealing.js';
import type { SealKey } from '../../seal/seal-key.js';
import { fileStore } from '../../stores/file.js';
import { DRAFTS, folderName } from '../../stores/files/records.js';
import { errnoOf, nodeFileSystem } from '../../stores/files/system.js';
import { type Announcements, SECRET_SUFFIX } from '../../stores/store.js';
import type { FolderAddress } from '../input/address.js';
import { sealingWith } from '../lookup/sealing.js';
import { type KeyringFacts, keyringFactsOf } from './keyring-facts.js';
import type { Failed } from './redis-facts.js';

export type Part = 'the folder' | "the namespace's folder" | 'its folder tmp' | 'a record';

/** A part with its permission bits. */
interface Moded {
  readonly what: Part;
  readonly mode: number;
}

export interface FolderFacts {
  /** True if the namespace has a folder. */
  readonly exists: boolean;
  /** The parts that other users than the owner can use. */
  readonly open: readonly Moded[];
  /** The parts that the owner lacks permission to use as a member must. */
  readonly shut: readonly Moded[];
  /** The links, the files in place of a folder, and the folders in place of a file. */
  readonly misplaced: readonly Part[];
  /** True if the file system is read-only. */
  readonly readOnly: boolean;
  /** The owner of the folder, by name if it is known; null if there is no folder. */
  readonly owner: { readonly name: string; readonly is: 'user' | 'other' | 'other, for root' } | null;
  /** The parts that another user owns. */
  readonly foreign: readonly Part[];
  /**
   * True if this root may not link the owner's files: `fs.protected_hardlinks`, without the
   * capability CAP_FOWNER.
   */
  readonly mayNotLink: boolean;
  /** The name of the file system if it is a network file system. */
  readonly network: string | null;
  readonly freeBytes: number | null;
  /** Null if the file system does not count them. */
  readonly freeFiles: number | null;
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
  2020557398: 'vboxsf',
  1702057286: 'FUSE (which may be a network, or virtiofs)',
};

const CAP_FOWNER = 3n;

export async function folderFactsOf(
  { folder, urlMissing }: FolderAddress,
  namespace: string,
  keys: readonly SealKey[] = [],
): Promise<FolderFacts> {
  const sealing = sealingWith(keys, namespace + SECRET_SUFFIX);
  if (!existsSync(folder)) {
    const parts = { open: [], shut: [], misplaced: [], foreign: [] };
    const nothing = { ...parts, owner: null, mayNotLink: false, readOnly: false, network: null };
    // If the folder above is missing too, the store assumes a disk that is not mounted.
    const { keyring } = urlMissing ? { keyring: null } : await readFolder(folder, namespace, sealing);
    const failed = keyring !== null && 'code' in keyring ? keyring : null;
    return { exists: false, ...nothing, freeBytes: null, freeFiles: null, keyring: failed, announcements: none };
  }
  const parts = partsOf(folder, join(folder, folderName(namespace)));
  const exists = parts.length > 1;
  const [[, { uid }]] = parts;
  const right = parts.filter((part) => !isMisplaced(part));
  const isRoot = nodeFileSystem.userId() === 0;
  const isOwn = uid === nodeFileSystem.userId();
  const { type, bavail, bsize, files, ffree } = statfsSync(folder);
  const found = {
    exists,
    open: withModes(right, ([, { mode }]) => (mode & 0o077) !== 0),
    // Permission bits do not bind root.
    shut: uid === 0 ? [] : withModes(right, isShut),
    // For the folder itself, the read reports it.
    misplaced: partsIn(parts.slice(1).filter(isMisplaced)),
    owner: {
      name: nodeFileSystem.userName(uid) ?? `#${uid}`,
      is: isOwn ? 'user' : isRoot ? 'other, for root' : 'other',
    },
    foreign: partsIn(right.filter(([, stats]) => stats.uid !== uid)),
    readOnly: isReadOnly(folder),
    mayNotLink: isRoot && !isOwn && mayNotLink(),
    network: (process.platform === 'linux' ? networks[type >>> 0] : undefined) ?? null,
    freeBytes: bavail * bsize,
    freeFiles: files === 0 ? null : ffree,
  } as const;
  const read = await readFolder(folder, namespace, sealing);
  return { ...found, ...read, keyring: exists || 'code' in read.keyring ? read.keyring : null };
}

type Found = readonly [Part, Stats];

/**
 * Returns the folder, and the namespace's folder with its contents, as far as they exist and this
 * user may read them.
 */
function partsOf(folder: string, inside: string): readonly [Found, ...Found[]] {
  const records = namesIn(inside).filter((name) => name.startsWith('ring.'));
  return [
    ['the folder', statSync(folder)],
    ...found("the namespace's folder", inside),
    ...found('its folder tmp', join(inside, DRAFTS)),
    ...records.flatMap((name) => found('a record', join(inside, name))),
  ];
}

function found(what: Part, path: string): readonly Found[] {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats === undefined ? [] : [[what, stats]];
  } catch {
    // The next read reports the reason.
    return [];
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isMisplaced([what, stats]: Found): boolean {
  return what === 'a record' ? !stats.isFile() : !stats.isDirectory();
}

function isShut([what, { mode }]: Found): boolean {
  const needed = what === 'a record' ? 0o400 : 0o700;
  return (mode & needed) !== needed;
}

function partsIn(parts: readonly Found[]): readonly Part[] {
  return [...new Set(parts.map(([what]) => what))];
}

/** Lists each mode only once for the records, because several may share it. */
function withModes(parts: readonly Found[], isMeant: (part: Found) => boolean): readonly Moded[] {
  const modes = new Map<string, Moded>();
  for (const [what, stats] of parts.filter(isMeant)) {
    const mode = stats.mode & 0o777;
    modes.set(`${what} ${mode}`, { what, mode });
  }
  return [...modes.values()];
}

function isReadOnly(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return false;
  } catch (error) {
    return errnoOf(error) === 'EROFS';
  }
}

/** Reads the capabilities as proc(5) describes. */
function mayNotLink(): boolean {
  try {
    const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
    const isProtected = readFileSync('/proc/sys/fs/protected_hardlinks', 'utf8').trim() === '1';
    return isProtected && ((BigInt(`0x${capabilities}`) >> CAP_FOWNER) & 1n) === 0n;
  } catch {
    return false;
  }
}

async function readFolder(
  folder: string,
  namespace: string,
  sealing: Sealing,
): Promise<{ readonly keyring: KeyringFacts | Failed; readonly announcements: Announcements }> {
  const store = fileStore({ path: folder });
  const limits = { timeoutMs: ANSWER_MS };
  try {
    const keyring = keyringFactsOf(await store.read(namespace, limits), sealing);
    const announcements = (await store.announcements?.(namespace, limits)) ?? none;
    return { keyring, announcements };
  } catch (error) {
    // An invalid namespace is a mistake of the caller, not a fault of the folder.
    if (!(error instanceof StoreError)) throw error;
    const { code, message } = error;
    return { keyring: { code, message }, announcements: none };
  } finally {
    await store.close();
  }
}
