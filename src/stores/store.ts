/**
 * The contract of a store: a dumb compare-and-swap register with a clock (protocol.md, "What is in the store").
 *
 * A store decides nothing. It reads both entries of a namespace at one instant, and writes both or neither.
 */

/** The last instant that there is, as for `Date`; a store says no later one. Milliseconds since the epoch. */
export const LAST_INSTANT_MS = 8.64e15;

/** Whether a clock can have given this. By any other time nothing has an end, or all has ended. */
export function isInstant(ms: number): boolean {
  return ms >= 0 && ms <= LAST_INSTANT_MS;
}

/** K: the current secret as the store holds it, set by rewt, by an old rewt, or by an operator's hand. */
export interface KeyEntry {
  /** The secret, or null where the bytes are not UTF-8 and so cannot be one. */
  readonly value: string | null;
  /** When the store drops it. Milliseconds of the store's clock, at most `LAST_INSTANT_MS`; null: it has no TTL. */
  readonly expiresAtMs: number | null;
}

/** Both entries of one namespace at one instant of the store's clock. */
export interface Snapshot {
  /** The store's clock at that instant, in milliseconds since the epoch. */
  readonly nowMs: number;
  /** K, or null where there is none. */
  readonly key: KeyEntry | null;
  /** R, the keyring in its wire form, or null where there is none. */
  readonly ring: string | null;
  /** A second keyring under this one's other name, which the next swap removes (protocol.md, "Names under a key prefix"). */
  readonly beside?: string;
  /** What a swap compares: stands for the exact contents of both entries, and for nothing that could reveal them. Opaque. */
  readonly version: string;
  /**
   * True if another server may have replaced the one that answered, without its knowledge. What it shows may be out of date: it
   * renews no lease, and proves no secret unknown. Absent in stores to which this cannot happen.
   */
  readonly mayBeDeposed?: boolean;
}

/** What a swap writes, if both entries are still what they were. */
export interface WantedState {
  /** Null leaves K alone, TTL included. */
  readonly key: { readonly value: string; readonly expiresAtMs: number } | null;
  /** The text is unique to one swap (it carries an operation id), which is how a store knows a swap sent twice. */
  readonly ring: { readonly text: string; readonly expiresAtMs: number };
}

export interface SwapAnswer {
  /** Whether `wanted` was written: also true where this same swap was sent twice and the first sending had done it. */
  readonly swapped: boolean;
  /** What is there afterwards, whoever wrote it. */
  readonly snapshot: Snapshot;
}

/** Limits that every call keeps. */
export interface CallLimits {
  /** The call settles within this many milliseconds, whatever the client below does. */
  readonly timeoutMs: number;
}

export interface ReadLimits extends CallLimits {
  /** Whether a ring is of the lineage that the member holds; absent if it holds none. A store that finds another way to its data takes it only if it shows such a ring. */
  readonly isHeld?: ((ring: string) => boolean) | undefined;
  /**
   * Reads an entry that is no text as one that cannot be read, in place of failing: K without a value, R with a text that is no ring.
   * A swap that expects the version of that answer replaces it. A store that holds nothing but texts need not look at this.
   */
  readonly replacesWrongType?: boolean;
}

export interface AnnounceLimits extends CallLimits {
  /** How long it is kept, if that is longer than `ANNOUNCEMENT_LIFE_MS`. */
  readonly keepMs?: number;
}

export interface SwapLimits extends CallLimits {
  /** The last instant, in milliseconds of the store's clock, at which the swap may still happen; later it does nothing. */
  readonly notAfterMs: number;
}

export interface AcknowledgedBy extends CallLimits {
  /** How many replicas are waited for; 0: for one, if there is any. */
  readonly replicas: number;
  /** How long they are waited for, at most. */
  readonly waitMs: number;
  /** Whether a ring has the change that is asked about. Another caller may have written since. */
  readonly hasChange: (ring: string) => boolean;
}

/** Whether changes are pushed at this moment; where not, why, in a sentence. Without them a member notices within its soft age. */
export interface PushStatus {
  readonly state: 'on' | 'connecting' | 'off';
  readonly reason: string | null;
}

