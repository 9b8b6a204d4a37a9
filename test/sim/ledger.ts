/**
 * The ground truth: which secrets there were, when the store lost or revoked them and why. Written
 * from protocol.md.
 */

import type { StoreRecord } from '../../src/stores/record.js';
import type { Agenda } from './agenda.js';
import { Fates } from './fates.js';
import { lossesIn } from './losses.js';
import { Names } from './names.js';
import { Reader } from './reader.js';
import { Rows } from './rows.js';
import { Showings } from './showings.js';
import { type Author, type Good, openErrands, type Shown } from './shown.js';
import { StoreClock } from './store-clock.js';
import { Turns } from './turns.js';
import { type Entries, endOf, isShorter, isUsable, presentIn, secretsIn, type Written } from './written.js';

/** How a secret came to sign. */
interface Origin {
  /**
   * When it was first published as next; null: it never was, so no member held it before it
   * signed. True time.
   */
  readonly nextAtMs: number | null;
  /** What made it sign at once, or sooner than the schedule does; null: nothing did. */
  how: string | null;
}

const LOST_TWO = 'failover that lost two rotations';

export type Promised = 'lost' | 'late' | 'extra' | 'outage' | 'old';

export interface Reports {
  violation(promise: Promised, text: string): void;
  trace: ((text: string) => void) | null;
}

export class Ledger {
  readonly #agenda: Agenda;
  readonly #reports: Reports;
  readonly clock: StoreClock;
  readonly reader: Reader;
  readonly names = new Names();
  readonly turns = new Turns();
  readonly fates: Fates;
  readonly showings: Showings;
  readonly #rows: Rows;
  rotations = 0;
  revocations = 0;
  /** When a revocation last landed or was under way. */
  revokedAtMs = Number.NEGATIVE_INFINITY;
  /** When another secret last began to sign, or a ring was begun or brought back. */
  turnedAtMs = Number.NEGATIVE_INFINITY;
  readonly #origins = new Map<string, Origin>();
  /** What revocations published as next, and their causes. */
  readonly #revokedWith = new Map<string, string | null>();
  /** Rotations that failovers took back and that have not been made again. */
  #takenBack = 0;
  /** Secrets that such failovers made current or next again, and when. True time. */
  readonly #revivedAtMs = new Map<string, number>();
  /** The last ring that there was. */
  #ringBefore: Written | null = null;
  /** The ring as it was last written, or brought back. */
  #ring: Written | null = null;
  /**
   * When an operator last moved the end of K, or a failover took that back, and when to a sooner
   * one. True time.
   */
  #movedAtMs = Number.NEGATIVE_INFINITY;
  #hastenedAtMs = Number.NEGATIVE_INFINITY;
  /** K of a sealed ring is there without it, and until when it last was. True time. */
  #isRingless = false;
  #ringlessUntilMs = Number.NEGATIVE_INFINITY;
  /** The seal key that the ring is under, and until when it was under others. True time. */
  #keyId: string | null = null;
  readonly #keyIdsUntilMs = new Map<string, number>();

