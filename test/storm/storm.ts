/**
 * Plays a storm: writers and readers in separate processes on one folder, which are killed and
 * stopped at random.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { folderName } from '../../src/stores/files/records.js';
import { Random } from '../sim/random.js';
import { Actor, type Start } from './actor.js';
import { RecordsOf } from './folder.js';
import { judge, type Report, type Verdict } from './judge.js';

export interface Storm {
  readonly seed: number;
  readonly seconds: number;
  /** How each writer and each reader is started. */
  readonly writers: readonly Start[];
  readonly readers: readonly Start[];
  /** How many are killed or stopped, on average. 0: none. */
  readonly faultsPerSecond: number;
}

export interface Outcome extends Verdict {
  readonly kills: number;
  readonly stops: number;
  /** Process numbers, as the processes see their own. */
  readonly pids: readonly number[];
}

/**
 * In a longer storm, the writers alone remove records at the end, a minute after they were
 * replaced.
 */
const UNHURRIED_MS = 80_000;
const TURN_MS = 10;
/** The part of those that could be stopped that is killed. */
const KILLED = 0.2;
/** Longer than records live while they are removed sooner. */
const MAX_STOP_MS = 2_000;

export async function play({ seed, seconds, writers, readers, faultsPerSecond }: Storm): Promise<Outcome> {
  const random = new Random(seed, 'storm');
  const folder = mkdtempSync(join(tmpdir(), 'rewt-storm-'));
  const path = join(folder, 'keys');
  const records = new RecordsOf(join(path, folderName('storm')));
  const actors = [
    ...writers.map((start, index) => new Actor('writer', start, path, join(folder, `w${index}`))),
    ...readers.map((start, index) => new Actor('reader', start, path, join(folder, `r${index}`))),
  ];
  let kills = 0;
  let stops = 0;
  try {
    await Promise.all(actors.map((actor) => actor.begun()));
    const startMs = performance.now();
    const endMs = startMs + seconds * 1_000;
    const hurriedUntilMs = endMs - startMs > UNHURRIED_MS ? endMs - UNHURRIED_MS : endMs;
    let faultMs = startMs;
    for (let nowMs = startMs; nowMs < endMs; nowMs = performance.now()) {
      if (nowMs < hurriedUntilMs) records.prune();
      else records.copy();
      for (const actor of actors) actor.goOn(nowMs);
      if (faultsPerSecond > 0 && nowMs >= faultMs) {
        faultMs += random.waiting(1_000 / faultsPerSecond);
        const actor = random.pick(actors);
        // As many of milliseconds as of seconds.
        const stopMs = MAX_STOP_MS ** random.next();
        if (!actor.canStop || random.chance(KILLED)) {
          await actor.killAndStart();
          kills += 1;
        } else if (actor.stop(nowMs + stopMs)) stops += 1;
      }
      await setTimeout(TURN_MS);
    }
    await Promise.all(actors.map((actor) => actor.end()));
    records.copy();
    const reports = actors.flatMap((actor) => actor.reports());
    return { ...judge(records.found, [records.report, ...reports]), kills, stops, pids: pidsIn(reports) };
  } finally {
    await Promise.all(actors.map((actor) => actor.kill()));
    rmSync(folder, { recursive: true, force: true });
  }
}

function pidsIn(reports: readonly Report[]): readonly number[] {
  return reports.map(({ text }) => Number(/^begun (\d+)/.exec(text)?.[1]));
}
