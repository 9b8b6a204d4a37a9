/** What came of many seeds of one scenario. */

import type { Promised } from './ledger.js';
import { play } from './play.js';
import type { Scenario } from './scenario.js';

export interface Tally {
  readonly scenario: string;
  seeds: number;
  ms: number;
  operations: number;
  unavailable: number;
  rotations: number;
  revocations: number;
  readonly violations: Record<Promised, number>;
  readonly excused: Record<string, number>;
  /** The seeds with violations. */
  readonly red: number[];
  /** The lowest seed with a violation, and what it was. */
  first: { readonly seed: number; readonly promise: Promised; readonly atMs: number; readonly text: string } | null;
}

export function emptyTally(scenario: string): Tally {
  const violations = { lost: 0, late: 0, extra: 0, outage: 0, old: 0 };
  return {
    scenario,
    seeds: 0,
    ms: 0,
    operations: 0,
    unavailable: 0,
    rotations: 0,
    revocations: 0,
    violations,
    excused: {},
    red: [],
    first: null,
  };
}

/** Plays the seeds `from` to `to`, or until the first violation. */
export async function tallySeeds(scenario: Scenario, from: number, to: number, untilFirst = false): Promise<Tally> {
  const tally = emptyTally(scenario.name);
  const begun = performance.now();
  for (let seed = from; seed <= to; seed += 1) {
    const { counts, violations } = await play(scenario, seed);
    const [first] = violations;
    const played = {
      ...emptyTally(scenario.name),
      ...counts,
      seeds: 1,
      red: first === undefined ? [] : [seed],
      first: first === undefined ? null : { ...first, seed },
    };
    add(tally, played);
    if (untilFirst && first !== undefined) break;
  }
  tally.ms = performance.now() - begun;
  return tally;
}

export function add(tally: Tally, more: Omit<Tally, 'scenario'>): void {
  tally.seeds += more.seeds;
  tally.ms += more.ms;
  tally.operations += more.operations;
  tally.unavailable += more.unavailable;
  tally.rotations += more.rotations;
  tally.revocations += more.revocations;
  for (const promise of Object.keys(tally.violations) as Promised[])
    tally.violations[promise] += more.violations[promise];
  for (const [why, count] of Object.entries(more.excused)) tally.excused[why] = (tally.excused[why] ?? 0) + count;
  tally.red.push(...more.red);
  if (more.first !== null && (tally.first === null || more.first.seed < tally.first.seed)) tally.first = more.first;
}
