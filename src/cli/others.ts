/** The keyrings that there are, for a person who named one that is not there. */

import type { StoreError } from '../errors.js';
import { nearest } from '../option-names.js';
import { type Place, placeInWords, underPrefix } from './address.js';
import { RefusedError } from './failure.js';
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

type Named = Pick<Place, 'namespace'> & { readonly keyPrefix?: string | undefined };

/** Sentences. */
export async function othersInWords(place: Named, listing: Promise<readonly string[]>): Promise<string> {
  const others: readonly string[] | StoreError = await orRefusal(listing);
  if (others instanceof Error) return `Which there are is not known. ${others.message}`;
  if (others.length === 0) return `There is none in any namespace${underPrefix(place)}.`;
  const named = others.slice(0, MAX_NAMED).map((name) => foreignName(name));
  const more = others.length > MAX_NAMED ? ` and ${others.length - MAX_NAMED} more` : '';
  // Two letters that changed places are two slips, which in a short name are another name.
  const meant = nearest(place.namespace, others, Math.min(2, Math.floor(place.namespace.length / 2)));
  return `There are: ${named.join(', ')}${more}${meant === undefined ? '.' : `; did you mean '${foreignName(meant)}'?`}`;
}
