/**
 * The wait until replicas and members have a keyring that was just written, and the report of those
 * that do not.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '../../async/race.js';
import { StoreError } from '../../errors.js';
import { defaultMaxStaleness, inMs } from '../../keyring/policy.js';
import { hasChange, hasRevocation, type Ring } from '../../keyring/ring.js';
import { asStoreError } from '../../stores/redis/errors.js';
import {
  type Fleet,
  fleetInWords,
  fleetOf,
  laggards,
  mayAccept,
  NEWS_TRAVELS_MS,
  names,
  OLD_SIDE_MS,
} from '../output/fleet.js';
import { spanOf } from '../output/format.js';
import { orRefusal, type Session } from '../session.js';
import { examine } from './found.js';

const POLL_MS = 250;
/**
 * A member that has announced nothing by then has no copy left, with the default maxStaleness.
 */
export const MEMBERS_MS = inMs(defaultMaxStaleness()) + OLD_SIDE_MS + NEWS_TRAVELS_MS;
/** For the reply of a server that has waited for its whole time. */
const GRACE_MS = 1_000;

/** 'lost': the revocation no longer exists. */
type Seen = Fleet | 'lost' | null | StoreError;

export interface Waited<T> {
  readonly found: T;
  /** Null: confirmed. Otherwise what could not be confirmed, why, and the remedy. */
  readonly missing: string | null;
}

/**
 * Waits for the replicas.
 * @param acknowledged how many replicas are known to have it
 * @param written the ring with the revocation
 */
export async function waitForReplicas(
  session: Session,
  wanted: number,
  acknowledged: number | null,
  written: Ring,
): Promise<Waited<number | null>> {
  const isEnough = (count: number | null): boolean => (count ?? 0) >= wanted;
  if (isEnough(acknowledged)) return { found: acknowledged, missing: null };
  // First, because the count may take all the remaining time.
  const connected = await orRefusal(session.replicas());
  const found = await countReplicas(session, wanted, written);
  if (found instanceof StoreError) return { found: null, missing: `The replicas are unknown: ${found.message}` };
  if (isEnough(found)) return { found, missing: null };
  return { found, missing: replicasInWords(wanted, found, connected) };
}

/**
 * Describes the result.
 * @param connected when the wait began
 */
export function replicasInWords(wanted: number, found: number | null, connected: unknown): string {
  return connected === 0 && !found
    ? 'No replica is connected, so there is no second copy of the revocation, and one that was cut off ' +
        'could take over without it. If there are no replicas, leave --replicas out.'
    : `Acknowledged by ${found ?? 'an unknown number'} of ${wanted} replicas. A failover could undo ` +
        'the revocation: once all replicas are connected, revoke once more.';
}

async function countReplicas(
  { openStore, place, limit, sealing }: Session,
  replicas: number,
  written: Ring,
): Promise<number | null | StoreError> {
  const timeoutMs = limit.leftMs();
  const waitMs = timeoutMs - Math.min(GRACE_MS, timeoutMs / 2);
  try {
    const wrote = (text: string): boolean => {
      const ring = sealing().ringIn(text);
      return ring !== null && hasChange(ring, written);
    };
    const counted = openStore().acknowledged?.(place.namespace, { replicas, waitMs, timeoutMs, hasChange: wrote });
    return await within(timeoutMs, Promise.resolve(counted ?? null), () => new Error('ETIMEDOUT'));
  } catch (error) {
    return asStoreError(error);
  }
}

/**
 * Waits for the members, measured from the revocation on. The fleet is null if no member is
 * announced, or announcements cannot be read.
 *
 * @param written the ring with the revocation: the members of a ring without it confirm nothing
 */
export async function waitForFleet(
  session: Session,
  written: Ring,
  report: (words: string) => void,
): Promise<Waited<Fleet | null>> {
  const begunAtMs = performance.now();
  const giveUpMs = begunAtMs + session.limit.leftMs(MEMBERS_MS);
  let reported: string | null = null;
  let last: Fleet | null = null;
  for (;;) {
    const answer: Seen = await orRefusal(fleetIn(session, written));
    // The remaining time may be too short for a reply, which is no fault of the store.
    const isCut = answer instanceof StoreError && session.limit.leftMs() <= 1;
    const found: Seen = isCut && last !== null ? last : answer;
    const isDenied = found instanceof StoreError && found.code === 'ERR_REWT_STORE_DENIED';
    const missing = missingIn(found, performance.now() - begunAtMs);
    const fleet: Fleet | null = found instanceof StoreError || found === 'lost' ? null : found;
    if (fleet !== null) {
      last = fleet;
      // Without the seconds of the silent members, which change each time.
      const laggard = names(laggards(fleet));
      if (laggard !== reported) report(`${fleetInWords(fleet, 'the new keyring')}.`);
      reported = laggard;
    }
    const isOver = missing === null || found === null || found === 'lost' || isDenied;
    if (isOver || performance.now() + POLL_MS >= giveUpMs) return { found: fleet, missing };
    await sleep(POLL_MS);
  }
}

async function fleetIn(session: Session, written: Ring): Promise<Fleet | 'lost' | null> {
  // On the reader's own connection, which no WAIT delays.
  const { ring, keyring } = examine(await session.read(), session.sealing());
  if (keyring === null || lacks(ring, written)) return 'lost';
  return fleetOf(keyring, await session.announcements(), true);
}

/**
 * Checks if a ring lacks the revocation. A lineage that began after the revocation contains no
 * earlier secret; an older one was restored. A rotation renews `next.since` and retires a secret,
 * so a ring with a retired secret may be an older one.
 */
function lacks(ring: Ring | null, written: Ring): boolean {
  if (ring === null) return true;
  if (ring.id === written.id) return !hasRevocation(ring, written);
  return ring.retired.length > 0 || ring.next.since < written.next.since;
}

/** Reads once more: a failover may have happened during the wait for replicas. */
export async function isLost(session: Session, written: Ring): Promise<boolean> {
  const entries = await orRefusal(session.read());
  if (entries instanceof StoreError) return false;
  return lacks(examine(entries, session.sealing()).ring, written);
}

export const CONFIRMED =
  'Confirmed by all that are announced, or their maxStaleness is over. Members without a ' +
  'memberName, or refused for an hour, are not counted.';
export const LOST = 'The store has lost this revocation, as by a failover: revoke again.';
const STANDS = 'A member that does not read it refuses the old tokens once its copy is maxStaleness old.';

function missingIn(found: Seen, sinceMs: number): string | null {
  if (found === 'lost') return LOST;
  if (found instanceof StoreError) return `The members are unknown: ${found.message} ${STANDS}`;
  if (found === null) return `No member is announced, so none can confirm: members need a memberName. ${STANDS}`;
  const behind = laggards(found).filter((member) => mayAccept(member, sinceMs));
  if (behind.length === 0 && found.members.length === found.size) return null;
  const seen = names(behind, ({ announcedSecondsAgo }) => ` (last seen ${spanOf(announcedSecondsAgo * 1_000)} ago)`);
  const unread = found.size - found.members.length;
  const who = [seen, unread > 0 ? `${unread} that were not looked at` : ''].filter((text) => text !== '').join(', ');
  return (
    `Not confirmed in time: ${who}. ${STANDS} Check with rewt status that they run and ` +
    'reach the store; do not revoke again.'
  );
}
