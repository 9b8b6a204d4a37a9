/** What a failover takes back, by the rings that there were. */

import type { Written } from './written.js';

export interface Losses {
  readonly rotations: number;
  /** A revocation, or the beginning of a lineage. */
  readonly isRevocation: boolean;
  /** What an old rewt or an operator made was never next: no other member can hold it. */
  readonly isForeign: boolean;
}

/** `states` begins with what the store went back to; null: there was no ring. */
export function lossesIn(states: readonly (Written | null)[]): Losses {
  let rotations = 0;
  let isRevocation = false;
  let isForeign = false;
  let [earlier = null] = states;
  for (const ring of states) {
    // A ring that was lost and written back is no revocation.
    if (ring === null) continue;
    if (earlier === null || earlier.id !== ring.id || earlier.epoch !== ring.epoch) isRevocation = true;
    else if (earlier.current.secret !== ring.current.secret) {
      rotations += 1;
      if (ring.current.secret !== earlier.next.secret) isForeign = true;
    }
    earlier = ring;
  }
  return { rotations, isRevocation, isForeign };
}
