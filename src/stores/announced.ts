/** What members say of themselves, as the stores without a server of their own keep it. Pure. */

import { ANNOUNCEMENT_LIFE_MS, type Announcements, LONGEST_ANNOUNCEMENT, MOST_ANNOUNCEMENTS } from './store.js';

/** By member. */
export type Entries = Readonly<Record<string, Entry>>;

interface Entry {
  readonly text: string;
  readonly atMs: number;
  readonly keepMs?: number | undefined;
}

/** Leaves out those that are kept no longer. */
export function entriesWith(entries: Entries, id: string, said: Omit<Entry, 'atMs'> | null, nowMs: number): Entries {
  const others = Object.entries(entries).filter(([other, entry]) => other !== id && isKept(entry, nowMs));
  const own = said === null ? [] : [[id, { ...said, atMs: nowMs }] as const];
  return Object.fromEntries([...others, ...own]);
}

export function entriesAt(entries: Entries, nowMs: number): Announcements {
  const live = Object.entries(entries).filter(([, entry]) => isKept(entry, nowMs));
  const kept = live
    .map(([id, { text, atMs }]) => ({ id, text: text.slice(0, LONGEST_ANNOUNCEMENT), atMs }))
    .sort((a, b) => a.atMs - b.atMs)
    .slice(-MOST_ANNOUNCEMENTS);
  return { nowMs, count: live.length, kept };
}

export function formatEntries(entries: Entries): string {
  return JSON.stringify(entries);
}

/** What is not what it should be is left out: nothing depends on it. */
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
  // One from later than now is from before the clock was set back.
  return nowMs - atMs <= keepMs;
}

function isEntry(entry: unknown): boolean {
  if (typeof entry !== 'object' || entry === null) return false;
  return 'text' in entry && typeof entry.text === 'string' && 'atMs' in entry && typeof entry.atMs === 'number';
}
