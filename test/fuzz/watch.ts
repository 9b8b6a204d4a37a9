/** Starts a process that plays, and tells what it does not tell itself: that an input takes for ever, or that it ended the process. */

import { fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Job } from './child.js';
import type { Json } from './target.js';

/** Far longer than anything takes that is not for ever, also on a busy machine. */
export const HANG_MS = 2_000;
const LOOK_EVERY_MS = 200;
/** Until the first input: what is imported, and compiled. */
const START_MS = 30_000;

export type Watched<Answer> = { readonly answer: Answer } | Silence;

/** Why there is no answer, and the input that was played then. */
export interface Silence {
  readonly silence: 'hung' | 'ended';
  readonly input: Json;
  readonly how: string;
}

/** A job without its file, which is made here. */
export function watch<Answer>(order: Omit<Job, 'file'>, hangMs = HANG_MS): Promise<Watched<Answer>> {
  const folder = mkdtempSync(join(tmpdir(), 'rewt-fuzz-watch-'));
  const file = join(folder, 'input');
  const startedMs = Date.now();
  const child = fork(new URL('child.js', import.meta.url), [JSON.stringify({ ...order, file })], {
    // Whatever it writes is gone with it.
    cwd: folder,
    env: { ...process.env, TMPDIR: folder },
    execArgv: ['--expose-gc', '--no-warnings'],
    serialization: 'json',
  });
  return new Promise((resolve) => {
    let answered = false;
    const looking = setInterval(() => {
      if (answered || idleMs(file, startedMs) < hangMs) return;
      settle({ silence: 'hung', input: lastInput(file), how: `it takes more than ${hangMs / 1_000} s` });
      child.kill('SIGKILL');
    }, LOOK_EVERY_MS);
    const settle = (watched: Watched<Answer>) => {
      if (answered) return;
      answered = true;
      clearInterval(looking);
      resolve(watched);
    };
    child.once('message', (answer) => settle({ answer: answer as Answer }));
    child.once('exit', (code, signal) => {
      settle({ silence: 'ended', input: lastInput(file), how: `the process ended with ${signal ?? code}` });
      rmSync(folder, { recursive: true, force: true });
    });
  });
}

function idleMs(file: string, startedMs: number): number {
  try {
    const { size, mtimeMs } = statSync(file);
    if (size > 0) return Date.now() - mtimeMs;
  } catch {}
  return Date.now() - startedMs - START_MS;
}

function lastInput(file: string): Json {
  try {
    const text = readFileSync(file);
    const space = text.indexOf(' ');
    return JSON.parse(text.subarray(space + 1, space + 1 + Number(text.toString('latin1', 0, space))).toString());
  } catch {
    return null;
  }
}
