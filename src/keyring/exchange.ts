/** The read, decide, compare-and-swap loop between a member and its store. */

import { randomBytes } from 'node:crypto';
import { isRewtError, StoreError } from '../errors.js';
import type { Snapshot, Store } from '../stores/store.js';
import type { Clock } from '../time/clock.js';
import { historyAfter } from './advance.js';
import { seenIn } from './contents.js';
import { ContentsReader, type Reading } from './contents-reader.js';
import { timedOut, tooFewReplicas } from './errors.js';
import { EMPTY_HISTORY, type History, isLater } from './history.js';
import { createInstants, type Instant } from './lease.js';
import type { Form, Mint, Plan, Seen } from './plan.js';
import { planToAwait, type Reader } from './reader.js';
import { formatRing, isRevokedSince, parseRing, type Ring } from './ring.js';
import { oneName } from './rotate-ring.js';
import type { Opened, Sealing } from './sealing.js';
import { createSecret, kidOf } from './secret.js';

export const mint: Mint = { secret: createSecret, id: () => randomBytes(9).toString('base64url') };

/** The part of the time in which seal keys have to come: their error says more than a time-out. */
const KEYS_PART = 0.9;

/** A ring of which nothing is left to decide, and when the read that showed it was sent. */
export interface Settled {
  readonly ring: Ring;
  /** The store's clock in that read. */
  readonly storeMs: number;
  readonly sent: Instant;
  /** What the store was compared by: the same version is the same K and R. */
  readonly version: string;
  /** The version that this member's own write replaced; null if another answer showed the ring. */
  readonly replaced: string | null;
  /** K holds a secret that is to be adopted, and this member only reads. */
  readonly isBehind: boolean;
}

/** The purpose of one exchange. */
export interface Task extends Reading {
  /**
   * Plans the next write for a snapshot; null if the ring can be used as it is. A snapshot without
   * a ring always has a plan.
   *
   * @param form the form of the ring that was read; null for none
   */
  decide(seen: Seen, history: History, form: Form | null): Plan | null;
  /**
   * Called with each plan before its swap, and with the snapshot of a server that may have been
   * replaced. Only then can `plan` be null.
   */
  onPlan(plan: Plan | null, seen: Seen, sent: Instant, version: string, mayBeDeposed: boolean): void;
  /**
   * Called instead of `onPlan` if the snapshot may come from an older answer. The store is read
   * again afterwards.
   */
  onUnproven(): void;
  /**
   * Called if the server that answered may have been replaced. The exchange rejects with `error`.
   */
  onMayBeDeposed(error: StoreError): void;
  /** Called with each plan that this member wrote, and the ring that it made. */
  onWritten?(plan: Plan, made: Ring): void;
}

/** A plan, and the ring that it makes. */
interface Written {
  readonly plan: Plan;
  readonly made: Ring;
}

