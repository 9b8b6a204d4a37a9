/**
 * The contract of a store: a plain compare-and-swap register with a clock (protocol.md,
 * "Contents of the store").
 *
 * A store decides nothing. It reads both entries of a namespace at one instant, and writes both or
 * neither.
 */

/** The suffix of K's name, after the namespace. */
export const SECRET_SUFFIX = ':rewt-secret';

/** The last instant of `Date`; a store returns no later one. Milliseconds since the epoch. */
export const LAST_INSTANT_MS = 8.64e15;

/** Checks for a possible instant. With any other, no entry would expire, or all would have. */
export function isInstant(ms: number): boolean {
  return ms >= 0 && ms <= LAST_INSTANT_MS;
}

/** K: the current secret in the store, set by rewt, by an old rewt, or by an operator. */
export interface KeyEntry {
  /** The secret, or null if the bytes are not UTF-8 and so cannot be one. */
  readonly value: string | null;
  /**
   * The time when the store drops it, in milliseconds of the store's clock, at most
   * `LAST_INSTANT_MS`; null: it has no TTL.
   */
  readonly expiresAtMs: number | null;
}

/** Both entries of one namespace at one instant of the store's clock. */
export interface Snapshot {
  /** The store's clock at that instant, in milliseconds since the epoch. */
  readonly nowMs: number;
  /** K, or null if there is none. */
  readonly key: KeyEntry | null;
  /** R, the keyring in its wire form, or null if there is none. */
  readonly ring: string | null;
  /**
   * A second keyring under this one's other name, which the next swap removes (protocol.md, "Names
   * under a key prefix").
   */
  readonly beside?: string;
  /**
   * The value that a swap compares. It stands for the exact contents of both entries, and reveals
   * nothing of them. Opaque.
   */
  readonly version: string;
  /**
   * True if another server may have replaced the one that replied, without its knowledge. The
   * snapshot may be stale: it renews no lease, and proves no secret unknown. Absent in stores to
   * which this cannot happen.
   */
  readonly mayBeDeposed?: boolean;
}

/** The entries that a swap writes, if both are unchanged. */
export interface WantedState {
  /** Null leaves K and its TTL unchanged. */
  readonly key: { readonly value: string; readonly expiresAtMs: number } | null;
  /**
   * The text is unique to one swap (it contains an operation id). By it a store recognizes a swap
   * that was sent twice.
   */
  readonly ring: { readonly text: string; readonly expiresAtMs: number };
}

/** The result of a swap. */
export interface SwapAnswer {
  /** True if `wanted` was written, even by an earlier sending of this same swap. */
  readonly swapped: boolean;
  /** The state afterwards, whichever member wrote it. */
  readonly snapshot: Snapshot;
}

/** Limits that every call keeps. */
export interface CallLimits {
  /** The call settles within this many milliseconds, whatever the client does. */
  readonly timeoutMs: number;
}

/** Limits of a read. */
export interface ReadLimits extends CallLimits {
  /**
   * Checks if a ring is of the lineage that the member holds; absent if it holds none. A store that
   * finds another route to its data accepts it only if it shows such a ring.
   */
  readonly isHeld?: ((ring: string) => boolean) | undefined;
  /**
   * Reads an entry of the wrong type as an unreadable one, instead of failing: K without a value, R
   * with a text that is no ring. A swap that expects that version replaces it. A store that holds
   * only texts can ignore this.
   */
  readonly replacesWrongType?: boolean;
}

/** Limits of an announcement. */
export interface AnnounceLimits extends CallLimits {
  /** The time for which it is kept, if longer than `ANNOUNCEMENT_LIFE_MS`. */
  readonly keepMs?: number;
}

/** Limits of a swap. */
export interface SwapLimits extends CallLimits {
  /**
   * The last instant of the store's clock, in milliseconds, at which the swap may happen; later it
   * does nothing.
   */
  readonly notAfterMs: number;
}

/** The change that replicas are to have, and how long to wait for them. */
export interface AcknowledgedBy extends CallLimits {
  /** The number of replicas to wait for; 0: for one, if there is any. */
  readonly replicas: number;
  /** The maximum time to wait for them. */
  readonly waitMs: number;
  /** Checks if a ring contains the change. Another caller may have written since. */
  readonly hasChange: (ring: string) => boolean;
}

/**
 * The state of push: on, or off with the reason in a sentence. Without push, a member notices a
 * change within its soft age.
 */
export interface PushStatus {
  /** 'connecting' until the store confirms it. */
  readonly state: 'on' | 'connecting' | 'off';
  /** Why it is not on, in a sentence; null if it is. */
  readonly reason: string | null;
}

/**
 * A subscription to the changes of a namespace. Its `onSuspect` is called as soon as the namespace
 * may have changed, when the watch may miss changes, and when it works again. A call contains no
 * state, only a read does. It may come too often, and a member never relies on it. The garbage
 * collector may end an unreferenced watch.
 *
 * @example
 * ```ts
 * const watch = store.watch?.('orders', () => console.log('read it again'));
 * console.log(watch?.status().state);
 * watch?.end();
 * ```
 */
