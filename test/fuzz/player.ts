/**
 * The process that plays: inputs of a target until one breaks something or the time is over, or one
 * input alone. Another process watches it, because an input may hang it or end it.
 */

import { openSync, writeSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { endWindow, growthOver, type Window } from './heap.js';
import { openTarget, type TargetName } from './targets.js';

export interface Job {
  readonly target: TargetName;
  readonly seed: number;
  readonly seconds: number;
  /** Played alone if it is there. */
  readonly input?: unknown;
}

export interface Fault {
  readonly message: string;
  /** Absent if it is not one input's. */
  readonly input?: unknown;
}

export interface Played {
  readonly inputs: number;
  readonly seconds: number;
  /** How often each: 'accepted', or a code. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly heapBytes: number | null;
  readonly fault: Fault | null;
}

const WINDOWS = 24;
const SHRINK_MS = 20_000;

const file = openSync(process.argv[3] ?? '', 'w');
let steps = 0;
/** Writes by which path fast-check makes an input; it can be read when this process is gone. */
function announce(path: string): void {
  steps += 1;
  writeSync(file, `${path} ${steps}`, 0);
}

/** Failures that no call waited for. */
const strays: unknown[] = [];
process.on('unhandledRejection', (reason) => strays.push(reason));

const job = JSON.parse(process.argv[2] ?? '') as Job;
const target = openTarget(job.target);
const { inputs: some, examples = [] } =
  'input' in job ? { inputs: fc.constant(job.input), examples: [[job.input] as [unknown]] } : target;
process.send?.(await playCourse());
await target.close?.();
process.disconnect?.();

async function play(input: unknown): Promise<string> {
  const outcome = await target.play(input);
  await turn();
  if (strays.length > 0) throw strays.shift();
  return outcome;
}

async function playCourse(): Promise<Played> {
  const { seed, seconds } = job;
  const startMs = performance.now();
  const passed = () => (performance.now() - startMs) / 1_000;
  const outcomes: Record<string, number> = {};
  const windows: Window[] = [];
  let slowestMs = 0;
  let inputs = 0;
  const property = fc.asyncProperty(some, async (input) => {
    announce(String(inputs));
    inputs += 1;
    const from = performance.now();
    const outcome = await play(input);
    slowestMs = Math.max(slowestMs, performance.now() - from);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (passed() > (windows.length * seconds) / WINDOWS) windows.push(await endWindow(inputs));
  });
  const origin = { seed, examples };
  const course =
    examples.length > 0
      ? { numRuns: examples.length }
      : { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: seconds * 1_000 };
  const found = await fc.check(property, { ...origin, ...course, endOnFailure: true });
  const growth = growthOver(windows);
  const played = { inputs, seconds: passed(), outcomes, slowestMs, heapBytes: growth?.bytes ?? null };
  if (found.counterexample === null)
    return { ...played, fault: growth?.grows ? { message: `the heap grows by ${growth.bytes} bytes` } : null };

  // The smallest input that breaks something. What was played before may have had a part in it.
  const path = found.counterexamplePath ?? '';
  const again = fc.asyncProperty(some, async (input) => {
    announce(path);
    await play(input);
  });
  const smaller = await fc.check(again, { ...origin, path, numRuns: 1, interruptAfterTimeLimit: SHRINK_MS });
  const { counterexample, errorInstance } = smaller.counterexample === null ? found : smaller;
  const message = errorInstance instanceof Error ? errorInstance.stack : String(errorInstance);
  return { ...played, fault: { message: message ?? '', input: counterexample?.[0] } };
}
