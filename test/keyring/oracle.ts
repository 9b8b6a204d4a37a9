/**
 * protocol.md's table once more, written straight from the page and as plainly as can be: what
 * `advance` is held against.
 */

import type { History } from '../../src/keyring/history.js';
import type { Policy } from '../../src/keyring/policy.js';
import type { Ring } from '../../src/keyring/ring.js';
import type { PlainContents as Contents } from './decisions.js';

/** Stands for a secret, a lineage or a revocation's name that did not exist before. */
export const FRESH = 'fresh';

/** What a row does, with every secret by value or `FRESH`. */
export interface Effect {
  readonly name: string;
  readonly revokes: boolean;
  readonly unusableSecret: boolean;
  /** K as it is written; null: it is left alone. */
  readonly key: { readonly value: string; readonly expiresAtMs: number } | null;
  readonly ring: Omit<Ring, 'op' | 'v'>;
}

export function tableSays({ nowMs: now, key: K, ring: R }: Contents, policy: Policy, known: History): Effect | null {
  // "The same holds for a secret that this member saw revoked."
  const wasRevoked = K !== null && K.value !== null && known.revoked.has(K.value);
  const usable = K !== null && K.value !== null && Buffer.byteLength(K.value, 'utf8') >= 32 && !wasRevoked;
  const mostTtl = (ttl: number) => Math.max(ttl, policy.minimums?.ttlMs ?? 0);
  const mostOverlap = (overlap: number) => Math.max(overlap, policy.minimums?.overlapMs ?? 0);

  /**
   * "In 1, 4 and 10 a value without TTL gets one; a value shorter than 32 bytes or not UTF-8 is
   * never used."
   */
  const anew = (
    name: string,
    revokes: boolean,
    base: Pick<Ring, 'id' | 'epoch' | 'rev' | 'gen' | 'ttl' | 'overlap'>,
    takesK: boolean,
    cause = name,
  ): Effect => {
    const ttl = mostTtl(base.ttl);
    const taken = takesK && usable && K !== null ? K : null;
    const current = { secret: taken?.value ?? FRESH, expiresAt: taken?.expiresAtMs ?? now + ttl };
    return {
      name,
      revokes,
      unusableSecret: takesK && K !== null && !usable,
      key:
        taken !== null && taken.expiresAtMs !== null ? null : { value: current.secret, expiresAtMs: current.expiresAt },
      ring: {
        id: base.id,
        epoch: base.epoch,
        ...named(base.rev),
        gen: base.gen + 1,
        ttl,
        overlap: mostOverlap(base.overlap),
        current,
        next: { secret: FRESH, since: now },
        retired: [],
        // "Every row that revokes, for this member" is in the log.
        ...(revokes ? { changes: [{ at: now, cause }] } : {}),
      },
    };
  };
  const blank = { id: FRESH, epoch: 0, gen: 0, ttl: policy.ttlMs, overlap: policy.overlapMs };

  if (R === null) {
    // Row 2: - | -
    if (K === null) return anew('bootstrap', known.ring !== null, blank, false);
    // Row 3: K is the current of the known, unexpired ring.
    const k = known.ring;
    if (
      k !== null &&
      usable &&
      K.value === k.current.secret &&
      // A ring may have one secret twice: then K is next.
      K.value !== k.next.secret &&
      now <
        Math.max(k.current.expiresAt + k.ttl + k.overlap, k.current.owed ?? 0, ...k.retired.map((slot) => slot.until))
    ) {
      const { id, epoch, rev, current, next, retired } = k;
      const ring = {
        id,
        epoch,
        ...named(rev),
        gen: k.gen + 1,
        ttl: mostTtl(k.ttl),
        overlap: mostOverlap(k.overlap),
        current,
        next,
        retired,
      };
      return { name: 'repair', revokes: false, unusableSecret: false, key: null, ring };
    }
    // Row 4: another value.
    return anew('adopt', known.ring !== null, blank, true);
  }

  // Row 1: the epoch is lower than this member has seen for that id, it is the highest one under
  // another name, it is a lineage that this member has left, or there is a secret in it that this
  // member saw revoked.
  const last = known.epochs.get(R.id);
  const left = last !== undefined && known.ring !== null && known.ring.id !== R.id;
  const isLower = last !== undefined && R.epoch < last.epoch;
  const isOther =
    last !== undefined && R.epoch === last.epoch && last.rev !== undefined && last.rev !== (R.rev ?? null);
  const inR = [R.current.secret, R.next.secret, ...R.retired.map((slot) => slot.secret)];
  if (isLower || isOther || left || inR.some((secret) => known.revoked.has(secret))) {
    const k = known.ring;
    const held = [...known.lost];
    if (k !== null) held.push(k.current.secret, k.next.secret, ...k.retired.map((slot) => slot.secret));
    // One that was revoked before is reported, and not used.
    const distrusted = wasRevoked ? inR : [...inR, ...held];
    const isOperators = K !== null && !distrusted.includes(K.value ?? '');
    const id = left ? FRESH : R.id;
    const epoch = Math.max(last?.epoch ?? 0, R.epoch) + 1;
    // "…a brake if it makes up for one that this member read in this very ring and could not
    // write."
    const isLateBrake = last !== undefined && last.rev === undefined && k?.op === R.op;
    return anew('rollback', true, { ...R, id, epoch, rev: FRESH }, isOperators, isLateBrake ? 'brake' : 'rollback');
  }

  const turned = (name: string, current: Ring['current'], next: Ring['next'], key: Effect['key']): Effect => {
    const overlap = mostOverlap(R.overlap);
    // As long as K holds the old current, an old member may be signing with it; and until the end
    // that this member saw last, should a failover have lost that.
    const holdsCurrent = K?.value === R.current.secret && K.value !== R.next.secret;
    let end = R.current.expiresAt;
    const knownRing = known.ring;
    if (knownRing !== null && !holdsCurrent) {
      if (knownRing.current.secret === R.current.secret) end = Math.max(end, knownRing.current.expiresAt);
      for (const { secret, until } of knownRing.retired) {
        if (secret === R.current.secret) end = Math.max(end, until - knownRing.overlap);
      }
    }
    const lastSigned = holdsCurrent ? now : Math.min(now, end);
    // "…and at least until it is `owed`".
    const old = { secret: R.current.secret, until: Math.max(lastSigned + overlap, R.current.owed ?? 0) };
    const retired = [old, ...R.retired].filter((slot) => now < slot.until).filter((_, n) => n < 32);
    const { id, epoch, rev } = R;
    return {
      name,
      revokes: false,
      unusableSecret: false,
      key,
      ring: { id, epoch, ...named(rev), gen: R.gen + 1, ttl: mostTtl(R.ttl), overlap, current, next, retired },
    };
  };
  const rotation = (name: string): Effect => {
    const expiresAt = now + mostTtl(R.ttl);
    return turned(
      name,
      { secret: R.next.secret, expiresAt },
      { secret: FRESH, since: now },
      { value: R.next.secret, expiresAtMs: expiresAt },
    );
  };

  // The clamp to a quarter of the ttl is not on the page: without it a DEL under a ttl of a few
  // seconds would never be a brake.
  const due = now >= R.current.expiresAt - Math.min(policy.clockToleranceMs, R.ttl / 4);
  // Row 5: K is next, or it is gone and due.
  if (K !== null && usable && K.value === R.next.secret) {
    if (K.expiresAtMs === null) return rotation('late rotation');
    return turned(
      'late rotation',
      { secret: R.next.secret, expiresAt: K.expiresAtMs },
      { secret: FRESH, since: now },
      null,
    );
  }
  if (K === null && due) return rotation('late rotation');

  if (K !== null && usable && K.value === R.current.secret) {
    // Row 6: "before K expires", so it is K's own end that counts.
    const end = K.expiresAtMs === null ? R.current.expiresAt : K.expiresAtMs;
    if (now >= end - Math.min(policy.leadMs, R.ttl / 4)) return rotation('rotation');
    // Row 7.
    const expiresAt =
      K.expiresAtMs !== null && Math.abs(K.expiresAtMs - R.current.expiresAt) > 5 ? K.expiresAtMs : R.current.expiresAt;
    const ring = {
      id: R.id,
      epoch: R.epoch,
      ...named(R.rev),
      gen: R.gen + 1,
      ttl: mostTtl(R.ttl),
      overlap: mostOverlap(R.overlap),
      current: { ...R.current, expiresAt },
      next: R.next,
      retired: R.retired,
    };
    const key = K.expiresAtMs === null ? { value: R.current.secret, expiresAtMs: expiresAt } : null;
    const steady =
      key === null && expiresAt === R.current.expiresAt && ring.ttl === R.ttl && ring.overlap === R.overlap;
    return steady ? null : { name: 'reschedule', revokes: false, unusableSecret: false, key, ring };
  }

  // Row 8: gone and not due.
  if (K === null) return anew('brake', true, { ...R, epoch: R.epoch + 1, rev: FRESH }, false);
  // Row 9: another value with a TTL, and due.
  if (due && K.expiresAtMs !== null && usable && K.value !== null) {
    return turned('foreign rotation', { secret: K.value, expiresAt: K.expiresAtMs }, R.next, null);
  }
  // Row 10: another value else.
  return anew('brake', true, { ...R, epoch: R.epoch + 1, rev: FRESH }, true);
}

/** A ring without a name stays without one. */
function named(rev: string | undefined): { rev?: string } {
  return rev === undefined ? {} : { rev };
}
