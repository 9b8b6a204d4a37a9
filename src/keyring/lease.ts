/** A copy of the keyring with the proof of its age. */

import type { Clock } from '../clock.js';
import type { Copy } from './copy.js';

/** An instant on both clocks of this process, with its place among all instants of one member. */
export interface Instant {
  readonly order: number;
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** A copy, and the instant at which the read was sent that last showed it to be right. */
export interface Lease {
  readonly copy: Copy;
  /** The store's clock in that read. Milliseconds. */
  readonly storeMs: number;
  /** Sent, not answered: a slow answer can only make a copy look older than it is. */
  readonly sent: Instant;
}

/** The larger of both clocks' differences: a suspended machine stops the one, an administrator sets back the other. */
export function leaseAgeMs({ sent }: Lease, clock: Clock): number {
  return Math.max(clock.monotonicMs() - sent.monotonicMs, clock.wallMs() - sent.wallMs);
}

/** The store's clock now, never behind what it really is. */
export function storeNowMs(lease: Lease, clock: Clock): number {
  return lease.storeMs + leaseAgeMs(lease, clock);
}

/** Of the retired secrets in the ring, those that had ended in this read or before. */
export function endedKids({ copy, storeMs }: Lease, before: ReadonlySet<string>): ReadonlySet<string> {
  const retired = copy.keys.filter(({ role }) => role === 'retired');
  return new Set(retired.filter((key) => key.verifiesUntilMs <= storeMs || before.has(key.kid)).map((key) => key.kid));
}
