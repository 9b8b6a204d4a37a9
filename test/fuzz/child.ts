/** The process that plays, so that one that hangs or crashes can be told of by another. */

import { openSync, writeSync } from 'node:fs';
import { climbAll } from './ladder.js';
import { playCourse, playInput } from './player.js';
import type { AnyTarget, Json } from './target.js';
import { targets } from './targets.js';

/** Played until the end, or one input of it alone, or the ladder. */
export type Job = { readonly file: string } & (
  | { readonly target: string; readonly seed: number; readonly seconds: number; readonly inputs: number }
  | { readonly target: string; readonly input: Json }
  | { readonly ladder: true }
);

const job = JSON.parse(process.argv[2] ?? '') as Job;
const file = openSync(job.file, 'w');

/** Where it can still be read when this process is gone. */
function announce(input: Json): void {
  const text = JSON.stringify(input);
  writeSync(file, `${Buffer.byteLength(text)} ${text}`, 0);
}

if ('ladder' in job) {
  process.send?.(climbAll(announce));
} else {
  const target = targetNamed(job.target);
  if ('input' in job) announce(job.input);
  const answer = 'input' in job ? await playInput(target, job.input) : await playCourse(target, { ...job, announce });
  process.send?.(answer);
  await target.close?.();
}
process.disconnect?.();

function targetNamed(name: string): AnyTarget {
  const make = targets[name];
  if (make === undefined) throw new Error(`there is no target ${name}`);
  return make();
}
