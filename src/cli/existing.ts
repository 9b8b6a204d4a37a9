/** The keyring that a verb changes: it has to be there, and the first line says where. */

import { isRewtError } from '../errors.js';
import { examine, type Found, isThere } from './found.js';
import { lookFirst } from './member.js';
import { missing } from './others.js';
import { type PlaceArguments, type Session, withShownPlace } from './session.js';
import type { Terminal } from './terminal.js';

/**
 * What `use` returns.
 *
 * @throws {RefusedError} if the namespace has neither a secret nor a ring; a ring alone is a keyring.
 */
export function withExisting<T>(
  values: PlaceArguments & { readonly replace?: string | undefined },
  terminal: Terminal,
  use: (session: Session, found: Found) => Promise<T>,
): Promise<T> {
  return withShownPlace(values, terminal, async (session) => {
    const found = await lookFirst(session).catch((error: unknown): Found => {
      // It is there, and is what is to be replaced.
      if (values.replace === 'unreadable' && isRewtError(error) && error.code === 'ERR_REWT_STORE_WRONG_TYPE') {
        return unreadable;
      }
      throw error;
    });
    if (!isThere(found)) throw await missing(session);
    return use(session, found);
  });
}

const unreadable = examine({ nowMs: 0, key: null, ring: '' });

/** The kid that signs, as far as it can be read. */
export function signingIn({ keyring, key }: Found): string | null {
  return keyring?.signing ?? key?.kid ?? null;
}
