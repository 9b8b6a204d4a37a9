/** Linear time on any input: the same texts at growing lengths, and what a byte of each costs. */

import { entrances, shapes, tooLong } from './shapes.js';

const LENGTHS = [1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576];
/** From here on what is always there counts for little. */
const LEAST_BYTES = 4_096;
const LONG_MS = 250;
const ENOUGH_MS = 4;
/** A hundred times what the processor's clock is off by. */
const LEAST_MS = 0.1;
const MOST_RUNS = 50;

interface Step {
  readonly bytes: number;
  /** Of several runs: what is told, and what is judged, since the shortest has the least of others' noise in it. */
  readonly medianMs: number;
  readonly leastMs: number;
}

export interface Climbed {
  readonly name: string;
  /** How much more a byte costs in the longest text than in the shortest; quadratic work would make it `lengths` times as much. */
  readonly factor: number;
  readonly lengths: number;
  /** The same by medians, and the largest from one length to the next, four times as long. */
  readonly medianFactor: number;
  readonly worstStep: number;
  readonly longestMs: number;
}

export interface Ladder {
  readonly climbed: readonly Climbed[];
  readonly tooLongMicroseconds: number;
  readonly broken: string | null;
}

export function climbAll(announce: (name: string) => void): Ladder {
  const climbed: Climbed[] = [];
  let broken: string | null = null;
  for (const [entrance, enter] of Object.entries(entrances)) {
    for (const [shape, make] of Object.entries(shapes)) {
      const name = `${entrance} of ${shape}`;
      announce(name);
      let best = climb(name, (bytes) => enter(make(bytes)));
      // Somebody else's noise does not come three times.
      for (let again = 0; again < 2 && isSteep(best); again += 1) {
        const next = climb(name, (bytes) => enter(make(bytes)));
        if (next.factor < best.factor) best = next;
      }
      climbed.push(best);
      if (isSteep(best))
        broken ??= `a byte costs ${best.factor.toFixed(1)} times as much in a text ${best.lengths} times as long: ${name}`;
    }
  }
  return { climbed, tooLongMicroseconds: microsecondsOf(tooLong()), broken };
}

/** Half way, in powers, between linear work (1) and quadratic (`lengths`), and twice that. */
function isSteep({ factor, lengths }: Climbed): boolean {
  return factor > 2 * Math.sqrt(lengths);
}

function climb(name: string, enter: (bytes: number) => () => unknown): Climbed {
  const steps: Step[] = [];
  for (const bytes of LENGTHS) {
    const taken = runs(enter(bytes), MOST_RUNS);
    const leastMs = Math.min(...taken);
    steps.push({ bytes, medianMs: median(taken), leastMs });
    // Longer would only take longer to say the same.
    if (leastMs > LONG_MS) break;
  }
  const [first, ...others] = steps.filter(({ bytes }) => bytes >= LEAST_BYTES) as [Step, ...Step[]];
  const last = others.at(-1) ?? first;
  const factor = (from: Step, to: Step, measure: 'leastMs' | 'medianMs') =>
    to[measure] / to.bytes / (from[measure] / from.bytes);
  const steepest = others.map((step, at) => factor(others[at - 1] ?? first, step, 'medianMs'));
  return {
    name,
    factor: factor(first, last, 'leastMs'),
    lengths: last.bytes / first.bytes,
    medianFactor: factor(first, last, 'medianMs'),
    worstStep: Math.max(1, ...steepest),
    longestMs: last.medianMs,
  };
}

/** Milliseconds of the processor, whoever else wants it, of each run: five at least, unless they are long. */
function runs(call: () => unknown, most: number): number[] {
  const taken: number[] = [];
  let sum = 0;
  let calls = 1;
  while (taken.length < most && (sum < ENOUGH_MS || taken.length < 5) && sum < LONG_MS) {
    const start = process.cpuUsage();
    for (let done = 0; done < calls; done += 1) call();
    const { user, system } = process.cpuUsage(start);
    const ms = (user + system) / 1_000;
    if (ms < LEAST_MS) {
      calls *= 2;
      continue;
    }
    taken.push(ms / calls);
    sum += ms;
  }
  return taken;
}

function median(list: readonly number[]): number {
  return list.toSorted((one, other) => one - other)[list.length >> 1] ?? 0;
}

/** Too short for a clock. */
function microsecondsOf(call: () => unknown): number {
  const times = 1_000;
  const rounds = Array.from({ length: 20 }, () => {
    const startMs = performance.now();
    for (let time = 0; time < times; time += 1) call();
    return performance.now() - startMs;
  });
  return (median(rounds) * 1_000) / times;
}