  constructor(agenda: Agenda, storeNowMs: () => number, reports: Reports, reader = new Reader(false)) {
    this.#agenda = agenda;
    this.#reports = reports;
    this.reader = reader;
    this.clock = new StoreClock(agenda, storeNowMs);
    this.fates = new Fates(agenda, this.clock, this.names);
    this.#rows = new Rows(agenda, this.clock, reader.isSealed);
    const parts = { names: this.names, fates: this.fates, rows: this.#rows, reader };
    this.showings = new Showings(agenda, reports, parts);
  }

  /**
   * Why a copy that was read at `executedAtMs` may lack a secret that signs within `maxStaleness`
   * of it; null: it must have it.
   */
  whyUnheard(
    { lifetimeMs, needsMs }: { readonly lifetimeMs: number; readonly needsMs: number },
    secret: string,
    { executedAtMs, ring }: Good,
  ): string | null {
    if (secret === ring.current.secret) {
      // Its signer has the ring grant that before its first token.
      if (lifetimeMs > ring.overlap) return 'larger overlap, unheard of';
      return this.#movedAtMs > executedAtMs ? 'EXPIRE, unheard of' : null;
    }
    const revivedAtMs = this.#revivedAtMs.get(secret) ?? Number.NEGATIVE_INFINITY;
    if (revivedAtMs > executedAtMs && ring.retired.some((slot) => slot.secret === secret)) {
      return `${LOST_TWO}, unheard of`;
    }
    // A failover has brought it back since.
    const whyGone = this.fates.excuseFor(secret, executedAtMs, executedAtMs, needsMs);
    if (whyGone !== null) return `${whyGone}, unheard of`;
    const origin = this.#origins.get(secret);
    if (origin === undefined || (origin.nextAtMs !== null && origin.nextAtMs <= executedAtMs)) return null;
    if (origin.how !== null) return `${origin.how}, unheard of`;
    // It signs before its time at a member that knows of the move but cannot reach the store.
    const why = this.#whatHastenedSince(origin.nextAtMs ?? 0);
    return why === null ? null : `${why}, unheard of`;
  }

  /** What was done to a master that no longer counts: only who is left with it sees that. */
  meddledAside(before: StoreRecord, record: StoreRecord, fault: string): void {
    this.#rows.meddle(this.#entriesOf(before), this.#entriesOf(record), before, record, { fault });
  }

  /** A member that was shown this could not write. */
  unwritten(record: StoreRecord, shown: Shown): void {
    this.#rows.unwritten(record, shown);
  }

  /** A member's swap, or what a fault or an operator wrote. */
  wrote(beforeRecord: StoreRecord, record: StoreRecord, author: Author): void {
    const before = this.#entriesOf(beforeRecord);
    const after = this.#entriesOf(record);
    this.#ringBefore = before.ring ?? this.#ringBefore;
    this.#ring = after.ring;
    this.#noteRing(record, after);
    const isFault = author.shown === undefined || author.half === true || author.shown.isOld;
    const vanished = this.fates.turn(after);
    const what = author.half ? 'half' : (author.fault ?? 'a swap');
    this.#reports.trace?.(
      `${author.fault ?? author.shown?.name}${author.half ? ' (half)' : ''} writes ${this.names.show(after)}`,
    );
    if (author.fault !== undefined || author.half) this.#rows.meddle(before, after, beforeRecord, record, author);
    else this.#rows.keepMeddling(beforeRecord, record, after);
    if (author.fault?.startsWith('EXPIRE') || author.fault === 'PERSIST') {
      this.#movedAtMs = this.#agenda.nowMs;
      const endMs = before.ring?.current.expiresAt ?? Number.POSITIVE_INFINITY;
      if (after.key !== null && after.key.endMs < endMs) this.#hastenedAtMs = this.#agenda.nowMs;
    }
    const foreign = after.key?.value;
    if (isFault && isUsable(foreign ?? null) && foreign) this.#born(foreign, null, what);
    if (author.half && before.ring !== null && author.shown !== undefined) {
      const origin = this.#origins.get(foreign ?? '');
      if (origin) origin.how ??= this.#whyYoung(author.shown, before.ring, this.clock.nowMs());
    }
    if (isFault) {
      for (const [secret, endMs] of vanished) this.fates.miss(secret, endMs, what);
      return;
    }
    if (after.ring?.current.secret !== before.ring?.current.secret) this.turnedAtMs = this.#agenda.nowMs;
    if (author.shown !== undefined)
      this.#judgeSwap(author.shown, before, after, beforeRecord, record, vanished, author.decidedMs);
  }

