/** The existing keyrings, for a user who named a missing one. */

import type { StoreError } from '../../errors.js';
import type { FoundNamespaces } from '../../stores/redis/find.js';
import { nearest } from '../../validation/option-names.js';
import { type Place, placeInWords, underPrefix } from '../input/address.js';
import { RefusedError, storeInWords } from '../output/errors.js';
import { foreignName } from '../output/format.js';
import { orRefusal, type Session } from '../session.js';

/** More would hide the sentence. */
const MAX_NAMED = 20;

/** Returns the error for a namespace without a keyring. */
export async function missing({ place, namespaces }: Session): Promise<RefusedError> {
  return new RefusedError(
    'ERR_REWT_NO_KEYRING',
    `there is no keyring in ${placeInWords(place)}. ${await othersInWords(place, namespaces())} Look ` +
      'at --url, --namespace and --key-prefix',
  );
}

/** The result as `--json` prints it. */
export interface Unread {
  readonly of: string;
  readonly code: string;
  readonly message: string;
}

type Named = Pick<Place, 'namespace'> & { readonly keyPrefix?: string | undefined };

/** Returns sentences about the other keyrings. */
export async function othersInWords(place: Named, listing: Promise<FoundNamespaces>): Promise<string> {
  const found: FoundNamespaces | StoreError = await orRefusal(listing);
  if (found instanceof Error) return `Which there are is not known. ${found.message}`;
  const { names: others } = found;
  const unread = unreadIn(found).map(unreadInWords);
  if (others.length === 0) return unread.join(' ') || `There is none in any namespace${underPrefix(place)}.`;
  const named = others.slice(0, MAX_NAMED).map((name) => foreignName(name));
  const more = others.length > MAX_NAMED ? ` and ${others.length - MAX_NAMED} more` : '';
  // Two swapped letters are an edit distance of two, which in a short name is a different name.
  const meant = nearest(place.namespace, others, Math.min(2, Math.floor(place.namespace.length / 2)));
  const hint = meant === undefined ? '.' : `; did you mean '${foreignName(meant)}'?`;
  return [`There are: ${named.join(', ')}${more}${hint}`, ...unread].join(' ');
}

/**
 * Lists the masters that could not be read, in the command's sentences. `server` is the only one.
 */
export function unreadIn({ unread }: FoundNamespaces, server = ''): readonly Unread[] {
  return unread.map(({ of, error }) => ({ of: of || server, code: error.code, message: storeInWords(error) }));
}

export function unreadInWords({ of, message }: Unread): string {
  return `Which there are${of === '' ? '' : ` at ${foreignName(of, 300)}`} is not known. ${message}`;
}
