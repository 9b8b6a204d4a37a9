/**
 * The rows of the page's table, as far as they matter to what is promised: what takes secrets away,
 * and what explains a rotation.
 */

import type { StoreRecord } from '../../src/stores/record.js';
import type { Agenda } from './agenda.js';
import { type Author, openErrands, type Shown } from './shown.js';
import type { StoreClock } from './store-clock.js';
import {
  dueMs,
  type Entries,
  isShorter,
  isUsable,
  keyEndMs,
  leadMs,
  NOISE_MS,
  overlapOf,
  secretsIn,
  type Written,
} from './written.js';

/** Why K is not what the ring says. */
interface Meddling {
  readonly kind: string;
  readonly atMs: number;
  readonly ttlMs: number;
  /**
   * Members with the right to write that were shown it, each time, and how long K had to live then.
   */
  readonly noticedBy: Map<Shown, readonly { readonly atMs: number; readonly leftMs: number }[]>;
}

export class Rows {
  readonly #agenda: Agenda;
  readonly #clock: StoreClock;
  readonly #meddling = new WeakMap<StoreRecord, Meddling>();
  /** What failovers went back to. */
  readonly #restored = new WeakSet<StoreRecord>();
  #rotatedAtMs: readonly number[] = [];
  readonly #isSealed: boolean;

  constructor(agenda: Agenda, clock: StoreClock, isSealed: boolean) {
    this.#isSealed = isSealed;
    this.#agenda = agenda;
    this.#clock = clock;
  }

  rotated(): void {
    this.#rotatedAtMs = [...this.#rotatedAtMs.slice(-20), this.#agenda.nowMs];
  }

  restored(record: StoreRecord): void {
    this.#restored.add(record);
    this.#rotatedAtMs = [];
  }

