/**
 * A file system in memory for tests that play every order of the system calls of the file store.
 *
 * It has names, inodes with link counts, open descriptors, and inode numbers that are given out
 * again. A process that stops between two calls keeps what it has, as one that sleeps or was killed
 * does.
 */

import { folderName, generationsIn } from '../../../src/stores/files/records.js';
import type { FileFacts, FileIdentity, FileSystem } from '../../../src/stores/files/system.js';

export const ROOT = '/disk/rewt';
export const NAMESPACE = 'rewt';
export const FOLDER = `${ROOT}/${folderName(NAMESPACE)}`;

const USER = 1_000;
const DEVICE = 1n;
/** As the store's own age for what is old: see `changedMs` below. */
const MINUTE_MS = 60_000;

export interface SystemCall {
  /** The name of the system call. */
  readonly name: string;
  /** The file, as seen from the folder of the namespace. */
  readonly file: string;
}

/** Carries out one system call once the process may go on. */
export type Perform = <T>(call: SystemCall, run: () => T) => Promise<T>;

/**
 * The calls of the store with the quick look as one that waits, so that others can run between its
 * two halves.
 */
export interface SteppedSystem extends Omit<FileSystem, 'identitySync'> {
  identitySync(path: string): Promise<FileIdentity | null>;
  /** The link count of an open file. Only for a store that was broken to go by it. */
  links(fd: number): Promise<number>;
}

interface Inode {
  /** Of this inode alone, unlike the number. */
  readonly id: string;
  readonly number: bigint;
  readonly kind: 'file' | 'folder';
  text: string;
  links: number;
  descriptors: number;
}

export class SimulatedDisk {
  readonly #names = new Map<string, Inode>();
  readonly #open = new Map<number, { readonly inode: Inode; readonly process: number }>();
  readonly #free = new Set<bigint>();
  readonly #made: number[] = [];
  #lastFd = 2;
  #minutes = 0;
  /** Drafts are of no age: none is old. */
  keepsDrafts = false;

  constructor() {
    this.#make('/disk', 'folder', 9);
    this.#make(ROOT, 'folder', 9);
  }

