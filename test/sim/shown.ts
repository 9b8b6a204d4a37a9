/** What one process has been shown, and has asked for. */

import type { StoreRecord } from '../../src/stores/record.js';
import type { Snapshot } from '../../src/stores/store.js';
import { Epochs } from './epochs.js';
import type { StoreClock } from './store-clock.js';
import { presentIn, secretsIn, type Times, type Written } from './written.js';

export interface Instant {
  readonly atMs: number;
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** One answer of the store that reached a member. */
export interface Showing {
  readonly sent: Instant;
  readonly executedAtMs: number;
  readonly snapshot: Snapshot;
  readonly record: StoreRecord;
  readonly verb: 'read' | 'swap';
  /** The command that sent this; null: a refresh did. */
  readonly errand: Errand | null;
  /** The master that showed it has no replica in step: another one may be in its place. */
  readonly mayBeDeposed: boolean;
  /** The answer to a swap that this member made. */
  readonly isOwnWrite: boolean;
  /** Whether the store took writes. */
  readonly isWritable: boolean;
}

/**
 * A call of `rotate()`, `revoke()` or `rewt set`, whose swap may land until the store timeout is
 * over.
 */
export interface Errand {
  readonly verb: 'rotate' | 'revoke' | 'set';
  readonly force: boolean;
  readonly fromMs: number;
  /** When no swap of it can land any more, unless the store's clock is set back. */
  untilMs: number;
  /** How many questions it has sent. */
  sent: number;
  /** A revocation of its member landed while it might. */
  hasRevoked: boolean;
  /**
   * Its last answer, where that found everything as it should be: it renews the lease if the call
   * comes to its end with it.
   */
  renewal: Good | null;
}

export interface Good {
  readonly sent: Instant;
  readonly executedAtMs: number;
  readonly ring: Written;
  readonly storeMs: number;
}

/**
 * What a member must have taken in: an answer to an older question never replaces that to a newer
 * one.
 */
interface Taken {
  readonly gone: Map<string, number>;
  readonly epochs: Epochs;
  sentAtMs: number;
  ring: Written | null;
}

/** It is forgotten with the process. */
export class Shown {
  readonly name: string;
  readonly times: Times;
  /** The ids of its seal keys; null: nothing is sealed. */
  readonly keyIds: readonly string[] | null;
  /** It takes plain rings, until it has read a sealed one. */
  migrates = false;
  /** It was shown a sealed ring, whether it has the key or not. */
  sawEnvelope = false;
  /** The key of the last ring that it read. */
  lastKeyId: string | null = null;
  /** That of the last one that was surely the keyring. */
  trustedKeyId: string | null = null;
  readonly secrets = new Set<string>();
  /** The last revocation of each lineage. */
  readonly epochs = new Epochs();
  /** The same with brakes that only its revoke() saw, which may count or not. */
  readonly doubtful = new Map<string, number>();
  /** Secrets of which it saw the revocation, and when. */
  readonly gone = new Map<string, number>();
  /**
   * The same with secrets that had ended by then: it counts them as revoked if the last ring that
   * it saw before had them.
   */
  readonly mayBeGone = new Set<string>();
  /** Secrets that a failover took out of the ring that it knows, since the last revocation. */
  readonly lost = new Set<string>();
  /**
   * Secrets of a rollback that may be none: what showed it was sent for before the last answer
   * came, but not before this member last learned something.
   */
  readonly doubted = new Set<string>();
  /**
   * The same as `gone`, where it must have been taken in: an answer to an older question never
   * replaces that to a newer one.
   */
  readonly taken: Taken = { gone: new Map(), epochs: new Epochs(), sentAtMs: -1, ring: null };
  readonly errands: Errand[] = [];
  /** The command that is being called at this instant: what is read now, it reads. */
  calling: Errand | null = null;
  /** The command whose answer came last: a swap follows its answer at once. */
  answered: Errand | null = null;
  /** The store's clock in that answer. */
  answeredStoreMs = 0;
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
  /** The newest answer with a ring, also if something is left to be written of it. */
  newest: Good | null = null;
  /** The last ring that it had no reason to doubt. */
  knownRing: Written | null = null;
  /** When it first knew one. True time. */
  knowsSinceMs = Number.POSITIVE_INFINITY;
  /**
   * Of secrets that it saw retire since the last revocation: their end by the store's clock. One
   * that was over and is in no ring any more has none: that stays so.
   */
  readonly #ends = new Map<string, number>();
  /**
   * When each of the last calls that were answered was sent and carried out, and when its answer
   * came.
   */
  readonly answers: { readonly sentAtMs: number; readonly executedAtMs: number; readonly shownAtMs: number }[] = [];
  /**
   * Of what was sent first at an instant: when it was carried out, and which secret was current
   * then.
   */
  readonly firstReads = new Map<number, { readonly atMs: number; readonly current: string | null }>();
  /** When messages came, the last few. */
  readonly toldAtMs: number[] = [];

