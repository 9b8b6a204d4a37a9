/**
 * What answers of the store mean for the member that gets them: what it must have taken in by then.
 */

import type { StoreRecord } from '../../src/stores/record.js';
import type { Agenda } from './agenda.js';
import type { Fates } from './fates.js';
import type { Reports } from './ledger.js';
import type { Names } from './names.js';
import type { Reader } from './reader.js';
import type { Rows } from './rows.js';
import type { Errand, Showing, Shown } from './shown.js';
import { type Entries, isLater, presentIn, secretsIn } from './written.js';

export class Showings {
  readonly #agenda: Agenda;
  readonly #reports: Reports;
  readonly #names: Names;
  readonly #fates: Fates;
  readonly #rows: Rows;
  readonly #reader: Reader;

  constructor(
    agenda: Agenda,
    reports: Reports,
    { names, fates, rows, reader }: { names: Names; fates: Fates; rows: Rows; reader: Reader },
  ) {
    this.#agenda = agenda;
    this.#reports = reports;
    this.#names = names;
    this.#fates = fates;
    this.#rows = rows;
    this.#reader = reader;
  }

  executed(shown: Shown, verb: string, sentAtMs: number, record: StoreRecord): void {
    const { nowMs: atMs } = this.#agenda;
    const current = this.#reader.ringIn(record)?.current.secret ?? null;
    if (verb === 'read') shown.firstReads.set(sentAtMs, { atMs, current });
  }

