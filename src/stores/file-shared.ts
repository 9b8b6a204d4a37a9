/** What the stores of one process share for each folder: one descriptor that is held, however many stores there are. */

import { Look } from './file-look.js';
import type { FileSystem } from './file-system.js';

interface Shared {
  readonly look: Look;
  users: number;
}

/** By file system, then by folder. */
const looks = new WeakMap<FileSystem, Map<string, Shared>>();

/** Gives the look at a folder that all stores of this process share; the last one that releases it closes its descriptor. */
export function borrowLook(system: FileSystem, path: string): { look: Look; release: () => Promise<void> } {
  const ofSystem = looks.get(system) ?? new Map<string, Shared>();
  looks.set(system, ofSystem);
  const shared = ofSystem.get(path) ?? { look: new Look(system), users: 0 };
  ofSystem.set(path, shared);
  shared.users += 1;
  return {
    look: shared.look,
    async release() {
      shared.users -= 1;
      if (shared.users > 0) return;
      ofSystem.delete(path);
      await shared.look.end();
    },
  };
}
