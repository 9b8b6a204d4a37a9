/**
 * The ground truth: which secrets there were, when the store lost or revoked them and why, and what each member has been shown.
 *
 * Written from protocol.md, and of src/ it knows no more than the form of the two entries.
 */

import { createHmac } from 'node:crypto';
import { currentVerifiesUntil, type Ring } from '../../src/keyring/ring.js';
import type { StoreRecord } from '../../src/stores/record.js';
import type { Snapshot } from '../../src/stores/store.js';
import type { Agenda } from './agenda.js';
import { Epochs } from './epochs.js';
import { BEGIN_MS } from './machine.js';

/** The options of a member as it lives by them. Milliseconds. */
export interface Times {
  readonly ttlMs: number;
  readonly tokenLifetimeMs: number;
  readonly maxStalenessMs: number;
  readonly clockToleranceMs: number;
  readonly storeTimeoutMs: number;
  readonly softAgeMs: number;
}

/** The keyring as it is written (protocol.md, "What is in the store"). */
export type Written = Ring;

export interface Instant {
  readonly atMs: number;
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** One answer of the store that reached a member. */
interface Showing {
  readonly sent: Instant;
  readonly executedAtMs: number;
  readonly snapshot: Snapshot;
  readonly record: StoreRecord;
  readonly verb: 'read' | 'swap';
  /** The command that sent this; null: a refresh did. */
  readonly errand: Errand | null;
  /** The master that showed it has no replica in step: another one may be in its place. */
  readonly mayBeDeposed: boolean;
  /** The answer to a swap of its own that was made. */
  readonly isOwnWrite: boolean;
  /** Whether the store took writes. */
  readonly isWritable: boolean;
}

/** A call of `rotate()`, `revoke()` or `rewt set`, whose swap may land until the store timeout is over. */
export interface Errand {
  readonly verb: 'rotate' | 'revoke' | 'set';
  readonly force: boolean;
  readonly fromMs: number;
  /** When no swap of it can land any more. */
  untilMs: number;
  /** How many questions it has sent. */
  sent: number;
  /** Its last answer, where that found everything as it should be: it renews the lease if the call comes to its end with it. */
  renewal: Good | null;
}

export interface Good {
  readonly sent: Instant;
  readonly executedAtMs: number;
  readonly ring: Written;
  readonly storeMs: number;
}

/** What a member must have taken in: an answer to an older question never replaces that to a newer one. */
interface Taken {
  readonly gone: Map<string, number>;
  readonly epochs: Epochs;
  sentAtMs: number;
  ring: Written | null;
}

/** What one process has been shown, and has asked for: it is forgotten with the process. */
export class Shown {
  readonly name: string;
  readonly times: Times;
  readonly secrets = new Set<string>();
  /** The last revocation of each lineage. */
  readonly epochs = new Epochs();
  /** The same with brakes that only its revoke() saw, which may count or not. */
  readonly doubtful = new Map<string, number>();
  /** Secrets of which it saw the revocation, and when. */
  readonly gone = new Map<string, number>();
  /** The same with secrets that had ended by then: it counts them as revoked if the last ring that it saw before had them. */
  readonly mayBeGone = new Set<string>();
  /** Secrets of a rollback that may be none: what showed it was sent for before the last answer came, but not before this member last learned something. */
  readonly doubted = new Set<string>();
  /** The same as `gone`, where it must have been taken in: an answer to an older question never replaces that to a newer one. */
  readonly taken: Taken = { gone: new Map(), epochs: new Epochs(), sentAtMs: -1, ring: null };
  readonly errands: Errand[] = [];
  /** The command that is being called at this instant: what is read now, it reads. */
  calling: Errand | null = null;
  /** The command whose answer came last: a swap follows its answer at once. */
  answered: Errand | null = null;
  lineage: string | null = null;
  isAlive = true;
  isOld = false;
  hasSigned = false;
  /** The newest read that found everything as it should be. */
  good: Good | null = null;
  newestMs = -1;
  /** When an answer last showed something that it had not seen before, and which write that was. */
  learnedAtMs = -1;
  lastOp: string | null = null;
  /** Since when the newest answer has asked for a revocation that it has to see done first. */
  pendingSinceMs = Number.POSITIVE_INFINITY;
  /** The ring in the newest answer. */
  newestRing: Written | null = null;
  /** The last ring that it had no reason to doubt. */
  knownRing: Written | null = null;
  /** When the last read was sent that was answered, and when that answer came. */
  readonly answers: { sentAtMs: number; shownAtMs: number }[] = [];
  readonly firstReads = new Map<number, number>();
  /** When messages came, the last few. */
  readonly toldAtMs: number[] = [];

