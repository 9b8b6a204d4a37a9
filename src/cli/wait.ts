/** Waits until every member with a name has announced that it holds the keyring that was just written. */

import { setTimeout as sleep } from 'node:timers/promises';
import { type Fleet, fleetInWords, fleetOf, laggards } from './fleet.js';
import { lookFirst } from './member.js';
import type { Session } from './session.js';

const POLL_MS = 250;

export interface Waited {
  /** Null if no member is announced. */
  readonly fleet: Fleet | null;
  readonly done: boolean;
}

/** @throws {StoreError} */
export async function waitForFleet(
  session: Session,
  timeoutMs: number,
  tell: (words: string) => void,
): Promise<Waited> {
  const giveUpMs = performance.now() + timeoutMs;
  let told = '';
  for (;;) {
    const { keyring } = await lookFirst(session);
    const fleet = keyring === null ? null : fleetOf(keyring, await session.announcements());
    const done = fleet !== null && fleet.holdNext === fleet.size && laggards(fleet).length === 0;
    const words = waitedInWords(fleet);
    if (words !== told) tell(words);
    told = words;
    if (done || fleet === null || performance.now() >= giveUpMs) return { fleet, done };
    await sleep(POLL_MS);
  }
}

function waitedInWords(fleet: Fleet | null): string {
  if (fleet === null) return 'No member is announced, so there is none to wait for: members need a memberName.';
  return `${fleetInWords(fleet)}.`;
}
