/**
 * The parts of a folder that the stores of one process share: one descriptor and one watch, however
 * many stores there are.
 */

import { Look } from './look.js';
import type { FileSystem } from './system.js';
import { FolderWatch } from './watch.js';

interface Shared {
  readonly look: Look;
  readonly watch: FolderWatch;
  users: number;
}

/** Shared parts by file system, then by folder. */
const folders = new WeakMap<FileSystem, Map<string, Shared>>();

export interface Borrowed extends Pick<Shared, 'look' | 'watch'> {
  release(): Promise<void>;
}

/**
 * Returns the shared parts of a folder. The last store that releases them closes the descriptor and
 * the watch.
 */
export function borrowFolder(system: FileSystem, path: string): Borrowed {
  const ofSystem = folders.get(system) ?? new Map<string, Shared>();
  folders.set(system, ofSystem);
  const shared = ofSystem.get(path) ?? { look: new Look(system), watch: new FolderWatch(system, path), users: 0 };
  ofSystem.set(path, shared);
  shared.users += 1;
  const { look, watch } = shared;
  return {
    look,
    watch,
    async release() {
      shared.users -= 1;
      if (shared.users > 0) return;
      ofSystem.delete(path);
      watch.end();
      await look.end();
    },
  };
}