export interface Watch {
  /** Returns the state of push. */
  status(): PushStatus;
  /**
   * Called after each read, even a failed one. Checks in the background if the watch still works.
   * Costs nothing if the last check was a moment ago.
   */
  check(): void;
  /** Ends the subscription. */
  end(): void;
}

/**
 * The minimum time for which a store keeps an announcement that is not replaced. A reader decides
 * which ones count (keyring/announcement.ts). Milliseconds of the store's clock.
 */
export const ANNOUNCEMENT_LIFE_MS = 3_600_000;

/** The limits of a reader: the number of announcements at a time, and the characters of each. */
export const MAX_ANNOUNCEMENTS = 5_000;
export const MAX_ANNOUNCEMENT_CHARACTERS = 512;

/**
 * An announcement of a member. Any user who can write to the store can write one. It is for people,
 * and never the basis of a decision about secrets.
 */
export interface Announcement {
  /** The member that announced it. */
  readonly id: string;
  /** The text that the member announced. */
  readonly text: string;
  /** The time when the store received it, in milliseconds of its clock. */
  readonly atMs: number;
}

/** The announcements of a namespace. */
export interface Announcements {
  /** The store's clock, in milliseconds since the epoch. */
  readonly nowMs: number;
  /** The number of all announcements, even beyond `MAX_ANNOUNCEMENTS`. */
  readonly count: number;
  /** The newest `MAX_ANNOUNCEMENTS` of them, the oldest first. */
  readonly kept: readonly Announcement[];
}

/** A warning about the client of a store. */
export interface ClientWarning {
  /** The stable code. */
  readonly code: string;
  /** The condition and its remedy, in sentences. */
  readonly message: string;
}

/**
 * A store of keyrings. Every failure of the store is a `StoreError`. A mistake of the caller (a
 * missing package, a namespace that is too long) is an `OptionError`. A store never returns an old
 * value. Methods may be called at any time and by many callers at once.
 *
 * @example
 * ```ts
 * import { setTimeout } from 'node:timers/promises';
 * import { memoryStore, type Store } from 'rewt';
 *
 * const register = memoryStore();
 * const slow: Store = {
 *   ...register,
 *   read: async (...call) => setTimeout(100).then(() => register.read(...call)),
 * };
 * ```
 */
export interface Store {
  /** The name for status and messages: 'redis', 'file', 'memory'. Never an address. */
  readonly kind: string;
  /**
   * True if a read costs no more than a look at local memory, so that every operation can do one.
   */
  readonly local: boolean;
  /**
   * Returns the full name of K in the store, which a sealed keyring is bound to: the same for every
   * member of a keyring. Absent: the namespace and `SECRET_SUFFIX`.
   */
  keyName?(namespace: string): string;
  /** Reads both entries of `namespace` at one instant. A replica never serves the read. */
  read(namespace: string, limits: ReadLimits): Promise<Snapshot>;
  /**
   * Checks synchronously if both entries have the version `version` at this instant. False if the
   * store cannot know. May use its last look in the same turn of the event loop, for at most 1 ms,
   * unless this process wrote since. Only for a local store; absent if no look is cheaper than a
   * read. Never throws.
   */
  isUnchanged?(namespace: string, version: string): boolean;
  /**
   * Writes `wanted` if, and only if, the entries still have the version `expected`, and the store's
   * clock is not past `notAfterMs`. Writes K before R.
   */
  swap(namespace: string, expected: string, wanted: WantedState, limits: SwapLimits): Promise<SwapAnswer>;
  /**
   * Counts the replicas that have a change: what a failover now would keep. Returns once as many as
   * wanted have it, or the time is over. Null if the number is unknown, or the change is gone.
   * Absent if a store has no replicas.
   */
  acknowledged?(namespace: string, wanted: AcknowledgedBy): Promise<number | null>;
  /**
   * Watches a namespace until `end()`. Calls `onSuspect` from a later turn on, never during this
   * call. Absent if a store cannot push.
   */
  watch?(namespace: string, onSuspect: () => void): Watch;
  /**
   * Keeps `text` of the member `id`, and replaces the previous one; null removes it. One small
   * write, which touches neither entry. Absent if a store has no announcements.
   */
  announce?(namespace: string, id: string, text: string | null, limits: AnnounceLimits): Promise<void>;
  /** Reads the announcements of members. Changes nothing. */
  announcements?(namespace: string, limits: CallLimits): Promise<Announcements>;
  /**
   * Warnings about this store's client, each with a code and a sentence that contains the remedy.
   */
  readonly clientWarnings?: readonly ClientWarning[];
  /** Releases what the store opened itself, never what it was given. Idempotent. */
  close(): Promise<void>;
}
