/** The store's clock, and where it was put. */

import type { Agenda } from './agenda.js';

export class StoreClock {
  readonly #agenda: Agenda;
  readonly nowMs: () => number;
  /** The smallest `clockTolerance` of the fleet. */
  leastToleranceMs = Number.POSITIVE_INFINITY;
  /** When it was last set, by however little. True time. */
  shiftedAtMs = Number.NEGATIVE_INFINITY;
  /** When it was last set beyond the tolerance. True time. */
  jumpedAtMs = Number.NEGATIVE_INFINITY;
  /** Where it was put, and when, from the newest back. */
  readonly #settings: { readonly atMs: number; readonly skewMs: number }[] = [];
  #range = { lowMs: 0, highMs: 0, nowMs: 0 };

  constructor(agenda: Agenda, nowMs: () => number) {
    this.#agenda = agenda;
    this.nowMs = nowMs;
  }

  /** Tells whether it is further now from where it has been than the tolerance allows. */
  jumped(ms: number): boolean {
    this.shiftedAtMs = this.#agenda.nowMs;
    const range = this.#range;
    range.nowMs += ms;
    this.#settings.unshift({ atMs: this.#agenda.nowMs, skewMs: (this.#settings[0]?.skewMs ?? 0) + ms });
    range.lowMs = Math.min(range.lowMs, range.nowMs);
    range.highMs = Math.max(range.highMs, range.nowMs);
    if (range.highMs - range.lowMs <= this.leastToleranceMs) return false;
    this.jumpedAtMs = this.#agenda.nowMs;
    this.#range = { lowMs: range.nowMs, highMs: range.nowMs, nowMs: range.nowMs };
    return true;
  }

  /** By how much it was at most put forward after `sinceMs`, as it stood at any time from `fromMs` on. What a copy read at `sinceMs` cannot know. */
  putForwardMs(sinceMs: number, fromMs: number): number {
    const before = this.#settings.find(({ atMs }) => atMs <= sinceMs)?.skewMs ?? 0;
    let mostMs = 0;
    for (const { atMs, skewMs } of this.#settings) {
      if (atMs <= sinceMs) break;
      mostMs = Math.max(mostMs, skewMs - before);
      if (atMs <= fromMs) break;
    }
    return mostMs;
  }

  /** The present by this clock as it stood at any time from `sinceMs` on: the latest of them. What a read before a write may have shown. */
  latestMs(sinceMs: number): number {
    return this.nowMs() + this.#setBackMs(sinceMs);
  }

  /** By how much it was at most ahead, after `sinceMs`, of where it stands now. */
  #setBackMs(sinceMs: number): number {
    const [now, ...before] = this.#settings;
    if (now === undefined) return 0;
    let mostMs = 0;
    let lastMs = now.atMs;
    for (const { atMs, skewMs } of [...before, { atMs: Number.NEGATIVE_INFINITY, skewMs: 0 }]) {
      if (lastMs < sinceMs) break;
      mostMs = Math.max(mostMs, skewMs - now.skewMs);
      lastMs = atMs;
    }
    return mostMs;
  }
}