export class Exchange {
  /** Returns the next instant: later than each request and answer of this member so far. */
  readonly instant: () => Instant;
  readonly #store: Store;
  readonly #namespace: string;
  readonly #timeoutMs: number;
  readonly #sealing: Sealing;
  readonly #contents: ContentsReader;
  /** Null for a member that writes. */
  readonly #reader: Reader | null;
  #history: History = EMPTY_HISTORY;
  /** The sequence number of the instant at which `#history` last changed. */
  #historySince = 0;
  /** By the secrets that they were derived from. */
  #revokedKids: { readonly of: ReadonlySet<string>; readonly kids: ReadonlySet<string> } = {
    of: EMPTY_HISTORY.revoked,
    kids: new Set(),
  };
  /** What exchanges that have not come to their end wrote, or may have written. */
  readonly #written = new Set<Written>();

  constructor(
    store: Store,
    namespace: string,
    timeoutMs: number,
    clock: Clock,
    sealing: Sealing,
    reader: Reader | null = null,
  ) {
    this.#store = store;
    this.#namespace = namespace;
    this.#timeoutMs = timeoutMs;
    this.#sealing = sealing;
    this.#contents = new ContentsReader(sealing);
    this.#reader = reader;
    this.instant = createInstants(clock);
  }

  /**
   * Whether this member saw the secret of that name revoked, so that no read could show it good
   * again.
   */
  hasRevoked(kid: string): boolean {
    const { revoked } = this.#history;
    if (this.#revokedKids.of !== revoked) this.#revokedKids = { of: revoked, kids: new Set([...revoked].map(kidOf)) };
    return this.#revokedKids.kids.has(kid);
  }

  /**
   * Returns the plan of this member that made `ring` another than `before`: the one that revoked,
   * or rotated to what is current. Other members may have written since. Null if its exchange has
   * come to its end.
   */
  planOf(ring: Ring, before: Ring): Plan | null {
    const isCause = isRevokedSince(before, ring)
      ? ({ plan, made }: Written) => plan.revokes && !isRevokedSince(made, ring) && made.rev === ring.rev
      : ({ plan, made }: Written) =>
          plan.rotates === 'own' ? signsAs(made, ring) : plan.rotates === 'foreign' && made.op === ring.op;
    return [...this.#written].find(isCause)?.plan ?? null;
  }

  /**
   * Runs one task until nothing is left to write. The answer to a lost swap is judged like a read.
   * @param settle takes the last answer over, before another one can change what that was judged by
   * @throws {StoreError} within the store timeout.
   */
  async run<T>(task: Task, settle: (settled: Settled) => T): Promise<T> {
    const written: Written[] = [];
    try {
      return await this.#toItsEnd(task, settle, written);
    } finally {
      // Not before `settle` knows: another answer may come between the swap's and that.
      for (const own of written) this.#written.delete(own);
    }
  }

  async #toItsEnd<T>(task: Task, settle: (settled: Settled) => T, written: Written[]): Promise<T> {
    let sent = this.instant();
    const giveUpMs = sent.monotonicMs + this.#timeoutMs;
    if (!this.#sealing.isReady) {
      await this.#sealing.ready(KEYS_PART * this.#timeoutMs);
      sent = this.instant();
    }
    const leftMs = (): number => {
      const timeoutMs = giveUpMs - sent.monotonicMs;
      if (timeoutMs <= 0) throw written.length === 0 ? timedOut() : contended();
      return timeoutMs;
    };
    let replaced: string | null = null;
    const replacesWrongType = task.replace === 'unreadable';
    const read = (): Promise<Snapshot> => {
      const limits = { timeoutMs: leftMs(), isHeld: this.#isHeld(), replacesWrongType };
      return typed(() => this.#store.read(this.#namespace, limits));
    };
    let snapshot = await read();
    for (;;) {
      const { version } = snapshot;
      const { contents, opened, form } = this.#contents.read(snapshot, task, this.#history.ring);
      const seen = seenIn(contents, this.#history, this.#sealing.wasIn(form));
      const due =
        task.decide(seen, this.#history, opened?.form ?? null) ??
        (snapshot.beside && seen.ring ? oneName(seen.ring, mint) : null);
      const plan = this.#reader === null ? due : planToAwait(due, seen);
      // An answer to a read from before this member knew what it knows may be the older one: no
      // proof that the store lost anything.
      const isProven = sent.sequence > this.#historySince || (!plan?.distrusts && !this.#mayBeOlder(seen, plan));
      if (snapshot.mayBeDeposed) {
        const error = tooFewReplicas();
        task.onMayBeDeposed(error);
        if (isProven) this.#takeAway(plan, seen, opened, sent, version, task);
        throw error;
      }
      if (!isProven) {
        task.onUnproven();
        sent = this.instant();
        snapshot = await read();
        replaced = null;
        continue;
      }
      if (opened !== null) this.#learn(opened, plan);
      const error = this.#reader?.judge(plan, seen) ?? null;
      if (plan === null) {
        if (error !== null) throw error;
        const isBehind = due?.rotates === 'foreign';
        // The cast holds: without a ring there is always a plan.
        return settle({ ring: seen.ring as Ring, storeMs: snapshot.nowMs, sent, version, replaced, isBehind });
      }

      task.onPlan(plan, seen, sent, version, false);
      if (error !== null) throw error;
      sent = this.instant();
      const timeoutMs = leftMs();
      // Counted from the answer, not from the sending: the swap must be over by then, so rather too
      // early than too late.
      const notAfterMs = snapshot.nowMs + timeoutMs;
      const limits = { timeoutMs, notAfterMs };
      // Once for each plan: a swap that is sent twice is known by its text.
      const standing = plan.distrusts ? this.#sealing.formInPlaceOf(form) : form;
      const wanted = this.#sealing.contentsFor(plan, plan.form ?? standing);
      const own = { plan, made: parseRing(formatRing(plan.ring)) };
      written.push(own);
      this.#written.add(own);
      const answer = await typed(() => this.#store.swap(this.#namespace, version, wanted, limits));
      if (answer.swapped) task.onWritten?.(plan, own.made);
      replaced = answer.swapped ? version : null;
      snapshot = answer.snapshot;
    }
  }

  /**
   * Compares what was seen with the known ring: it has another lineage or none, or an earlier write
   * that revokes nothing.
   */
  #mayBeOlder({ ring }: Seen, plan: Plan | null): boolean {
    const known = this.#history.ring;
    if (known === null) return false;
    if (known.id !== ring?.id) return true;
    return known.epoch === ring.epoch && known.gen > ring.gen && !plan?.revokes;
  }

  /** A member that only reads remembers what members wrote, and never a revocation by itself. */
  #historyAfter(ring: Ring, plan: Plan | null): History {
    if (this.#reader === null) return historyAfter(this.#history, ring, plan);
    return plan?.distrusts ? this.#history : historyAfter(this.#history, ring, null);
  }

  #setHistory(history: History): void {
    if (history === this.#history) return;
    this.#history = history;
    this.#historySince = this.instant().sequence;
  }

  /** Remembers a ring that was read and proven, and its form. */
  #learn(opened: Opened, plan: Plan | null): void {
    this.#setHistory(this.#historyAfter(opened.ring, plan));
    if (!plan?.distrusts) this.#sealing.took(opened);
    else if (this.#reader === null) this.#sealing.distrusted(opened);
  }

  #isHeld(): ((ring: string) => boolean) | undefined {
    const held = this.#history.ring;
    return held === null ? undefined : (text) => this.#sealing.ringIn(text)?.id === held.id;
  }

  /**
   * Applies what a server shows that may have been replaced: only what is later than all that this
   * member has seen.
   */
  #takeAway(plan: Plan | null, seen: Seen, opened: Opened | null, sent: Instant, version: string, task: Task): void {
    if (plan?.distrusts) return;
    // revoke() requests it; the store does not show it.
    const found = plan?.isCalledFor ? null : plan;
    const { ring } = seen;
    if (!found?.revokes && (ring === null || !isLater(ring, this.#history))) return;
    if (opened !== null) this.#learn(opened, found);
    this.#reader?.judge(found, seen);
    task.onPlan(found, seen, sent, version, true);
  }
}

/** Whether two rings come from one rotation: each publishes another next. */
function signsAs(one: Ring, other: Ring): boolean {
  return one.current.secret === other.current.secret && one.next.secret === other.next.secret;
}

/** Types the errors of a custom store, which may hold an address or a secret. */
async function typed<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (isRewtError(error)) throw error;
    throw new StoreError(
      'ERR_REWT_STORE_DOWN',
      'The store failed with an error that is not one of rewt: look at the code of the store.',
    );
  }
}

function contended(): StoreError {
  return new StoreError(
    'ERR_REWT_STORE_CONTENDED',
    'The keyring kept changing while this member tried to write it. Find the program that ' +
      'writes these keys without end.',
  );
}
