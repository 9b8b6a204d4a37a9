/** Opens the LMDB environment of a folder: privately, without making the process wait for others, and without letting bad files crash it. */

import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { RootDatabaseOptionsWithPath } from 'lmdb';
import { OptionError, StoreError } from '../errors.js';
import { damaged } from './lmdb-errors.js';

/** Not imported: that makes every start of an ES module longer, by 10 ms in Node 24 (docs/adr/0011). */
const fs = () => process.getBuiltinModule('node:fs');

/** What LMDB's first page says of itself, after a page header of 24 bytes. */
const LMDB_MAGIC = 0xbeefc0de;

/** The folder in the folder whose write lock is the gate. */
const GATE = 'gate';

/** What rewt uses of a database of lmdb. Its own, so that rewt's types do not need those of an optional package. */
export interface LmdbDatabase {
  get(key: Uint8Array): string | undefined;
  putSync(key: Uint8Array, value: string): void;
  transaction<T>(action: () => T): Promise<T>;
  transactionSync<T>(action: () => T): T;
  resetReadTxn(): void;
  ensureReadTxn(): void;
  close(): Promise<void>;
}

/** The database, and the gate that whoever writes to it has to pass. */
export interface LmdbEnvironment {
  readonly database: LmdbDatabase;
  /** Runs `action` in a write transaction. */
  write<T>(action: () => T): Promise<T>;
  close(): Promise<void>;
}

/**
 * Opens `folder`, made where there is none. Throws what lmdb and `node:fs` throw, StoreError, and OptionError where the package lmdb is missing.
 *
 * A process that opens an environment of lmdb tells all others, without any lock, that its latest transaction is the one which it found a moment before: what another
 * one committed meanwhile is lost (docs/adr/0014). So nobody may write while somebody opens. What keeps them apart is the write lock of a second environment, in which
 * nothing is ever written: it lasts while a process lives, and no longer.
 */
export async function openEnvironment(folder: string): Promise<LmdbEnvironment> {
  const lmdb = await loadLmdb();
  const gate = open(lmdb, join(folder, GATE));
  const database = await inTurn(folder, () => gate.transaction(() => open(lmdb, folder)));
  return {
    database,
    // Synchronous, so that behind the gate nobody waits for anything but the disk: not for a thread, of which those who wait at gates may have taken the last.
    write: (action) => inTurn(folder, () => gate.transaction(() => database.transactionSync(action))),
    async close() {
      await database.close();
      await gate.close();
    },
  };
}

/** The last of those in this process who wait at the gate of a folder, or are behind it. */
const turns = new Map<string, Promise<unknown>>();

/** One after another: each that waits at a gate takes one of the four threads that a process has for files, names and all of lmdb. */
function inTurn<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const turn = (turns.get(folder) ?? Promise.resolve()).then(work, work);
  turns.set(folder, turn);
  const done = () => {
    if (turns.get(folder) === turn) turns.delete(folder);
  };
  turn.then(done, done);
  return turn;
}

function open(lmdb: typeof import('lmdb'), folder: string): LmdbDatabase {
  makeFolder(folder);
  for (const name of ['data.mdb', 'lock.mdb']) prepareFile(join(folder, name));
  assertUsable(folder);
  return openDatabase(lmdb, folder);
}

/** Not with `recursive`, which in Node 20 never returns below a folder that takes none, such as /proc. */
function makeFolder(path: string): void {
  try {
    fs().mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST' && fs().statSync(path).isDirectory()) return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || fs().existsSync(parent)) throw error;
    makeFolder(parent);
    // Another process may have been quicker.
    makeFolder(path);
  }
}

async function loadLmdb(): Promise<typeof import('lmdb')> {
  try {
    return await import('lmdb');
  } catch {
    const message = 'the lmdb store needs the package lmdb, which is missing or does not load here: npm install lmdb';
    throw new OptionError(message, { option: 'store' });
  }
}

/** lmdb would make its files readable by everyone, and may crash the process where it cannot open one. */
function prepareFile(path: string): void {
  try {
    fs().closeSync(fs().openSync(path, 'wx', 0o600));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    // Not opened to see whether it can be: closing it again would drop the locks that this process may hold on it.
    fs().accessSync(path, fs().constants.R_OK | fs().constants.W_OK);
    if (!fs().statSync(path).isFile()) throw error;
  }
}

/** lmdb crashes the process on a file that is not LMDB's, and where it has no room for its first pages. */
function assertUsable(folder: string): void {
  const header = Buffer.alloc(28);
  const file = fs().openSync(join(folder, 'data.mdb'), 'r');
  try {
    // An empty one was made a moment ago.
    if (fs().readSync(file, header, 0, header.length, 0) === 0) assertRoom(folder);
    else if (header.readUInt32LE(24) !== LMDB_MAGIC) throw new StoreError('ERR_REWT_STORE_DOWN', damaged);
  } finally {
    fs().closeSync(file);
  }
}

/** Not by `instanceof Error`: to a program under Jest, the errors of Node are none. */
function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

/** Not tried on data.mdb itself: another process may be opening it at this instant. */
function assertRoom(folder: string): void {
  const path = join(folder, `room-${randomUUID()}`);
  try {
    fs().writeFileSync(path, Buffer.alloc(65_536), { flag: 'wx', mode: 0o600 });
  } finally {
    fs().rmSync(path, { force: true });
  }
}

function openDatabase({ openAsClass }: typeof import('lmdb'), path: string): LmdbDatabase {
  const options: RootDatabaseOptionsWithPath = {
    path,
    // Else a folder with a dot in its name is taken for a file.
    noSubdir: false,
    encoding: 'string',
    keyEncoding: 'binary',
    // So that a commit is on the disk before it is visible, and before its promise resolves.
    overlappingSync: false,
    // Else a commit that fails also rejects a promise of lmdb's own that nobody can catch, which ends the process.
    eventTurnBatching: false,
  };
  // lmdb's types take what is a class for an object with a method `new`.
  const Environment = openAsClass(options) as unknown as new (name: null, options: object) => LmdbDatabase;
  let isOpen = false;
  /**
   * lmdb opens a database in a write transaction on the main thread, which would stop this process for as long as another one holds the write lock,
   * and for ever where that is another store of this very process. The unnamed database is always there: a read transaction does.
   */
  class ReadingEnvironment extends Environment {
    override transactionSync<T>(action: () => T): T {
      if (isOpen) return super.transactionSync(action);
      this.resetReadTxn();
      this.ensureReadTxn();
      return action();
    }
  }
  const database = new ReadingEnvironment(null, { ...options, create: false });
  isOpen = true;
  return database;
}