  /** Another disk with the same contents, on which no file is open. */
  copy(): SimulatedDisk {
    const disk = new SimulatedDisk();
    for (const [path, inode] of this.#names) disk.#names.set(path, { ...inode, descriptors: 0 });
    for (const number of this.#free) disk.#free.add(number);
    return disk;
  }

  /** The newest record of the present birth; null if there is none. */
  newest(): { readonly id: string; readonly text: string } | null {
    const birth = this.#names.get(`${FOLDER}/birth`)?.text ?? '';
    const generation = generationsIn(this.#list(FOLDER) ?? [], birth).at(-1);
    if (generation === undefined) return null;
    return this.#names.get(`${FOLDER}/ring.${birth}.${String(generation).padStart(12, '0')}`) ?? null;
  }

  /** Deletes the folder of the namespace in one step. */
  deleteFolder(): void {
    for (const path of [...this.#names.keys()]) if (`${path}/`.startsWith(`${FOLDER}/`)) this.#drop(path);
  }

  /** Gives every record a second name elsewhere, as a backup by hard links does. */
  backUp(): void {
    for (const [path, inode] of this.#names) if (path.includes('/ring.')) inode.links += 1;
  }

  /** Whether there is a record of this ring. */
  holds(ring: string): boolean {
    return [...this.#names].some(([path, { text }]) => path.includes('/ring.') && text.includes(`"text":"${ring}"`));
  }

  /** How many descriptors a process has open. */
  openBy(process: number): number {
    return [...this.#open.values()].filter((each) => each.process === process).length;
  }

  /** Text that is equal for two disks that have the same names for the same inodes. */
  key(): string {
    return Array.from(this.#names, ([path, { id }]) => `${path}=${id}`)
      .sort()
      .join();
  }

  /** The file system as one process has it. */
  system(process: number, perform: Perform): SteppedSystem {
    let names = 0;
    const step = <T>(name: string, path: string, run: () => T): Promise<T> =>
      perform({ name, file: path.startsWith(`${FOLDER}/`) ? path.slice(FOLDER.length + 1) : path }, run);
    const ofOpen = <T>(name: string, fd: number, run: (inode: Inode) => T): Promise<T> =>
      step(name, `${fd}`, () => run(this.#opened(fd, name)));
    return {
      userId: () => USER,
      userName: () => 'somebody',
      randomName(bytes) {
        names += 1;
        return `${process}${names.toString(16).padStart(bytes * 2 - 1, '0')}`;
      },
      facts: (path) =>
        step('lstat', path, () => {
          const facts = this.#factsOf(path);
          const isKept = this.keepsDrafts && path.startsWith(`${FOLDER}/tmp/`);
          return facts && isKept ? { ...facts, changedMs: Number.NaN } : facts;
        }),
      factsOfTarget: (path) => step('stat', path, () => this.#factsOf(path)),
      list: (path) => step('readdir', path, () => this.#list(path)),
      open: (path) =>
        step('open', path, () => {
          const inode = this.#names.get(path);
          return inode === undefined ? null : this.#hold(inode, process);
        }),
      factsOfOpen: (fd) => ofOpen('fstat', fd, (inode) => this.#facts(inode)),
      read: (fd) => ofOpen('read', fd, ({ text }) => text),
      close: (fd) =>
        ofOpen('close', fd, (inode) => {
          this.#open.delete(fd);
          inode.descriptors -= 1;
          this.#release(inode);
        }),
      create: (path) => step('create', path, () => this.#hold(this.#make(path, 'file', process), process)),
      write: (fd, text) =>
        ofOpen('write', fd, (inode) => {
          inode.text = text;
        }),
      setModified: (fd) => ofOpen('futimes', fd, () => {}),
      give: (fd) => ofOpen('fchown', fd, () => {}),
      sync: (fd) => ofOpen('fsync', fd, () => {}),
      link: (from, to) =>
        step('link', to, () => {
          const inode = this.#there(from, 'link');
          this.#assertFree(to, 'link');
          inode.links += 1;
          this.#names.set(to, inode);
        }),
      rename: (from, to) =>
        step('rename', to, () => {
          const inode = this.#there(from, 'rename');
          inode.links += 1;
          if (this.#names.has(to)) this.#drop(to);
          this.#drop(from);
          this.#names.set(to, inode);
        }),
      unlink: (path) =>
        step('unlink', path, () => {
          this.#there(path, 'unlink');
          this.#drop(path);
        }),
      makeFolder: (path) => step('mkdir', path, () => void this.#make(path, 'folder', process)),
      giveFolder: (path) => step('lchown', path, () => {}),
      syncFolder: (path) => step('fsync', path, () => void this.#there(path, 'open')),
      touch: (path) => step('utimes', path, () => void this.#there(path, 'utime')),
      watch() {
        throw new Error('No process watches here.');
      },
      identitySync: (path) => step('look', path, () => this.#factsOf(path)),
      links: (fd) => ofOpen('links', fd, ({ links }) => links),
    };
  }

  #make(path: string, kind: Inode['kind'], process: number): Inode {
    if (path !== '/disk') this.#assertFree(path, kind === 'file' ? 'open' : 'mkdir');
    this.#made[process] = (this.#made[process] ?? 0) + 1;
    // As ext4 does: the lowest number that is free.
    const reused = [...this.#free].sort((a, b) => Number(a - b))[0];
    const number = reused ?? BigInt(process * 1_000 + this.#made[process]);
    this.#free.delete(number);
    const inode = { id: `${process}.${this.#made[process]}`, number, kind, text: '', links: 1, descriptors: 0 };
    this.#names.set(path, inode);
    return inode;
  }

  #hold(inode: Inode, process: number): number {
    this.#lastFd += 1;
    inode.descriptors += 1;
    this.#open.set(this.#lastFd, { inode, process });
    return this.#lastFd;
  }

  #drop(path: string): void {
    const inode = this.#there(path, 'unlink');
    this.#names.delete(path);
    inode.links -= 1;
    this.#release(inode);
  }

  #release({ links, descriptors, number, kind }: Inode): void {
    if (links === 0 && descriptors === 0 && kind === 'file') this.#free.add(number);
  }

  #list(path: string): readonly string[] | null {
    if (!this.#names.has(path)) return null;
    const names = [...this.#names.keys()].filter((name) => name.startsWith(`${path}/`));
    return names
      .map((name) => name.slice(path.length + 1))
      .filter((name) => !name.includes('/'))
      .sort();
  }

  #factsOf(path: string): FileFacts | null {
    const inode = this.#names.get(path);
    return inode === undefined ? null : this.#facts(inode);
  }

  #facts({ number, kind, text }: Inode): FileFacts {
    // Every two looks are a minute apart, so that all is old, also for who slept between any two
    // calls.
    this.#minutes += 1;
    const atMs = this.#minutes * MINUTE_MS;
    return {
      kind,
      device: DEVICE,
      inode: number,
      owner: USER,
      group: USER,
      mode: kind === 'file' ? 0o100600 : 0o040700,
      bytes: text.length,
      changedMs: atMs,
      modifiedMs: atMs,
    };
  }

  #opened(fd: number, syscall: string): Inode {
    const opened = this.#open.get(fd);
    if (opened === undefined) throw failure('EBADF', syscall);
    return opened.inode;
  }

  #there(path: string, syscall: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw failure('ENOENT', syscall);
    return inode;
  }

  #assertFree(path: string, syscall: string): void {
    if (this.#names.has(path)) throw failure('EEXIST', syscall);
    this.#there(path.slice(0, path.lastIndexOf('/')), syscall);
  }
}

/** What the store reads of an error. A stack would take longer than all else. */
function failure(code: string, syscall: string): object {
  return { code, syscall };
}
