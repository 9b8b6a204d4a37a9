/** What LMDB and the file system refuse, as the store errors of rewt: each says what to do, and names no path. */

import { isRewtError, StoreError, type StoreErrorCode } from '../errors.js';

const folder = 'the folder given to lmdbStore';

export const damaged = `data.mdb in ${folder} is damaged, or not LMDB's: stop every member, then empty that folder, and a fresh keyring is made`;

interface Refusal {
  /** Names are the system's, numbers LMDB's own. */
  readonly causes: readonly (string | number)[];
  readonly code: StoreErrorCode;
  readonly message: string;
}

const refusals: readonly Refusal[] = [
  {
    // MDB_MAP_FULL; and EIO, which is what LMDB makes of a write that the disk took only half of.
    causes: ['ENOSPC', 'EDQUOT', 'EFBIG', -30792, 'EIO'],
    code: 'ERR_REWT_STORE_FULL',
    message: `the disk that holds ${folder} is full, at its quota or file size limit, or failing: make room there`,
  },
  {
    causes: ['EROFS'],
    code: 'ERR_REWT_STORE_READ_ONLY',
    message: `${folder} is on a read-only file system: give a folder that can be written`,
  },
  {
    causes: ['EEXIST', 'ENOTDIR', 'ENOENT', 'EISDIR'],
    code: 'ERR_REWT_STORE_READ_ONLY',
    message: `${folder} is a file, or cannot be made where it is meant to be: give a folder that can be written`,
  },
  {
    causes: ['EACCES', 'EPERM'],
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
  const cause = await causeOf(reason);
  const refusal = refusals.find(({ causes }) => causes.includes(cause));
  if (refusal) return new StoreError(refusal.code, refusal.message);
  return new StoreError('ERR_REWT_STORE_DOWN', `LMDB cannot use ${folder}: it says ${cause}`);
}

async function causeOf(reason: unknown): Promise<string | number> {
  if (typeof reason !== 'object' || reason === null) return 'nothing';
  if ('commitError' in reason) {
    // A failed commit rejects with an error that carries a promise, which rejects with the real one.
    return causeOf(await Promise.resolve(reason.commitError).catch((error: unknown) => error));
  }
  if (!('code' in reason)) return 'nothing';
  if (typeof reason.code === 'string') return reason.code;
  if (typeof reason.code !== 'number') return 'nothing';
  if (reason.code <= 0) return reason.code;
  // Not imported: docs/adr/0011.
  return process.getBuiltinModule('node:util').getSystemErrorName(-reason.code);
}
