/**
 * What members say of themselves, each in a file of its own: to announce costs one small write,
 * however many members there are.
 */

import { OptionError } from '../errors.js';
import { type Entries, entriesAt, entriesWith, formatEntries, parseEntries } from './announced.js';
import type { Drafts } from './file-drafts.js';
import type { Owner } from './file-guard.js';
import type { Place } from './file-place.js';
import { MEMBERS, memberName } from './file-record.js';
import { errnoOf, type FileFacts } from './file-system.js';
import { ANNOUNCEMENT_LIFE_MS, type Announcements, LONGEST_ANNOUNCEMENT, MOST_ANNOUNCEMENTS } from './store.js';

/** Others' files that one announcement looks at, at random, to remove those whose time is over. */
const LOOKED_AT = 8;
/** As exact as file systems keep times. */
const GRAIN_MS = 1_000;
/** Files that are read at once. */
const READ_AT_ONCE = 16;
/** A longer file is none that the store wrote. */
const MAX_BYTES = 8_192;

export interface MembersParts {
  readonly place: Place;
  readonly drafts: Drafts;
  /** The store's clock. */
  readonly now: () => number;
}

/** Keeps the announcement of a member in place of the one before. */
export async function announce(parts: MembersParts, id: string, text: string, keepMs?: number): Promise<void> {
  const { place, drafts, now } = parts;
  const nowMs = now();
  const said = { text: text.slice(0, LONGEST_ANNOUNCEMENT), keepMs };
  const contents = formatEntries(entriesWith({}, id, said, nowMs));
  if (Buffer.byteLength(contents) > MAX_BYTES) throw new OptionError('The id of the announcement is too long.');
  const path = place.file(MEMBERS, memberName(id));
  // The mtime says from when on it counts no more, so that no member has to read it for that.
  const endsMs = nowMs + (keepMs ?? ANNOUNCEMENT_LIFE_MS) + GRAIN_MS;
  const write = () => drafts.write(contents, (fd) => place.system.setModified(fd, endsMs));
  let draft = await write();
  if (draft === null) {
    await drafts.makeFolder();
    draft = await write();
  }
  // The folder was deleted twice meanwhile. An announcement is worth no third attempt.
  if (draft === null) return;
  await drafts.rename(draft, MEMBERS, path);
  await removeEnded(parts, draft.owner, path).catch(() => {});
}

/** Takes the announcement of a member back. Makes nothing. */
export async function withdraw({ place, drafts }: MembersParts, id: string): Promise<void> {
  if ((await place.guard.root()) !== null) await drafts.remove(place.file(MEMBERS, memberName(id)));
}

/** Reads the announcements that are kept. Makes nothing. */
export async function announcements({ place, now }: MembersParts): Promise<Announcements> {
  const owner = await place.guard.root();
  const folder = owner && (await place.guard.folder(place.path, owner));
  const names = (folder && (await place.system.list(place.file(MEMBERS)))) ?? [];
  const nowMs = now();
  if (owner === null) return entriesAt({}, nowMs);
  const { read, left } = await newest(place, names, nowMs);
  const entries: Entries[] = [];
  for (let start = 0; start < read.length; start += READ_AT_ONCE) {
    const some = read.slice(start, start + READ_AT_ONCE);
    entries.push(...(await Promise.all(some.map((path) => entryIn(place, owner, path)))));
  }
  const found = entriesAt(Object.assign({}, ...entries), Math.max(nowMs, now()));
  return { ...found, count: found.count + left };
}

/**
 * The files to read, and how many others are kept. Only of too many it has to be found out which
 * are the newest.
 */
async function newest(
  place: Place,
  names: readonly string[],
  nowMs: number,
): Promise<{ read: string[]; left: number }> {
  const paths = names.map((name) => place.file(MEMBERS, name));
  if (paths.length <= MOST_ANNOUNCEMENTS) return { read: paths, left: 0 };
  const kept: { path: string; endsMs: number }[] = [];
  for (const path of paths) {
    const facts = await place.system.facts(path);
    if (facts !== null && facts.modifiedMs >= nowMs) kept.push({ path, endsMs: facts.modifiedMs });
  }
  kept.sort((a, b) => b.endsMs - a.endsMs);
  const read = kept.slice(0, MOST_ANNOUNCEMENTS).map(({ path }) => path);
  return { read, left: kept.length - read.length };
}

/** Nothing depends on an announcement, so one that cannot be read is left out. */
async function entryIn(place: Place, owner: Owner, path: string): Promise<Entries> {
  try {
    return parseEntries((await place.text(path, owner, MAX_BYTES)) ?? undefined);
  } catch (error) {
    if (errnoOf(error) === 'EMFILE' || errnoOf(error) === 'ENFILE') throw error;
    return {};
  }
}

/** Looks at a few files only, so that a fleet of many does not spend its time on one another's. */
async function removeEnded({ place, drafts, now }: MembersParts, { owner }: Owner, own: string): Promise<void> {
  const names = (await place.system.list(place.file(MEMBERS))) ?? [];
  const first = Number.parseInt(place.system.randomName(4), 16) % Math.max(1, names.length);
  const few = [...names.slice(first), ...names.slice(0, first)].slice(0, LOOKED_AT);
  for (const path of few.map((name) => place.file(MEMBERS, name))) {
    const facts: FileFacts | null = await place.system.facts(path);
    if (facts?.kind !== 'file' || facts.owner !== owner || path === own) continue;
    if (facts.modifiedMs < now()) await drafts.remove(path);
  }
}
