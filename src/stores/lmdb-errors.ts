/** What LMDB and the file system refuse, as the store errors of rewt: each says what to do, and names no path. */
import { isRewtError, StoreError, type StoreErrorCode } from '../errors.js';
import { damaged } from './lmdb-environment.js';

const folder = 'the folder given to lmdbStore';

interface Refusal {
  /** Names by Node's file system, numbers by LMDB: errno, or LMDB's own from -30799 on. */
  readonly causes: readonly unknown[];
  readonly code: StoreErrorCode;
  readonly message: string;
}

const refusals: readonly Refusal[] = [
  {
    // Linux's numbers: ENOSPC, EDQUOT, EFBIG, MDB_MAP_FULL; and EIO, which is what LMDB calls a write that was only half taken.
    causes: ['ENOSPC', 'EDQUOT', 'EFBIG', 28, 122, 27, -30792, 'EIO', 5],
    code: 'ERR_REWT_STORE_FULL',
    message: `the disk that holds ${folder} is full, at its quota or file size limit, or failing: make room there`,
  },
  {
    causes: ['EROFS', 30],
    code: 'ERR_REWT_STORE_READ_ONLY',
    message: `${folder} is on a read-only file system: give a folder that can be written`,
  },
  {
    causes: ['EEXIST', 'ENOTDIR', 'ENOENT', 20, 2],
    code: 'ERR_REWT_STORE_READ_ONLY',
    message: `${folder} is a file, or cannot be made where it is meant to be: give a folder that can be written`,
  },
  {
    causes: ['EACCES', 'EPERM', 13, 1],
    code: 'ERR_REWT_STORE_DENIED',
    message: `this user may not write to ${folder}: run every member as the user who owns it, or give another folder`,
  },
  {
    // MDB_PAGE_NOTFOUND, MDB_CORRUPTED, MDB_VERSION_MISMATCH, MDB_INVALID
    causes: [-30797, -30796, -30794, -30793],
    code: 'ERR_REWT_STORE_DOWN',
    message: damaged,
  },
];

/** The error to throw for whatever lmdb or `node:fs` threw. Errors of rewt's own are passed on. */
export async function asStoreError(reason: unknown): Promise<Error> {
  if (isRewtError(reason)) return reason;
  const code = await codeOf(reason);
  const refusal = refusals.find(({ causes }) => causes.includes(code));
  if (refusal) return new StoreError(refusal.code, refusal.message);
  return new StoreError('ERR_REWT_STORE_DOWN', `LMDB cannot use ${folder} (code ${code})`);
}

/** A failed commit rejects with an error whose `commitError` is a promise that rejects with the real one. */
async function codeOf(reason: unknown): Promise<string | number> {
  if (typeof reason !== 'object' || reason === null) return 'unknown';
  if ('commitError' in reason) {
    const commitError = reason.commitError;
    return codeOf(await Promise.resolve(commitError).catch((error: unknown) => error));
  }
  return 'code' in reason && (typeof reason.code === 'string' || typeof reason.code === 'number')
    ? reason.code
    : 'unknown';
}
