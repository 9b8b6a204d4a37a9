/**
 * The system calls of the file store, one function for each, and their implementation by Node.
 *
 * The store makes no other call, so a test can run every order of them on a simulated folder.
 */

import { randomBytes } from 'node:crypto';
import type { BigIntStats } from 'node:fs';

/** The identity of a file on this machine, valid while it exists or a descriptor of it is open. */
export interface FileIdentity {
  readonly device: bigint;
  readonly inode: bigint;
}

/** The attributes of a name or a descriptor. */
export interface FileFacts extends FileIdentity {
  readonly kind: 'file' | 'folder' | 'other';
  readonly owner: number;
  readonly group: number;
  readonly mode: number;
  readonly bytes: number;
  /** The ctime, which `link` and `unlink` set. Milliseconds of the file system's clock. */
  readonly changedMs: number;
  /** The mtime. Milliseconds of the file system's clock. */
  readonly modifiedMs: number;
}

export interface FolderWatcher {
  close(): void;
}

/**
 * The system calls. Those that look resolve to null if the name does not exist (`ENOENT`). All
 * others reject with Node's error, of which the store reads `code` and `syscall`.
 */
export interface FileSystem {
  /** Returns the effective user of this process. */
  userId(): number;
  /** Returns the name of a user for messages, or null if it is unknown. */
  userName(id: number): string | null;
  /** Returns random lower-case hex characters, two for each byte. */
  randomName(bytes: number): string;

  /** Calls `lstat`. */
  facts(path: string): Promise<FileFacts | null>;
  /** Calls `stat`, which follows a symbolic link. Only for the path given to the store. */
  factsOfTarget(path: string): Promise<FileFacts | null>;
  /** Lists the names in a folder, in any order. */
  list(path: string): Promise<readonly string[] | null>;
  /**
   * Opens a file for reading. Follows no symbolic link, and does not wait for the writer of a pipe.
   */
  open(path: string): Promise<number | null>;
  factsOfOpen(fd: number): Promise<FileFacts>;
  /** Reads a file of `bytes` bytes from its beginning, as UTF-8. */
  read(fd: number, bytes: number): Promise<string>;
  close(fd: number): Promise<void>;

  /** Creates a file with mode 0600, and fails with `EEXIST` if the name exists. */
  create(path: string): Promise<number>;
  write(fd: number, text: string): Promise<void>;
  /** Sets the mtime. */
  setModified(fd: number, modifiedMs: number): Promise<void>;
  give(fd: number, owner: number, group: number): Promise<void>;
  sync(fd: number): Promise<void>;
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Creates a folder with mode 0700. */
  makeFolder(path: string): Promise<void>;
  /**
   * Changes the owner of a folder. Fails if it is no longer a folder: root must not give away a
   * file that the owner put there.
   */
  giveFolder(path: string, owner: number, group: number): Promise<void>;
  syncFolder(path: string): Promise<void>;
  /** Sets the mtime to the present, which a watch of the folder above reports. */
  touch(path: string): Promise<void>;

  /** Calls `lstat` for the quick look. Null if the name does not exist. */
  identitySync(path: string): FileIdentity | null;
  /**
   * Reports names that appear in a folder, disappear, or change. Does not keep the process alive.
   */
  watch(path: string, onEvent: (name: string | null) => void, onError: (error: unknown) => void): FolderWatcher;
}

let loaded: typeof import('node:fs') | undefined;
/**
 * Loads the module at its first use, because an import delays the start of every ES module
 * (docs/adr/0011).
 */
function fs(): typeof import('node:fs') {
  loaded ??= process.getBuiltinModule('node:fs');
  return loaded;
}

const big = { bigint: true } as const;
const quick = { bigint: true, throwIfNoEntry: false } as const;

