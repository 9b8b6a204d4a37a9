/** Words for a sealed keyring. Pure. */

import type { SealStatus } from '../../status.js';
import { SEAL_KEY_VARIABLE } from '../input/link.js';
import type { SealedState } from '../lookup/found.js';
import { whenOf } from './format.js';

/** Describes the seal of a keyring that this run opens. `nowMs`: the store's clock. */
export function sealInWords({ keyId, exposedUntil, opening }: SealStatus, nowMs: number): string {
  const exposed =
    exposedUntil === null
      ? ''
      : `, but secrets that were in plain text before verify until ${whenOf(exposedUntil, nowMs)}`;
  const plain = opening ? ', and it announces that plain text may follow' : '';
  return `with the key ${keyId}${exposed}${plain}`;
}

/** Describes a keyring that this run does not open. */
export function sealedInWords({ keyId }: SealedState): string {
  return (
    `sealed with the key ${keyId}, which this command does not have: ${SEAL_KEY_VARIABLE} or ` +
    '--seal-key-file gives it'
  );
}
