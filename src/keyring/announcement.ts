/** What a member with a name says of itself: which keyring it holds, in kids and counters. Pure. */

import type { Copy } from './copy.js';

/** What one member holds, as it said itself. */
export interface HeldBy {
  readonly name: string;
  readonly lineage: string;
  readonly epoch: number;
  /** The name of the last revocation; null for none. Absent in what members of older versions announce. */
  readonly revocation?: string | null;
  readonly generation: number;
  /** The kid of the next secret that it holds. */
  readonly next: string;
  /** Until a moment before it announced this, the member could not use the store. Absent otherwise. */
  readonly back?: true;
}

export function formatAnnouncement(name: string, { ring, next }: Copy, isBack = false): string {
  const { id: lineage, epoch, rev: revocation = null, gen: generation } = ring;
  const held: HeldBy = {
    name,
    lineage,
    epoch,
    revocation,
    generation,
    next: next.kid,
    ...(isBack ? { back: true } : {}),
  };
  return JSON.stringify(held);
}

/** Null for what no member said. */
export function parseAnnouncement(text: string): HeldBy | null {
  try {
    const value: Record<string, unknown> | null = JSON.parse(text);
    const { name, lineage, epoch, revocation, generation, next, back } = value ?? {};
    if (typeof name !== 'string' || typeof lineage !== 'string' || typeof next !== 'string') return null;
    if (!isCount(epoch) || !isCount(generation)) return null;
    const held: HeldBy = { name, lineage, epoch, generation, next, ...(back === true ? { back } : {}) };
    return typeof revocation === 'string' || revocation === null ? { ...held, revocation } : held;
  } catch {
    return null;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
