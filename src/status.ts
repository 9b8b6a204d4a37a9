/** What `status()` shows of a member: kids, ages and times, never a secret. */

import { type ChangeCause, changesOf } from './keyring/changes.js';
import { type Copy, signingKey } from './keyring/copy.js';
import { leaseAgeMs, storeNowMs } from './keyring/lease.js';
import type { Member } from './keyring/member.js';
import type { Settings } from './options.js';
import { LAST_INSTANT_MS, type PushStatus } from './stores/store.js';

/** A member, from either kind of module. */
export interface Observed {
  status(): Status;
}

/** The state of a member, as `status()` returns it. All dates are by the store's clock. */
export interface Status {
  /** The namespace that all members of the keyring share. */
  readonly namespace: string;
  /** The kind of store: 'redis', 'file', 'memory'. */
  readonly store: string;
  /**
   * 'none': nothing was read yet. 'usable': operations go on, also without the store (with
   * `maxStaleness: 0` they still read it). 'expired': older than `maxStaleness`, of no use
   * until the store answers.
   */
  readonly copy: 'none' | 'usable' | 'expired';
  /** Seconds since the read was sent that last showed the copy to be right. */
  readonly ageSeconds: number | null;
  /** The time of the store's clock now, as far as this member knows. */
  readonly storeTime: Date | null;
  /**
   * Whether changes by other members arrive at once, and if not, why. Without it they are noticed
   * within two seconds (half of `maxStaleness`, if that is less).
   */
  readonly push: PushStatus;
  /**
   * What the store needs before its answers count again. `'replicas'`: the master takes no writes
   * because too few replicas follow it, so another may have replaced it, and the copy is not
   * renewed. `'member'`: this member only reads, and one that signs has to begin, revoke or
   * complete the keyring. Null: nothing that this member knows of.
   */
  readonly waitsFor: 'replicas' | 'member' | null;
  /** The ids of the seal keys that this member opens. */
  readonly sealKeys: readonly string[];
  /** The cached keyring; null before the first read. */
  readonly keyring: KeyringStatus | null;
}

/** A cached keyring: kids and times, never a secret. */
export interface KeyringStatus {
  /**
   * Names this keyring since its beginning; another one means that all before it was lost or
   * revoked.
   */
  readonly lineage: string;
  /** Revocations in this lineage. */
  readonly epoch: number;
  /**
   * Names the last of them; null before the first. Two keyrings of one epoch with different names
   * were revoked apart from each other.
   */
  readonly revocation: string | null;
  /** Writes in this lineage. */
  readonly generation: number;
  /** How long a secret signs. Seconds. */
  readonly ttl: number;
  /** How long a retired secret verifies. Seconds. */
  readonly overlap: number;
  /** The kid that this member would sign with now. */
  readonly signing: string;
  /** The secret that signs until `expiresAt`, and the end of its last token. */
  readonly current: { readonly kid: string; readonly expiresAt: Date; readonly verifiesUntil: Date };
  /** The secret that signs after the current one, and the time when it was made. */
  readonly next: { readonly kid: string; readonly since: Date };
  /** Secrets that no longer sign, and still verify. */
  readonly retired: readonly { readonly kid: string; readonly verifiesUntil: Date }[];
  /** The seal of the keyring; null: it is plain text. */
  readonly sealed: SealStatus | null;
  /** The last eight revocations, and rotations that were called for, the newest first. */
  readonly changes: readonly LoggedChange[];
}

/** The seal of a keyring. */
export interface SealStatus {
  /** The id of the seal key, as `rewt seal-key --id` prints it. */
  readonly keyId: string;
  /** Whether this member has that key. */
  readonly opens: boolean;
  /**
   * Until when secrets verify that were in plain text before, and may be in a dump; null: none is
   * left. If one of them signs, it is the end of its tokens after the next rotation.
   */
  readonly exposedUntil: Date | null;
  /**
   * Whether the keyring announces that plain text may follow, as `rewt reseal --plain` begins it;
   * `rewt reseal` takes that back.
   */
  readonly opening: boolean;
}

/** An entry in the log of a keyring. Everyone with write access to the store can write one. */
export interface LoggedChange {
  /** The time of the change. */
  readonly at: Date;
  /** A rotation refuses no token; a revocation refuses all that came before. */
  readonly kind: 'rotation' | 'revocation';
  /**
   * What led to it: a call of `rotate()` or `revoke()`, or the row of the protocol's table that
   * revoked.
   */
  readonly cause: ChangeCause;
  /** As it was given to `rotate()` or `revoke()`; null for none. */
  readonly reason: string | null;
}

/** Reads the copy as it stands. @internal */
export function statusOf(settings: Settings, store: string, member: Member): Status {
  const { namespace } = settings;
  const push = member.push();
  const waitsFor = member.waitsFor();
  const { sealKeys } = member;
  const lease = member.currentLease();
  if (lease === null) {
    return {
      namespace,
      store,
      copy: 'none',
      ageSeconds: null,
      storeTime: null,
      push,
      waitsFor,
      sealKeys,
      keyring: null,
    };
  }

  const now = member.now();
  const ageMs = leaseAgeMs(lease, now);
  const { maxStalenessMs } = settings.member.policy;
  const storeMs = storeNowMs(lease, now);
  return {
    namespace,
    store,
    copy: maxStalenessMs === 0 || ageMs < maxStalenessMs ? 'usable' : 'expired',
    ageSeconds: ageMs / 1_000,
    storeTime: new Date(storeMs),
    push,
    waitsFor,
    sealKeys,
    keyring: keyringStatusOf(lease.copy, storeMs, member.sealKeyId),
  };
}

/** Shows a copy of the keyring as it is at an instant of the store's clock. @internal */
export function keyringStatusOf(copy: Copy, storeMs: number, keyId: string | null = null): KeyringStatus {
  const { ring } = copy;
  return {
    lineage: ring.id,
    epoch: ring.epoch,
    revocation: ring.rev ?? null,
    generation: ring.gen,
    ttl: ring.ttl / 1_000,
    overlap: ring.overlap / 1_000,
    signing: signingKey(copy, storeMs).kid,
    current: {
      kid: copy.current.kid,
      expiresAt: new Date(ring.current.expiresAt),
      verifiesUntil: new Date(copy.current.verifiesUntilMs),
    },
    next: { kid: copy.next.kid, since: new Date(ring.next.since) },
    retired: copy.keys
      .filter(({ role }) => role === 'retired')
      .map(({ kid, verifiesUntilMs }) => ({ kid, verifiesUntil: new Date(verifiesUntilMs) })),
    sealed: keyId === null ? null : sealStatusOf(copy, storeMs, keyId),
    changes: changesOf(ring).map(({ at, cause, reason = null }) => ({
      at: new Date(at),
      kind: cause === 'rotate' ? 'rotation' : 'revocation',
      cause,
      reason,
    })),
  };
}

function sealStatusOf(copy: Copy, storeMs: number, keyId: string): SealStatus {
  return { keyId, opens: true, exposedUntil: exposedUntil(copy, storeMs), opening: copy.ring.opening === true };
}

function exposedUntil({ keys, ring }: Copy, storeMs: number): Date | null {
  const kids = new Set(ring.exposed);
  const ends = keys.filter(({ kid }) => kids.has(kid)).map(({ verifiesUntilMs }) => verifiesUntilMs);
  const endMs = Math.max(0, ...ends);
  return endMs > storeMs ? new Date(Math.min(endMs, LAST_INSTANT_MS)) : null;
}
