/**
 * The file store in every order of its system calls: its own code, on a simulated folder
 * (docs/adr/0029).
 */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { seeds } from '../../support/seeds.js';
import { broken, madeAnew } from './broken-stores.js';
import { exploreAll, playRandom, playTurns } from './explore.js';
import type { Scenario, Work } from './scenario.js';
import { type CreateStore, SteppedStores } from './stepped-store.js';

const SEEDS = 400;

let stores: SteppedStores;
let store: CreateStore;
beforeAll(() => {
  // The deadlines of calls. No time passes in a simulated folder, so there are no timers.
  vi.stubGlobal('setTimeout', () => ({ unref() {} }));
  vi.stubGlobal('clearTimeout', () => {});
  stores = new SteppedStores();
  store = stores.load();
});
afterAll(() => {
  stores.dispose();
  vi.unstubAllGlobals();
});

const swaps = (count: number): readonly Work[] => Array<Work>(count).fill('change');
const reads = (count: number): readonly Work[] => Array<Work>(count).fill('read');
const written: Scenario = { processes: [], primed: 1, isCoarse: true, keepsDrafts: true };

/** Each with the most switches away from a process amid a call. */
const small: readonly { what: string; scenario: Scenario; switches: number }[] = [
  { what: 'two writers make the folder', scenario: { processes: [swaps(1), swaps(1)] }, switches: 2 },
  {
    what: 'two writers make the folder, which is deleted',
    scenario: { processes: [swaps(1), swaps(1)], deletions: 1, isCoarse: true },
    switches: 1,
  },
  {
    what: 'a writer beside two swaps, which take its draft',
    scenario: { processes: [swaps(1), swaps(2)], primed: 1 },
    switches: 1,
  },
  { what: 'a writer beside three swaps', scenario: { ...written, processes: [swaps(1), swaps(3)] }, switches: 2 },
  { what: 'a reader beside three swaps', scenario: { ...written, processes: [reads(2), swaps(3)] }, switches: 2 },
  { what: 'three writers', scenario: { ...written, processes: [swaps(1), swaps(2), swaps(1)] }, switches: 1 },
  {
    what: 'two writers and a reader',
    scenario: { ...written, processes: [swaps(1), swaps(3), reads(1)] },
    switches: 1,
  },
  {
    what: 'two writers of a folder that is deleted',
    scenario: { ...written, processes: [swaps(1), swaps(1)], deletions: 1 },
    switches: 1,
  },
  {
    what: 'a reader and a writer of a folder that is deleted',
    scenario: { ...written, processes: [reads(2), swaps(1)], deletions: 1 },
    switches: 1,
  },
];

const shown = ({ violation, steps }: { violation: string | null; steps: readonly string[] }): string =>
  [violation, ...steps].join('\n');

describe('all interleavings with few switches', () => {
  it.each(small)('keep the promises of a swap and a read: $what', async ({ scenario, switches }) => {
    const { found, outcomes, states } = await exploreAll(scenario, store, switches);
    expect(found && shown(found)).toBeNull();
    expect(states).toBeGreaterThan(1_000);
    expect(outcomes.get('swapped')).toBeGreaterThan(0);
  });

  it('leave no folder without its name, if a writer lives that makes one', async () => {
    const scenario: Scenario = { processes: [swaps(1), swaps(1)], deletions: 1 };
    const play = await playTurns(scenario, store, [...madeAnew, [1]]);
    expect(play.disk.key()).toContain('/namespace=');
  });

  it('leave a writer in doubt only after three changes by others', async () => {
    const leaves = async (count: number, create: CreateStore): Promise<boolean> =>
      (await exploreAll({ ...written, processes: [swaps(1), swaps(count)] }, create, 1)).outcomes.has('unknown');
    expect(await leaves(2, store)).toBe(false);
    expect(await leaves(3, store)).toBe(true);
    const keepsOne = stores.load([{ file: 'swap', find: 'const KEPT = 2;', put: 'const KEPT = 1;' }]);
    expect(await leaves(2, keepsOne)).toBe(true);
  });
});

describe('random interleavings, with crashes', () => {
  const played = seeds.range(Math.ceil(SEEDS * seeds.runs));

  it.each([0, 1, 2])(
    'keep the promises of a swap and a read, and end in a sound folder: %i deletions',
    async (deletions) => {
      for (const seed of played) {
        const scenario: Scenario = {
          processes: [swaps(3), swaps(3), swaps(2), reads(4)],
          primed: seed % 2,
          deletions,
          keepsDrafts: seed % 4 < 2,
        };
        const play = await playRandom(scenario, store, seed);
        expect(play.violation && `REWT_SEED=${seed}\n${shown(play)}`).toBeNull();
      }
    },
  );

  it('are the same again for the same seed', async () => {
    const scenario: Scenario = { processes: [swaps(3), swaps(3), reads(4)], deletions: 1 };
    const once = await playRandom(scenario, store, 4_711);
    const again = await playRandom(scenario, store, 4_711);
    expect(once.steps.length).toBeGreaterThan(50);
    expect(again.steps).toEqual(once.steps);
  });
});

describe('a store without one of the rules', () => {
  it.each(broken)('breaks a promise: $what', async ({ edits, scenario, play, finds }) => {
    const played = async (create: CreateStore): Promise<string | null> =>
      typeof play === 'number'
        ? ((await exploreAll(scenario, create, play)).found?.violation ?? null)
        : (await playTurns(scenario, create, play)).violation;
    expect(await played(stores.load(edits))).toMatch(new RegExp(`^${finds}: `));
    // What the rules allow, they allow in the same interleaving; all interleavings are played
    // above.
    if (typeof play !== 'number') expect(await played(store)).toBeNull();
  });
});
