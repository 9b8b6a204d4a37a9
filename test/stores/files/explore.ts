/** Plays interleavings: all that have few switches, or some at random. */

import { Random } from '../../sim/random.js';
import { Interleaving } from './interleaving.js';
import type { Choice, Outcome, Scenario } from './scenario.js';
import type { CreateStore } from './stepped-store.js';

export interface Explored {
  readonly schedules: number;
  readonly states: number;
  readonly outcomes: ReadonlyMap<Outcome, number>;
  /** The first violation, with the steps that led there; null if there was none. */
  readonly found: { readonly violation: string; readonly steps: readonly string[] } | null;
}

/**
 * Plays all interleavings with at most so many switches away from a process amid a call. Free are
 * the first step of a call and its resumption, if no other process is amid one, and the deletion of
 * the folder.
 */
export async function exploreAll(scenario: Scenario, create: CreateStore, switches: number): Promise<Explored> {
  const start = await Interleaving.primed(scenario, create);
  const seen = new Map<number, number>();
  const prefixes: Choice[][] = [[]];
  const outcomes = new Map<Outcome, number>();
  let schedules = 0;
  for (let prefix = prefixes.pop(); prefix !== undefined; prefix = prefixes.pop()) {
    schedules += 1;
    const play = new Interleaving(scenario, create, start);
    const made: Choice[] = [];
    let current: Choice | null = null;
    let left = switches;
    const go = async (choice: Choice): Promise<void> => {
      if (choice !== 'delete') {
        if (current !== null && current !== choice && play.isAmid(current)) left -= 1;
        current = choice;
      }
      made.push(choice);
      await play.advance(choice);
    };
    for (const choice of prefix) await go(choice);
    while (play.violation === null) {
      const running: Choice | null = current !== null && play.isAmid(current) ? current : null;
      // The one that runs may go on without a switch.
      const key = play.key() * 8 + (running === null ? 7 : Number(running));
      if ((seen.get(key) ?? -1) >= left) break;
      seen.set(key, left);
      const choices = play.choices().filter((choice) => {
        return running === null || choice === running || choice === 'delete' || left > 0;
      });
      const next = running ?? choices[0];
      if (next === undefined) break;
      for (const choice of choices) if (choice !== next) prefixes.push([...made, choice]);
      await go(next);
    }
    for (const [outcome, count] of play.outcomes) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + count);
    const { violation, steps } = play;
    if (violation !== null) return { schedules, states: seen.size, outcomes, found: { violation, steps } };
  }
  return { schedules, states: seen.size, outcomes, found: null };
}

/**
 * A process, and the system call before which it stops; without one it comes to the end of its call
 * of the store.
 */
export type Turn = readonly [Choice, RegExp?];

/** Plays one interleaving that is written down. */
export async function playTurns(
  scenario: Scenario,
  create: CreateStore,
  turns: readonly Turn[],
): Promise<Interleaving> {
  const play = new Interleaving(scenario, create, await Interleaving.primed(scenario, create));
  for (const [choice, before] of turns) {
    do await play.advance(choice);
    while (play.isAmid(choice) && !before?.test(play.nextStep(choice) ?? ''));
    if (before !== undefined && !play.isAmid(choice)) throw new Error(`${choice} came to its end before ${before}`);
  }
  return play;
}

/** Plays one interleaving in which each process may crash. */
export async function playRandom(scenario: Scenario, create: CreateStore, seed: number): Promise<Interleaving> {
  const random = new Random(seed, 'interleaving');
  const play = new Interleaving(scenario, create, await Interleaving.primed(scenario, create));
  const crashed = new Set<Choice>();
  /** How eagerly it switches, and how often it crashes a process. */
  const restless = random.pick([0.02, 0.1, 0.3, 0.8]);
  const deadly = random.pick([0, 0, 0.002, 0.02]);
  let current: number | undefined;
  while (play.violation === null) {
    const choices = play.choices().filter((choice) => !crashed.has(choice));
    const processes = choices.filter((choice): choice is number => choice !== 'delete');
    if (processes.length === 0) break;
    if (current === undefined || !processes.includes(current) || random.chance(restless))
      current = random.pick(processes);
    if (choices.includes('delete') && random.chance(0.01)) await play.advance('delete');
    await play.advance(current);
    if (random.chance(deadly)) crashed.add(current);
  }
  if (play.violation === null) await play.recover(create);
  return play;
}
