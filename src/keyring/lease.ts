/** A copy of the keyring with the proof of its age. */

import type { Clock } from '../time/clock.js';
import type { Copy, CopyKey } from './copy.js';

/** An instant on both clocks of this process, with its place among all instants of one member. */
export interface Instant {
  readonly sequence: number;
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/**
 * Returns a function that reads both clocks. Each instant has a higher sequence number than the one
 * before.
 */
export function createInstants(clock: Clock): () => Instant {
  let sequence = 0;
  return () => {
    sequence += 1;
    return { sequence, monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() };
  };
}

/** What a read showed of the store's clock. */
export interface Reading {
  /** Milliseconds. */
  readonly storeMs: number;
  /** Sent, not answered: so the store's clock is never behind what is counted from here. */
  readonly sent: Instant;
}

/** A copy, and the instant at which the read was sent that last showed it to be right. */
export interface Lease {
  readonly copy: Copy;
  /**
   * The copy's keys without those that had come to their end before: should the store's clock jump
   * back, they do not verify again.
   */
  readonly keys: readonly CopyKey[];
  /** The newest read that showed this ring, also if a plan for it is not written yet. */
  readonly reading: Reading;
  /** Sent, not answered: a slow answer can only make a copy look older than it is. */
  readonly sent: Instant;
  /** K holds a secret that the copy does not have, so no key is proved unknown by it. */
  readonly isBehind: boolean;
}

/**
 * The larger of both clocks' differences: a suspended machine stops the one, an administrator sets
 * back the other.
 */
export function leaseAgeMs({ sent }: Pick<Lease, 'sent'>, now: Omit<Instant, 'sequence'>): number {
  return Math.max(now.monotonicMs - sent.monotonicMs, now.wallMs - sent.wallMs);
}

/** The store's clock at an instant, never behind what it really was. */
export function storeNowMs({ reading }: Lease, now: Omit<Instant, 'sequence'>): number {
  return reading.storeMs + leaseAgeMs(reading, now);
}

/**
 * By kid, the ends of retired secrets that had come in this read or before. One that a failover
 * brings back, and that retires again, has another end.
 */
export type PastEnds = ReadonlyMap<string, number>;

export function pastEnds({ copy, reading }: Lease, before: PastEnds): PastEnds {
  const retired = copy.keys.filter(({ role }) => role === 'retired');
  const past = retired.filter((key) => key.verifiesUntilMs <= reading.storeMs || isPast(key, before));
  return new Map(past.map(({ kid, verifiesUntilMs }) => [kid, verifiesUntilMs]));
}

export function isPast({ kid, verifiesUntilMs }: CopyKey, ends: PastEnds): boolean {
  return verifiesUntilMs <= (ends.get(kid) ?? Number.NEGATIVE_INFINITY);
}
