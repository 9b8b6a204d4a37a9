/** What a member with a name says of itself: which keyring it holds, in kids and counters. Pure. */

import type { Copy } from './copy.js';

/** What one member holds, as it said itself. */
export interface HeldBy {
  readonly name: string;
  readonly lineage: string;
  readonly epoch: number;
  readonly generation: number;
  /** The kid of the next secret that it holds. */
  readonly next: string;
}

export function formatAnnouncement(name: string, { ring, next }: Copy): string {
  const held: HeldBy = { name, lineage: ring.id, epoch: ring.epoch, generation: ring.gen, next: next.kid };
  return JSON.stringify(held);
}

/** Null for what no member said. */
export function parseAnnouncement(text: string): HeldBy | null {
  try {
    const value: Record<string, unknown> | null = JSON.parse(text);
    const { name, lineage, epoch, generation, next } = value ?? {};
    if (typeof name !== 'string' || typeof lineage !== 'string' || typeof next !== 'string') return null;
    return isCount(epoch) && isCount(generation) ? { name, lineage, epoch, generation, next } : null;
  } catch {
    return null;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
