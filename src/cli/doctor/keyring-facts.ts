/** The facts about a keyring that only the doctor needs. Pure. */

import type { Plan } from '../../keyring/plan.js';
import { currentVerifiesUntil, type Ring } from '../../keyring/ring.js';
import { type Sealing, unsealed } from '../../keyring/sealing.js';
import type { KeyringStatus } from '../../status.js';
import { type Entries, examine, type Found } from '../lookup/found.js';
import { isUuid, type SecretShape, shapeOf } from './secret-shape.js';

export interface KeyringFacts {
  /** K; null: there is none. Its shape is that of the secret which it names; null: not known. */
  readonly key: { readonly hasTtl: boolean; readonly marks: boolean; readonly shape: SecretShape | null } | null;
  readonly ring: Found['ringState'];
  readonly sealed: Found['sealed'];
  /** The ids of the seal keys of this run, the one to seal with first. */
  readonly keyIds: readonly string[];
  /** The row in protocol.md of what the next member to read this writes; null: nothing. */
  readonly plan: Plan['name'] | null;
  /**
   * The secrets in the ring that an original rewt made: how long tokens without kid can still
   * verify.
   */
  readonly withoutKid: { readonly current: boolean; readonly untilMs: number } | null;
  /** The same as `status()` returns; null if the keyring cannot be read. */
  readonly status: KeyringStatus | null;
  readonly nowMs: number;
}

export function keyringFactsOf(entries: Entries, sealing: Sealing = unsealed()): KeyringFacts {
  const { nowMs, key } = entries;
  const found = examine(entries, sealing);
  const { ring, ringState, sealed, plan, keyring } = found;
  const marks = found.key?.marks === true;
  const inRing = ring === null ? null : shapeOf(ring.current.secret);
  const shape = key === null || marks || sealed !== null ? inRing : shapeOf(key.value);
  return {
    key: key === null ? null : { hasTtl: key.expiresAtMs !== null, marks, shape },
    ring: ringState,
    sealed,
    keyIds: sealing.ids,
    plan: plan?.name ?? null,
    withoutKid: ring === null ? null : withoutKidIn(ring, nowMs),
    status: keyring,
    nowMs,
  };
}

function withoutKidIn(ring: Ring, nowMs: number): KeyringFacts['withoutKid'] {
  const { current, retired } = ring;
  const isCurrent = isUuid(current.secret);
  const untilMs = Math.max(
    isCurrent ? currentVerifiesUntil(ring) : 0,
    ...retired.filter(({ secret, until }) => isUuid(secret) && until > nowMs).map(({ until }) => until),
  );
  return untilMs === 0 ? null : { current: isCurrent, untilMs };
}