  /** A failover: the store is back where it was, `undone` is what it had been since. */
  lostWrites(
    beforeRecord: StoreRecord,
    record: StoreRecord,
    undone: readonly StoreRecord[],
    reason: string | null,
  ): void {
    const before = this.#entriesOf(beforeRecord);
    const after = this.#entriesOf(record);
    // Past the end of current, members that cannot write sign with next: a rotation that the store
    // does not have.
    const isOver = before.ring !== null && this.clock.latestMs(this.turnedAtMs) >= before.ring.current.expiresAt;
    const promoted = isOver ? before.ring?.next.secret : null;
    this.turnedAtMs = this.#agenda.nowMs;
    this.#ring = after.ring;
    this.#noteRing(record, after);
    const states = [record, ...undone].map((state) => this.reader.ringIn(state));
    const { rotations, isRevocation, isForeign } = lossesIn(states);
    const lostMore = isRevocation ? 'failover that lost a revocation' : reason;
    const lostForeign = isForeign ? 'failover that lost a foreign rotation' : null;
    if (states.some((ring) => endsSooner(ring, after.ring))) this.#movedAtMs = this.#agenda.nowMs;
    this.#takenBack += rotations;
    this.#rows.restored(record);
    const why = lostMore ?? lostForeign ?? (this.#takenBack > 1 ? LOST_TWO : null);
    if (this.#takenBack > 1 && after.ring !== null) {
      for (const { secret } of [after.ring.current, after.ring.next]) this.#revivedAtMs.set(secret, this.#agenda.nowMs);
    }
    this.fates.undo(undone, after);
    const endsBefore = new Map(this.fates.ends);
    const vanished = this.fates.turn(after, true);
    for (const [secret, endMs] of vanished) {
      const isSecond = rotations > 0 && secret === promoted;
      this.fates.miss(secret, endMs, why ?? (isSecond ? LOST_TWO : null));
    }
    // What it signed with may have retired long ago on a master that takes turns with this one.
    for (const [secret, endMs] of presentIn(after)) {
      const isSooner = endMs < (endsBefore.get(secret) ?? endMs);
      if (lostMore !== null && isSooner) this.fates.lose(secret, lostMore, endMs);
    }
    // What stood in K alone no member can hold: it was never next.
    const held = new Set(states.flatMap((ring) => [...secretsIn({ key: null, ring })]));
    for (const { key } of this.reader.isSealed ? [] : undone) {
      if (key === null || !isUsable(key.value) || held.has(key.value) || key.value === after.key?.value) continue;
      this.fates.lose(key.value, 'failover that lost a foreign secret');
    }
    const { overlap = 0 } = before.ring ?? {};
    const left = after.ring?.overlap ?? 0;
    if (overlap > left) {
      const why = 'failover that lost a larger overlap';
      for (const secret of secretsIn(after)) this.fates.lose(secret, why, this.clock.nowMs(), overlap, left);
    }
    // A ring that lives no longer than what it was before the rotations that it lost.
    if (after.ring !== null) {
      const { current, next, ttl, overlap } = after.ring;
      this.fates.lose(next.secret, 'ring that ended after a failover', current.expiresAt + ttl + overlap);
    }
    this.#reports.trace?.(
      `failover: ${undone.length} writes, ${rotations} rotations ` +
        `lost${lostMore ? ', and a revocation' : ''}: ${this.names.show(before)} -> ` +
        `${this.names.show(after)}`,
    );
  }

  jumped(ms: number): void {
    this.#reports.trace?.(`the store's clock jumps by ${ms.toFixed(0)} ms`);
    if (this.clock.jumped(ms)) this.fates.jumped(this.#ring);
  }

  #entriesOf(record: StoreRecord): Entries {
    return this.reader.entriesOf(record, this.clock.nowMs());
  }

  /**
   * "A member that knows no ring, and finds K alone, waits for one soft age": whether that may have
   * been so since then. True time.
   */
  waitsForRing(sinceMs: number): boolean {
    return this.#isRingless || this.#ringlessUntilMs >= sinceMs;
  }

