/**
 * What became of each secret: until when it verifies, whether it was revoked, and what excuses that
 * it is refused.
 */

import type { StoreRecord } from '../../src/stores/record.js';
import type { Agenda } from './agenda.js';
import type { Names } from './names.js';
import type { Shown } from './shown.js';
import type { StoreClock } from './store-clock.js';
import { type Entries, presentIn, secretsIn, type Written } from './written.js';

interface Revocation {
  readonly atMs: number;
  readonly record: StoreRecord;
  /** What it excuses; null: nothing explains it. */
  readonly loss: Loss | null;
}

interface Loss {
  readonly atMs: number;
  /** The end of the secret by which it is lost, by the store's clock; 0: it went at once. */
  readonly endMs: number;
  untilMs: number;
  readonly why: string;
  /** The `overlap` that was lost: a ring that grants less does not end this. */
  readonly overlapMs: number;
  /** The one that is left: a token that needs no more goes on. */
  readonly leftMs: number;
}

export class Fates {
  readonly #agenda: Agenda;
  readonly #clock: StoreClock;
  readonly #names: Names;
  /** Secrets that verify, until when by the store's clock. */
  readonly #live = new Map<string, number>();
  /** Secrets that a fault took out of the store, which may come back. */
  readonly #missing = new Map<string, number>();
  readonly #revoked = new Map<string, Revocation>();
  /**
   * What was in a ring that a revocation replaced, ended or not, and when. A failover takes nothing
   * out of it.
   */
  readonly #dropped = new Map<string, number>();
  readonly #lost = new Map<string, Loss[]>();
  readonly #adopted = new Set<string>();
  #keyValue: string | null | undefined;
  /** Since when K has the value that it has. True time. */
  keySinceMs = 0;
  /** Ends of retired secrets by the store's clock, the last that was written. */
  readonly ends = new Map<string, number>();
  /** The same as the store has them now: a failover may have taken back a later one. */
  readonly #endNow = new Map<string, number>();
  /** The later ends that secrets had until a failover, and when that was. True time. */
  readonly #endsBefore = new Map<string, { readonly atMs: number; readonly endMs: number }[]>();
  /** By how much later than the read that decided it each rotation landed. Milliseconds. */
  readonly #landedLateMs = new Map<string, number>();

  constructor(agenda: Agenda, clock: StoreClock, names: Names) {
    this.#agenda = agenda;
    this.#clock = clock;
    this.#names = names;
  }

  /** Whether the secret was revoked, and when that landed. A failover may have taken it back. */
  revocationOf(secret: string): number | null {
    return this.#revoked.get(secret)?.atMs ?? null;
  }

  /** Why a secret need not verify at some time in this span; null: it must. */
  excuseFor(secret: string, fromMs: number, toMs: number, needsMs = Number.POSITIVE_INFINITY): string | null {
    const loss = (this.#lost.get(secret) ?? []).find(
      ({ atMs, untilMs, leftMs }) => atMs <= toMs && fromMs <= untilMs && leftMs < needsMs,
    );
    return loss?.why ?? null;
  }

