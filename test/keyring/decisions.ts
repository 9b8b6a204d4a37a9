/** The decisions for contents with texts, as a member makes them, and the texts that they write. */

import { advance as decide } from '../../src/keyring/advance.js';
import * as begin from '../../src/keyring/begin-ring.js';
import { type Contents, plainContents, seenIn } from '../../src/keyring/contents.js';
import { EMPTY_HISTORY } from '../../src/keyring/history.js';
import type { Context, Plan, WriteContext } from '../../src/keyring/plan.js';
import type { Ring } from '../../src/keyring/ring.js';
import * as rotate from '../../src/keyring/rotate-ring.js';
import { unsealed } from '../../src/keyring/sealing.js';
import type { WantedState } from '../../src/stores/store.js';

/** What a store of a plain keyring shows. */
export type PlainContents = Pick<Contents, 'nowMs' | 'key' | 'ring'>;

export function advance(contents: PlainContents, context: Context): Plan | null {
  return decide(seenIn(plainContents(contents), context.history), context);
}

export function planRevocation(contents: PlainContents, context: Context, reason?: string | null): Plan {
  return begin.planRevocation(seenIn(plainContents(contents), context.history), context, reason);
}

export function planRotation(
  contents: PlainContents,
  ring: Ring,
  context: WriteContext,
  options: Parameters<typeof rotate.planRotation>[3],
): Plan | number {
  return rotate.planRotation(seenIn(plainContents(contents), EMPTY_HISTORY), ring, context, options);
}

export function planTimes(
  contents: PlainContents,
  ring: Ring,
  context: WriteContext,
  reason?: string | null,
): Plan | number | null {
  return rotate.planTimes(seenIn(plainContents(contents), EMPTY_HISTORY), ring, context, reason);
}

/** The texts that a plan writes, in plain form. */
export const wantedOf = (plan: Plan): WantedState => unsealed().contentsFor(plan, 'plain');
