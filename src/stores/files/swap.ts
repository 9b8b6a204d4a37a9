/**
 * The compare-and-swap of a folder's newest record (docs/adr/0029).
 *
 * `link(2)` creates the next generation, and fails if that exists. All later steps handle writers
 * that were suspended before it.
 */

import { snapshotOf, swapRecord } from '../record.js';
import type { SwapAnswer, WantedState } from '../store.js';
import type { Draft, Drafts } from './drafts.js';
import { isCertain, outcomeUnknown, protectedLinks } from './faults.js';
import type { Look } from './look.js';
import type { Place } from './place.js';
import type { Reader } from './reader.js';
import { formatRecord, parseRecord, recordName } from './records.js';
import { errnoOf } from './system.js';

/**
 * The age at which an old file is removed: for a record, the age of the second one after it; for a
 * draft, its own. Milliseconds of the file system's clock.
 */
const OLD_MS = 60_000;
/** The number of newest records that are never removed. */
const KEPT = 2;

export interface Swap {
  readonly expected: string;
  readonly wanted: WantedState;
  readonly notAfterMs: number;
}

/** A record that this process links or has linked. */
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

/**
 * Writes the next record if the newest is still the expected one.
 * @throws {StoreError} that may report an unknown outcome
 */
export async function swapNewest(parts: SwapParts, swap: Swap): Promise<SwapAnswer> {
  const { place, look, reader, drafts, now } = parts;
  const before = await reader.read();
  const { write, answer } = swapRecord(before.record, now(), swap);
  if (write === null) return answer;
  const birth = before.birth ?? (await drafts.makeBirth());
  const op = place.system.randomName(12);
  const draft = birth === null ? null : await drafts.write(formatRecord(op, before.op, write));
  // The folder was deleted meanwhile.
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
 * Links the draft as the next generation. Returns false if another process was first, the folder
 * was deleted, or a sweep removed the draft of a suspended writer.
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

/** Checks if the linked record replaced the one that it was made from. */
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
        // This writer was suspended before it linked: the record is late, and was never the newest.
        await drafts.remove(fileOf(place, written));
        return await lost(parts, swap);
      }
    }
    await tidy(parts, written, generations).catch(() => {});
    // The folder's writer died before it wrote the name.
    if (!reader.isNamed(birth)) await drafts.makeName().catch(() => {});
    // Also holds the new record, so that the next look finds it.
    return { swapped: true, snapshot: snapshotOf((await reader.read()).record, now()) };
  } catch (error) {
    throw outcomeUnknown(place.root, error);
  }
}

/** Returns the state that was found instead. It may come from the same swap, sent twice. */
async function lost({ reader, now }: SwapParts, { wanted }: Swap): Promise<SwapAnswer> {
  const snapshot = snapshotOf((await reader.read()).record, now());
  return { swapped: snapshot.ring === wanted.ring.text, snapshot };
}

/**
 * Removes old records, then old drafts. Stops at the first failure, in ascending order, so that a
 * replaced record never becomes the newest.
 */
async function tidy({ place, drafts }: SwapParts, written: Written, generations: readonly number[]): Promise<void> {
  const { system } = place;
  // The file system's clock: `link` and `unlink` have just set this time.
  const nowMs = (await system.facts(fileOf(place, written)))?.changedMs;
  if (nowMs === undefined) return;
  // Also true after the clock was set back.
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
