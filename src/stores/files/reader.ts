/** The reader of a folder's newest record (docs/adr/0029). */

import { contended, damaged } from './faults.js';
import type { Owner } from './guard.js';
import { isSame, type Look } from './look.js';
import type { Place } from './place.js';
import {
  BIRTH,
  emptyState,
  type FolderState,
  generationsIn,
  isBirth,
  LAST_GENERATION,
  NAMESPACE,
  parseRecord,
  recordName,
} from './records.js';

/** Every attempt but the last fails only if another process wrote meanwhile. */
const MAX_ATTEMPTS = 1_000;

export class Reader {
  readonly #place: Place;
  readonly #look: Look;
  /** The birth of the folder whose file `namespace` was compared. */
  #compared: string | null = null;

  constructor(place: Place, look: Look) {
    this.#place = place;
    this.#look = look;
  }

  /** Reads the newest record, and holds it. */
  async read(): Promise<FolderState> {
    const held = this.#look.state();
    if (held !== null) return held;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const state = await this.#attempt();
      if (state !== null) return state;
    }
    throw contended(this.#place.root);
  }

  /** Checks if the folder of this birth was found to have the name of the namespace. */
  isNamed(birth: string): boolean {
    return birth === this.#compared;
  }

  /** Lists the generations of one birth in ascending order. Returns null if the folder is gone. */
  async generations(birth: string): Promise<readonly number[] | null> {
    const names = await this.#place.system.list(this.#place.path);
    return names && generationsIn(names, birth);
  }

  /** Reads the random name that the folder got at its creation. Returns null if it has none. */
  async birth(owner: Owner): Promise<string | null> {
    const path = this.#place.file(BIRTH);
    const birth = await this.#place.text(path, owner);
    if (birth === null) return null;
    if (!isBirth(birth)) throw damaged(path, 'is not what the file store wrote');
    if (this.isNamed(birth)) return birth;
    const namespace = await this.#place.text(this.#place.file(NAMESPACE), owner);
    if (namespace === this.#place.namespace) this.#compared = birth;
    // The name is missing because a writer died while it recreated a deleted folder. The folder
    // belongs to no other namespace.
    else if (namespace !== null && (await this.#place.text(path, owner)) === birth) {
      throw damaged(this.#place.file(NAMESPACE), 'does not name the namespace of that folder');
    }
    return birth;
  }

  /**
   * Reads once. Returns null if another process wrote meanwhile, because the result may never have
   * been the state.
   */
  async #attempt(): Promise<FolderState | null> {
    const { system, guard, path: folder } = this.#place;
    const owner = await guard.root();
    const found = owner && (await guard.folder(folder, owner));
    this.#look.folder = found;
    if (owner === null || found === null) return emptyState(null);
    const birth = await this.birth(owner);
    if (birth === null) return emptyState(null);
    const generations = await this.generations(birth);
    if (generations === null) return null;
    const generation = generations.at(-1) ?? 0;
    if (generation === 0) return (await this.birth(owner)) === birth ? emptyState(birth) : null;
    const path = this.#place.file(recordName(birth, generation));
    if (generation === LAST_GENERATION) {
      throw damaged(path, 'has the last number of a record, which the file store does not write');
    }
    const opened = await this.#place.open(path, owner);
    if (opened === null) return null;
    const { fd, facts, text } = opened;
    let isHeld = false;
    try {
      // A suspended writer may have linked this generation again, long after it was replaced and
      // removed.
      if ((await this.generations(birth))?.at(-1) !== generation || (await this.birth(owner)) !== birth) return null;
      if (!isSame(await system.facts(path), facts)) return null;
      const state = parseRecord(text, birth, generation);
      isHeld = true;
      const nextPath = this.#place.file(recordName(birth, generation + 1));
      await this.#look.hold({ state, fd, identity: facts, path, nextPath });
      return state;
    } finally {
      if (!isHeld) await system.close(fd);
    }
  }
}
