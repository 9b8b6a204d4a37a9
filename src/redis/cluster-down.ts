/** Names a cluster that is not whole, which clients hide: they try again in silence, for longer than rewt may wait. */

import { within } from '../deadline.js';
import { settle } from './outcomes.js';
import type { Outcomes } from './port.js';

/** After so long without an answer, the nodes are read from. */
const PATIENCE_MS = 200;

/**
 * The answers of a client, or of the first node that says CLUSTERDOWN.
 *
 * @param reads of a key, by each node on its own
 */
export function unlessDown(answers: Promise<Outcomes>, reads: () => readonly Promise<unknown>[]): Promise<Outcomes> {
  return within(PATIENCE_MS, answers, () => new Error('timed out')).catch(() => {
    const down = reads().map(async (read) => {
      const outcome = await settle(() => read);
      if (outcome instanceof Error && /^CLUSTERDOWN\b/.test(outcome.message)) return [outcome];
      throw outcome;
    });
    return Promise.race([answers, Promise.any(down).catch(() => answers)]);
  });
}
