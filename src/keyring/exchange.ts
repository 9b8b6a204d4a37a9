/** What a member says to its store: read, decide, swap, and again with the answer, until there is nothing left to decide. */

import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.js';
import { isRewtError, StoreError } from '../errors.js';
import { isInstant, type Snapshot, type Store } from '../stores/store.js';
import { type Mint, oneName, type Plan, remember, type Seen } from './advance.js';
import { distrust, isLater, type Known, NOTHING_KNOWN } from './known.js';
import type { Instant } from './lease.js';
import { tooFewReplicas } from './refusals.js';
import { parseRing, type Ring } from './ring.js';
import { createSecret, kidOf } from './secret.js';
import { ringOfTwo } from './two-names.js';

export const mint: Mint = { secret: createSecret, id: () => randomBytes(9).toString('base64url') };

/** A ring of which nothing is left to decide, and when the read that showed it was sent. */
export interface Settled {
  readonly ring: Ring;
  /** The store's clock in that read. */
  readonly storeMs: number;
  readonly sent: Instant;
  /** What the store was compared by: the same version is the same K and R. */
  readonly version: string;
  /** The plan of this exchange that was written last, or the one before it that revoked; null after a lost swap. */
  readonly wrote: Plan | null;
  /** The version that this plan replaced. */
  readonly replaced: string | null;
}

/** Contents of the store that cannot be read: no ring of rewt, or one of a later version. */
export type Replaceable = 'unreadable' | 'newer';

/** What one exchange is for. */
export interface Errand {
  /** What to write for what was read; null: nothing, the ring may be used. A snapshot without a ring always has a plan. */
  propose(seen: Seen, known: Known): Plan | null;
  /** Called with each plan before it is tried, and with what a server shows that may have been replaced: then `plan` may be null. */
  pending(plan: Plan | null, seen: Seen, sent: Instant, version: string, mayBeDeposed: boolean): void;
  /** Called in place of `pending` with what may be no more than an older answer. */
  unproven(): void;
  /** Called if the server that answered may have been replaced; `error` is what the errand ends with. */
  mayBeDeposed(error: StoreError): void;
  /** Told of each plan that this member wrote. */
  wrote?(plan: Plan): void;
  /** Which contents that cannot be read count as none; only `revoke()` may replace them, if its caller says so. */
  readonly replace?: Replaceable | null;
}

