/** Linear time on any input: the same texts at growing lengths, and what a byte of each costs. */

import { entrances, shapes, tooLong } from './shapes.js';

const LENGTHS = [1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576];
/** From here on what is always there counts for little. */
const LEAST_BYTES = 4_096;
const LONG_MS = 250;
const ENOUGH_MS = 4;
const MOST_RUNS = 50;

interface Step {
  readonly bytes: number;
  readonly ms: number;
}

export interface Climbed {
  readonly name: string;
  /** How much more a byte costs in the longest text than in the shortest; quadratic work would make it `lengths` times as much. */
  readonly factor: number;
  readonly lengths: number;
  /** The largest such factor from one length to the next, four times as long. */
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
  return { climbed, tooLongMicroseconds: median(runs(tooLong(), 1_000)) * 1_000, broken };
}

/** Half way, in powers, between linear work (1) and quadratic (`lengths`), and twice that. */
function isSteep({ factor, lengths }: Climbed): boolean {
  return factor > 2 * Math.sqrt(lengths);
}

function climb(name: string, enter: (bytes: number) => () => unknown): Climbed {
  const steps: Step[] = [];
  for (const bytes of LENGTHS) {
    const ms = median(runs(enter(bytes), MOST_RUNS));
    steps.push({ bytes, ms });
    // Longer would only take longer to say the same.
    if (ms > LONG_MS) break;
  }
  const [first, ...others] = steps.filter(({ bytes }) => bytes >= LEAST_BYTES) as [Step, ...Step[]];
  const last = others.at(-1) ?? first;
  const perByte = ({ ms, bytes }: Step) => ms / bytes;
  const factors = others.map((step, at) => perByte(step) / perByte(at === 0 ? first : (others[at - 1] as Step)));
  return {
    name,
    factor: perByte(last) / perByte(first),
    lengths: last.bytes / first.bytes,
    worstStep: Math.max(1, ...factors),
    longestMs: last.ms,
  };
}

/** Milliseconds of each run: five at least, unless they are long. */
function runs(call: () => unknown, most: number): number[] {
  const taken: number[] = [];
  let sum = 0;
  while (taken.length < most && (sum < ENOUGH_MS || taken.length < 5) && sum < LONG_MS) {
    const startMs = performance.now();
    call();
    const ms = performance.now() - startMs;
    taken.push(ms);
    sum += ms;
  }
  return taken;
}

function median(list: readonly number[]): number {
  return list.toSorted((one, other) => one - other)[list.length >> 1] ?? 0;
}
