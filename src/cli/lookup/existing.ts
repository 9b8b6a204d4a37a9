/** The keyring that a verb changes: it must exist, and the first line of output names its place. */

import { isRewtError } from '../../errors.js';
import type { Ring } from '../../keyring/ring.js';
import { kidOf } from '../../keyring/secret.js';
import type { KeyringChange } from '../../rewt.js';
import type { Terminal } from '../output/terminal.js';
import { type PlaceArguments, type Session, withShownPlace } from '../session.js';
import type { TimeLimit } from '../time-limit.js';
import type { Writes } from '../writes.js';
import { assertCounts, assertUsable, examine, type Found, isThere } from './found.js';
import { lookFirst } from './member.js';
import { missing } from './others.js';
import { plainNote } from './sealing.js';

/** One run of a verb that changes the keyring. */
export interface Run {
  readonly values: PlaceArguments & { readonly replace?: string | undefined };
  readonly terminal: Terminal;
  readonly writes: Writes;
  readonly limit?: TimeLimit;
}

export interface ChangingSession extends Session {
  readonly writes: Writes;
}

/**
 * Runs `use` on the existing keyring, and returns its result.
 *
 * @throws {RefusedError} if the namespace has neither a secret nor a ring; a ring alone is a
 * keyring. {StoreError} instead if another master may have one
 */
export async function withExisting<T>(
  { values, terminal, writes, limit }: Run,
  use: (session: ChangingSession, found: Found) => Promise<T>,
): Promise<T> {
  const run = async (opened: Session): Promise<T> => {
    const found = await foundIn(opened).catch((error: unknown): Found => {
      // It exists, and the verb replaces it.
      if (values.replace === 'unreadable' && isRewtError(error) && error.code === 'ERR_REWT_STORE_WRONG_TYPE') {
        return unreadable;
      }
      throw error;
    });
    if (!isThere(found)) {
      assertCounts(found.entries);
      throw await missing(opened);
    }
    assertUsable(found, values.replace);
    const note = plainNote(opened.keys, found);
    if (note !== null && values.json !== true) terminal.report(`${terminal.style('yellow', 'warning:')} ${note}`);
    const store = writes.watch(opened.openStore());
    return use({ ...opened, openStore: () => store, writes }, found);
  };
  return withShownPlace(values, terminal, run, limit);
}

/** Reads the keyring. Does not create a missing folder of an embedded store. */
async function foundIn(session: Session): Promise<Found> {
  return session.place.store === 'file' ? examine(await session.read(), session.sealing()) : lookFirst(session);
}

/** Returns the result of `change` and the written ring, even if a step after the write fails. */
export async function orWritten(
  { writes, sealing }: ChangingSession,
  change: Promise<KeyringChange>,
): Promise<{ readonly change: KeyringChange; readonly ring: Ring }> {
  const done = await change.catch((error: unknown) => {
    if (writes.ring === null) throw error;
    return null;
  });
  const { ring } = sealing().open(writes.ring ?? '');
  return { ring, change: done ?? { kid: kidOf(ring.current.secret), epoch: ring.epoch, replicas: null } };
}

const unreadable = examine({ nowMs: 0, key: null, ring: '' });

/** Returns the kid that signs, as far as it can be read. */
export function signingIn({ keyring, key }: Found): string | null {
  return keyring?.signing ?? key?.kid ?? null;
}