  told(shown: Shown): void {
    shown.toldAtMs.push(this.#agenda.nowMs);
    if (shown.toldAtMs.length > 60) shown.toldAtMs.splice(0, 30);
  }

  showed(shown: Shown, showing: Showing): void {
    const { sent, verb, errand, executedAtMs, snapshot, record, mayBeDeposed, isOwnWrite, isWritable } = showing;
    const entries = this.#reader.entriesOf(record, snapshot.nowMs);
    const keyId = snapshot.ring === null ? null : this.#reader.keyIdIn(record);
    // It learns nothing from that, and writes nothing.
    if (keyId !== null) shown.sawEnvelope = true;
    if (entries.odd === 'unreadable' || !shown.opens(keyId)) return;
    shown.lastKeyId = keyId ?? shown.lastKeyId;
    if (!this.#rows.isDistrusted(shown, entries, snapshot.nowMs)) shown.trustedKeyId = keyId ?? shown.trustedKeyId;
    const nowMs = this.#agenda.nowMs;
    this.#reports.trace?.(
      `  ${shown.name} is shown ${this.#names.show(entries)} by a ` +
        `${verb}${errand === null ? '' : ` of ${errand.verb}()`} sent ${sent.atMs.toFixed(1)} executed ` +
        `${executedAtMs.toFixed(1)}`,
    );
    shown.answered = errand;
    shown.answeredStoreMs = snapshot.nowMs;
    // revoke() wants to take all away by itself: its caller gets an error if it could not.
    const isForRevoke = mayBeDeposed && errand?.verb === 'revoke';
    const pending = isForRevoke ? 'none' : this.#rows.pending(shown, entries, snapshot.nowMs);
    if (mayBeDeposed && !this.#takesAway(shown, entries, pending, snapshot.nowMs)) return;
    const isProof = sent.atMs >= (shown.answers.at(-1)?.shownAtMs ?? 0);
    if (!mayBeDeposed) shown.answers.push({ sentAtMs: sent.atMs, executedAtMs, shownAtMs: nowMs });
    if (shown.answers.length > 40) shown.answers.splice(0, 20);
    const { ring } = entries;
    const { taken } = shown;
    const { knownRing } = shown;
    // A rollback, another lineage or none in what was sent for before this member last learned
    // something: no proof of that.
    const isOlder = sent.atMs < shown.learnedAtMs;
    const isOther =
      this.#rows.isBehind(shown, entries, snapshot.nowMs) || (knownRing !== null && knownRing.id !== ring?.id);
    const isOwn = isOwnWrite && !isLater(ring, taken.ring);
    const isLaterThanCopy = shown.good !== null && isLater(taken.ring, ring);
    const counts = isOwn || isLaterThanCopy || sent.atMs >= taken.sentAtMs;
    const isTaken = counts && !(isOlder && isOther);
    // A later epoch counts in whatever order answers come.
    const isNextEpoch = taken.ring !== null && taken.ring.id === ring?.id && taken.ring.epoch < ring.epoch;
    // An older answer renews the lease only if it shows what the newest one did.
    const isUsed = isTaken || (ring !== null && taken.ring?.id === ring.id && taken.ring.gen === ring.gen);
    if (isTaken) taken.ring = ring;
    if (isTaken) taken.sentAtMs = Math.max(taken.sentAtMs, sent.atMs);
    // A value that was K and in no ring, it had no part in: should a failover bring it back, it
    // looks like an operator's.
    const secrets = secretsIn({ key: null, ring });
    for (const secret of ring === null ? [] : this.#fates.revokedOf(shown, executedAtMs)) {
      if (secrets.has(secret)) continue;
      if (!shown.gone.has(secret)) shown.gone.set(secret, nowMs);
      if (isTaken && !taken.gone.has(secret)) taken.gone.set(secret, nowMs);
    }
    for (const secret of ring === null ? [] : this.#fates.droppedOf(shown, executedAtMs)) {
      if (!secrets.has(secret)) shown.mayBeGone.add(secret);
    }
    // A later revocation takes all that the last ring held, and what a failover took out of that
    // before, whatever became of the revocations between.
    if (ring !== null && knownRing !== null) {
      const isRevoked = knownRing.id !== ring.id || knownRing.epoch < ring.epoch;
      for (const [secret, endMs] of presentIn({ key: null, ring: knownRing })) {
        if (secrets.has(secret)) continue;
        if (isRevoked) shown.mayBeGone.add(secret);
        else if (endMs > ring.next.since) shown.lost.add(secret);
      }
      if (isRevoked) for (const secret of shown.lost) shown.mayBeGone.add(secret);
      if (isRevoked) shown.lost.clear();
    }
    const mayBeBehind = [...secretsIn(entries)].some((secret) => shown.mayBeGone.has(secret));
    if (!this.#rows.isBehind(shown, entries, snapshot.nowMs)) for (const secret of secrets) shown.secrets.add(secret);
    if (pending === 'revocation' || mayBeBehind) shown.good = null;
    if (isTaken || isNextEpoch)
      shown.pendingSinceMs =
        pending === 'revocation' ? Math.min(shown.pendingSinceMs, nowMs) : Number.POSITIVE_INFINITY;
    const isNewest = isOwnWrite || executedAtMs >= shown.newestMs;
    const isGood = isUsed && !mayBeDeposed && pending === 'none' && !mayBeBehind && ring !== null && isNewest;
    const good = isGood ? { sent, executedAtMs, ring, storeMs: snapshot.nowMs } : null;
    // What a command is answered is a separate step, a swap that was not done too, until it comes
    // to its end.
    if (errand !== null) errand.renewal = good;
    else if (good !== null) shown.good = good;
    if (ring !== null && !this.#rows.isBehind(shown, entries, snapshot.nowMs)) {
      // A brake that it saw pulled counts as seen, whether it can be written or not; but not where
      // revoke() was to write it, whose caller gets an error.
      const isRevoking = errand?.verb === 'revoke';
      const brakes = this.#rows.brakeIn(shown, entries, record, snapshot.nowMs, mayBeDeposed) === null ? 0 : 1;
      shown.doubtful.set(ring.id, Math.max(shown.doubtful.get(ring.id) ?? 0, ring.epoch + brakes));
      shown.epochs.see(ring, isRevoking ? 0 : brakes);
      if (isTaken) taken.epochs.see(ring);
      if (executedAtMs >= shown.newestMs) {
        shown.lineage = ring.id;
        shown.knows(ring, nowMs);
      }
    }
    // Nothing of a ring that was rolled back is used again, nor anything that was held before.
    else if (ring !== null && this.#rows.isRolledBack(shown, ring, snapshot.nowMs)) {
      for (const secret of isOlder ? [] : new Set([...secrets, ...secretsIn({ key: null, ring: shown.knownRing })])) {
        shown.doubted.add(secret);
        if (!isProof) continue;
        if (!shown.gone.has(secret)) shown.gone.set(secret, nowMs);
        if (isTaken && !taken.gone.has(secret)) taken.gone.set(secret, nowMs);
      }
    }
    if (ring !== null && !(isOlder && isOther) && (ring.op !== shown.lastOp || pending === 'revocation')) {
      shown.learnedAtMs = nowMs;
      shown.lastOp = ring.op;
    }
    if (executedAtMs >= shown.newestMs) {
      shown.newestRing = ring;
      if (ring !== null) shown.newest = { sent, executedAtMs, ring, storeMs: snapshot.nowMs };
    }
    shown.newestMs = Math.max(shown.newestMs, executedAtMs);
    const leftMs = (entries.key?.endMs ?? 0) - snapshot.nowMs;
    if (isWritable) this.#rows.noticed(record, shown, leftMs);
  }

  /** A command has come to its end. A `rotate()` that is refused is a read like any other. */
  concluded(shown: Shown, { verb, renewal }: Errand, code: string | null): void {
    if (code === null || code === 'ERR_REWT_ROTATION_REFUSED') shown.good = renewal ?? shown.good;
    else if (verb === 'revoke') shown.good = null;
  }

  /**
   * Something that a master shows that may be deposed: it counts where it takes secrets away, or is
   * later than what was seen.
   */
  #takesAway(shown: Shown, entries: Entries, pending: string, storeMs: number): boolean {
    if (this.#rows.isBehind(shown, entries, storeMs)) return false;
    if (pending === 'revocation') return true;
    const { ring } = entries;
    const known = shown.knownRing;
    if (ring === null) return false;
    return known === null || known.id !== ring.id || known.epoch !== ring.epoch || known.gen < ring.gen;
  }
}
