/** Linear time on any input: the same texts at growing lengths, and what a byte of each costs. */

import fc from 'fast-check';
import { entrances, shapes } from '../shapes.js';
import { assertThat, type Target } from '../target.js';

/** Below the first, what is always there counts for much. */
const LENGTHS = [4_096, 16_384, 65_536, 262_144, 1_048_576] as const;
const LONG_MS = 250;
const ENOUGH_MS = 4;
/** A hundred times what the processor's clock is off by. */
const MIN_MS = 0.1;
const MAX_RUNS = 50;

type Input = readonly [entrance: string, shape: string];

export function linearTarget(): Target<Input> {
  const all = Object.keys(entrances).flatMap((entrance) =>
    Object.keys(shapes).map((shape) => [entrance, shape] as const),
  );
  return {
    inputs: fc.constantFrom(...all),
    examples: all.map((one) => [one]),
    // A call with a megabyte, and five of them.
    hangMs: 15_000,
    async play([entrance, shape]) {
      const enter = (bytes: number) => entrances[entrance]?.(shapes[shape]?.(bytes) ?? '') ?? (() => {});
      let last = climb(enter);
      // The noise of other processes does not come three times.
      for (let more = 0; more < 2 && isSteep(last); more += 1) last = climb(enter);
      const { factor, lengths } = last;
      assertThat(!isSteep(last), `a byte costs ${factor.toFixed(1)} times as much in a text ${lengths} times as long`);
      return 'accepted';
    },
  };
}

/** How much more a byte costs in the longest text than in the shortest, and their ratio. */
function climb(enter: (bytes: number) => () => unknown): { readonly factor: number; readonly lengths: number } {
  const firstMs = leastMs(enter(LENGTHS[0]));
  let [lengths, lastMs] = [1, firstMs];
  for (const bytes of LENGTHS.slice(1)) {
    // Longer would only take longer to say the same.
    if (lastMs > LONG_MS) break;
    [lengths, lastMs] = [bytes / LENGTHS[0], leastMs(enter(bytes))];
  }
  return { factor: lastMs / firstMs / lengths, lengths };
}

/** Half way, in powers, between linear work (1) and quadratic (`lengths`), and twice that. */
const isSteep = ({ factor, lengths }: ReturnType<typeof climb>) => factor > 2 * Math.sqrt(lengths);

/**
 * Milliseconds of the processor that a call takes, whatever else uses it: the shortest of five runs
 * at least, unless they are long, because it has the least of others' noise in it.
 */
function leastMs(call: () => unknown): number {
  const taken: number[] = [];
  let sum = 0;
  let calls = 1;
  while (taken.length < MAX_RUNS && (sum < ENOUGH_MS || taken.length < 5) && sum < LONG_MS) {
    const start = process.cpuUsage();
    for (let done = 0; done < calls; done += 1) call();
    const { user, system } = process.cpuUsage(start);
    const ms = (user + system) / 1_000;
    // Too short for a clock: the same many times at once.
    if (ms < MIN_MS) calls *= 2;
    else {
      taken.push(ms / calls);
      sum += ms;
    }
  }
  return Math.min(...taken);
}
