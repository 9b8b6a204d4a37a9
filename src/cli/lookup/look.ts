/**
 * The state that `rewt status` shows of a namespace: the keyring, the due plan, the fleet, and what
 * could not be read.
 */

import type { StoreError } from '../../errors.js';
import { tooFewReplicas } from '../../keyring/errors.js';
import type { Plan } from '../../keyring/plan.js';
import type { KeyringStatus } from '../../status.js';
import type { Announcements } from '../../stores/store.js';
import type { Place } from '../input/address.js';
import { type Fleet, fleetOf } from '../output/fleet.js';
import { orRefusal, type Session } from '../session.js';
import { dueOf, examine, type Found, type SealedState } from './found.js';
import type { Unread } from './others.js';
import { plainNote } from './sealing.js';

/** The result as `rewt status --json` prints it, but for the note. */
export interface Look extends Place {
  /** The store's clock. */
  readonly storeTime: Date;
  /** The plan of the next member, by its row in docs/protocol.md; null: nothing. */
  readonly due: Plan['name'] | null;
  /** K. */
  readonly key: Found['key'];
  /** The envelope; null for a plain ring, and without one. */
  readonly sealed: SealedState | null;
  /** Null for a namespace without a ring, and for a sealed one that does not open. */
  readonly keyring: KeyringStatus | null;
  /** Null if no member is announced, or announcements cannot be read. */
  readonly fleet: Fleet | null;
  /** What an operator has to know of the keyring; null: nothing. */
  readonly note: string | null;
  readonly unknown: readonly Unknown[];
}

/** The parts that this user may not read, and the role of a master that may have been replaced. */
export interface Unknown extends Unread {
  readonly of: 'role' | 'fleet';
}

/** Checks if the namespace has a secret or a ring. */
export function isSomething({ key, keyring, sealed }: Look): boolean {
  return key !== null || keyring !== null || sealed !== null;
}

/**
 * Reads the state. @throws {StoreError} for a store that does not reply, and a ring that cannot be
 * read. One under another seal key is shown as far as it can be.
 */
export async function look(session: Session): Promise<Look> {
  const entries = await session.read();
  const found = examine(entries, session.sealing());
  const { keyring, key, nowMs, sealed, refusal } = found;
  if (refusal !== null && refusal.code !== 'ERR_REWT_RING_SEALED') throw refusal;
  const announced = keyring === null ? null : await orRefusal(session.announcements());
  return {
    ...session.place,
    storeTime: new Date(nowMs),
    due: dueOf(found),
    key,
    sealed,
    note: plainNote(session.keys, found),
    keyring,
    fleet: fleetIn(keyring, announced),
    unknown: [
      ...unknown('role', entries.roleUnknown ?? (entries.mayBeDeposed ? tooFewReplicas() : null)),
      ...unknown('fleet', announced),
    ],
  };
}

function fleetIn(keyring: KeyringStatus | null, announced: Announcements | StoreError | null): Fleet | null {
  return keyring === null || announced === null || announced instanceof Error ? null : fleetOf(keyring, announced);
}

function unknown(of: Unknown['of'], refusal: Announcements | StoreError | null): readonly Unknown[] {
  return refusal instanceof Error ? [{ of, code: refusal.code, message: refusal.message }] : [];
}
