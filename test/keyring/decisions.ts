/** The decisions for contents with texts, as a member makes them, and the texts that they write. */

import { advance as decide } from '../../src/keyring/advance.js';
import * as begin from '../../src/keyring/begin-ring.js';
import { type Contents, contentsFor, seenIn } from '../../src/keyring/contents.js';
import { EMPTY_HISTORY } from '../../src/keyring/history.js';
import type { Context, Plan, WriteContext } from '../../src/keyring/plan.js';
import type { Ring } from '../../src/keyring/ring.js';
import * as rotate from '../../src/keyring/rotate-ring.js';

export function advance(contents: Contents, context: Context): Plan | null {
  return decide(seenIn(contents, context.history), context);
}

export function planRevocation(contents: Contents, context: Context, reason?: string | null): Plan {
  return begin.planRevocation(seenIn(contents, context.history), context, reason);
}

export function planRotation(
  contents: Contents,
  ring: Ring,
  context: WriteContext,
  options: Parameters<typeof rotate.planRotation>[3],
): Plan | number {
  return rotate.planRotation(seenIn(contents, EMPTY_HISTORY), ring, context, options);
}

export function planTimes(
  contents: Contents,
  ring: Ring,
  context: WriteContext,
  reason?: string | null,
): Plan | number | null {
  return rotate.planTimes(seenIn(contents, EMPTY_HISTORY), ring, context, reason);
}

export const wantedOf = contentsFor;
