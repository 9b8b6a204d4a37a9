/** The announcements of members, as stores without a server keep them. Pure. */

import { ANNOUNCEMENT_LIFE_MS, type Announcements, MAX_ANNOUNCEMENT_CHARACTERS, MAX_ANNOUNCEMENTS } from './store.js';

/** The entries by member. */
export type Entries = Readonly<Record<string, Entry>>;

interface Entry {
  readonly text: string;
  readonly atMs: number;
  readonly keepMs?: number | undefined;
}

/**
 * Returns the entries with the one of a member replaced or removed, without those that have ended.
 */
export function entriesWith(entries: Entries, id: string, entry: Omit<Entry, 'atMs'> | null, nowMs: number): Entries {
  const others = Object.entries(entries).filter(([other, entry]) => other !== id && isKept(entry, nowMs));
  const own = entry === null ? [] : [[id, { ...entry, atMs: nowMs }] as const];
  return Object.fromEntries([...others, ...own]);
}

export function entriesAt(entries: Entries, nowMs: number): Announcements {
  const live = Object.entries(entries).filter(([, entry]) => isKept(entry, nowMs));
  const kept = live
    .map(([id, { text, atMs }]) => ({ id, text: text.slice(0, MAX_ANNOUNCEMENT_CHARACTERS), atMs }))
    .sort((a, b) => a.atMs - b.atMs)
    .slice(-MAX_ANNOUNCEMENTS);
  return { nowMs, count: live.length, kept };
}

export function formatEntries(entries: Entries): string {
  return JSON.stringify(entries);
}

/** Parses the entries. Omits malformed ones: nothing depends on an announcement. */
export function parseEntries(json: string | undefined): Entries {
  try {
    const found: unknown = JSON.parse(json ?? '{}');
    if (typeof found !== 'object' || found === null) return {};
    return Object.fromEntries(Object.entries(found).filter(([, entry]) => isEntry(entry)));
  } catch {
    return {};
  }
}

function isKept({ atMs, keepMs = ANNOUNCEMENT_LIFE_MS }: Entry, nowMs: number): boolean {
  // An entry from the future was written before the clock was set back.
  return nowMs - atMs <= keepMs;
}

function isEntry(entry: unknown): boolean {
  if (typeof entry !== 'object' || entry === null) return false;
  return 'text' in entry && typeof entry.text === 'string' && 'atMs' in entry && typeof entry.atMs === 'number';
}
