/** What a process runs on: separate clocks, and the power to be stopped, suspended and killed. */

import type { Clock } from '../../src/time/clock.js';
import type { Agenda } from './agenda.js';
import type { Random } from './random.js';
import type { Instant } from './shown.js';

/** When every simulation begins. Milliseconds since the epoch. */
export const BEGIN_MS = 1_700_000_000_000;

export class Machine implements Clock {
  /** How far the wall clock is ahead of true time. Milliseconds. */
  wallSkewMs: number;
  /** 'stopped': as by SIGSTOP, the clocks go on. 'suspended': the monotonic clock stands still. */
  state: 'running' | 'stopped' | 'suspended' | 'dead' = 'running';
  /** When it was last resumed. True time. */
  backSinceMs = Number.NEGATIVE_INFINITY;
  /** Stops and suspensions so far, in full. Milliseconds. */
  #awayMs = 0;
  #awaySinceMs = 0;
  #suspendedMs = 0;
  /** Spans in which the monotonic clock stood still, and jumps of the wall clock. True time. */
  readonly #suspensions: (readonly [fromMs: number, toMs: number])[] = [];
  readonly #jumps: (readonly [atMs: number, ms: number])[] = [];
  readonly #agenda: Agenda;
  readonly #random: Random;
  #backlog: (() => void)[] = [];

  constructor(agenda: Agenda, random: Random, wallSkewMs: number) {
    this.#agenda = agenda;
    this.#random = random;
    this.wallSkewMs = wallSkewMs;
  }

  monotonicMs(): number {
    const suspendedNowMs = this.state === 'suspended' ? this.#agenda.nowMs - this.#awaySinceMs : 0;
    return 5_000 + this.#agenda.nowMs - this.#suspendedMs - suspendedNowMs;
  }

  wallMs(): number {
    return Math.floor(BEGIN_MS + this.#agenda.nowMs + this.wallSkewMs);
  }

  /** How old an answer is for it that was sent for at an instant of its clocks. */
  ageMs({ monotonicMs, wallMs }: Instant): number {
    return Math.max(this.monotonicMs() - monotonicMs, this.wallMs() - wallMs);
  }

  /**
   * What it can know of the time since then: the larger of its clocks' differences. `sinceMs` is
   * true time.
   */
  elapsedMs(sinceMs: number): number {
    const trueMs = this.#agenda.nowMs - sinceMs;
    let monotonicMs = trueMs;
    for (const [fromMs, toMs] of this.#suspensions) monotonicMs -= Math.max(0, toMs - Math.max(fromMs, sinceMs));
    let wallMs = trueMs;
    for (const [atMs, ms] of this.#jumps) if (atMs >= sinceMs) wallMs += ms;
    return Math.max(monotonicMs, wallMs);
  }

  /** An operator sets the wall clock. */
  setWall(skewMs: number): void {
    this.#jumps.push([this.#agenda.nowMs, skewMs - this.wallSkewMs]);
    this.wallSkewMs = skewMs;
  }

  /** As Node has it: whole milliseconds, a little late, and no sooner than the process can run. */
  timer(ms: number, ring: () => void): () => void {
    const dueMs = this.monotonicMs() + Math.max(1, Math.trunc(ms)) + this.#random.next();
    let cancelled = false;
    const wait = () => {
      this.#agenda.after(dueMs - this.monotonicMs(), () => {
        if (cancelled || this.state === 'dead') return;
        this.deliver(() => {
          if (cancelled) return;
          if (this.monotonicMs() >= dueMs - 0.001) ring();
          else wait();
        });
      });
    };
    wait();
    return () => {
      cancelled = true;
    };
  }

  /** Lets something reach the process: now, or as soon as it runs again. */
  deliver(run: () => void): void {
    if (this.state === 'dead') return;
    if (this.state !== 'running') {
      this.#backlog.push(run);
      return;
    }
    this.#agenda.wakes = true;
    run();
  }

  /** How long it has not been running. Milliseconds. */
  awayMs(): number {
    return this.#awayMs + (this.state === 'running' ? 0 : this.#agenda.nowMs - this.#awaySinceMs);
  }

  pause(how: 'stopped' | 'suspended'): void {
    if (this.state !== 'running') return;
    this.state = how;
    this.#awaySinceMs = this.#agenda.nowMs;
  }

  resume(): void {
    if (this.state !== 'stopped' && this.state !== 'suspended') return;
    const awayMs = this.#agenda.nowMs - this.#awaySinceMs;
    this.#awayMs += awayMs;
    if (this.state === 'suspended') {
      this.#suspendedMs += awayMs;
      this.#suspensions.push([this.#awaySinceMs, this.#agenda.nowMs]);
    }
    this.state = 'running';
    this.backSinceMs = this.#agenda.nowMs;
    const backlog = this.#backlog;
    this.#backlog = [];
    // One by one, each with all that follows from it, as an event loop does.
    for (const run of backlog) this.#agenda.after(0, () => this.deliver(run));
  }

  kill(): void {
    this.state = 'dead';
    this.#backlog = [];
  }
}
