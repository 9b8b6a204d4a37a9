/** What a member is made of: where its keyring is, how long a copy of that counts, and who is told of what happens to it. */

import type { Clock } from '../clock.js';
import type { Store } from '../stores/store.js';
import type { Policy } from './advance.js';
import type { HoldingListener } from './holding.js';
import type { OutageListener } from './outage.js';

export interface MemberOptions {
  readonly store: Store;
  readonly namespace: string;
  readonly clock: Clock;
  /** `asks` is what a ring must grant before this member signs; one that only verifies asks for `leastTtlMs`. */
  readonly policy: Policy & { readonly asks: NonNullable<Policy['asks']> };
  /** The shortest `ttl` of a ring of which a copy as old as `maxStaleness` cannot have missed a whole turn. Milliseconds. */
  readonly leastTtlMs: number;
  /** Until this age a copy is used without asking. Milliseconds. */
  readonly softAgeMs: number;
  /** The same for operations that cannot wait, and for all if the store has a look. Longer if the store is local. */
  readonly syncSoftAgeMs: number;
  /** How long after a failure the store is tried again; for twice as long nobody waits for it. Milliseconds. */
  readonly retryMs: number;
  /** No operation waits longer for the store. Milliseconds. */
  readonly storeTimeoutMs: number;
  /** Why the store is not to be watched; null where it is. */
  readonly pushOff: string | null;
  readonly listener: MemberListener;
}

/** What a member tells of itself. */
export interface MemberListener extends HoldingListener, OutageListener {
  /** The store was asked; `error` where it could not be used. */
  refreshed(durationMs: number, error: unknown): void;
  /** There is a copy, as of a moment ago. */
  renewed(): void;
  /** The member begins to sign, and needs more of the ring than before. */
  signing(): void;
  /** The ring's `ttl` is shorter than this member's `maxStaleness` needs, and could not be made longer. Once for each member. */
  ttlTooShort(ttlMs: number, leastTtlMs: number, error: unknown): void;
}
