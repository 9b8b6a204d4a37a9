/** Plays a target for its time, whatever happens to the process that does, and makes a fault as small as it can. */

import type { Played } from './player.js';
import { shrink } from './shrink.js';
import type { Json } from './target.js';
import { HANG_MS, type Silence, watch } from './watch.js';

/** Each attempt at an input that hangs takes seconds. */
const PATIENCE = { attempts: 40, ms: 40_000 };

export interface Fault {
  readonly target: string;
  readonly message: string;
  /** Absent where it is not one input's. */
  readonly input?: Json;
}

export interface Session {
  readonly target: string;
  readonly played: Played | null;
  readonly fault: Fault | null;
  /** How long it took to notice it, shrinking aside. Seconds. */
  readonly noticedAfter: number;
}

export async function playTarget(target: string, seed: number, seconds: number): Promise<Session> {
  const startMs = performance.now();
  const passed = () => (performance.now() - startMs) / 1_000;
  for (let attempt = 0; ; attempt += 1) {
    const left = seconds - passed();
    const course = { target, seed: seed + attempt * 1_000_003, seconds: left, inputs: Number.MAX_SAFE_INTEGER };
    const watched = await watch<Played>(course);
    const noticedAfter = passed();
    if ('answer' in watched) {
      const played = watched.answer;
      return { target, played, fault: faultIn(target, played), noticedAfter: played.seconds };
    }
    const fault = await silenced(target, watched);
    if (fault !== null || left <= 1) return { target, played: null, fault, noticedAfter };
    // A machine that was busy for seconds is nobody's fault.
    console.error(`${target}: ${watched.how}, but not once more: ${JSON.stringify(watched.input)}`);
  }
}

function faultIn(target: string, { broken, growth }: Played): Fault | null {
  if (broken !== null) return { target, ...broken };
  if (growth === null || !growth.grows) return null;
  const message = `the heap grows: ${Math.round(growth.bytes / 1_000)} kB, ${growth.bytesPerInput.toFixed(0)} bytes an input`;
  return { target, message };
}

async function silenced(target: string, { input, how, silence }: Silence): Promise<Fault | null> {
  const shows = async (other: Json, hangMs: number) => 'silence' in (await watch({ target, input: other }, hangMs));
  if (await shows(input, 3 * HANG_MS)) {
    const smallest = await shrink(input, (smaller) => shows(smaller, HANG_MS), PATIENCE);
    return { target, message: how, input: smallest };
  }
  // It may have been made by what was played before.
  return silence === 'hung' ? null : { target, message: `${how}, but not with this input alone`, input };
}

/** One input again. */
export async function playAgain(target: string, input: Json): Promise<Fault | null> {
  const watched = await watch<{ message: string } | null>({ target, input });
  if ('silence' in watched) return { target, message: watched.how, input };
  return watched.answer && { target, message: watched.answer.message, input };
}
