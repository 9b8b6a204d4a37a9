/**
 * Refuses folders and files that another user owns or may write: whoever can write a record chooses
 * the secret.
 */

import { StoreError } from '../errors.js';
import { keptByLmdb, parentGone, targetGone } from './file-errors.js';
import type { FileFacts, FileSystem } from './file-system.js';

/** The user to whom all files of a store belong. */
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

  /** `root` is the path that was given to the store, `parentPath` the folder above it. */
  constructor(system: FileSystem, root: string, parentPath: string) {
    this.#system = system;
    this.#root = root;
    this.parentPath = parentPath;
  }

  /**
   * Examines the folder above the path that was given to the store.
   * @throws {StoreError} if there is none
   */
  async parent(): Promise<Owner> {
    const facts = await this.#system.factsOfTarget(this.parentPath);
    if (facts === null) throw parentGone(this.#root);
    return { owner: facts.owner, group: facts.group };
  }

  /**
   * Examines the path that was given to the store. Null if nothing is there.
   * @throws {StoreError} if the folder above does not exist either, if it is a link to nothing, or
   * if this process must
   * not use what is there.
   */
  async root(): Promise<Owner | null> {
    const facts = await this.#system.factsOfTarget(this.#root);
    if (facts === null) {
      await this.parent();
      // To those who read it, a disk that is not mounted must not be an empty keyring.
      if ((await this.#system.facts(this.#root))?.kind === 'other') throw targetGone(this.#root);
      return null;
    }
    const user = this.#system.userId();
    if (user !== ROOT && facts.owner !== user) throw this.#foreign(this.#root, facts.owner, user);
    this.assertSafe(this.#root, facts, facts, 'folder');
    return { owner: facts.owner, group: facts.group };
  }

  /**
   * Examines the folder of a namespace. Null if there is none.
   * @throws {StoreError} if LMDB kept the folder above.
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
   * Examines `tmp` or `members`, if it exists: through a symbolic link, root would write elsewhere.
   */
  async inner(path: string, owner: Owner): Promise<void> {
    const facts = await this.#system.facts(path);
    if (facts !== null) this.assertSafe(path, facts, owner, 'folder');
  }

  /**
   * @throws {StoreError} unless it is of this kind, belongs to the owner, and no other user may
   * write to it.
   */
  assertSafe(path: string, facts: FileFacts, { owner }: Pick<Owner, 'owner'>, kind: 'file' | 'folder'): void {
    if (facts.kind !== kind) {
      throw new StoreError('ERR_REWT_STORE_DOWN', `${path} is no ${kind}. Move it away, or give another folder.`);
    }
    if (facts.owner !== owner) throw this.#foreign(path, facts.owner, owner);
    if ((facts.mode & OTHERS_WRITE) === 0) return;
    const message = `Other users may write to ${path}, and could choose the secret. Run: chmod go-w ${asArgument(path)}`;
    throw new StoreError('ERR_REWT_STORE_DENIED', message);
  }

  /** Gives a new folder to the owner: only root makes files for another user. */
  async giveFolder(path: string, { owner, group }: Owner): Promise<void> {
    if (this.isOther(owner)) await this.#system.giveFolder(path, owner, group);
  }

  async give(fd: number, { owner, group }: Owner): Promise<void> {
    if (this.isOther(owner)) await this.#system.give(fd, owner, group);
  }

  isOther(owner: number): boolean {
    return owner !== this.#system.userId();
  }

  /** A user as `sudo -u` takes it. */
  nameOf(user: number): string {
    return this.#system.userName(user) ?? `'#${user}'`;
  }

  #foreign(path: string, found: number, wanted: number): StoreError {
    const [is, must] = [found, wanted].map((user) => this.#system.userName(user) ?? `user ${user}`);
    const message = `${path} belongs to ${is} and not to ${must}. Run it as the owner (sudo -u ${this.nameOf(found)} rewt …), or give another folder.`;
    return new StoreError('ERR_REWT_STORE_DENIED', message);
  }
}

/** Writes a path as one argument of a shell command. */
function asArgument(path: string): string {
  return /^[\w./@%+:,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