  /** Whether the ring was since then under a seal key that this member lacks. True time. */
  lacksKey(shown: Shown, sinceMs: number): boolean {
    if (!shown.opens(this.#keyId)) return true;
    return [...this.#keyIdsUntilMs].some(([keyId, untilMs]) => untilMs >= sinceMs && !shown.opens(keyId));
  }

  #noteRing(record: StoreRecord, { key, ring }: Entries): void {
    const keyId = ring === null ? null : this.reader.keyIdIn(record);
    if (this.#keyId !== null && this.#keyId !== keyId) this.#keyIdsUntilMs.set(this.#keyId, this.#agenda.nowMs);
    this.#keyId = keyId;
    const isRingless = this.reader.isSealed && key !== null && ring === null;
    if (this.#isRingless && !isRingless) this.#ringlessUntilMs = this.#agenda.nowMs;
    this.#isRingless = isRingless;
  }

  /**
   * "A write keeps the key of the ring that it replaces, else of the last ring" that it read. Row 1
   * keeps that of the last ring that was trusted.
   */
  #judgeForm(shown: Shown, beforeRecord: StoreRecord, record: StoreRecord, before: Entries): void {
    if (!this.reader.isSealed) return;
    const keyId = this.reader.keyIdIn(record);
    const replaced = before.ring === null ? null : this.reader.keyIdIn(beforeRecord);
    const kept = [replaced ?? shown.lastKeyId ?? shown.keyIds?.[0]];
    if (this.#rows.isDistrusted(shown, before, this.clock.nowMs())) kept.push(shown.trustedKeyId ?? shown.keyIds?.[0]);
    if (kept.some((id) => id === keyId)) return;
    this.#reports.violation('extra', `${shown.name} writes under ${keyId}, and not under ${kept.join(' or ')}`);
  }

  /** The first time counts. */
  #born(secret: string, nextAtMs: number | null, how: string | null): void {
    if (!this.#origins.has(secret)) this.#origins.set(secret, { nextAtMs, how });
  }

  #judgeSwap(
    shown: Shown,
    before: Entries,
    after: Entries,
    beforeRecord: StoreRecord,
    record: StoreRecord,
    vanished: Map<string, number>,
    decidedMs = this.clock.nowMs(),
  ): void {
    const nowMs = this.clock.nowMs();
    if (after.odd === 'plain') {
      const isPlain = before.odd === 'plain' && shown.isKeyless;
      if (!shown.takesPlain && !shown.beginsPlain && !isPlain)
        this.#reports.violation('late', `${shown.name} writes a plain ring after a sealed one`);
      for (const errand of openErrands(shown, this.clock, this.#agenda.nowMs, 'revoke')) errand.hasRevoked = true;
      return;
    }
    if (after.ring === null) throw new Error('a swap always writes a ring');
    this.#judgeForm(shown, beforeRecord, record, before);
    this.turns.note(after.ring, this.clock.nowMs());
    if (before.ring === null) {
      // Row 3 by a member that did not see the lineage which took these secrets' place, and was
      // lost too.
      this.fates.unrevoke([...secretsIn(after)].filter((secret) => !shown.gone.has(secret)));
      // Also by a member that never saw it, which begins a keyring with what is left in K.
      const lost = this.#ringBefore;
      if (lost !== null && lost.overlap > after.ring.overlap) {
        const why = 'repair that lost a larger overlap';
        const held = secretsIn({ key: null, ring: lost });
        for (const secret of secretsIn(after)) {
          if (held.has(secret)) this.fates.lose(secret, why, nowMs, lost.overlap, after.ring.overlap);
        }
      }
    }
    if (before.ring?.epoch === after.ring.epoch && before.ring.rev !== after.ring.rev) {
      this.#reports.violation('extra', `${shown.name} names a revocation that was none`);
    }
    const isSetting = openErrands(shown, this.clock, this.#agenda.nowMs, 'set').length > 0;
    if (isShorter(before.ring, after.ring) && !isSetting) {
      this.#reports.violation('extra', `${shown.name} makes the times of the ring shorter`);
    }
    if ((record.ring?.expiresAtMs ?? Number.POSITIVE_INFINITY) < endOf(after.ring)) {
      this.#reports.violation('lost', `${shown.name} lets the ring end before what is in it`);
    }
    if (before.ring?.id !== after.ring.id || before.ring.epoch !== after.ring.epoch) {
      for (const errand of openErrands(shown, this.clock, this.#agenda.nowMs, 'revoke')) errand.hasRevoked = true;
    }
    this.#born(after.ring.next.secret, this.#agenda.nowMs, null);
    // What had ended by the store's clock as that stood in the read before this write is dropped,
    // not revoked.
    const readMs = this.clock.latestMs(this.#agenda.nowMs - shown.times.storeTimeoutMs);
    for (const [secret, endMs] of vanished) {
      if (endMs > readMs) continue;
      vanished.delete(secret);
      this.fates.lose(secret, 'clock shift');
    }
    // Row 3 writes the ring of before: what had been missing for longer is not revoked by it.
    const { id, epoch } = before.ring ?? this.#ringBefore ?? { id: null, epoch: 0 };
    const isTurned = id !== after.ring.id || epoch !== after.ring.epoch;
    const isAnyMissing = this.fates.isAnyMissing();
    if (vanished.size > 0 || (isTurned && (before.ring !== null || isAnyMissing))) {
      const cause = this.#rows.causeOf(shown, before, beforeRecord);
      this.#reports.trace?.(
        `  revokes ${[...vanished.keys()].map((secret) => this.names.of(secret))}: ${cause ?? 'NO CAUSE'}`,
      );
      if (cause === null) {
        this.#reports.violation(
          'extra',
          `${shown.name} revokes without a cause: ${this.names.show(before)} -> ${this.names.show(after)}`,
        );
      }
      this.#born(after.ring.current.secret, null, cause);
      this.#revokedWith.set(after.ring.next.secret, cause);
      this.revocations += 1;
      this.revokedAtMs = this.#agenda.nowMs;
      this.fates.revoke(vanished.keys(), before, record, cause);
      this.#takenBack = 0;
      return;
    }
    this.#born(after.ring.current.secret, null, 'keyring begun');
    if (before.ring === null || before.ring.current.secret === after.ring.current.secret) return;
    this.fates.rotated(before.ring, decidedMs);
    const origin = this.#origins.get(after.ring.current.secret);
    if (origin) origin.how ??= this.#whyYoung(shown, before.ring, nowMs);
    this.rotations += 1;
    this.#takenBack = Math.max(0, this.#takenBack - 1);
    const unexplained = this.#rows.whyNoRotation(shown, before, before.ring, after.ring, nowMs);
    if (unexplained !== null) {
      this.#reports.violation(
        'extra',
        `${shown.name} rotates ${unexplained}: ${this.names.show(before)} -> ${this.names.show(after)}`,
      );
    }
    this.#rows.rotated();
  }

  /** What has brought the end of current nearer since then; null: nothing. */
  #whatHastenedSince(atMs: number): string | null {
    if (this.#hastenedAtMs >= atMs) return 'EXPIRE';
    return this.clock.jumpedAtMs >= atMs ? 'clock jump' : null;
  }

  /** What makes next sign sooner than the schedule does, or null. */
  #whyYoung(shown: Shown, { current, next, ttl }: Written, nowMs: number): string | null {
    const calls = openErrands(shown, this.clock, this.#agenda.nowMs, 'rotate', 'set');
    if (calls.some(({ force }) => force)) return 'rotate() by force';
    const { nextAtMs } = this.#origins.get(next.secret) ?? { nextAtMs: null };
    const moved = this.#whatHastenedSince(nextAtMs ?? 0);
    if (moved !== null) return moved;
    const isOldEnough = nowMs - next.since >= shown.times.maxStalenessMs;
    if (calls.length > 0 && isOldEnough) return "rotate() after its caller's maxStaleness";
    if (current.expiresAt - next.since >= (ttl * 3) / 4) return null;
    // What was put into K came with a separate end, and so does what a lineage is begun with.
    const origin = this.#origins.get(current.secret);
    return this.#revokedWith.get(next.secret) ?? (origin?.nextAtMs === null ? origin.how : null);
  }
}

/** Whether one has the same current secret as the other, with an earlier end. */
function endsSooner(one: Written | null, other: Written | null): boolean {
  if (one === null || other === null || one.current.secret !== other.current.secret) return false;
  return one.current.expiresAt < other.current.expiresAt;
}