export class Exchange {
  readonly #store: Store;
  readonly #namespace: string;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  #known: Known = NOTHING_KNOWN;
  /** The order of the instant at which `#known` last changed. */
  #knownSince = 0;
  /** The ring parsed last: most reads find the same text again. */
  #parsed: { readonly text: string; readonly ring: Ring } | null = null;
  /** By the secrets that they were derived from. */
  #revokedKids: { readonly of: ReadonlySet<string>; readonly kids: ReadonlySet<string> } = {
    of: NOTHING_KNOWN.revoked,
    kids: new Set(),
  };
  /** What exchanges that have not come to their end wrote, or may have written, by the `op` of each ring. */
  readonly #written = new Map<string, Plan>();
  #order = 0;

  constructor(store: Store, namespace: string, timeoutMs: number, clock: Clock) {
    this.#store = store;
    this.#namespace = namespace;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
  }

  /** Whether this member saw the secret of that name revoked, so that no read could show it good again. */
  hasRevoked(kid: string): boolean {
    const { revoked } = this.#known;
    if (this.#revokedKids.of !== revoked) this.#revokedKids = { of: revoked, kids: new Set([...revoked].map(kidOf)) };
    return this.#revokedKids.kids.has(kid);
  }

  /** Returns the plan that wrote `ring`, if it is of an exchange that has not come to its end; else null. */
  planOf(ring: Ring): Plan | null {
    return this.#written.get(ring.op) ?? null;
  }

  /** The next instant: later than all that this member has sent or been told before. */
  instant(): Instant {
    this.#order += 1;
    return { order: this.#order, monotonicMs: this.#clock.monotonicMs(), wallMs: this.#clock.wallMs() };
  }

  /**
   * Runs one errand to its end. What is found after a lost swap is judged like any other read, never trusted blindly.
   * @param settle takes the last answer over, before another one can change what that was judged by
   * @throws {StoreError} within the store timeout.
   */
  async run<T>(errand: Errand, settle: (settled: Settled) => T): Promise<T> {
    const ops: string[] = [];
    try {
      return await this.#toItsEnd(errand, settle, ops);
    } finally {
      // Not before `settle` knows: another answer may come between the swap's and that.
      for (const op of ops) this.#written.delete(op);
    }
  }

  async #toItsEnd<T>(errand: Errand, settle: (settled: Settled) => T, ops: string[]): Promise<T> {
    let sent = this.instant();
    const giveUpMs = sent.monotonicMs + this.#timeoutMs;
    const leftMs = (): number => {
      const timeoutMs = giveUpMs - sent.monotonicMs;
      if (timeoutMs <= 0) throw contended();
      return timeoutMs;
    };
    let wrote: Plan | null = null;
    let replaced: string | null = null;
    const replacesWrongType = errand.replace === 'unreadable';
    const read = (): Promise<Snapshot> => {
      const limits = { timeoutMs: leftMs(), isHeld: this.#isHeld(), replacesWrongType };
      return typed(() => this.#store.read(this.#namespace, limits));
    };
    let snapshot = await read();
    for (;;) {
      const { version } = snapshot;
      const seen = this.#see(snapshot, errand.replace ?? null);
      const plan =
        errand.propose(seen, this.#known) ?? (snapshot.beside && seen.ring ? oneName(seen.ring, mint) : null);
      // An answer to a read from before this member knew what it knows may be the older one: no proof that the store lost anything.
      const isProven = sent.order > this.#knownSince || (plan?.name !== 'rollback' && !this.#mayBeOlder(seen, plan));
      if (snapshot.mayBeDeposed) {
        const error = tooFewReplicas();
        errand.mayBeDeposed(error);
        if (isProven) this.#takeAway(plan, seen, sent, version, errand);
        throw error;
      }
      if (!isProven) errand.unproven();
      if (seen.ring !== null && isProven) this.#know(remember(this.#known, seen.ring, plan));
      if (plan === null && wrote === null && !isProven) {
        sent = this.instant();
        snapshot = await read();
        continue;
      }
      // The cast holds: without a ring there is always a plan.
      if (plan === null) {
        return settle({ ring: seen.ring as Ring, storeMs: snapshot.nowMs, sent, version, wrote, replaced });
      }

      if (isProven) errand.pending(plan, seen, sent, version, false);
      sent = this.instant();
      const timeoutMs = leftMs();
      // Counted from the answer, not from the sending: the swap must be over by then, so rather too early than too late.
      const notAfterMs = snapshot.nowMs + timeoutMs;
      const limits = { timeoutMs, notAfterMs };
      const { op } = parseRing(plan.wanted.ring.text);
      ops.push(op);
      this.#written.set(op, plan);
      const answer = await typed(() => this.#store.swap(this.#namespace, version, plan.wanted, limits));
      if (answer.swapped) {
        // Now it is proven: the store was as it was seen.
        if (seen.ring !== null && !isProven && plan.name === 'rollback') this.#know(distrust(this.#known, seen.ring));
        errand.wrote?.(plan);
      }
      // After a swap that was lost, what is there is another member's.
      if (!answer.swapped) wrote = null;
      // The rotation that follows a revocation is no cause of it.
      else if (!wrote?.revokes) wrote = plan;
      replaced = answer.swapped ? version : null;
      snapshot = answer.snapshot;
    }
  }

  /**
   * Compares what was seen with the known ring: it has another lineage or none, or an earlier write that
   * revokes nothing.
   */
  #mayBeOlder({ ring }: Seen, plan: Plan | null): boolean {
    const known = this.#known.ring;
    if (known === null) return false;
    if (known.id !== ring?.id) return true;
    return known.epoch === ring.epoch && known.gen > ring.gen && !plan?.revokes;
  }

  #know(known: Known): void {
    if (known === this.#known) return;
    this.#known = known;
    this.#knownSince = this.instant().order;
  }

  #isHeld(): ((ring: string) => boolean) | undefined {
    const held = this.#known.ring;
    if (held === null) return undefined;
    return (text) => {
      try {
        return parseRing(text).id === held.id;
      } catch {
        return false;
      }
    };
  }

  /** Applies what a server shows that may have been replaced: only what is later than all that this member has seen. */
  #takeAway(plan: Plan | null, seen: Seen, sent: Instant, version: string, errand: Errand): void {
    if (plan?.name === 'rollback') return;
    // revoke() wants that of its own accord; the store does not show it.
    const found = plan?.name === 'revocation' ? null : plan;
    const { ring } = seen;
    if (!found?.revokes && (ring === null || !isLater(ring, this.#known))) return;
    if (ring !== null) this.#know(remember(this.#known, ring, found));
    errand.pending(found, seen, sent, version, true);
  }

  #see({ nowMs, key, ring: text, beside }: Snapshot, replace: Replaceable | null): Seen {
    if (!isInstant(nowMs)) throw new StoreError('ERR_REWT_STORE_DOWN', 'The store gives no time: mend its clock.');
    if (text === null) return { nowMs, key, ring: null };
    const ring = this.#parse(text, replace);
    // Parsed whatever `text` is: a ring of a later version must not go unseen.
    const other = beside === undefined ? null : this.#parse(beside, replace === 'newer' ? 'any' : 'unreadable');
    return { nowMs, key, ring: ring === null || other === null ? ring : ringOfTwo(ring, other, key) };
  }

  /** @throws {StoreError} for what is no ring of this version, unless that may be replaced. */
  #parse(text: string, replace: Replaceable | 'any' | null): Ring | null {
    if (this.#parsed?.text === text) return this.#parsed.ring;
    try {
      this.#parsed = { text, ring: parseRing(text) };
      return this.#parsed.ring;
    } catch (error) {
      const isNewer = isRewtError(error) && error.code === 'ERR_REWT_RING_NEWER';
      if (replace === 'any' || replace === (isNewer ? 'newer' : 'unreadable')) return null;
      throw error;
    }
  }
}

/** A store that somebody else wrote may fail with anything, an address or a secret in it. */
async function typed<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (isRewtError(error)) throw error;
    throw new StoreError('ERR_REWT_STORE_DOWN', 'The store failed with an error of its own: see what it is made of.');
  }
}

function contended(): StoreError {
  return new StoreError(
    'ERR_REWT_STORE_CONTENDED',
    'The keyring kept changing while this member tried to write it: see who else writes these keys, or allow a longer `storeTimeout`.',
  );
}
