/**
 * Announces what a member with a name holds: at each heartbeat, and soon after that has changed or
 * the store is back. For people to see; no operation waits for it, or fails by it.
 */

import { randomBytes } from 'node:crypto';
import { detached } from '../async/detached.js';
import { within } from '../async/race.js';
import type { Store } from '../stores/store.js';
import type { Clock } from '../time/clock.js';
import { formatAnnouncement, HEARTBEAT_MS, keptMs, LEFT, type Seals } from './announcement.js';
import type { Lease } from './lease.js';
import type { MemberListener } from './member-options.js';
import type { RingTimes } from './policy.js';

/** A fleet that was started at one instant spreads its heartbeats over this time. */
const MAX_JITTER_MS = HEARTBEAT_MS / 10;

/**
 * How soon a change is announced, at random up to this, so that a thousand members do not write at
 * once; and never sooner after the one before.
 */
const SOON_MS = 1_000;

export interface PresenceListener {
  unannounced(memberName: string, error: unknown): void;
}

export interface PresenceOptions {
  readonly store: Store;
  readonly namespace: string;
  readonly memberName: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** What the member holds at this instant. */
  currentLease(): Lease | null;
  /** What it needs of the ring at this instant. */
  needs(): RingTimes & { readonly maxStalenessMs: number };
  /** Which forms of a ring it reads at this instant. */
  seals(): Seals;
  /** When it last verified a token without a kid, by the store's clock; null: never. */
  kidlessMs(): number | null;
  readonly listener: PresenceListener;
}

export class Presence {
  readonly #options: PresenceOptions;
  /** Two processes with one name are two members. */
  readonly #id = randomBytes(9).toString('base64url');
  #begun = false;
  #ended = false;
  #cancel: (() => void) | null = null;
  #underWay: Promise<void> | null = null;
  #isUnderWay = false;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  /** Whether there is news since the last announcement began. */
  #hasNews = false;
  /** Whether the store is back since the last announcement that it took. */
  #isBack = false;
  /** Whether an announcement had no answer: a client may still send it. */
  #mayComeLate = false;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** Called whenever there is a copy: the first time, announces. */
  begin(): void {
    if (this.#begun || this.#ended) return;
    this.#begun = true;
    this.#announce();
  }

  /** Announces before its time: another ring is held, or the store can be used again. */
  news({ isBack = false } = {}): void {
    if (!this.#begun || this.#ended) return;
    this.#isBack ||= isBack;
    if (this.#hasNews) return;
    this.#hasNews = true;
    if (!this.#isUnderWay) detached(() => this.#announceLater());
  }

  /** Removes the announcement. If that fails, the store drops it later. Never rejects. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancel?.();
    if (!this.#begun) return;
    const { timeoutMs, clock } = this.#options;
    const leaving = (async () => {
      await this.#underWay;
      await detached(() => this.#send(this.#mayComeLate ? LEFT : null));
    })();
    await within(timeoutMs, leaving, () => new Error('late'), clock).catch(() => {});
  }

  #announce(): void {
    const { memberName, clock, currentLease, needs, seals, kidlessMs } = this.#options;
    const lease = currentLease();
    const isBack = this.#isBack;
    this.#hasNews = false;
    this.#isBack = false;
    this.#sentAtMs = clock.monotonicMs();
    this.#isUnderWay = true;
    // A copy that was revoked a moment ago is not announced.
    const sending =
      lease === null
        ? null
        : this.#send(formatAnnouncement(memberName, lease.copy, needs(), seals(), { isBack, kidlessMs: kidlessMs() }));
    this.#underWay = Promise.resolve(sending).then((isTaken) => {
      this.#isUnderWay = false;
      if (isBack && !isTaken) this.#isBack = true;
      if (!this.#ended) this.#announceLater();
    });
  }

  #announceLater(): void {
    const { clock } = this.#options;
    this.#cancel?.();
    const sinceMs = clock.monotonicMs() - this.#sentAtMs;
    const waitMs = this.#hasNews
      ? Math.max(0, SOON_MS - sinceMs) + Math.random() * SOON_MS
      : HEARTBEAT_MS + Math.random() * MAX_JITTER_MS;
    this.#cancel = clock.timer(waitMs, () => this.#announce(), 'unref');
  }

  /** Whether the store took it. */
  async #send(text: string | null): Promise<boolean> {
    const { store, namespace, memberName, timeoutMs, needs, listener } = this.#options;
    try {
      const keepMs = keptMs(needs().maxStalenessMs);
      await store.announce?.(namespace, this.#id, text, { timeoutMs, keepMs });
      return true;
    } catch (error) {
      this.#mayComeLate = true;
      listener.unannounced(memberName, error);
      return false;
    }
  }
}

/**
 * The listener of a member whose presence is announced: begins that with the first copy, and hands
 * it the news.
 */
export function withPresence(
  listener: Omit<MemberListener, 'renewed' | 'signing'>,
  presence: Presence | null,
): MemberListener {
  return {
    ...listener,
    renewed: () => presence?.begin(),
    signing: () => presence?.news(),
    changed(ring, before, ownPlan) {
      listener.changed(ring, before, ownPlan);
      // A rotation or a revocation; all else is of no interest to those who count who holds next.
      if (ring.next.secret !== before.next.secret) presence?.news();
    },
    recovered(outageMs) {
      listener.recovered(outageMs);
      presence?.news({ isBack: true });
    },
  };
}
