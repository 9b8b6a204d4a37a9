/** Plays one seed of one scenario to its end. */

import type { Counts, Violation } from './calls.js';
import type { Scenario } from './scenario.js';
import { World } from './world.js';

export interface Played {
  readonly counts: Counts;
  readonly violations: readonly Violation[];
}

export async function play(
  scenario: Scenario,
  seed: number,
  trace: ((line: string) => void) | null = null,
): Promise<Played> {
  const world = new World(scenario, seed);
  if (trace !== null) {
    world.judge.trace = (text) => trace(`${(world.agenda.nowMs / 1_000).toFixed(4).padStart(10)}  ${text}`);
  }
  const { stackTraceLimit } = Error;
  // Refusals are thrown by the thousand, and a seventh of the time goes into their stacks.
  if (trace === null) Error.stackTraceLimit = 0;
  try {
    await world.play();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  return world.judge;
}
