/** Reads the newest record of a folder (docs/adr/0029). */

import { contended, damaged } from './file-errors.js';
import type { Owner } from './file-guard.js';
import { isSame, type Look } from './file-look.js';
import type { Place } from './file-place.js';
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
} from './file-record.js';

/** Each attempt but the last fails only because another process wrote meanwhile. */
const MAX_ATTEMPTS = 1_000;

export class Reader {
  readonly #place: Place;
  readonly #look: Look;
  /** The birth of the folder whose `namespace` was compared. */
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

  /** Lists the generations of one birth in ascending order. Null if the folder is gone. */
  async generations(birth: string): Promise<readonly number[] | null> {
    const names = await this.#place.system.list(this.#place.path);
    return names && generationsIn(names, birth);
  }

  /** Reads the random name that the folder was given when it was made. Null if it has none. */
  async birth(owner: Owner): Promise<string | null> {
    const { root } = this.#place;
    const path = this.#place.file(BIRTH);
    const birth = await this.#place.text(path, owner);
    if (birth === null) return null;
    if (!isBirth(birth)) throw damaged(root, `${path} is not what the file store wrote`);
    if (birth === this.#compared) return birth;
    const namespace = await this.#place.text(this.#place.file(NAMESPACE), owner);
    if (namespace === this.#place.namespace) this.#compared = birth;
    // Without a name, a writer died that made the folder anew after a deletion: no other namespace
    // has this folder.
    else if (namespace !== null && (await this.#place.text(path, owner)) === birth) {
      throw damaged(root, `${this.#place.file(NAMESPACE)} does not name the namespace of that folder`);
    }
    return birth;
  }

  /**
   * Null if another process wrote meanwhile, so that what was seen may never have been the state.
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
      throw damaged(this.#place.root, `${path} has the last number of a record, which the file store does not write`);
    }
    const opened = await this.#place.open(path, owner);
    if (opened === null) return null;
    const { fd, facts, text } = opened;
    let isHeld = false;
    try {
      // A writer that slept may have linked this generation anew, long after it was replaced and
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
