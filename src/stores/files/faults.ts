/**
 * The errors of the file store: a table from each error of the file system to its meaning and
 * remedy. Pure.
 */

import { dirname } from 'node:path';
import { isRewtError, StoreError, type StoreErrorCode, type StoreFailureCause } from '../../errors.js';
import { printable } from '../../validation/printable.js';
import { errnoOf } from './system.js';

/** Creates every error of this file. Its paths and users are foreign, and messages go to logs. */
function failure(code: StoreErrorCode, message: string, cause?: StoreFailureCause): StoreError {
  return new StoreError(code, printable(message), cause);
}

interface Refusal {
  readonly errno: readonly string[];
  /** If present, the entry applies only to this system call. */
  readonly syscall?: string;
  readonly code: StoreErrorCode;
  /** `{path}` becomes the folder given to `fileStore`. */
  readonly message: string;
  /** True if the failed call may have had its effect. */
  readonly isUncertain?: true;
}

const MOVE_AWAY = 'Move it away, or give another folder.';

const refusals: readonly Refusal[] = [
  {
    errno: ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV', 'EINVAL'],
    syscall: 'link',
    code: 'ERR_REWT_STORE_DOWN',
    message:
      'The file system of {path} makes no hard links, which the file store needs. Give a folder on a ' +
      'local disk of this host: no NFS, SMB, 9p, vboxsf or FAT.',
  },
  {
    errno: ['ENOSPC', 'EDQUOT', 'EFBIG'],
    code: 'ERR_REWT_STORE_FULL',
    message: 'The disk that holds {path} is full, or at a quota or file size limit. Make room there.',
  },
  {
    errno: ['EROFS'],
    code: 'ERR_REWT_STORE_READ_ONLY',
    message: '{path} is on a read-only file system. Give a folder that can be written.',
  },
  {
    errno: ['EACCES', 'EPERM'],
    code: 'ERR_REWT_STORE_DENIED',
    message:
      'This user may not use {path}. Run every member as the user who owns that folder, with mode ' +
      '0700, or give another folder.',
  },
  {
    errno: ['ENOTDIR', 'EISDIR', 'ELOOP', 'EEXIST', 'ENOTEMPTY'],
    code: 'ERR_REWT_STORE_DOWN',
    message:
      'Something else than the file store made is at {path}, or in it: a file in place of a folder, or ' +
      `the other way round. ${MOVE_AWAY}`,
  },
  {
    errno: ['ENOENT', 'ESTALE', 'ENODEV', 'ENXIO'],
    code: 'ERR_REWT_STORE_DOWN',
    message: '{path} was removed or unmounted during the call. Try again.',
    isUncertain: true,
  },
  {
    errno: ['EMFILE', 'ENFILE'],
    code: 'ERR_REWT_STORE_DOWN',
    message: 'No more files can be opened, so {path} cannot be read. Raise the limit (ulimit -n), or find what leaks.',
  },
  {
    errno: ['EIO'],
    code: 'ERR_REWT_STORE_DOWN',
    message: 'The disk that holds {path} fails. See the log of the system, and repair or replace it.',
    isUncertain: true,
  },
];

/** Returns the error to throw for a failed system call. Returns rewt's own errors unchanged. */
export function asStoreError(error: unknown, path: string): Error {
  if (isRewtError(error)) return error;
  const cause = causeOf(error);
  const refusal = refusalOf(cause);
  const message = refusal?.message ?? `The file system refuses {path}: it answers ${cause.code}. Give another folder.`;
  return failure(
    refusal?.code ?? 'ERR_REWT_STORE_DOWN',
    message.replace('{path}', () => path),
    cause,
  );
}

/** Checks if a system call that failed with this error certainly had no effect. */
export function isCertain(error: unknown): boolean {
  const refusal = refusalOf(causeOf(error));
  return refusal !== undefined && !refusal.isUncertain;
}

function refusalOf(cause: StoreFailureCause): Refusal | undefined {
  return refusals.find(
    ({ errno, syscall }) => errno.includes(cause.code) && (syscall === undefined || syscall === cause.syscall),
  );
}

