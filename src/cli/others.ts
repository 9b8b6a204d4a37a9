/** The keyrings that there are, for a person who named one that is not there. */

import type { StoreError } from '../errors.js';
import { nearest } from '../option-names.js';
import type { FoundNamespaces } from '../redis/find.js';
import { type Place, placeInWords, underPrefix } from './address.js';
import { RefusedError, storeInWords } from './failure.js';
import { orRefusal, type Session } from './session.js';
import { foreignName } from './words.js';

/** More would hide the sentence. */
const MAX_NAMED = 20;

/** The refusal of a namespace without a keyring. */
export async function missing({ place, namespaces }: Session): Promise<RefusedError> {
  return new RefusedError(
    'ERR_REWT_NO_KEYRING',
    `there is no keyring in ${placeInWords(place)}. ${await othersInWords(place, namespaces())} Look at --url, --namespace and --key-prefix`,
  );
}

/** As `--json` prints it. */
export interface Unread {
  readonly of: string;
  readonly code: string;
  readonly message: string;
}

type Named = Pick<Place, 'namespace'> & { readonly keyPrefix?: string | undefined };

/** Sentences. */
export async function othersInWords(place: Named, listing: Promise<FoundNamespaces>): Promise<string> {
  const found: FoundNamespaces | StoreError = await orRefusal(listing);
  if (found instanceof Error) return `Which there are is not known. ${found.message}`;
  const { names: others } = found;
  const unread = unreadIn(found).map(unreadInWords);
  if (others.length === 0) return unread.join(' ') || `There is none in any namespace${underPrefix(place)}.`;
  const named = others.slice(0, MAX_NAMED).map((name) => foreignName(name));
  const more = others.length > MAX_NAMED ? ` and ${others.length - MAX_NAMED} more` : '';
  // Two letters that changed places are two slips, which in a short name are another name.
  const meant = nearest(place.namespace, others, Math.min(2, Math.floor(place.namespace.length / 2)));
  const hint = meant === undefined ? '.' : `; did you mean '${foreignName(meant)}'?`;
  return [`There are: ${named.join(', ')}${more}${hint}`, ...unread].join(' ');
}

/** The masters that could not be read, in the words of the command. `server`: the only one. */
export function unreadIn({ unread }: FoundNamespaces, server = ''): readonly Unread[] {
  return unread.map(({ of, error }) => ({ of: of || server, code: error.code, message: storeInWords(error) }));
}

export function unreadInWords({ of, message }: Unread): string {
  return `Which there are${of === '' ? '' : ` at ${foreignName(of, 300)}`} is not known. ${message}`;
}
