/** What a member with a name says of itself: which keyring it holds, in kids and counters. Pure. */

import type { Copy } from './copy.js';
import type { Asks } from './needs.js';

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
  /** The `ttl` and `overlap` that it needs of the ring. Milliseconds. Absent in what members of older versions announce. */
  readonly needs?: { readonly ttl: number; readonly overlap: number };
  /** Until a moment before it announced this, the member could not use the store. Absent otherwise. */
  readonly back?: true;
}

/** What the members of a fleet need, as far as they announce it. */
export interface FleetNeeds {
  readonly known: readonly { readonly name: string; readonly ttlMs: number; readonly overlapMs: number }[];
  /** Names of members that announce themselves without their needs. */
  readonly unknown: readonly string[];
}

export function formatAnnouncement(
  name: string,
  { ring, next }: Copy,
  { ttlMs, overlapMs }: Asks,
  isBack = false,
): string {
  const { id: lineage, epoch, rev: revocation = null, gen: generation } = ring;
  const held: HeldBy = {
    name,
    lineage,
    epoch,
    revocation,
    generation,
    next: next.kid,
    needs: { ttl: ttlMs, overlap: overlapMs },
    ...(isBack ? { back: true } : {}),
  };
  return JSON.stringify(held);
}

/** Null for what no member said. */
export function parseAnnouncement(text: string): HeldBy | null {
  try {
    const value: Record<string, unknown> | null = JSON.parse(text);
    const { name, lineage, epoch, revocation, generation, next, needs, back } = value ?? {};
    if (typeof name !== 'string' || typeof lineage !== 'string' || typeof next !== 'string') return null;
    if (!isCount(epoch) || !isCount(generation)) return null;
    return {
      ...{ name, lineage, epoch, generation, next },
      ...(typeof revocation === 'string' || revocation === null ? { revocation } : {}),
      ...(back === true ? { back } : {}),
      ...(areNeeds(needs) ? { needs: { ttl: needs.ttl, overlap: needs.overlap } } : {}),
    };
  } catch {
    return null;
  }
}

/** Collects what members announced that they need. */
export function fleetNeeds(texts: readonly string[]): FleetNeeds {
  const members = texts.map(parseAnnouncement).filter((held) => held !== null);
  return {
    known: members.flatMap(({ name, needs }) =>
      needs === undefined ? [] : [{ name, ttlMs: needs.ttl, overlapMs: needs.overlap }],
    ),
    unknown: members.filter(({ needs }) => needs === undefined).map(({ name }) => name),
  };
}

function areNeeds(value: unknown): value is NonNullable<HeldBy['needs']> {
  if (typeof value !== 'object' || value === null) return false;
  const { ttl, overlap } = value as { readonly ttl?: unknown; readonly overlap?: unknown };
  return isCount(ttl) && isCount(overlap);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
