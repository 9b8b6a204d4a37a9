/** Starts a process that plays, and reports what it cannot: that an input hangs it, or ends it. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Fault, Job, Played } from './player.js';
import { openTarget, type TargetName } from './targets.js';

/** Far longer than anything takes that ends, even on a busy machine. */
const HANG_MS = 2_000;
const LOOK_EVERY_MS = 200;
/** Until the first input: what is imported, and compiled. */
const START_MS = 30_000;
const SHRINK_MS = 40_000;

interface Silence {
  readonly how: string;
  readonly isHang: boolean;
  /** The path by which fast-check makes the input that was played then. */
  readonly path: string;
}

async function watch(job: Job, hangMs: number): Promise<Played | Silence> {
  const folder = mkdtempSync(join(tmpdir(), 'rewt-fuzz-watch-'));
  const file = join(folder, 'step');
  const child = fork(new URL('player.js', import.meta.url), [JSON.stringify(job), file], {
    // Whatever it writes is gone with it.
    cwd: folder,
    env: { ...process.env, TMPDIR: folder },
    execArgv: ['--expose-gc', '--no-warnings'],
  });
  let played: Played | null = null;
  child.once('message', (answer) => {
    played = answer as Played;
  });
  let [last, sinceMs] = ['', Date.now()];
  const looking = setInterval(() => {
    const step = readFileSync(file, { encoding: 'utf8', flag: 'a+' });
    if (step !== last) [last, sinceMs] = [step, Date.now()];
    else if (Date.now() - sinceMs > (last === '' ? START_MS : hangMs)) child.kill('SIGKILL');
  }, LOOK_EVERY_MS);
  const [[code, signal]] = await Promise.all([once(child, 'exit'), once(child, 'disconnect')]);
  clearInterval(looking);
  const [path = ''] = readFileSync(file, { encoding: 'utf8', flag: 'a+' }).split(' ');
  rmSync(folder, { recursive: true, force: true });
  const isHang = signal === 'SIGKILL';
  const how = isHang ? `it takes more than ${hangMs / 1_000} s` : `the process ended with ${signal ?? code}`;
  return played ?? { how, isHang, path };
}

export interface Session {
  readonly target: TargetName;
  readonly played: Played | null;
  readonly fault: Fault | null;
}

/** Plays a target for its time, whatever happens to the process that does. */
export async function playTarget(target: TargetName, seed: number, seconds: number): Promise<Session> {
  const endMs = performance.now() + seconds * 1_000;
  const { inputs, examples = [], hangMs = HANG_MS, close } = openTarget(target);
  await close?.();
  const watched = await watch({ target, seed, seconds }, hangMs);
  if ('inputs' in watched) return { target, played: watched, fault: watched.fault };

  // The same input in another process, then smaller ones.
  let patienceMs = 3 * hangMs;
  const property = fc.asyncProperty(inputs, async (input) => {
    const message = await playInput(target, input, patienceMs);
    patienceMs = hangMs;
    if (message !== null) throw new Error(message);
  });
  const { how, isHang, path } = watched;
  const from = { seed, path, numRuns: 1, examples };
  const { counterexample, errorInstance } = await fc.check(property, { ...from, interruptAfterTimeLimit: SHRINK_MS });
  if (counterexample !== null)
    return { target, played: null, fault: { message: (errorInstance as Error).message, input: counterexample[0] } };
  if (!isHang) return { target, played: null, fault: { message: `${how}, but not with one input alone` } };
  // A machine that was busy for seconds is no fault of rewt's.
  const left = (endMs - performance.now()) / 1_000;
  return left > 1 ? playTarget(target, seed + 1, left) : { target, played: null, fault: null };
}

/** Plays one input by itself. Returns what it breaks, or null. */
export async function playInput(target: TargetName, input: unknown, hangMs = HANG_MS): Promise<string | null> {
  const watched = await watch({ target, input, seed: 0, seconds: 1 }, hangMs);
  return 'how' in watched ? watched.how : (watched.fault?.message ?? null);
}
