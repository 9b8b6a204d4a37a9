/** Words for a sealed keyring. Pure. */

import { SEAL_KEY_VARIABLE } from '../input/link.js';
import type { SealedState } from '../lookup/found.js';

export function sealedInWords({ keyId, opens }: SealedState): string {
  if (opens) return `with the key ${keyId}`;
  return (
    `sealed with the key ${keyId}, which this command does not have: ${SEAL_KEY_VARIABLE} or ` +
    '--seal-key-file gives it'
  );
}