  constructor(name: string, times: Times) {
    this.name = name;
    this.times = times;
  }
}

export interface Author {
  readonly shown?: Shown;
  /** A fault or an operator's command, by name. */
  readonly fault?: string;
  readonly half?: boolean;
}

/** Why K is not what the ring says. */
interface Meddling {
  readonly kind: string;
  readonly atMs: number;
  readonly ttlMs: number;
  /** A member with the right to write was shown it, in time to copy it into the ring. */
  isNoticed: boolean;
}

interface Revocation {
  readonly atMs: number;
  readonly record: StoreRecord;
  readonly secrets: ReadonlySet<string>;
}

/** How a secret came to sign. */
interface Origin {
  /** When it was first published as next; null: it never was, so nobody can have held it before it signed. True time. */
  readonly nextAtMs: number | null;
  /** What made it sign at once, or sooner than the schedule does; null: nothing did. */
  how: string | null;
}

interface Loss {
  readonly atMs: number;
  untilMs: number;
  readonly why: string;
  /** The `overlap` that was lost: a ring that grants less does not end this. */
  readonly overlapMs: number;
}

export interface Entries {
  readonly key: { readonly value: string | null; readonly endMs: number } | null;
  readonly ring: Written | null;
}

export type Promised = 'lost' | 'late' | 'extra' | 'outage' | 'old';

interface Reports {
  violation(promise: Promised, text: string): void;
  trace: ((text: string) => void) | null;
}

/** Row 7 leaves alone what differs by less. Milliseconds. */
const NOISE_MS = 6;

export class Ledger {
  readonly #agenda: Agenda;
  readonly #reports: Reports;
  readonly storeNowMs: () => number;
  rotations = 0;
  revocations = 0;
  /** When a revocation last landed or was under way. */
  revokedAtMs = Number.NEGATIVE_INFINITY;
  /** The smallest `clockTolerance` of the fleet. */
  leastToleranceMs = Number.POSITIVE_INFINITY;
  /** Since when K has the value that it has. True time. */
  keySinceMs = 0;
  /** Secrets that verify, until when by the store's clock. */
  readonly #live = new Map<string, number>();
  /** Secrets that a fault took out of the store, which may come back. */
  readonly #missing = new Map<string, number>();
  readonly #revoked = new Map<string, Revocation>();
  /** What was in a ring that a revocation replaced, ended or not, and when. A failover takes nothing out of it. */
  readonly #dropped = new Map<string, number>();
  readonly #lost = new Map<string, Loss[]>();
  readonly #adopted = new Set<string>();
  readonly #origins = new Map<string, Origin>();
  readonly #named = new Map<string, string>();
  readonly #byKid = new Map<string, string>();
  readonly #meddling = new WeakMap<StoreRecord, Meddling>();
  readonly #entries = new WeakMap<StoreRecord, Written | null>();
  /** What failovers went back to. */
  readonly #restored = new WeakSet<StoreRecord>();
  /** Rotations that failovers took back and that have not been made again. */
  #takenBack = 0;
  #keyValue: string | null | undefined;
  /** The last ring that there was. */
  #ringBefore: Written | null = null;
  /** When an operator last moved the end of K. True time. */
  #movedAtMs = Number.NEGATIVE_INFINITY;
  /** When the store's clock was last set, by however little. */
  shiftedAtMs = Number.NEGATIVE_INFINITY;
  jumpedAtMs = Number.NEGATIVE_INFINITY;
  /** Where the store's clock was put, and when, from the newest back. */
  readonly #settings: { readonly atMs: number; readonly skewMs: number }[] = [];
  #rotatedAtMs: number[] = [];
  #skewRange = { lowMs: 0, highMs: 0, nowMs: 0 };
  /** Ends of retired secrets by the store's clock, the last that was written. */
  readonly ends = new Map<string, number>();

  constructor(agenda: Agenda, storeNowMs: () => number, reports: Reports) {
    this.#agenda = agenda;
    this.storeNowMs = storeNowMs;
    this.#reports = reports;
  }

  /** Secrets by their order of appearance: the same seed, the same names. */
  nameOf(secret: string): string {
    let name = this.#named.get(secret);
    if (name === undefined) {
      name = `s${this.#named.size + 1}`;
      this.#named.set(secret, name);
      this.#byKid.set(
        createHmac('sha256', secret).update('rewt kid').digest().subarray(0, 8).toString('base64url'),
        secret,
      );
    }
    return name;
  }

  secretOf(kid: string): string | undefined {
    return this.#byKid.get(kid);
  }

  entriesOf(record: StoreRecord, nowMs = this.storeNowMs()): Entries {
    const { key, ring } = record;
    const keyEndMs = key?.expiresAtMs ?? Number.POSITIVE_INFINITY;
    const isRing = ring !== null && nowMs < (ring.expiresAtMs ?? Number.POSITIVE_INFINITY);
    return {
      key: key !== null && nowMs < keyEndMs ? { value: key.value, endMs: keyEndMs } : null,
      ring: isRing ? this.#parse(record) : null,
    };
  }

  /** Whether the secret was revoked, and when that landed. A failover may have taken it back. */
  revocationOf(secret: string): number | null {
    return this.#revoked.get(secret)?.atMs ?? null;
  }

