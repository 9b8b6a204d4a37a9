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

  /**
   * By how much it was at most put forward after `sinceMs`, as it stood at any time from `fromMs`
   * to `toMs`. What a copy read at `sinceMs` cannot know.
   */
  putForwardMs(sinceMs: number, fromMs: number, toMs = this.#agenda.nowMs): number {
    return Math.max(0, this.#mostMs(Math.max(sinceMs, fromMs), toMs) - this.#mostMs(sinceMs, sinceMs));
  }

  /** How far it stands behind where it stood at any time from `fromMs` to `toMs`. */
  setBackMs(fromMs: number, toMs = this.#agenda.nowMs): number {
    return Math.max(0, this.#mostMs(fromMs, toMs) - (this.#settings[0]?.skewMs ?? 0));
  }

  /**
   * The present by this clock as it stood at any time from `sinceMs` on: the latest of them. What a
   * read before a write may have shown.
   */
  latestMs(sinceMs: number): number {
    return this.nowMs() + this.setBackMs(sinceMs);
  }

  /** By how much it was at most ahead of true time between these two. */
  #mostMs(fromMs: number, toMs: number): number {
    const later = this.#settings.filter(({ atMs }) => fromMs < atMs && atMs <= toMs);
    const before = this.#settings.find(({ atMs }) => atMs <= fromMs);
    return Math.max(before?.skewMs ?? 0, ...later.map(({ skewMs }) => skewMs));
  }
}
