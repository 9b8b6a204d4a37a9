/**
 * Replaces the newest record of a folder, if it is still what the caller read (docs/adr/0029).
 *
 * `link(2)` makes the next generation and fails if that exists. All that follows is about writers
 * that slept before it.
 */

import type { Draft, Drafts } from './file-drafts.js';
import { isCertain, outcomeUnknown, protectedLinks } from './file-errors.js';
import type { Look } from './file-look.js';
import type { Place } from './file-place.js';
import type { Reader } from './file-reader.js';
import { formatRecord, parseRecord, recordName } from './file-record.js';
import { errnoOf } from './file-system.js';
import { snapshotOf, swapRecord } from './record.js';
import type { SwapAnswer, WantedState } from './store.js';

/**
 * A record is removed once the one after next has been there for so long; a draft, once it has.
 * Milliseconds of the file system's clock.
 */
const OLD_MS = 60_000;
/** The newest records, which are never removed. */
const KEPT = 2;

export interface Swap {
  readonly expected: string;
  readonly wanted: WantedState;
  readonly notAfterMs: number;
}

/** A record that this process is about to link, or has linked. */
interface Written {
  readonly birth: string;
  readonly generation: number;
  readonly op: string;
}

export interface SwapParts {
  readonly place: Place;
  readonly look: Look;
  readonly reader: Reader;
  readonly drafts: Drafts;
  /** The store's clock. */
  readonly now: () => number;
}

/** @throws {StoreError} among others one that says that the swap may or may not have happened */
export async function swapNewest(parts: SwapParts, swap: Swap): Promise<SwapAnswer> {
  const { place, look, reader, drafts, now } = parts;
  const before = await reader.read();
  const { write, answer } = swapRecord(before.record, now(), swap);
  if (write === null) return answer;
  const birth = before.birth ?? (await drafts.makeBirth());
  const op = place.system.randomName(12);
  const draft = birth === null ? null : await drafts.write(formatRecord(op, before.op, write));
  // Without one, the folder was deleted meanwhile.
  if (birth === null || draft === null) return lost(parts, swap);
  if (now() > swap.notAfterMs) {
    await drafts.remove(draft.path);
    return { swapped: false, snapshot: snapshotOf((await reader.read()).record, now()) };
  }
  const generation = before.generation + 1;
  const written = { birth, generation, op };
  return look.whileWriting(async () =>
    (await link(parts, draft, written)) ? confirm(parts, swap, draft, written) : lost(parts, swap),
  );
}

/**
 * Resolves to false if another process was quicker, or the folder was deleted, or a sweeper took
 * the draft of a writer that slept.
 */
async function link({ place, drafts }: SwapParts, { path, owner }: Draft, written: Written): Promise<boolean> {
  const { system, guard, root } = place;
  try {
    await system.link(path, fileOf(place, written));
    return true;
  } catch (error) {
    const errno = errnoOf(error) ?? '';
    await drafts.remove(path).catch(() => {});
    if (errno === 'EEXIST' || errno === 'ENOENT') return false;
    if (errno === 'EPERM' && guard.isOther(owner.owner)) throw protectedLinks(root, guard.nameOf(owner.owner));
    throw isCertain(error) ? error : outcomeUnknown(root, error);
  }
}

/** Finds out whether the record that was linked replaced the one that it was made from. */
async function confirm(parts: SwapParts, swap: Swap, { path, owner }: Draft, written: Written): Promise<SwapAnswer> {
  const { place, reader, drafts, now } = parts;
  const { birth, generation, op } = written;
  try {
    await drafts.remove(path);
    await place.system.syncFolder(place.path);
    const generations = (await reader.generations(birth)) ?? [];
    const newest = generations.at(-1) ?? 0;
    if ((await reader.birth(owner)) !== birth || newest < generation) throw outcomeUnknown(place.root);
    if (newest > generation) {
      const next = await place.text(fileOf(place, { birth, generation: generation + 1 }), owner);
      if (next === null) throw outcomeUnknown(place.root);
      if (parseRecord(next, birth, generation + 1).parent !== op) {
        // This writer slept before it linked: the record is late, and was never the newest.
        await drafts.remove(fileOf(place, written));
        return await lost(parts, swap);
      }
    }
    await tidy(parts, written, generations).catch(() => {});
    // Also holds the new record, so that the next look finds it.
    return { swapped: true, snapshot: snapshotOf((await reader.read()).record, now()) };
  } catch (error) {
    throw outcomeUnknown(place.root, error);
  }
}

/**
 * What is there in place of a record that was not written; it may be that of the same swap, sent
 * twice.
 */
async function lost({ reader, now }: SwapParts, { wanted }: Swap): Promise<SwapAnswer> {
  const snapshot = snapshotOf((await reader.read()).record, now());
  return { swapped: snapshot.ring === wanted.ring.text, snapshot };
}

/**
 * Removes old records, then old drafts. In ascending order up to the first failure, so that no
 * record comes to the top that was replaced.
 */
async function tidy({ place, drafts }: SwapParts, written: Written, generations: readonly number[]): Promise<void> {
  const { system } = place;
  // The file system's clock: `link` and `unlink` have just set this.
  const nowMs = (await system.facts(fileOf(place, written)))?.changedMs;
  if (nowMs === undefined) return;
  // Also after the clock was set back.
  const isOld = (changedMs: number): boolean => Math.abs(nowMs - changedMs) >= OLD_MS;
  const { birth } = written;
  for (const [index, generation] of generations.slice(0, -KEPT).entries()) {
    const later = await system.facts(fileOf(place, { birth, generation: generations[index + KEPT] ?? 0 }));
    if (later === null || !isOld(later.changedMs)) break;
    await drafts.remove(fileOf(place, { birth, generation }));
  }
  await drafts.sweep(isOld);
}

function fileOf(place: Place, { birth, generation }: { readonly birth: string; readonly generation: number }): string {
  return place.file(recordName(birth, generation));
}