  /** Why a secret need not verify at some time in this span; null: it must. */
  excuseFor(secret: string, fromMs: number, toMs: number): string | null {
    const loss = (this.#lost.get(secret) ?? []).find(({ atMs, untilMs }) => atMs <= toMs && fromMs <= untilMs);
    return loss?.why ?? null;
  }

  /** Why a copy that was read at `executedAtMs` may lack a secret that signs within `maxStaleness` of it; null: it must have it. */
  whyUnheard({ lifetimeMs }: { lifetimeMs: number }, secret: string, { executedAtMs, ring }: Good): string | null {
    if (secret === ring.current.secret) {
      // Its signer has the ring grant that before its first token.
      if (lifetimeMs > ring.overlap) return 'larger overlap, unheard of';
      return this.#movedAtMs > executedAtMs ? 'EXPIRE, unheard of' : null;
    }
    const origin = this.#origins.get(secret);
    if (origin === undefined || (origin.nextAtMs !== null && origin.nextAtMs <= executedAtMs)) return null;
    if (origin.how !== null) return `${origin.how}, unheard of`;
    // It signs before its time at whoever knows of the EXPIRE but cannot reach the store.
    return this.#movedAtMs >= (origin.nextAtMs ?? 0) ? 'EXPIRE, unheard of' : null;
  }

  executed(shown: Shown, verb: string, sentAtMs: number): void {
    if (verb === 'read') shown.firstReads.set(sentAtMs, this.#agenda.nowMs);
  }

  told(shown: Shown): void {
    shown.toldAtMs.push(this.#agenda.nowMs);
    if (shown.toldAtMs.length > 60) shown.toldAtMs.splice(0, 30);
  }

  showed(shown: Shown, showing: Showing): void {
    const { sent, verb, errand, executedAtMs, snapshot, record, mayBeDeposed, isOwnWrite, isWritable } = showing;
    const entries = this.entriesOf(record, snapshot.nowMs);
    const nowMs = this.#agenda.nowMs;
    this.#reports.trace?.(
      `  ${shown.name} is shown ${this.show(entries)} by a ${verb}${errand === null ? '' : ` of ${errand.verb}()`} sent ${sent.atMs.toFixed(1)} executed ${executedAtMs.toFixed(1)}`,
    );
    shown.answered = errand;
    if (mayBeDeposed && !this.#takesAway(shown, entries, snapshot.nowMs)) return;
    const isProof = sent.atMs >= (shown.answers.at(-1)?.shownAtMs ?? 0);
    if (!mayBeDeposed) shown.answers.push({ sentAtMs: sent.atMs, shownAtMs: nowMs });
    if (shown.answers.length > 40) shown.answers.splice(0, 20);
    const { ring } = entries;
    const { taken } = shown;
    const isTaken = isOwnWrite || sent.atMs >= taken.sentAtMs;
    // An older answer renews the lease only if it shows what the newest one did.
    const isUsed = isTaken || (ring !== null && taken.ring?.id === ring.id && taken.ring.gen === ring.gen);
    if (isTaken) taken.ring = ring;
    taken.sentAtMs = Math.max(taken.sentAtMs, sent.atMs);
    // A value that was K and in no ring, it had no part in: should a failover bring it back, it looks like an operator's.
    const secrets = secretsIn({ key: null, ring });
    for (const [secret, { atMs }] of ring === null ? [] : this.#revoked) {
      if (atMs > executedAtMs || !shown.secrets.has(secret) || secrets.has(secret)) continue;
      if (!shown.gone.has(secret)) shown.gone.set(secret, nowMs);
      if (isTaken && !taken.gone.has(secret)) taken.gone.set(secret, nowMs);
    }
    for (const [secret, atMs] of ring === null ? [] : this.#dropped) {
      if (atMs <= executedAtMs && shown.secrets.has(secret) && !secrets.has(secret)) shown.mayBeGone.add(secret);
    }
    // A later revocation takes all that the last ring held, whatever became of the revocations between.
    const { knownRing } = shown;
    if (ring !== null && knownRing !== null && (knownRing.id !== ring.id || knownRing.epoch < ring.epoch)) {
      for (const secret of secretsIn({ key: null, ring: knownRing })) {
        if (!secrets.has(secret)) shown.mayBeGone.add(secret);
      }
    }
    const mayBeBehind = [...secretsIn(entries)].some((secret) => shown.mayBeGone.has(secret));
    if (!this.#isBehind(shown, entries)) for (const secret of secrets) shown.secrets.add(secret);
    const pending = this.#pending(shown, entries, snapshot.nowMs);
    if (pending === 'revocation' || mayBeBehind) shown.good = null;
    if (isTaken)
      shown.pendingSinceMs =
        pending === 'revocation' ? Math.min(shown.pendingSinceMs, nowMs) : Number.POSITIVE_INFINITY;
    const isGood =
      isUsed && !mayBeDeposed && pending === 'none' && !mayBeBehind && ring !== null && executedAtMs >= shown.newestMs;
    const good = isGood ? { sent, executedAtMs, ring, storeMs: snapshot.nowMs } : null;
    // What a command is answered is a step of its own, a swap that was not done too, until it comes to its end.
    if (errand !== null) errand.renewal = good;
    else if (good !== null) shown.good = good;
    if (ring !== null && !this.#isBehind(shown, entries)) {
      // A brake that it saw pulled counts as seen, whether it can be written or not; but not where revoke() was to see to it, whose caller is told.
      const isRevoking = errand?.verb === 'revoke';
      const brakes = this.#brakeIn(shown, entries, record, snapshot.nowMs, mayBeDeposed) === null ? 0 : 1;
      shown.doubtful.set(ring.id, Math.max(shown.doubtful.get(ring.id) ?? 0, ring.epoch + brakes));
      shown.epochs.see(ring, isRevoking ? 0 : brakes);
      if (isTaken) taken.epochs.see(ring);
      if (executedAtMs >= shown.newestMs) {
        shown.lineage = ring.id;
        shown.knownRing = ring;
      }
    }
    // Nothing of a ring that was rolled back is used again, nor anything that was held before.
    else if (ring !== null && this.#isRolledBack(shown, ring)) {
      const isOlder = sent.atMs < shown.learnedAtMs;
      for (const secret of isOlder ? [] : new Set([...secrets, ...secretsIn({ key: null, ring: shown.knownRing })])) {
        shown.doubted.add(secret);
        if (!isProof) continue;
        if (!shown.gone.has(secret)) shown.gone.set(secret, nowMs);
        if (isTaken && !taken.gone.has(secret)) taken.gone.set(secret, nowMs);
      }
    }
    if (ring !== null && (ring.op !== shown.lastOp || pending === 'revocation')) {
      shown.learnedAtMs = nowMs;
      shown.lastOp = ring.op;
    }
    if (executedAtMs >= shown.newestMs) shown.newestRing = ring;
    shown.newestMs = Math.max(shown.newestMs, executedAtMs);
    const meddling = this.#meddling.get(record);
    const leftMs = (entries.key?.endMs ?? 0) - snapshot.nowMs;
    if (meddling && isWritable && leftMs > 2 * shown.times.storeTimeoutMs) meddling.isNoticed = true;
  }

  /** Something that a master shows that may be deposed: it counts where it takes secrets away, or is later than what was seen. */
  #takesAway(shown: Shown, entries: Entries, nowMs: number): boolean {
    if (this.#isBehind(shown, entries)) return false;
    if (this.#pending(shown, entries, nowMs) === 'revocation') return true;
    const { ring } = entries;
    const known = shown.knownRing;
    if (ring === null) return false;
    return known === null || known.id !== ring.id || known.epoch !== ring.epoch || known.gen < ring.gen;
  }

  /** What was done to a master that no longer counts: only who is left with it sees that. */
  meddledAside(before: StoreRecord, record: StoreRecord, fault: string): void {
    this.#meddle(this.entriesOf(before), this.entriesOf(record), before, record, { fault });
  }

  /** A command has come to its end. A `rotate()` that is refused is a read like any other. */
  concluded(shown: Shown, { verb, renewal }: Errand, code: string | null): void {
    if (code === null || code === 'ERR_REWT_ROTATION_REFUSED') shown.good = renewal ?? shown.good;
    else if (verb === 'revoke') shown.good = null;
  }

  /** A member's swap, or what a fault or an operator wrote. */
  wrote(beforeRecord: StoreRecord, record: StoreRecord, author: Author): void {
    const before = this.entriesOf(beforeRecord);
    const after = this.entriesOf(record);
    this.#ringBefore = before.ring ?? this.#ringBefore;
    const isFault = author.shown === undefined || author.half === true || author.shown.isOld;
    const vanished = this.#turn(after);
    const what = author.half ? 'half' : (author.fault ?? 'a swap');
    this.#reports.trace?.(
      `${author.fault ?? author.shown?.name}${author.half ? ' (half)' : ''} writes ${this.show(after)}`,
    );
    if (author.fault !== undefined || author.half) this.#meddle(before, after, beforeRecord, record, author);
    else this.#keepMeddling(beforeRecord, record, after);
    if (author.fault?.startsWith('EXPIRE') || author.fault === 'PERSIST') this.#movedAtMs = this.#agenda.nowMs;
    const foreign = after.key?.value;
    if (isFault && isUsable(foreign ?? null) && foreign) this.#born(foreign, null, what);
    if (isFault) {
      for (const [secret, endMs] of vanished) this.#miss(secret, endMs, what);
      return;
    }
    if (author.shown !== undefined) this.#judgeSwap(author.shown, before, after, beforeRecord, record, vanished);
  }

  /** A failover: the store is back where it was, `undone` is what it had been since. */
  lostWrites(
    beforeRecord: StoreRecord,
    record: StoreRecord,
    undone: readonly StoreRecord[],
    reason: string | null,
  ): void {
    const before = this.entriesOf(beforeRecord);
    const after = this.entriesOf(record);
    const states = [record, ...undone].map((state) => this.#parse(state));
    let rotations = 0;
    let lostMore = reason;
    let lostForeign: string | null = null;
    states.slice(1).forEach((ring, index) => {
      const earlier = states[index];
      if (!earlier || !ring || earlier.id !== ring.id || earlier.epoch !== ring.epoch) {
        if (earlier !== ring) lostMore = 'failover that lost a revocation';
      } else if (earlier.current.secret !== ring.current.secret) {
        rotations += 1;
        // What an old rewt or an operator made was never next: no other member can hold it.
        if (ring.current.secret !== earlier.next.secret) lostForeign = 'failover that lost a foreign rotation';
      }
    });
    this.#takenBack += rotations;
    this.#restored.add(record);
    this.#rotatedAtMs = [];
    const why = lostMore ?? lostForeign ?? (this.#takenBack > 1 ? 'failover that lost two rotations' : null);
    for (const [secret, revocation] of this.#revoked) {
      if (undone.includes(revocation.record)) this.#revoked.delete(secret);
    }
    const vanished = this.#turn(after, true);
    for (const [secret, endMs] of vanished) this.#miss(secret, endMs, why);
    // What stood in K alone no member can hold: it was never next.
    const held = new Set(states.flatMap((ring) => [...secretsIn({ key: null, ring })]));
    for (const { key } of undone) {
      if (key === null || !isUsable(key.value) || held.has(key.value) || key.value === after.key?.value) continue;
      this.#lose(key.value, 'failover that lost a foreign secret');
    }
    const { overlap = 0 } = before.ring ?? {};
    if (overlap > (after.ring?.overlap ?? 0)) {
      const why = 'failover that lost a larger overlap';
      for (const secret of secretsIn(after)) this.#lose(secret, why, this.storeNowMs(), overlap);
    }
    // A ring that lives no longer than what it was before the rotations that it lost.
    if (after.ring !== null) {
      const { current, next, ttl, overlap } = after.ring;
      this.#lose(next.secret, 'ring that ended after a failover', current.expiresAt + ttl + overlap);
    }
    // What has to be revoked again takes along all that there is.
    if (lostMore !== null) for (const secret of secretsIn(after)) this.#lose(secret, lostMore);
    this.#reports.trace?.(
      `failover: ${undone.length} writes, ${rotations} rotations lost${lostMore ? ', and a revocation' : ''}: ${this.show(before)} -> ${this.show(after)}`,
    );
  }

  /** By how much the store's clock was at most put forward after `sinceMs`, as it stood at any time from `fromMs` on. What a copy read at `sinceMs` cannot know. */
  putForwardMs(sinceMs: number, fromMs: number): number {
    const before = this.#settings.find(({ atMs }) => atMs <= sinceMs)?.skewMs ?? 0;
    let mostMs = 0;
    for (const { atMs, skewMs } of this.#settings) {
      if (atMs <= sinceMs) break;
      mostMs = Math.max(mostMs, skewMs - before);
      if (atMs <= fromMs) break;
    }
    return mostMs;
  }

  jumped(ms: number): void {
    this.shiftedAtMs = this.#agenda.nowMs;
    const range = this.#skewRange;
    range.nowMs += ms;
    this.#settings.unshift({ atMs: this.#agenda.nowMs, skewMs: (this.#settings[0]?.skewMs ?? 0) + ms });
    range.lowMs = Math.min(range.lowMs, range.nowMs);
    range.highMs = Math.max(range.highMs, range.nowMs);
    this.#reports.trace?.(`the store's clock jumps by ${ms.toFixed(0)} ms`);
    if (range.highMs - range.lowMs <= this.leastToleranceMs) return;
    this.jumpedAtMs = this.#agenda.nowMs;
    this.#skewRange = { lowMs: range.nowMs, highMs: range.nowMs, nowMs: range.nowMs };
    for (const secret of [...this.#live.keys(), ...this.#missing.keys()]) this.#lose(secret, 'clock jump');
  }

  show({ key, ring }: Entries): string {
    const at = (ms: number) => (Number.isFinite(ms) ? ((ms - BEGIN_MS) / 1000).toFixed(2) : 'never');
    const value = key === null ? '-' : !isUsable(key.value) ? 'short' : `${this.nameOf(key.value)}<${at(key.endMs)}`;
    if (ring === null) return `K ${value} R -`;
    const retired = ring.retired.map((slot) => `${this.nameOf(slot.secret)}<${at(slot.until)}`).join(' ');
    const { current, next, epoch } = ring;
    return `K ${value} R e${epoch} ${this.nameOf(current.secret)}<${at(current.expiresAt)} next ${this.nameOf(next.secret)} [${retired}]`;
  }

  /** The first time counts. */
  #born(secret: string, nextAtMs: number | null, how: string | null): void {
    if (!this.#origins.has(secret)) this.#origins.set(secret, { nextAtMs, how });
  }

  /** Brings what lives up to date, and tells what vanished before its end. */
  #turn(after: Entries, isFailover = false): Map<string, number> {
    const nowMs = this.storeNowMs();
    const present = presentIn(after);
    if (after.key?.value !== this.#keyValue) this.keySinceMs = this.#agenda.nowMs;
    this.#keyValue = after.key?.value;
    const vanished = new Map<string, number>();
    for (const [secret, endMs] of this.#live) {
      if (endMs <= nowMs) {
        this.#live.delete(secret);
        if (!this.#adopted.has(secret)) this.#lose(secret, 'never adopted');
      } else if (!present.has(secret)) {
        this.#live.delete(secret);
        vanished.set(secret, endMs);
      }
    }
    if (after.ring) for (const secret of secretsIn({ key: null, ring: after.ring })) this.#adopted.add(secret);
    for (const [secret, endMs] of present) {
      this.nameOf(secret);
      // Where only K is left of it, what members hold goes on as before.
      const isInRing = secret !== after.key?.value || after.ring?.current.secret === secret;
      const knownMs = isInRing || !this.#adopted.has(secret) ? endMs : Math.max(endMs, this.ends.get(secret) ?? 0);
      this.#live.set(secret, knownMs);
      // What a failover takes back, members hold as long as they may.
      this.ends.set(secret, isFailover ? Math.max(knownMs, this.ends.get(secret) ?? 0) : knownMs);
      if (this.#missing.delete(secret)) {
        for (const loss of this.#lost.get(secret) ?? []) {
          const isGranted = (after.ring?.overlap ?? 0) >= loss.overlapMs;
          if (loss.why !== 'clock jump' && isGranted && !this.#revoked.has(secret))
            loss.untilMs = Math.min(loss.untilMs, this.#agenda.nowMs);
        }
      }
    }
    return vanished;
  }

  #miss(secret: string, endMs: number, why: string | null): void {
    this.#missing.set(secret, endMs);
    if (why !== null) this.#lose(secret, why);
  }

  /** `fromStoreMs`: not now, but from then on, by the store's clock. */
  #lose(secret: string, why: string, fromStoreMs = this.storeNowMs(), overlapMs = 0): void {
    const losses = this.#lost.get(secret) ?? [];
    const atMs = this.#agenda.nowMs + fromStoreMs - this.storeNowMs();
    losses.push({ atMs, untilMs: Number.POSITIVE_INFINITY, why, overlapMs });
    this.#lost.set(secret, losses);
  }

  #meddle(before: Entries, after: Entries, beforeRecord: StoreRecord, record: StoreRecord, author: Author): void {
    const ttlMs = (after.key?.endMs ?? this.storeNowMs()) - this.storeNowMs();
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
      isNoticed: false,
    });
  }

  /** A swap that leaves K as an operator put it, in a ring that says something else. */
  #keepMeddling(beforeRecord: StoreRecord, record: StoreRecord, { key, ring }: Entries): void {
    const meddling = this.#meddling.get(beforeRecord);
    if (meddling === undefined || key === null || ring === null) return;
    const isAsItWas =
      record.key?.value === beforeRecord.key?.value && record.key?.expiresAtMs === beforeRecord.key?.expiresAtMs;
    const isOther = key.value !== ring.current.secret || Math.abs(key.endMs - ring.current.expiresAt) > NOISE_MS;
    if (isAsItWas && isOther) this.#meddling.set(record, meddling);
  }

  #judgeSwap(
    shown: Shown,
    before: Entries,
    after: Entries,
    beforeRecord: StoreRecord,
    record: StoreRecord,
    vanished: Map<string, number>,
  ): void {
    const nowMs = this.storeNowMs();
    if (after.ring === null) throw new Error('a swap always writes a ring');
    if (before.ring === null) {
      // Row 3 by a member that did not see the lineage which took these secrets' place, and was lost too.
      for (const secret of secretsIn(after)) if (!shown.gone.has(secret)) this.#revoked.delete(secret);
      const lost = this.#ringBefore;
      if (lost?.id === after.ring.id && lost.overlap > after.ring.overlap) {
        const why = 'repair that lost a larger overlap';
        for (const secret of secretsIn(after)) this.#lose(secret, why, nowMs, lost.overlap);
      }
    }
    if (before.ring?.epoch === after.ring.epoch && before.ring.rev !== after.ring.rev) {
      this.#reports.violation('extra', `${shown.name} names a revocation that was none`);
    }
    const isSetting = this.#openErrands(shown, 'set').length > 0;
    if (isShorter(before.ring, after.ring) && !isSetting) {
      this.#reports.violation('extra', `${shown.name} makes the times of the ring shorter`);
    }
    this.#born(after.ring.next.secret, this.#agenda.nowMs, null);
    // Row 3 writes the ring of before: what had been missing for longer is not revoked by it.
    const { id, epoch } = before.ring ?? this.#ringBefore ?? { id: null, epoch: 0 };
    const isTurned = id !== after.ring.id || epoch !== after.ring.epoch;
    for (const [secret, endMs] of this.#missing) if (endMs <= nowMs) this.#missing.delete(secret);
    if (vanished.size > 0 || (isTurned && (before.ring !== null || this.#missing.size > 0))) {
      const cause = this.#causeOf(shown, before, beforeRecord);
      this.#reports.trace?.(
        `  revokes ${[...vanished.keys()].map((secret) => this.nameOf(secret))}: ${cause ?? 'NO CAUSE'}`,
      );
      if (cause === null) {
        this.#reports.violation(
          'extra',
          `${shown.name} revokes without a cause: ${this.show(before)} -> ${this.show(after)}`,
        );
      }
      this.#born(after.ring.current.secret, null, cause);
      this.revocations += 1;
      this.revokedAtMs = this.#agenda.nowMs;
      for (const secret of secretsIn({ key: null, ring: before.ring })) this.#dropped.set(secret, this.#agenda.nowMs);
      const secrets = new Set([...vanished.keys(), ...this.#missing.keys()]);
      const revocation = { atMs: this.#agenda.nowMs, record, secrets };
      for (const secret of secrets) {
        this.#revoked.set(secret, revocation);
        if (cause !== null) this.#lose(secret, cause);
      }
      this.#missing.clear();
      this.#takenBack = 0;
      return;
    }
    this.#born(after.ring.current.secret, null, 'keyring begun');
    if (before.ring === null || before.ring.current.secret === after.ring.current.secret) return;
    const origin = this.#origins.get(after.ring.current.secret);
    if (origin) origin.how ??= this.#whyYoung(shown, before.ring, nowMs);
    this.rotations += 1;
    this.#takenBack = Math.max(0, this.#takenBack - 1);
    const unexplained = this.#whyNoRotation(shown, before, before.ring, after.ring, nowMs);
    if (unexplained !== null) {
      this.#reports.violation(
        'extra',
        `${shown.name} rotates ${unexplained}: ${this.show(before)} -> ${this.show(after)}`,
      );
    }
    this.#rotatedAtMs = [...this.#rotatedAtMs.slice(-20), this.#agenda.nowMs];
  }

  /** Which row of the table, or which call, takes secrets away here. */
  #causeOf(shown: Shown, before: Entries, beforeRecord: StoreRecord): string | null {
    const { ring } = before;
    const nowMs = this.storeNowMs();
    if (this.#openErrands(shown, 'revoke').length > 0) return 'revoke()';
    if (ring === null) return 'store came back without a ring';
    const brake = this.#brakeIn(shown, before, beforeRecord, nowMs);
    if (brake !== null) return brake;
    if ([...secretsIn(before)].some((secret) => shown.doubted.has(secret))) return 'rollback';
    if (this.#isBehind(shown, before) || (shown.doubtful.get(ring.id) ?? 0) > ring.epoch) return 'rollback';
    if ([...secretsIn(before)].some((secret) => shown.mayBeGone.has(secret))) return 'rollback';
    return this.#agenda.nowMs - this.jumpedAtMs < ring.ttl ? 'clock jump' : null;
  }

  /** Rows 8 and 10: by what K was taken away or replaced, where that means a revocation. */
  #brakeIn(
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
    if (isDue && (key === null || (Number.isFinite(key.endMs) && isUsable(key.value)))) return null;
    if (meddling.kind === 'PERSIST') return null;
    if (meddling.kind !== 'EXPIRE') return meddling.kind;
    if (key !== null) return null;
    if (meddling.ttlMs < 2 * shown.times.softAgeMs) return 'EXPIRE below twice the soft age';
    // On a master that was left, no member can write it down.
    if (!meddling.isNoticed || mayBeDeposed) return 'EXPIRE that nobody read';
    return this.#restored.has(record) ? 'EXPIRE that a failover brought back' : null;
  }

  /** Row 1: the store shows less than this member has seen. */
  #isBehind(shown: Shown, { key, ring }: Entries): boolean {
    if (key?.value && shown.gone.has(key.value)) return true;
    return ring !== null && this.#isRolledBack(shown, ring);
  }

  #isRolledBack(shown: Shown, ring: Written): boolean {
    if (shown.epochs.isBehind(ring)) return true;
    if (shown.lineage !== null && shown.lineage !== ring.id && shown.epochs.has(ring.id)) return true;
    return [...secretsIn({ key: null, ring })].some((secret) => shown.gone.has(secret));
  }

  /** What the table makes of this, as far as it matters to whether a copy goes on: steady, a rotation, or secrets that go. */
  #pending(shown: Shown, entries: Entries, nowMs: number): 'none' | 'rotation' | 'revocation' {
    const { key, ring } = entries;
    // Row 3: only R was lost.
    if (ring === null && key !== null && key.value === shown.knownRing?.current.secret) return 'rotation';
    if (ring === null || this.#isBehind(shown, entries)) return 'revocation';
    const isDue = nowMs >= ring.current.expiresAt - dueMs(shown.times, ring);
    if (key === null) return isDue ? 'rotation' : 'revocation';
    if (key.value === ring.next.secret) return 'rotation';
    if (key.value !== ring.current.secret) {
      return isDue && Number.isFinite(key.endMs) && isUsable(key.value) ? 'rotation' : 'revocation';
    }
    const { times } = shown;
    if (nowMs >= key.endMs - leadMs(times, ring) - NOISE_MS) return 'rotation';
    if (Math.abs(key.endMs - ring.current.expiresAt) > NOISE_MS - 2) return 'rotation';
    // What a member that only verifies needs it asks for beside its reads.
    if (!shown.hasSigned) return 'none';
    const overlapMs = times.tokenLifetimeMs + times.maxStalenessMs + times.clockToleranceMs;
    return ring.ttl >= times.ttlMs && ring.overlap >= overlapMs ? 'none' : 'rotation';
  }

  /** Null where the schedule, the store or a call of `rotate()` explains a rotation. */
  #whyNoRotation(shown: Shown, { key }: Entries, ring: Written, after: Written, nowMs: number): string | null {
    const { times } = shown;
    if (key === null)
      return nowMs >= ring.current.expiresAt - dueMs(times, ring) - NOISE_MS ? null : 'before it is due';
    if (key.value !== ring.current.secret) return null;
    const endMs = Number.isFinite(key.endMs) ? key.endMs : ring.current.expiresAt;
    if (nowMs >= endMs - leadMs(times, ring) - NOISE_MS) return null;
    // It may have been due by the store's clock as that stood in the read before this write.
    const readMs = this.#agenda.nowMs - times.storeTimeoutMs;
    if (nowMs + this.#setBackMs(readMs) >= endMs - leadMs(times, ring) - NOISE_MS) return null;
    const calls = this.#openErrands(shown, 'rotate', ...(isShorter(ring, after) ? (['set'] as const) : []));
    if (calls.length === 0) return 'ahead of the schedule';
    const isYoung = nowMs - ring.next.since < times.maxStalenessMs - NOISE_MS;
    if (isYoung && calls.every(({ force, fromMs }) => !force && fromMs > this.shiftedAtMs))
      return 'to a next that is younger than its maxStaleness';
    const isFirst = calls.some(({ verb, fromMs }) => {
      if (verb === 'set') return true;
      const readMs = shown.firstReads.get(fromMs);
      return readMs !== undefined && !this.#rotatedAtMs.some((atMs) => atMs > readMs);
    });
    return isFirst ? null : "although another member's rotation came between";
  }

  /** What makes next sign sooner than the schedule does, or null. */
  #whyYoung(shown: Shown, { current, next, ttl }: Written, nowMs: number): string | null {
    const calls = this.#openErrands(shown, 'rotate', 'set');
    if (calls.some(({ force }) => force)) return 'rotate() by force';
    const { nextAtMs } = this.#origins.get(next.secret) ?? { nextAtMs: null };
    if (this.#movedAtMs >= (nextAtMs ?? 0)) return 'EXPIRE';
    const isOldEnough = nowMs - next.since >= shown.times.maxStalenessMs;
    if (calls.length > 0 && isOldEnough) return "rotate() after its caller's maxStaleness";
    // What was put into K came with an end of its own.
    const foreign = this.#origins.get(current.secret);
    const isSooner = current.expiresAt - next.since < (ttl * 3) / 4;
    return foreign?.nextAtMs === null && isSooner ? foreign.how : null;
  }

  /** The calls by this member whose write may land now. */
  #openErrands({ errands }: Shown, ...verbs: readonly Errand['verb'][]): Errand[] {
    const { nowMs } = this.#agenda;
    return errands.filter(({ verb, fromMs, untilMs }) => verbs.includes(verb) && fromMs <= nowMs && nowMs <= untilMs);
  }

  /** By how much the store's clock was at most ahead, after `sinceMs`, of where it stands now. */
  #setBackMs(sinceMs: number): number {
    const [now, ...before] = this.#settings;
    if (now === undefined) return 0;
    let mostMs = 0;
    let lastMs = now.atMs;
    for (const { atMs, skewMs } of [...before, { atMs: Number.NEGATIVE_INFINITY, skewMs: 0 }]) {
      if (lastMs < sinceMs) break;
      mostMs = Math.max(mostMs, skewMs - now.skewMs);
      lastMs = atMs;
    }
    return mostMs;
  }

  #parse(record: StoreRecord): Written | null {
    let ring = this.#entries.get(record);
    if (ring === undefined) {
      ring = record.ring === null ? null : (JSON.parse(record.ring.text) as Written);
      this.#entries.set(record, ring);
    }
    return ring;
  }
}

/** Whether a ring of the same lineage grants less. */
function isShorter(before: Written | null, after: Written): boolean {
  if (before?.id !== after.id) return false;
  return after.ttl < before.ttl || after.overlap < before.overlap;
}

function dueMs(times: Times, ring: Written): number {
  return Math.min(times.clockToleranceMs, ring.ttl / 4);
}

function leadMs(times: Times, ring: Written): number {
  return Math.min(times.softAgeMs + times.clockToleranceMs, ring.ttl / 4);
}

export function isUsable(value: string | null): value is string {
  return value !== null && Buffer.byteLength(value) >= 32;
}

export function secretsIn({ key, ring }: Entries): Set<string> {
  const secrets = ring === null ? [] : [ring.current, ring.next, ...ring.retired].map((slot) => slot.secret);
  if (key !== null && isUsable(key.value)) secrets.push(key.value);
  return new Set(secrets);
}

/** Until when each secret verifies, by the store's clock (protocol.md, "Verifying"). */
function presentIn({ key, ring }: Entries): Map<string, number> {
  const present = new Map<string, number>();
  if (ring !== null) {
    for (const { secret, until } of ring.retired) present.set(secret, until);
    present.set(ring.next.secret, ring.current.expiresAt + ring.ttl + ring.overlap);
    present.set(ring.current.secret, currentVerifiesUntil(ring));
  }
  if (key !== null && isUsable(key.value) && !present.has(key.value)) present.set(key.value, key.endMs);
  return present;
}