  constructor(name: string, times: Times, keyIds: readonly string[] | null = null) {
    this.name = name;
    this.times = times;
    this.keyIds = keyIds;
  }

  /** Whether it believes any plain ring. */
  get takesPlain(): boolean {
    return this.migrates && this.lastKeyId === null;
  }

  /** Whether it has no seal key, in a fleet that seals. */
  get isKeyless(): boolean {
    return this.keyIds?.length === 0;
  }

  /**
   * Whether it may begin a plain ring: without a seal key, and with nothing that shows that the
   * namespace was sealed.
   */
  get beginsPlain(): boolean {
    return this.isKeyless && !this.sawEnvelope;
  }

  /** Whether it has the seal key that a ring needs; null: it needs none. */
  opens(keyId: string | null): boolean {
    return keyId === null || this.keyIds?.includes(keyId) === true;
  }

  /** It was shown a ring that it has no reason to doubt. */
  knows(ring: Written, nowMs: number): void {
    const known = this.knownRing;
    this.knowsSinceMs = Math.min(this.knowsSinceMs, nowMs);
    this.knownRing = ring;
    if (known !== null && (known.id !== ring.id || known.epoch !== ring.epoch)) this.#ends.clear();
    else if (known !== null) {
      const held = secretsIn({ key: null, ring });
      for (const [secret, endMs] of presentIn({ key: null, ring: known })) {
        if (!held.has(secret) && endMs <= ring.next.since) this.#ends.set(secret, Number.NEGATIVE_INFINITY);
      }
      // A failover made it sign again, before its end.
      for (const { secret } of [ring.current, ring.next]) this.#ends.delete(secret);
    }
    for (const { secret, until } of ring.retired) {
      if (this.#ends.get(secret) !== Number.NEGATIVE_INFINITY) this.#ends.set(secret, until);
    }
  }

  /** "A ring of another lineage that is older than the known one." */
  knowsLater({ id, next }: Written, storeMs: number): boolean {
    const known = this.knownRing;
    return known !== null && known.id !== id && next.since < known.next.since && known.next.since <= storeMs;
  }

  /** "An earlier ring of which every token has ended." */
  hasOutlived({ id, gen, ttl, overlap, current: { since } }: Written, storeMs: number): boolean {
    const known = this.knownRing;
    if (known === null || known.id !== id || known.gen <= gen) return false;
    return since !== undefined && since + 2 * ttl + overlap <= storeMs;
  }

  /** Whether it saw this secret come to its end. */
  hasSeenEnd(secret: string, storeMs: number): boolean {
    return (this.#ends.get(secret) ?? Number.POSITIVE_INFINITY) <= storeMs;
  }
}

/**
 * The calls of a member whose write may land at `atMs`: a swap carries its last permissible instant
 * by the store's clock.
 */
export function openErrands(
  { errands }: Shown,
  clock: Pick<StoreClock, 'setBackMs'>,
  atMs: number,
  ...verbs: readonly Errand['verb'][]
): Errand[] {
  return errands.filter(
    ({ verb, fromMs, untilMs }) =>
      verbs.includes(verb) && fromMs <= atMs && atMs - clock.setBackMs(fromMs, untilMs) <= untilMs,
  );
}

export interface Author {
  readonly shown?: Shown;
  /** A fault or an operator's command, by name. */
  readonly fault?: string;
  readonly half?: boolean;
  /** The store's clock in the answer that a member's swap follows. */
  readonly decidedMs?: number;
}

/**
 * Whether a secret is next in one of these copies, and its current has ended by the member's
 * clocks.
 */
export function isPromotion(
  secret: string,
  machine: { ageMs(sent: Instant): number },
  copies: readonly (Good | null)[],
): boolean {
  return copies.some((copy) => {
    if (copy === null || copy.ring.next.secret !== secret) return false;
    return copy.storeMs + machine.ageMs(copy.sent) >= copy.ring.current.expiresAt;
  });
}