/**
 * An ear at a namespace. Its `onSuspect` is called as soon as the namespace may have changed, when the watch can no longer be sure to notice, and
 * when it can again. It carries no news, only a read does; it may be called too often, and it is never relied upon. A watch that nothing refers to may be ended.
 */
export interface Watch {
  status(): PushStatus;
  /** Called after each read, failed ones too: to find out, behind its back, whether the watch still hears. Costs nothing where it was asked a moment ago. */
  check(): void;
  end(): void;
}

/**
 * How long an announcement is kept at least, if nothing follows it. Which ones count, a reader decides
 * (keyring/announcement.ts). Milliseconds of the store's clock.
 */
export const ANNOUNCEMENT_LIFE_MS = 3_600_000;

/** A reader of announcements takes no more at a time, and of a longer one no more characters. */
export const MOST_ANNOUNCEMENTS = 5_000;
export const LONGEST_ANNOUNCEMENT = 512;

/** What a member said of itself. Whoever may write to the store may have said it: for people's eyes, and no ground for any decision about secrets. */
export interface Announcement {
  readonly id: string;
  readonly text: string;
  /** When the store took it. Milliseconds of its clock. */
  readonly atMs: number;
}

export interface Announcements {
  /** The store's clock, in milliseconds since the epoch. */
  readonly nowMs: number;
  /** How many there are, also beyond `MOST_ANNOUNCEMENTS`. */
  readonly count: number;
  /** Those that are kept, the oldest first; the newest `MOST_ANNOUNCEMENTS` of them. */
  readonly kept: readonly Announcement[];
}

export interface Caveat {
  readonly code: string;
  readonly message: string;
}

/**
 * One place where keyrings live. Every failure of the store is a `StoreError`, what the caller has to mend (a package that is missing, a namespace too long) an `OptionError`; a store never answers with an old value.
 * Methods may be called at any time and by many callers at once.
 */
export interface Store {
  /** A word for status and messages: 'redis', 'file', 'memory'. Never an address. */
  readonly kind: string;
  /** True where a read costs no more than a look at local memory, so that every operation can afford one of its own. */
  readonly local: boolean;
  /** Both entries of `namespace` at one instant. Never served by a replica. */
  read(namespace: string, limits: ReadLimits): Promise<Snapshot>;
  /**
   * Looks whether both entries have the version `version` at this instant, without waiting. False if the store cannot tell.
   * May go by its last look in the same turn of the event loop for at most 1 ms, unless this process wrote since.
   * Only for a local store; absent if it has no look that is cheaper than a read. Never throws.
   */
  isUnchanged?(namespace: string, version: string): boolean;
  /** Writes `wanted` if, and only if, the entries still have the version `expected`, and the store's clock is not past `notAfterMs`. K is written before R. */
  swap(namespace: string, expected: string, wanted: WantedState, limits: SwapLimits): Promise<SwapAnswer>;
  /**
   * Counts the replicas that have a change, once as many as wanted have it or the time is over: what a failover
   * now would keep. Null if that is unknown, or the change is gone. Absent if a store has no replicas.
   */
  acknowledged?(namespace: string, wanted: AcknowledgedBy): Promise<number | null>;
  /** Watches a namespace until `end()`. `onSuspect` is called from a later turn on, never from within this call. Absent where a store cannot push. */
  watch?(namespace: string, onSuspect: () => void): Watch;
  /**
   * Keeps `text` of the member `id`, in place of the one before; null takes that back. One small write, beside
   * both entries and without a part in them. Absent where a store cannot carry it.
   */
  announce?(namespace: string, id: string, text: string | null, limits: AnnounceLimits): Promise<void>;
  /** What members said of themselves. Changes nothing. */
  announcements?(namespace: string, limits: CallLimits): Promise<Announcements>;
  /** What the user ought to know of the way to this store, each a code and a sentence with its remedy. */
  readonly caveats?: readonly Caveat[];
  /** Releases what the store opened itself; never what it was handed. Idempotent. */
  close(): Promise<void>;
}
