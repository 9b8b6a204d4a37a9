/**
 * The ownership checks: folders and files that another user owns or can write are rejected. A user
 * who can write a record can choose the secret.
 */

import { foreignOwner, keptByLmdb, misplaced, openToOthers, parentGone, targetGone } from './faults.js';
import type { FileFacts, FileSystem } from './system.js';

/** The user who owns all files of a store. */
export interface Owner {
  readonly owner: number;
  readonly group: number;
}

const ROOT = 0;
/** Write permission of the group and of others. */
const OTHERS_WRITE = 0o022;

export class Guard {
  readonly #system: FileSystem;
  readonly #root: string;
  readonly parentPath: string;

  /**
   * @param root the path given to the store
   * @param parentPath the folder above it
   */
  constructor(system: FileSystem, root: string, parentPath: string) {
    this.#system = system;
    this.#root = root;
    this.parentPath = parentPath;
  }

  /**
   * Checks the folder above the store's path.
   * @throws {StoreError} if there is none
   */
  async parent(): Promise<Owner> {
    const facts = await this.#system.factsOfTarget(this.parentPath);
    if (facts === null) throw parentGone(this.#root);
    return { owner: facts.owner, group: facts.group };
  }

  /**
   * Checks the store's path. Returns null if it does not exist.
   * @throws {StoreError} if the folder above does not exist either, if the path is a broken link,
   * or if this process must not use it.
   */
  async root(): Promise<Owner | null> {
    const facts = await this.#system.factsOfTarget(this.#root);
    if (facts === null) {
      await this.parent();
      // A disk that is not mounted must not look like an empty keyring.
      if ((await this.#system.facts(this.#root))?.kind === 'other') throw targetGone(this.#root);
      return null;
    }
    const user = this.#system.userId();
    if (user !== ROOT && facts.owner !== user) throw this.#foreign(this.#root, facts.owner, user);
    this.assertSafe(this.#root, facts, facts, 'folder');
    return { owner: facts.owner, group: facts.group };
  }

  /**
   * Checks the folder of a namespace. Returns null if there is none.
   * @throws {StoreError} if the folder above belongs to the former LMDB store.
   */
  async folder(path: string, owner: Owner): Promise<FileFacts | null> {
    const facts = await this.#system.facts(path);
    if (facts !== null) {
      this.assertSafe(path, facts, owner, 'folder');
      return facts;
    }
    if ((await this.#system.facts(`${this.#root}/data.mdb`)) !== null) throw keptByLmdb(this.#root);
    return null;
  }

  /**
   * Checks `tmp` or `members`, if it exists: through a symbolic link, root would write elsewhere.
   */
  async inner(path: string, owner: Owner): Promise<void> {
    const facts = await this.#system.facts(path);
    if (facts !== null) this.assertSafe(path, facts, owner, 'folder');
  }

  /**
   * Checks a file or folder.
   * @throws {StoreError} unless it is of this kind, belongs to the owner, and is writable by no
   * other user.
   */
  assertSafe(path: string, facts: FileFacts, { owner }: Pick<Owner, 'owner'>, kind: 'file' | 'folder'): void {
    if (facts.kind !== kind) throw misplaced(path, kind);
    if (facts.owner !== owner) throw this.#foreign(path, facts.owner, owner);
    if ((facts.mode & OTHERS_WRITE) !== 0) throw openToOthers(path);
  }

  /** Gives a new folder to the owner. Only root creates files for another user. */
  async giveFolder(path: string, { owner, group }: Owner): Promise<void> {
    if (this.isOther(owner)) await this.#system.giveFolder(path, owner, group);
  }

  async give(fd: number, { owner, group }: Owner): Promise<void> {
    if (this.isOther(owner)) await this.#system.give(fd, owner, group);
  }

  isOther(owner: number): boolean {
    return owner !== this.#system.userId();
  }

  /** Returns a user as `sudo -u` takes it. */
  nameOf(user: number): string {
    return this.#system.userName(user) ?? `'#${user}'`;
  }

  #foreign(path: string, found: number, wanted: number): Error {
    const named = (user: number): string => this.#system.userName(user) ?? `user ${user}`;
    return foreignOwner(path, { is: named(found), must: named(wanted), user: this.nameOf(found) });
  }
}
