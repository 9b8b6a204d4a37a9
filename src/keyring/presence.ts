/** A member with a name says what it holds, once in half a minute: for people to see, and for nothing else. No operation waits for it, or fails by it. */

import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.js';
import { within } from '../deadline.js';
import { detached } from '../detached.js';
import type { Store } from '../stores/store.js';
import { formatAnnouncement } from './announcement.js';
import type { Lease } from './lease.js';

/** From the end of one announcement to the next, and up to a tenth more, so that a fleet that was started at once does not write at once. */
const EVERY_MS = 30_000;
const MOST_MORE_MS = 3_000;

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
  held(): Lease | null;
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

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** Called whenever there is a copy: the first time there is something to say. */
  begin(): void {
    if (this.#begun || this.#ended) return;
    this.#begun = true;
    this.#announce();
  }

  /** Takes back what was said; the store forgets it by itself where that fails. Never rejects. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancel?.();
    if (!this.#begun) return;
    const { timeoutMs, clock } = this.#options;
    const leaving = (async () => {
      await this.#underWay;
      await detached(() => this.#say(null));
    })();
    await within(timeoutMs, leaving, () => new Error('late'), clock).catch(() => {});
  }

  #announce(): void {
    const { memberName, clock, held } = this.#options;
    const lease = held();
    // A copy that was revoked a moment ago is nothing to speak of.
    this.#underWay = lease === null ? Promise.resolve() : this.#say(formatAnnouncement(memberName, lease.copy));
    void this.#underWay.then(() => {
      if (this.#ended) return;
      const waitMs = EVERY_MS + Math.random() * MOST_MORE_MS;
      this.#cancel = clock.timer(waitMs, () => this.#announce(), 'unheard');
    });
  }

  async #say(text: string | null): Promise<void> {
    const { store, namespace, memberName, timeoutMs, listener } = this.#options;
    try {
      await store.announce?.(namespace, this.#id, text, { timeoutMs });
    } catch (error) {
      listener.unannounced(memberName, error);
    }
  }
}
