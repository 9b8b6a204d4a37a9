/**
 * The announcements of members, each in a separate file. An announcement costs one small write,
 * however many members there are.
 */

import { OptionError } from '../../errors.js';
import { type Entries, entriesAt, entriesWith, formatEntries, parseEntries } from '../announced.js';
import { ANNOUNCEMENT_LIFE_MS, type Announcements, MAX_ANNOUNCEMENT_CHARACTERS, MAX_ANNOUNCEMENTS } from '../store.js';
import type { Drafts } from './drafts.js';
import type { Owner } from './guard.js';
import type { Place } from './place.js';
import { MEMBERS, memberName } from './records.js';
import { errnoOf, type FileFacts } from './system.js';

/**
 * The files of other members that one announcement checks at random, to remove those that have
 * ended.
 */
const LOOKED_AT = 8;
/** The precision of file times. */
const GRAIN_MS = 1_000;
/** The files that are read at once. */
const READ_AT_ONCE = 16;
/** The store never writes a longer file. */
const MAX_BYTES = 8_192;

export interface MembersParts {
  readonly place: Place;
  readonly drafts: Drafts;
  /** The store's clock. */
  readonly now: () => number;
}

/** Writes the announcement of a member, and replaces the previous one. */
export async function announce(
  parts: MembersParts,
  id: string,
  { text, keepMs }: { readonly text: string; readonly keepMs?: number | undefined },
): Promise<void> {
  const { place, drafts, now } = parts;
  const nowMs = now();
  const entry = { text: text.slice(0, MAX_ANNOUNCEMENT_CHARACTERS), keepMs };
  const contents = formatEntries(entriesWith({}, id, entry, nowMs));
  if (Buffer.byteLength(contents) > MAX_BYTES) throw new OptionError('The id of the announcement is too long.');
  const path = place.file(MEMBERS, memberName(id));
  // The mtime is the time when the announcement ends, so that no member has to read the file to
  // know it.
  const endsMs = nowMs + (keepMs ?? ANNOUNCEMENT_LIFE_MS) + GRAIN_MS;
  const write = () => drafts.write(contents, (fd) => place.system.setModified(fd, endsMs));
  let draft = await write();
  if (draft === null) {
    await drafts.makeFolder();
    draft = await write();
  }
  // The folder was deleted twice meanwhile. An announcement does not justify a third attempt.
  if (draft === null) return;
  await drafts.rename(draft, MEMBERS, path);
  await removeEnded(parts, draft.owner, path).catch(() => {});
}

/** Removes the announcement of a member. Creates nothing. */
export async function withdraw({ place, drafts }: MembersParts, id: string): Promise<void> {
  if ((await place.guard.root()) !== null) await drafts.remove(place.file(MEMBERS, memberName(id)));
}

/** Reads the current announcements. Creates nothing. */
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
 * Returns the files to read, and the number of others. Compares their ages only if there are too
 * many.
 */
async function newest(
  place: Place,
  names: readonly string[],
  nowMs: number,
): Promise<{ read: string[]; left: number }> {
  const paths = names.map((name) => place.file(MEMBERS, name));
  if (paths.length <= MAX_ANNOUNCEMENTS) return { read: paths, left: 0 };
  const kept: { path: string; endsMs: number }[] = [];
  for (const path of paths) {
    const facts = await place.system.facts(path);
    if (facts !== null && facts.modifiedMs >= nowMs) kept.push({ path, endsMs: facts.modifiedMs });
  }
  kept.sort((a, b) => b.endsMs - a.endsMs);
  const read = kept.slice(0, MAX_ANNOUNCEMENTS).map(({ path }) => path);
  return { read, left: kept.length - read.length };
}

/** Reads one announcement. Omits an unreadable one, because nothing depends on it. */
async function entryIn(place: Place, owner: Owner, path: string): Promise<Entries> {
  try {
    return parseEntries((await place.text(path, owner, MAX_BYTES)) ?? undefined);
  } catch (error) {
    if (errnoOf(error) === 'EMFILE' || errnoOf(error) === 'ENFILE') throw error;
    return {};
  }
}

/**
 * Removes announcements that have ended. Checks only a few files, so that the cost does not grow
 * with the fleet.
 */
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
