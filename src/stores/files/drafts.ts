/**
 * Folders and files that appear whole: they are written under `tmp`, flushed to the disk, then
 * linked or renamed.
 */

import type { Owner } from './guard.js';
import type { Place } from './place.js';
import { BIRTH, DRAFTS, NAMESPACE } from './records.js';
import { errnoOf } from './system.js';

/** The drafts that one write checks for removal. */
const MAX_SWEPT = 100;

/** A file under `tmp`, written and closed. */
export interface Draft {
  readonly path: string;
  readonly owner: Owner;
}

export class Drafts {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  /**
   * Creates the missing parts of a folder with a birth, but without a record. Returns the birth, or
   * null if another process deleted it meanwhile.
   */
  async makeBirth(): Promise<string | null> {
    await this.makeFolder();
    const { system, path } = this.#place;
    const text = await this.#publish(BIRTH, system.randomName(16));
    // The folder may have been deleted and created again since the name was written.
    await this.makeName();
    if (text !== null) await system.syncFolder(path);
    return text;
  }

  /** Creates the missing parts of the folder. */
  async makeFolder(): Promise<void> {
    const { system, guard, root, path } = this.#place;
    const owner = (await guard.root()) ?? (await this.#makeRoot());
    if ((await guard.folder(path, owner)) === null) await this.#make(path, owner);
    await this.makeName();
    await system.syncFolder(root);
  }

  /** Writes the name of the namespace into its folder, if it has none yet. */
  async makeName(): Promise<void> {
    await this.#publish(NAMESPACE, this.#place.namespace);
  }

  /**
   * Writes a file with mode 0600 under `tmp`, for the owner of the folder. Returns null if the
   * folder is gone.
   * @param finish is called with the descriptor before it is closed
   */
  async write(text: string, finish?: (fd: number) => Promise<void>): Promise<Draft | null> {
    const { system, guard } = this.#place;
    const owner = await guard.root();
    // A member that holds a record reads without checking the folder.
    if (owner === null || (await guard.folder(this.#place.path, owner)) === null) return null;
    await guard.inner(this.#place.file(DRAFTS), owner);
    const path = this.#place.file(DRAFTS, system.randomName(12));
    const fd = await this.#create(path, owner);
    if (fd === null) return null;
    try {
      await guard.give(fd, owner);
      await system.write(fd, text);
      await finish?.(fd);
      await system.sync(fd);
    } catch (error) {
      await system.close(fd);
      await this.remove(path).catch(() => {});
      throw error;
    }
    await system.close(fd);
    return { path, owner };
  }

  /** Moves a draft to a name in a folder beside `tmp`, and replaces the file of that name. */
  async rename(draft: Draft, folder: string, path: string): Promise<void> {
    const { system, guard } = this.#place;
    try {
      await guard.inner(this.#place.file(folder), draft.owner);
      await system.rename(draft.path, path).catch(async (error) => {
        if (errnoOf(error) !== 'ENOENT') throw error;
        await this.#make(this.#place.file(folder), draft.owner);
        await system.rename(draft.path, path);
      });
    } catch (error) {
      await this.remove(draft.path).catch(() => {});
      throw error;
    }
  }

  /** Removes a file, if it is still there. */
  async remove(path: string): Promise<void> {
    try {
      await this.#place.system.unlink(path);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }

  /** Removes drafts of writers that did not finish. @param isOld decides by the ctime */
  async sweep(isOld: (changedMs: number) => boolean): Promise<void> {
    const { system, guard } = this.#place;
    const owner = await guard.root();
    const names = (await system.list(this.#place.file(DRAFTS))) ?? [];
    for (const name of names.slice(0, MAX_SWEPT)) {
      const path = this.#place.file(DRAFTS, name);
      const facts = await system.facts(path);
      if (facts?.kind === 'file' && facts.owner === owner?.owner && isOld(facts.changedMs)) await this.remove(path);
    }
  }

  /**
   * Creates a file with this text, unless it exists. Returns the text in the file, or null if the
   * folder is gone.
   */
  async #publish(name: string, text: string): Promise<string | null> {
    const path = this.#place.file(name);
    const owner = await this.#place.guard.root();
    const found = owner && (await this.#place.text(path, owner));
    if (found !== null) return found;
    const draft = await this.write(text);
    if (draft === null) return null;
    try {
      await this.#place.system.link(draft.path, path);
      return text;
    } catch (error) {
      // The draft was deleted with its folder.
      if (!['EEXIST', 'ENOENT'].includes(errnoOf(error) ?? '')) throw error;
      return await this.#place.text(path, draft.owner);
    } finally {
      await this.remove(draft.path);
    }
  }

  async #create(path: string, owner: Owner): Promise<number | null> {
    const { system } = this.#place;
    try {
      return await system.create(path);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    try {
      await this.#make(this.#place.file(DRAFTS), owner);
      return await system.create(path);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      throw error;
    }
  }

  /**
   * Creates the store's folder for the owner of the folder above, so that a first `sudo rewt` does
   * not lock services out.
   */
  async #makeRoot(): Promise<Owner> {
    const { system, guard, root } = this.#place;
    const above = await guard.parent();
    const user = system.userId();
    await this.#make(root, user === 0 ? above : { owner: user, group: above.group });
    await system.syncFolder(guard.parentPath);
    const owner = await guard.root();
    return owner ?? above;
  }

  /** Creates a folder for the owner, unless another process has created it. */
  async #make(path: string, owner: Owner): Promise<void> {
    const { system, guard } = this.#place;
    try {
      await system.makeFolder(path);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
      return;
    }
    await guard.giveFolder(path, owner);
  }
}
