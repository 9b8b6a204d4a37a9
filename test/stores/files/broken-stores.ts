/**
 * Copies of the file store in each of which one rule of docs/adr/0029 is left out, and where that
 * shows.
 */

import type { Turn } from './explore.js';
import type { Scenario, Work } from './scenario.js';
import type { Edit } from './stepped-store.js';

export interface Broken {
  readonly what: string;
  readonly edits: readonly Edit[];
  readonly scenario: Scenario;
  /** All interleavings with so many switches are played until one shows it, or this one. */
  readonly play: number | readonly Turn[];
  /** What the judge has to find. */
  readonly finds: 'READ' | 'ACK' | 'COMMIT' | 'LEFT' | 'ERROR';
}

const swaps = (count: number): readonly Work[] => Array<Work>(count).fill('change');
const reads: readonly Work[] = ['read', 'read'];

const readerAndWriter: Scenario = { processes: [reads, swaps(3)], primed: 1, isCoarse: true };
const sleeperAndWriter: Scenario = { processes: [swaps(1), swaps(3)], primed: 1, isCoarse: true, keepsDrafts: true };
const deleted: Scenario = { processes: [swaps(1), swaps(1)], primed: 1, isCoarse: true, deletions: 1 };

/**
 * Two writers make the folder, which is deleted. One of them makes it anew and crashes, and the
 * other one goes on.
 */
export const madeAnew: readonly Turn[] = [[1, /^open birth/], ['delete'], [0, /^open namespace/]];

const lookAtNext = 'if (await this.#system.identitySync(nextPath) !== null)';
const lookAtHeld = 'return isSame(await this.#system.identitySync(path), identity);';

export const broken: readonly Broken[] = [
  {
    what: 'a held record is unchanged if the next one is not there',
    edits: [{ file: 'look', find: lookAtHeld, put: 'return true;' }],
    scenario: readerAndWriter,
    play: 1,
    finds: 'READ',
  },
  {
    what: 'a held record is unchanged if it is still there',
    edits: [{ file: 'look', find: lookAtNext, put: 'if (false)' }],
    scenario: readerAndWriter,
    play: 1,
    finds: 'READ',
  },
  {
    what: 'a held record is looked at before the next one',
    edits: [
      { file: 'look', find: lookAtNext, put: 'if (!isSame(await this.#system.identitySync(path), identity))' },
      { file: 'look', find: lookAtHeld, put: 'return (await this.#system.identitySync(nextPath)) === null;' },
    ],
    scenario: readerAndWriter,
    play: 2,
    finds: 'READ',
  },
  {
    what: 'a held record is unchanged if the next one is not there and the held file has a name',
    edits: [
      { file: 'look', find: 'async #isNewest({ path,', put: 'async #isNewest({ fd, path,' },
      { file: 'look', find: lookAtHeld, put: 'return (await this.#system.links(fd)) > 0;' },
    ],
    scenario: { ...readerAndWriter, hasBackup: true },
    play: 1,
    finds: 'READ',
  },
  {
    what: 'a held record is not kept open',
    edits: [{ file: 'reader', find: 'isHeld = true;', put: 'isHeld = false;' }],
    scenario: { processes: [swaps(1), swaps(3), swaps(1), reads], primed: 1, keepsDrafts: true },
    // The draft of the sleeper gets the inode number of the record that it then replaces.
    play: [[0, /^create/], [1], [3], [1], [1, /^unlink tmp/], [2], [0], [3]],
    finds: 'READ',
  },
  {
    what: 'a record that was read counts without a second listing',
    edits: [{ file: 'reader', find: '(await this.generations(birth))?.at(-1) !== generation ||', put: '' }],
    scenario: { processes: [swaps(1), swaps(4), ['read']], primed: 1, keepsDrafts: true },
    play: [[0, /^link/], [1], [2, /^open ring/], [1], [1], [1], [0], [2]],
    finds: 'READ',
  },
  {
    what: 'a record that was read counts if it is there and the next one is not',
    edits: [
      {
        file: 'reader',
        find: '(await this.generations(birth))?.at(-1) !== generation ||',
        put: `(await system.facts(path.replace(/\\d+$/, (g) => String(Number(g) + 1).padStart(12, '0')))) !== null ||`,
      },
    ],
    scenario: { processes: [swaps(1), swaps(4), ['read']], primed: 1, keepsDrafts: true },
    play: [[0, /^link/], [1], [2, /^open ring/], [1], [1], [1], [0], [2]],
    finds: 'READ',
  },
  {
    what: 'no birth is read after the second listing',
    edits: [{ file: 'reader', find: ' || (await this.birth(owner)) !== birth)', put: ')' }],
    scenario: { processes: [swaps(1), swaps(1), ['read']], primed: 1, deletions: 1 },
    play: [[0, /^create/], [2, /^readdir/], ['delete'], [1], [0], [2]],
    finds: 'READ',
  },
  {
    what: 'a record that was linked is a swap that happened',
    edits: [{ file: 'swap', find: 'if (newest > generation) {', put: 'if (false) {' }],
    scenario: sleeperAndWriter,
    play: 1,
    finds: 'ACK',
  },
  {
    what: 'a late record is not removed',
    edits: [{ file: 'swap', find: 'await drafts.remove(fileOf(place, written));', put: '' }],
    scenario: sleeperAndWriter,
    play: 2,
    finds: 'LEFT',
  },
  {
    what: 'a swap whose next record is not there any more did not happen',
    edits: [
      { file: 'swap', find: 'if (next === null)', put: 'if (false)' },
      { file: 'swap', find: 'parseRecord)(next,', put: "parseRecord)(next ?? ''," },
    ],
    scenario: sleeperAndWriter,
    play: 1,
    finds: 'ACK',
  },
  {
    what: 'old records are removed in descending order',
    edits: [
      {
        file: 'swap',
        find: 'generations.slice(0, -KEPT).entries())',
        put: '[...generations.slice(0, -KEPT).entries()].reverse())',
      },
    ],
    scenario: { processes: [reads, swaps(2), swaps(1)], primed: 1 },
    play: [[0], [1], [1, /^unlink tmp/], [2, /^unlink ring.*1$/], [0]],
    finds: 'READ',
  },
  {
    what: 'no birth is read after the link',
    edits: [{ file: 'swap', find: '(await reader.birth(owner)) !== birth ||', put: '' }],
    scenario: deleted,
    play: 1,
    finds: 'ACK',
  },
  {
    what: 'every folder has the same birth',
    edits: [],
    scenario: { ...deleted, hasOneBirth: true },
    play: 1,
    finds: 'COMMIT',
  },
  {
    what: 'a folder that has no name yet is damaged',
    edits: [{ file: 'reader', find: 'namespace !== null && ', put: '' }],
    scenario: { processes: [swaps(1), swaps(1), ['read']], deletions: 1 },
    play: [...madeAnew, [1, /^open namespace/], [2]],
    finds: 'ERROR',
  },
];
