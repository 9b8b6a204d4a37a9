/** Words for a sealed keyring. Pure. */

import type { Ring } from '../../keyring/ring.js';
import type { SealStatus } from '../../status.js';
import { SEAL_KEY_VARIABLE } from '../input/link.js';
import type { SealedState } from '../lookup/found.js';
import { spanOf, whenOf } from './format.js';

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

/** Describes the times of a ring that replaced one that could not be read. */
export function replacedInWords({ ttl, overlap }: Ring): string {
  return (
    `It has the default times (ttl ${spanOf(ttl)}, overlap ${spanOf(overlap)}), because those of before are not ` +
    'known. A member that signs gets longer ones if it needs them; rewt set changes them.'
  );
}

/** Describes what becomes of members without the key of a ring that replaced a sealed one. */
export function lockedOutInWords(keyId: string): string {
  return (
    `A member that does not have the key ${keyId} cannot read it: it accepts the old tokens until its copy is ` +
    'maxStaleness old, and answers 503 from then on. Deploy the key to all members.'
  );
}