  /** The end of a secret as a copy may have it that was read at `readMs`, by the store's clock. */
  endIn(secret: string, readMs: number): number | undefined {
    const before = (this.#endsBefore.get(secret) ?? []).filter(({ atMs }) => atMs > readMs);
    const ends = [this.#endNow.get(secret), ...before.map(({ endMs }) => endMs)].filter((end) => end !== undefined);
    return ends.length === 0 ? undefined : Math.max(...ends);
  }

  /**
   * A rotation that took a secret out of `current` has landed, after a read at `decidedMs` of the
   * store's clock.
   */
  rotated({ current }: Written, decidedMs: number): void {
    this.#landedLateMs.set(current.secret, this.#clock.nowMs() - decidedMs);
  }

  /**
   * Whether the secret's end came too soon for what was signed between the read that decided its
   * rotation and the swap.
   */
  endedSoon(secret: string): boolean {
    const overMs = this.#clock.nowMs() - (this.ends.get(secret) ?? Number.POSITIVE_INFINITY);
    return overMs >= 0 && overMs <= this.landedLateMs(secret);
  }

  /** How long after the read that decided it the secret's rotation landed. */
  landedLateMs(secret: string): number {
    return this.#landedLateMs.get(secret) ?? 0;
  }

  /** Whether the secret's end comes within a time from now. */
  isOverIn(secret: string, ms: number): boolean {
    return this.#clock.nowMs() + ms >= (this.ends.get(secret) ?? Number.POSITIVE_INFINITY);
  }

  /** Brings what lives up to date, and tells what vanished before its end. */
  turn(after: Entries, isFailover = false): Map<string, number> {
    const nowMs = this.#clock.nowMs();
    const present = presentIn(after);
    if (after.key?.value !== this.#keyValue) this.keySinceMs = this.#agenda.nowMs;
    this.#keyValue = after.key?.value;
    const vanished = new Map<string, number>();
    for (const [secret, endMs] of this.#live) {
      if (endMs <= nowMs) {
        this.#live.delete(secret);
        if (!this.#adopted.has(secret)) this.lose(secret, 'never adopted');
      } else if (!present.has(secret)) {
        this.#live.delete(secret);
        vanished.set(secret, endMs);
      }
    }
    if (after.ring) for (const secret of secretsIn({ key: null, ring: after.ring })) this.#adopted.add(secret);
    for (const [secret, endMs] of present) {
      this.#names.of(secret);
      // Where only K is left of it, what members hold goes on as before.
      const isInRing = secret !== after.key?.value || after.ring?.current.secret === secret;
      const knownMs = isInRing || !this.#adopted.has(secret) ? endMs : Math.max(endMs, this.ends.get(secret) ?? 0);
      this.#live.set(secret, knownMs);
      // What a failover takes back, members hold as long as they may.
      const earlierMs = this.ends.get(secret) ?? 0;
      if (isFailover && earlierMs > knownMs) {
        const before = this.#endsBefore.get(secret) ?? [];
        this.#endsBefore.set(secret, [...before, { atMs: this.#agenda.nowMs, endMs: earlierMs }]);
      }
      this.#endNow.set(secret, knownMs);
      this.ends.set(secret, isFailover ? Math.max(knownMs, earlierMs) : knownMs);
      if (this.#missing.delete(secret)) {
        for (const loss of this.#lost.get(secret) ?? []) {
          // One that has retired meanwhile keeps the end that it was given.
          const isGranted =
            loss.overlapMs === 0 ||
            (after.ring !== null && after.ring.overlap >= loss.overlapMs && after.ring.current.secret === secret);
          if (loss.why === 'clock jump' || knownMs <= loss.endMs) continue;
          if (isGranted && !this.#revoked.has(secret)) loss.untilMs = Math.min(loss.untilMs, this.#agenda.nowMs);
        }
      }
    }
    return vanished;
  }

  miss(secret: string, endMs: number, why: string | null): void {
    this.#missing.set(secret, endMs);
    if (why !== null) this.lose(secret, why);
  }

  /** `fromStoreMs`: not now, but from then on, by the store's clock. */
  lose(secret: string, why: string, fromStoreMs = this.#clock.nowMs(), overlapMs = 0, leftMs = 0): Loss {
    const losses = this.#lost.get(secret) ?? [];
    // The difference first: a sum of both times is rounded to a fraction of a microsecond.
    const atMs = this.#agenda.nowMs + (fromStoreMs - this.#clock.nowMs());
    const endMs = atMs > this.#agenda.nowMs ? fromStoreMs : 0;
    const loss = { atMs, endMs, untilMs: Number.POSITIVE_INFINITY, why, overlapMs, leftMs };
    losses.push(loss);
    this.#lost.set(secret, losses);
    return loss;
  }

  /**
   * Moves the ends after the store's clock jumped: what had ended stays so, and what signs no more
   * ends sooner.
   */
  jumped(ring: Written | null): void {
    const isLeft = ring !== null && this.#clock.nowMs() < ring.current.expiresAt;
    const left = isLeft ? [ring.current.secret, ring.next.secret] : [ring?.next.secret];
    for (const secret of this.ends.keys()) if (!left.includes(secret)) this.lose(secret, 'clock jump');
  }

  /** Whether something that is missing may still come back. */
  isAnyMissing(): boolean {
    const nowMs = this.#clock.nowMs();
    for (const [secret, endMs] of this.#missing) if (endMs <= nowMs) this.#missing.delete(secret);
    return this.#missing.size > 0;
  }

  /**
   * A revocation has landed that took these secrets out of the store, and all that is missing.
   * `cause` is what explains it.
   */
  revoke(vanished: Iterable<string>, before: Entries, record: StoreRecord, cause: string | null): void {
    const { nowMs: atMs } = this.#agenda;
    for (const secret of secretsIn({ key: null, ring: before.ring })) this.#dropped.set(secret, atMs);
    // K may hold a secret past the end that the ring has for it: old members sign with that.
    const inKey = [...secretsIn({ key: before.key, ring: null })].filter((secret) => !this.#live.has(secret));
    for (const secret of new Set([...vanished, ...inKey, ...this.#missing.keys()])) {
      const loss = cause === null ? null : this.lose(secret, cause);
      this.#revoked.set(secret, { atMs, record, loss });
    }
    this.#missing.clear();
  }

  unrevoke(secrets: Iterable<string>): void {
    for (const secret of secrets) this.#revoked.delete(secret);
  }

  /** A failover lost these writes. What it brings back is good again. */
  undo(undone: readonly StoreRecord[], after: Entries): void {
    const present = presentIn(after);
    for (const [secret, { record, loss }] of this.#revoked) {
      if (!undone.includes(record)) continue;
      this.#revoked.delete(secret);
      if (loss !== null && present.has(secret)) loss.untilMs = this.#agenda.nowMs;
    }
  }

  /** Secrets that a member has seen and that were revoked by `atMs`. */
  *revokedOf(shown: Shown, atMs: number): Iterable<string> {
    for (const [secret, revoked] of this.#revoked) if (revoked.atMs <= atMs && shown.secrets.has(secret)) yield secret;
  }

  /** The same with those that had ended by then, and those of revocations that a failover lost. */
  *droppedOf(shown: Shown, atMs: number): Iterable<string> {
    for (const [secret, droppedMs] of this.#dropped) if (droppedMs <= atMs && shown.secrets.has(secret)) yield secret;
  }
}
