/**
 * What the stores of one process share for each folder: one descriptor and one watch, however many
 * stores there are.
 */

import { Look } from './file-look.js';
import type { FileSystem } from './file-system.js';
import { FolderWatch } from './file-watch.js';

interface Shared {
  readonly look: Look;
  readonly watch: FolderWatch;
  users: number;
}

/** By file system, then by folder. */
const folders = new WeakMap<FileSystem, Map<string, Shared>>();

export interface Borrowed extends Pick<Shared, 'look' | 'watch'> {
  release(): Promise<void>;
}

/**
 * Gives what all stores of this process share of a folder; the last one that releases it closes its
 * descriptor and its watch.
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
