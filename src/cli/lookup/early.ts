/** Rotations that come too soon: why, and how long to wait. */

import { earlyMsOf } from '../../keyring/errors.js';
import { RefusedError } from '../output/errors.js';
import { spanOf } from '../output/format.js';

/** The reason, unless all retired secrets that a keyring has room for still verify. */
export const TOO_SOON = 'a member with an older copy may not hold the next secret yet';

/** Returns how long a refused rotation has to wait: 'Wait for 43 s'. Null for any other error. */
export function waitOf(error: unknown): string | null {
  const ms = earlyMsOf(error);
  if (ms === null) return null;
  return Number.isFinite(ms) ? `Wait for ${spanOf(Math.ceil(ms / 1_000) * 1_000)}` : 'Run the command again later';
}

/** Returns the command's refusal in place of the library's; any other error as it is. */
export function refusedRotation(error: unknown, inWords: (wait: string) => string): unknown {
  const wait = waitOf(error);
  return wait === null ? error : new RefusedError('ERR_REWT_ROTATION_REFUSED', inWords(wait));
}
