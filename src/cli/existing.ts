/** The keyring that a verb changes: it has to be there, and the first line says where. */

import { isRewtError, type StoreError } from '../errors.js';
import { placeInWords } from './address.js';
import { RefusedError } from './failure.js';
import { examine, type Found, isThere } from './found.js';
import { lookFirst } from './member.js';
import { orRefusal, type PlaceArguments, type Session, withSession } from './session.js';
import type { Terminal } from './terminal.js';
import { foreignName } from './words.js';

/** More would hide the sentence. */
const MAX_NAMED = 20;

/**
 * What `use` returns.
 *
 * @throws {RefusedError} if the namespace has neither a secret nor a ring; a ring alone is a keyring.
 */
export function withExisting<T>(
  values: PlaceArguments & { readonly json?: boolean | undefined; readonly replace?: string | undefined },
  terminal: Terminal,
  use: (session: Session, found: Found) => Promise<T>,
): Promise<T> {
  return withSession(values, terminal, async (session) => {
    if (values.json !== true) terminal.say(`In ${placeInWords(session.place)}:`);
    const found = await lookFirst(session).catch((error: unknown): Found => {
      // It is there, and is what is to be replaced.
      if (values.replace === 'unreadable' && isRewtError(error) && error.code === 'ERR_REWT_STORE_WRONG_TYPE') {
        return unreadable;
      }
      throw error;
    });
    if (!isThere(found)) throw missing(session, await orRefusal(session.namespaces()));
    return use(session, found);
  });
}

const unreadable = examine({ nowMs: 0, key: null, ring: '' });

/** The kid that signs, as far as it can be read. */
export function signingIn({ keyring, key }: Found): string | null {
  return keyring?.signing ?? key?.kid ?? null;
}

function missing({ place }: Session, others: readonly string[] | StoreError): RefusedError {
  const found =
    others instanceof Error
      ? `Which there are is not known. ${others.message}`
      : others.length === 0
        ? 'There is none in any namespace'
        : `There are: ${others
            .slice(0, MAX_NAMED)
            .map((name) => foreignName(name))
            .join(', ')}${others.length > MAX_NAMED ? ` and ${others.length - MAX_NAMED} more` : ''}`;
  return new RefusedError(
    'ERR_REWT_NO_KEYRING',
    `there is no keyring in ${placeInWords(place)}. ${found.replace(/\.$/, '')}. Look at --url and --namespace`,
  );
}