/** The file system of this machine. */
export const nodeFileSystem: FileSystem = {
  userId: () => process.geteuid?.() ?? 0,
  userName(id) {
    try {
      const lines = fs().readFileSync('/etc/passwd', 'utf8').split('\n');
      return lines.map((line) => line.split(':')).find(([, , found]) => found === String(id))?.[0] ?? null;
    } catch {
      return null;
    }
  },
  randomName: (bytes) => randomBytes(bytes).toString('hex'),

  facts: (path) => unlessMissing(settled<BigIntStats>((done) => fs().lstat(path, big, done)).then(asFacts)),
  factsOfTarget: (path) => unlessMissing(settled<BigIntStats>((done) => fs().stat(path, big, done)).then(asFacts)),
  list: (path) => unlessMissing(settled<string[]>((done) => fs().readdir(path, done))),
  open(path) {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs().constants;
    return unlessMissing(settled<number>((done) => fs().open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, done)));
  },
  factsOfOpen: (fd) => settled<BigIntStats>((done) => fs().fstat(fd, big, done)).then(asFacts),
  async read(fd, bytes) {
    const buffer = Buffer.alloc(bytes);
    let end = 0;
    for (let count = -1; end < bytes && count !== 0; end += count) {
      const from = end;
      count = await settled<number>((done) => fs().read(fd, buffer, from, bytes - from, from, done));
    }
    return buffer.toString('utf8', 0, end);
  },
  close: (fd) => settled((done) => fs().close(fd, done)),

  create: (path) => settled<number>((done) => fs().open(path, 'wx', 0o600, done)),
  write: (fd, text) => settled((done) => fs().writeFile(fd, text, done)),
  setModified: (fd, modifiedMs) => settled((done) => fs().futimes(fd, modifiedMs / 1_000, modifiedMs / 1_000, done)),
  give: (fd, owner, group) => settled((done) => fs().fchown(fd, owner, group, done)),
  sync: (fd) => settled((done) => fs().fsync(fd, done)),
  link: (from, to) => settled((done) => fs().link(from, to, done)),
  rename: (from, to) => settled((done) => fs().rename(from, to, done)),
  unlink: (path) => settled((done) => fs().unlink(path, done)),
  makeFolder: (path) => settled((done) => fs().mkdir(path, 0o700, done)),
  giveFolder: (path, owner, group) =>
    onFolder(path, fs().constants.O_NOFOLLOW, (fd) => nodeFileSystem.give(fd, owner, group)),
  syncFolder: (path) => onFolder(path, 0, (fd) => nodeFileSystem.sync(fd)),
  touch: (path) => settled((done) => fs().utimes(path, Date.now() / 1_000, Date.now() / 1_000, done)),

  identitySync(path) {
    const stats = fs().lstatSync(path, quick);
    return stats === undefined ? null : { device: stats.dev, inode: stats.ino };
  },
  watch(path, onEvent, onError) {
    const watcher = fs().watch(path, { persistent: false }, (_, name) => onEvent(name));
    watcher.on('error', onError);
    return watcher;
  },
};

/** Opens a folder for one call. Rejects a file, even one that replaced the folder meanwhile. */
async function onFolder(path: string, flags: number, call: (fd: number) => Promise<void>): Promise<void> {
  const { O_RDONLY, O_DIRECTORY } = fs().constants;
  const fd = await settled<number>((done) => fs().open(path, O_RDONLY | O_DIRECTORY | flags, done));
  try {
    await call(fd);
  } finally {
    await nodeFileSystem.close(fd);
  }
}

/**
 * Calls a Node function with a callback. Does not use `promisify`, because `node:util` also delays
 * the start.
 */
function settled<T = void>(start: (done: (error: Error | null, value?: T) => void) => void): Promise<T> {
  // Without an error there is a value, if the call has one.
  return new Promise((resolve, reject) => start((error, value) => (error ? reject(error) : resolve(value as T))));
}

function asFacts(stats: BigIntStats): FileFacts {
  return {
    kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other',
    device: stats.dev,
    inode: stats.ino,
    owner: Number(stats.uid),
    group: Number(stats.gid),
    mode: Number(stats.mode),
    bytes: Number(stats.size),
    changedMs: Number(stats.ctimeMs),
    modifiedMs: Number(stats.mtimeMs),
  };
}

async function unlessMissing<T>(look: Promise<T>): Promise<T | null> {
  try {
    return await look;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/**
 * Returns the system's code of an error. Does not use `instanceof Error`, which is false for the
 * errors of Node under Jest.
 */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
