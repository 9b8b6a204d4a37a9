/** A named member's announcement: the keyring that it holds, in kids and counters. Pure. */

import { ANNOUNCEMENT_LIFE_MS, type Announcements } from '../stores/store.js';
import type { Copy } from './copy.js';
import type { RingTimes } from './policy.js';

/** From the end of one announcement to the next, if nothing changes. */
export const HEARTBEAT_MS = 30_000;
/** A heartbeat with its random delay and a slow store; until then a member may read the keyring. */
export const LATE_MS = 1.5 * HEARTBEAT_MS;
/** An announcement counts at least so long if nothing follows it. */
const COUNTS_MS = 3 * HEARTBEAT_MS;

/**
 * How long an announcement is kept: for as long as the copy of a member that falls silent may be
 * used.
 */
export function keptMs(maxStalenessMs: number): number {
  return Math.max(ANNOUNCEMENT_LIFE_MS, maxStalenessMs + LATE_MS);
}

/**
 * Announces that the member has ended, if an earlier announcement may still be on its way: none of
 * it counts then. An id is never used again.
 */
export const LEFT = '';

/** The keyring that one member holds, as it announced it. */
export interface HeldBy {
  readonly name: string;
  readonly lineage: string;
  readonly epoch: number;
  /**
   * The name of the last revocation; null for none. Absent in what members of older versions
   * announce.
   */
  readonly revocation?: string | null;
  readonly generation: number;
  /** The kid of the next secret that it holds. */
  readonly next: string;
  /**
   * The `ttl` and `overlap` that it needs of the ring. Milliseconds. Absent in what members of
   * older versions announce.
   */
  readonly needs?: { readonly ttl: number; readonly overlap: number };
  /**
   * How old its copy may become. Milliseconds. Absent in what members of older versions announce.
   */
  readonly maxStaleness?: number;
  /** The forms of a ring that it reads. Absent in what members of older versions announce. */
  readonly seals?: Seals;
  /** When it last verified a token without a kid, by the store's clock. Absent: never. */
  readonly kidless?: number;
  /**
   * Until a moment before it announced this, the member could not use the store. Absent otherwise.
   */
  readonly back?: true;
}

/** The forms of a ring that a member reads. */
export interface Seals {
  /** The ids of its seal keys. */
  readonly opens: readonly string[];
  readonly takesPlain: boolean;
}

/** The forms that the members of a fleet read, as far as they announce them. */
export interface FleetSeals {
  readonly known: readonly (Seals & { readonly name: string })[];
  /** Names of members that announce themselves without that. */
  readonly unknown: readonly string[];
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
  { ttlMs, overlapMs, maxStalenessMs }: RingTimes & { readonly maxStalenessMs: number },
  seals: Seals,
  { isBack = false, kidlessMs = null }: { readonly isBack?: boolean; readonly kidlessMs?: number | null } = {},
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
    maxStaleness: maxStalenessMs,
    seals,
    ...(kidlessMs === null ? {} : { kidless: kidlessMs }),
    ...(isBack ? { back: true } : {}),
  };
  return JSON.stringify(held);
}

/** Parses an announcement; null for text that no member wrote. */
export function parseAnnouncement(text: string): HeldBy | null {
  try {
    const value: Record<string, unknown> | null = JSON.parse(text);
    const { name, lineage, epoch, revocation, generation, next, needs, maxStaleness, seals, back, kidless } =
      value ?? {};
    if (typeof name !== 'string' || typeof lineage !== 'string' || typeof next !== 'string') return null;
    if (!isCount(epoch) || !isCount(generation)) return null;
    return {
      ...{ name, lineage, epoch, generation, next },
      ...(typeof revocation === 'string' || revocation === null ? { revocation } : {}),
      ...(isCount(maxStaleness) ? { maxStaleness } : {}),
      ...(back === true ? { back } : {}),
      ...(isCount(kidless) ? { kidless } : {}),
      ...(areSeals(seals) ? { seals: { opens: seals.opens, takesPlain: seals.takesPlain } } : {}),
      ...(areNeeds(needs) ? { needs: { ttl: needs.ttl, overlap: needs.overlap } } : {}),
    };
  } catch {
    return null;
  }
}

/**
 * The last announcement of each member that counts, by id: if the member read nothing since, it may
 * still use the copy that it had.
 *
 * @param all counts all that are kept: a member whose announcements the store refuses may go on
 * reading
 */
export function lastAnnounced(
  { nowMs, kept }: Announcements,
  all = false,
): ReadonlyMap<string, { held: HeldBy; atMs: number }> {
  const last = new Map<string, { held: HeldBy; atMs: number }>();
  const left = new Set(kept.flatMap(({ id, text }) => (text === LEFT ? [id] : [])));
  // The oldest come first.
  for (const { id, text, atMs } of kept) {
    const held = parseAnnouncement(text);
    if (held === null || left.has(id)) continue;
    const lifeMs = Math.max(COUNTS_MS, (held.maxStaleness ?? 0) + LATE_MS);
    // The clock of another master may have been ahead.
    if (all || (nowMs - atMs <= lifeMs && atMs - nowMs <= COUNTS_MS)) last.set(id, { held, atMs });
  }
  return last;
}

/** Collects what members announced that they need. */
export function fleetNeeds(announced: Announcements): FleetNeeds {
  const members = [...lastAnnounced(announced).values()].map(({ held }) => held);
  return {
    known: members.flatMap(({ name, needs }) =>
      needs === undefined ? [] : [{ name, ttlMs: needs.ttl, overlapMs: needs.overlap }],
    ),
    unknown: members.filter(({ needs }) => needs === undefined).map(({ name }) => name),
  };
}

/** Collects which forms of a ring members announced that they read. */
export function fleetSeals(announced: Announcements): FleetSeals {
  const members = [...lastAnnounced(announced).values()].map(({ held }) => held);
  return {
    known: members.flatMap(({ name, seals }) => (seals === undefined ? [] : [{ name, ...seals }])),
    unknown: members.filter(({ seals }) => seals === undefined).map(({ name }) => name),
  };
}

function areSeals(value: unknown): value is Seals {
  if (typeof value !== 'object' || value === null) return false;
  const { opens, takesPlain } = value as { readonly [Name in keyof Seals]?: unknown };
  return typeof takesPlain === 'boolean' && Array.isArray(opens) && opens.every((id) => typeof id === 'string');
}

function areNeeds(value: unknown): value is NonNullable<HeldBy['needs']> {
  if (typeof value !== 'object' || value === null) return false;
  const { ttl, overlap } = value as { readonly ttl?: unknown; readonly overlap?: unknown };
  return isCount(ttl) && isCount(overlap);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
