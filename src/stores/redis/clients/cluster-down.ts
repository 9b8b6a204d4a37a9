/**
 * Detection of a cluster that is down. Clients hide it: they retry silently, for longer than rewt
 * may wait.
 */

import { within } from '../../../async/race.js';
import { settle } from './outcomes.js';
import type { Outcomes } from './port.js';

/** The time without a reply after which each node is queried. */
const PATIENCE_MS = 200;

/**
 * Returns the outcomes of a client, or CLUSTERDOWN once most nodes report that. A single node may
 * be cut off from a healthy cluster.
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
