/**
 * Measures contenders against each other in one process: short batches in shuffled rounds, so that
 * what disturbs the machine disturbs all of them alike.
 */

import { setImmediate as turn } from 'node:timers/promises';
import { median, quietAndMedian, spread } from './quantiles.js';
import { shuffled } from './random.js';

const BATCH_MS = 5;
const WARM_UP_MS = 60;

/**
 * A row for each contender; the first one is ours, to which the others are compared.
 *
 * A contender is `{ name, call, awaited, each }`: `call(n)` is done over and over, awaited one at a
 * time where `awaited` is true, and stands for `each` operations (default 1). `material(n)`, where
 * it is given, makes what each call works on, inside `call`: its own cost is measured too, and
 * taken off. `between()` is awaited before each batch, outside of the time.
 */
export async function interleave(contenders, { random, rounds = 41, material = null, between = async () => {} }) {
  const runs = contenders.map(createRun);
  const cost = material && createRun({ name: 'material', call: material });
  const all = cost ? [...runs, cost] : runs;
  // Twice, since what one of them does in Node's own code can undo what was compiled for another.
  for (const run of [...all, ...all]) {
    await between();
    await warmUp(run);
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const run of shuffled(all, random)) {
      // A turn of the loop: what a batch has left behind is not the next one's burden, and a reply
      // of Redis gets through.
      await turn();
      await between();
      run.micros.push(((await time(run, run.times)) * 1_000) / (run.times * run.each));
    }
  }
  const taken = cost ? median(cost.micros) : 0;
  for (const run of runs) run.micros = run.micros.map((micros) => micros - taken);
  return runs.map((run) => rowOf(run, runs[0]));
}

function rowOf({ name, micros }, ours) {
  const row = { name, 'µs p10 / median': quietAndMedian(micros) };
  // Round by round: both were measured within the same fraction of a second.
  if (micros !== ours.micros) row.ratio = spread(micros.map((value, round) => value / ours.micros[round]));
  return row;
}

function createRun({ name, call, awaited = false, each = 1 }) {
  return { name, call, awaited, each, at: 0, times: 1, micros: [] };
}

/** Until the compiler is done with it; and how often it is to be called in a batch. */
async function warmUp(run) {
  const startedMs = performance.now();
  let lastMs = 0;
  while (performance.now() - startedMs < WARM_UP_MS) {
    lastMs = await time(run, run.times);
    if (lastMs < BATCH_MS / 2) run.times *= 2;
  }
  run.times = Math.max(1, Math.round((run.times * BATCH_MS) / lastMs));
}

/**
 * Milliseconds. The calls are numbered on and on, so that each batch goes on with the material
 * where the last one stopped.
 */
async function time(run, times) {
  const { call, at } = run;
  run.at += times;
  return run.awaited ? await timeAwaited(call, at, times) : timeCalls(call, at, times);
}

function timeCalls(call, from, times) {
  const startedMs = performance.now();
  for (let n = from; n < from + times; n += 1) call(n);
  return performance.now() - startedMs;
}

async function timeAwaited(call, from, times) {
  const startedMs = performance.now();
  for (let n = from; n < from + times; n += 1) await call(n);
  return performance.now() - startedMs;
}