/** Creates the error of a swap whose record was linked, if a later step failed. */
export function outcomeUnknown(path: string, error?: unknown): StoreError {
  const cause = error === undefined || isRewtError(error) ? undefined : causeOf(error);
  const why =
    cause === undefined ? 'The keyring was replaced or deleted meanwhile' : `The file system answered ${cause.code}`;
  const message =
    `A change of the keyring in ${path} may or may not have happened. ${why}. Read the keyring, or ` +
    'repeat the change.';
  return failure('ERR_REWT_STORE_DOWN', message, cause);
}

/**
 * Creates the error for `fs.protected_hardlinks` of Linux: root without CAP_FOWNER may not link a
 * draft that it gave to the owner.
 */
export function protectedLinks(path: string, user: string): StoreError {
  return failure(
    'ERR_REWT_STORE_DENIED',
    `fs.protected_hardlinks does not let this user write for the owner of ${path}. ${asOwner(user)}.`,
  );
}

/**
 * Creates the error for a folder of another user.
 * @param user is the actual owner, as `sudo -u` takes it
 */
export function foreignOwner(
  path: string,
  { is, must, user }: { readonly is: string; readonly must: string; readonly user: string },
): StoreError {
  const message = `${path} belongs to ${is} and not to ${must}. ${asOwner(user)}, or give another folder.`;
  return failure('ERR_REWT_STORE_DENIED', message);
}

function asOwner(user: string): string {
  return `Run it as the owner (sudo -u ${user} rewt …)`;
}

export function openToOthers(path: string): StoreError {
  return failure(
    'ERR_REWT_STORE_DENIED',
    `Other users may write to ${path}, and could choose the secret. Run: chmod go-w ` +
      `${asArgument(path)}, then rewt revoke`,
  );
}

/** Quotes a path as one argument of a shell command. */
function asArgument(path: string): string {
  return /^[\w./@%+:,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

export function misplaced(path: string, kind: 'file' | 'folder'): StoreError {
  return failure('ERR_REWT_STORE_DOWN', `${path} is no ${kind}. ${MOVE_AWAY}`);
}

export function parentGone(path: string): StoreError {
  return failure(
    'ERR_REWT_STORE_DOWN',
    `The folder above ${path} does not exist: it was removed, or is not mounted. Make or mount it; ` +
      'the file store makes only the last folder of its path.',
  );
}

export function targetGone(path: string): StoreError {
  return failure(
    'ERR_REWT_STORE_DOWN',
    `${path} is a link to a folder that does not exist: it was removed, or is not mounted. Make or mount it.`,
  );
}

export function keptByLmdb(path: string): StoreError {
  return failure(
    'ERR_REWT_STORE_DOWN',
    `${path} holds a keyring that LMDB kept for an earlier version (data.mdb), which the file store ` +
      'cannot read. Give another folder, or stop every member and delete this one: a fresh keyring is ' +
      'made.',
  );
}

/**
 * Creates the error for a damaged file.
 * @param file is in the folder of one namespace; the other namespaces are intact
 */
export function damaged(file: string, what: string): StoreError {
  return failure(
    'ERR_REWT_STORE_DOWN',
    `${file} ${what}. Restore ${dirname(file)}, or stop every member and delete that folder: a fresh keyring is made.`,
  );
}

export function heldUp(path: string, mayHaveWritten: boolean): StoreError {
  const unknown = mayHaveWritten ? ' The change may or may not have happened.' : '';
  return failure(
    'ERR_REWT_STORE_TIMEOUT',
    `The file system of ${path} did not answer in time.${unknown} Relieve its disk, and repeat the call.`,
  );
}

export function contended(path: string): StoreError {
  return failure(
    'ERR_REWT_STORE_CONTENDED',
    `The keyring in ${path} changed at each attempt to read it. See which program writes there.`,
  );
}

function causeOf(error: unknown): StoreFailureCause {
  const code = errnoOf(error);
  const syscall = typeof error === 'object' && error !== null && 'syscall' in error ? error.syscall : undefined;
  return Object.freeze({
    code: code !== undefined && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? code : 'UNKNOWN',
    ...(typeof syscall === 'string' && /^[A-Za-z]{1,32}$/.test(syscall) ? { syscall } : {}),
  });
}
