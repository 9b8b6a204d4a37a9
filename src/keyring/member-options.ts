/**
 * The options of a member: the place of its keyring, the life of a copy, and the listener for
 * changes.
 */

import type { Store } from '../stores/store.js';
import type { Clock } from '../time/clock.js';
import type { CopyStateListener } from './copy-state.js';
import type { OutageListener } from './outage.js';
import type { MemberTimes } from './policy.js';
import type { Sealing } from './sealing.js';

export interface MemberOptions extends MemberTimes {
  readonly store: Store;
  readonly namespace: string;
  readonly clock: Clock;
  /** Whether it writes nothing. */
  readonly readOnly: boolean;
  /** The forms in which it reads and writes rings. */
  readonly sealing: Sealing;
  /**
   * The same for operations that cannot wait, and for all if the store has a look. Longer if the
   * store is local.
   */
  readonly syncSoftAgeMs: number;
  /** No operation waits longer for the store. Milliseconds. */
  readonly storeTimeoutMs: number;
  /** Why the store is not to be watched; null if it is. */
  readonly pushOff: string | null;
  readonly listener: MemberListener;
}

/** Callbacks for the events of a member. */
export interface MemberListener extends CopyStateListener, OutageListener {
  /** The store was read; `error` if it could not be used. */
  refreshed(durationMs: number, error: unknown): void;
  /** There is a copy, as of a moment ago. */
  renewed(): void;
  /** The keyring is under another seal key than before; null: it is plain text. */
  resealed(keyId: string | null, previousKeyId: string | null): void;
  /** The member begins to sign, and needs more of the ring than before. */
  signing(): void;
  /**
   * The ring's `ttl` is shorter than this member's `maxStaleness` needs, and could not be made
   * longer. Once for each member.
   */
  ttlTooShort(ttlMs: number, minTtlMs: number, error: unknown): void;
}
