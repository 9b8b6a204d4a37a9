/** Names a cluster that is not whole, which clients hide: they try again in silence, for longer than rewt may wait. */

import { within } from '../deadline.js';
import { settle } from './outcomes.js';
import type { Outcomes } from './port.js';

/** After so long without an answer, the nodes are read from. */
const PATIENCE_MS = 200;

/**
 * The answers of a client, or CLUSTERDOWN once most nodes say that: one may be cut off from a cluster that is whole.
 *
 * @param reads of a key, by each node on its own
 */
export function unlessDown(answers: Promise<Outcomes>, reads: () => readonly Promise<unknown>[]): Promise<Outcomes> {
  return within(PATIENCE_MS, answers, () => new Error('timed out')).catch(() => {
    const begun = reads();
    let count = 0;
    const down = new Promise<Outcomes>((resolve) => {
      for (const read of begun)
        void settle(() => read).then((outcome) => {
          if (!(outcome instanceof Error) || !/^CLUSTERDOWN\b/.test(outcome.message)) return;
          count += 1;
          if (count > begun.length / 2) resolve([outcome]);
        });
    });
    return Promise.race([answers, down]);
  });
}