  /** A member with the right to write was shown this, `leftMs` before the end of K. */
  noticed(record: StoreRecord, shown: Shown, leftMs: number): void {
    const { noticedBy } = this.#meddling.get(record) ?? {};
    noticedBy?.set(shown, [...(noticedBy.get(shown) ?? []), { atMs: this.#agenda.nowMs, leftMs }]);
  }

  /** A member that was shown this could not write. */
  unwritten(record: StoreRecord, shown: Shown): void {
    this.#meddling.get(record)?.noticedBy.delete(shown);
  }

  meddle(before: Entries, after: Entries, beforeRecord: StoreRecord, record: StoreRecord, author: Author): void {
    const ttlMs = (after.key?.endMs ?? this.#clock.nowMs()) - this.#clock.nowMs();
    let kind = author.half ? 'half' : (author.fault ?? '');
    if (kind === 'old SETEX' && before.key !== null) kind = 'old SETEX over a value';
    const earlier = this.#meddling.get(beforeRecord);
    // An EXPIRE on top of a SET leaves a SET.
    const isTtl = (some: string) => some === 'EXPIRE' || some === 'PERSIST';
    const isMore = earlier !== undefined && isTtl(kind) && !isTtl(earlier.kind);
    this.#meddling.set(record, {
      kind: isMore ? earlier.kind : kind,
      atMs: this.#agenda.nowMs,
      ttlMs,
      noticedBy: new Map(),
    });
  }

  /** A swap that leaves K as an operator put it, in a ring that says something else. */
  keepMeddling(beforeRecord: StoreRecord, record: StoreRecord, { key, ring }: Entries): void {
    const meddling = this.#meddling.get(beforeRecord);
    if (meddling === undefined || key === null || ring === null) return;
    const isAsItWas =
      record.key?.value === beforeRecord.key?.value && record.key?.expiresAtMs === beforeRecord.key?.expiresAtMs;
    const isOther = key.value !== ring.current.secret || Math.abs(key.endMs - ring.current.expiresAt) > NOISE_MS;
    if (isAsItWas && isOther) this.#meddling.set(record, meddling);
  }

  /** Which row of the table, or which call, takes secrets away here. */
  causeOf(shown: Shown, before: Entries, beforeRecord: StoreRecord): string | null {
    const { ring } = before;
    const nowMs = this.#clock.nowMs();
    if (openErrands(shown, this.#clock, this.#agenda.nowMs, 'revoke').length > 0) return 'revoke()';
    if (before.odd === 'plain') return 'plain ring';
    if (ring === null) return 'store came back without a ring';
    const brake = this.brakeIn(shown, before, beforeRecord, nowMs);
    if (brake !== null) return brake;
    return this.isDistrusted(shown, before, nowMs) ? 'rollback' : null;
  }

  /** Row 1, as far as it can be known from what the member was shown. */
  isDistrusted(shown: Shown, before: Entries, storeMs: number): boolean {
    const { ring } = before;
    if (ring === null) return false;
    if (this.isBehind(shown, before, storeMs) || (shown.doubtful.get(ring.id) ?? 0) > ring.epoch) return true;
    return [...secretsIn(before)].some((secret) => shown.doubted.has(secret) || shown.mayBeGone.has(secret));
  }

  /** Rows 8 and 10: by what K was taken away or replaced, where that means a revocation. */
  brakeIn(
    shown: Shown,
    { key, ring }: Entries,
    record: StoreRecord,
    nowMs: number,
    mayBeDeposed = false,
  ): string | null {
    const meddling = this.#meddling.get(record);
    if (ring === null || meddling === undefined) return null;
    if (key?.value === ring.current.secret || key?.value === ring.next.secret) return null;
    const isDue = nowMs >= ring.current.expiresAt - dueMs(shown.times, ring);
    if (isDue && (key === null || this.#replacesOnTime(key))) return null;
    if (meddling.kind === 'PERSIST') return null;
    if (meddling.kind !== 'EXPIRE') return meddling.kind;
    if (key !== null) return null;
    // On a master that was left, no member can write it down.
    if (!this.#couldBeWritten(meddling) || mayBeDeposed) {
      const isShort = meddling.ttlMs < 2 * shown.times.softAgeMs;
      return isShort ? 'EXPIRE below twice the soft age' : 'EXPIRE that nobody read';
    }
    return this.#restored.has(record) ? 'EXPIRE that a failover brought back' : null;
  }

  /** Row 9, if it is due: a sealed ring goes on with its own secret, whatever K holds. */
  #replacesOnTime({ value, endMs }: NonNullable<Entries['key']>): boolean {
    return Number.isFinite(endMs) && (this.#isSealed || isUsable(value));
  }

  /**
   * Whether a member had the time to copy K's end into the ring, also if the store's clock was put
   * forward meanwhile.
   */
  #couldBeWritten({ noticedBy }: Meddling): boolean {
    return [...noticedBy].some(([{ times }, notices]) => {
      const takesMs = 2 * times.storeTimeoutMs;
      return notices.some(
        ({ atMs, leftMs }) => leftMs - this.#clock.putForwardMs(atMs, atMs, atMs + takesMs) > takesMs,
      );
    });
  }

  /** Row 1: the store shows less than this member has seen. */
  isBehind(shown: Shown, { key, ring }: Entries, storeMs: number): boolean {
    if (key?.value && shown.gone.has(key.value)) return true;
    return ring !== null && this.isRolledBack(shown, ring, storeMs);
  }

  isRolledBack(shown: Shown, ring: Written, storeMs: number): boolean {
    if (shown.epochs.isBehind(ring)) return true;
    // "Also a ring whose current or next this member saw come to its end."
    const isOver = (secret: string) => shown.hasSeenEnd(secret, storeMs);
    if (this.#isSealed && (shown.knowsLater(ring, storeMs) || shown.hasOutlived(ring, storeMs))) return true;
    if (this.#isSealed && (isOver(ring.current.secret) || isOver(ring.next.secret))) return true;
    if (shown.lineage !== null && shown.lineage !== ring.id && shown.epochs.has(ring.id)) return true;
    return [...secretsIn({ key: null, ring })].some((secret) => shown.gone.has(secret));
  }

  /**
   * What the table makes of this, as far as it matters to whether a copy goes on: steady, a
   * rotation, or secrets that go.
   */
  pending(shown: Shown, entries: Entries, nowMs: number): 'none' | 'rotation' | 'revocation' {
    const { key, ring } = entries;
    // Row 3: only R was lost.
    if (ring === null && !entries.odd && key !== null && key.value === shown.knownRing?.current.secret)
      return 'rotation';
    if (ring === null || this.isBehind(shown, entries, nowMs)) return 'revocation';
    const isDue = nowMs >= ring.current.expiresAt - dueMs(shown.times, ring);
    if (key === null) return isDue ? 'rotation' : 'revocation';
    if (key.value === ring.next.secret) return 'rotation';
    if (key.value !== ring.current.secret) {
      return isDue && this.#replacesOnTime(key) ? 'rotation' : 'revocation';
    }
    const { times } = shown;
    if (nowMs >= key.endMs - leadMs(times, ring) - NOISE_MS) return 'rotation';
    if (Math.abs(key.endMs - ring.current.expiresAt) > NOISE_MS - 2) return 'rotation';
    // What a member that only verifies needs it asks for beside its reads.
    if (!shown.hasSigned) return 'none';
    return ring.ttl >= times.ttlMs && ring.overlap >= overlapOf(times) ? 'none' : 'rotation';
  }

  /** Null where the schedule, the store or a call of `rotate()` explains a rotation. */
  whyNoRotation(shown: Shown, { key }: Entries, ring: Written, after: Written, nowMs: number): string | null {
    const { times } = shown;
    if (key === null)
      return nowMs >= ring.current.expiresAt - dueMs(times, ring) - NOISE_MS ? null : 'before it is due';
    if (key.value !== ring.current.secret) return null;
    const keyMs = keyEndMs(key, ring);
    const endMs = Number.isFinite(keyMs) ? keyMs : ring.current.expiresAt;
    if (nowMs >= endMs - leadMs(times, ring) - NOISE_MS) return null;
    // It may have been due by the store's clock as that stood in the read before this write.
    const readMs = this.#agenda.nowMs - times.storeTimeoutMs;
    if (this.#clock.latestMs(readMs) >= endMs - leadMs(times, ring) - NOISE_MS) return null;
    const calls = openErrands(
      shown,
      this.#clock,
      this.#agenda.nowMs,
      'rotate',
      ...(isShorter(ring, after) ? (['set'] as const) : []),
    );
    if (calls.length === 0) return 'ahead of the schedule';
    const isYoung = nowMs - ring.next.since < times.maxStalenessMs - NOISE_MS;
    if (isYoung && calls.every(({ force, fromMs }) => !force && fromMs > this.#clock.shiftedAtMs))
      return 'to a next that is younger than its maxStaleness';
    const isFirst = calls.some(({ verb, fromMs }) => {
      if (verb === 'set') return true;
      const read = shown.firstReads.get(fromMs);
      if (read === undefined) return false;
      // What a failover took back, and another call made again, is no other secret than this one
      // read.
      return read.current === ring.current.secret || !this.#rotatedAtMs.some((atMs) => atMs > read.atMs);
    });
    return isFirst ? null : "although another member's rotation came between";
  }
}
