/** Waits until replicas and members have a keyring that was just written, and says who does not. */

import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '../deadline.js';
import { StoreError } from '../errors.js';
import { hasChange, hasRevocation, type Ring } from '../keyring/ring.js';
import { asStoreError } from '../redis/failure.js';
import { type Fleet, fleetInWords, fleetOf, laggards, mayAccept, names } from './fleet.js';
import { examine } from './found.js';
import { orRefusal, type Session } from './session.js';
import { spanOf } from './words.js';

const POLL_MS = 250;
/**
 * Members announce a change within two seconds. Of one that does not, a copy with the default maxStaleness has
 * ended by then.
 */
const MEMBERS_MS = 80_000;
/** For the answer of a server that has waited for as long as it may. */
const GRACE_MS = 1_000;

/** 'lost': there is no such revocation any more. */
type Seen = Fleet | 'lost' | null | StoreError;

export interface Waited<T> {
  readonly found: T;
  /** Null: confirmed. Else what could not be confirmed, why, and what to do. */
  readonly missing: string | null;
}

/**
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
  // First, because the count may take all the time that is left.
  const connected = await orRefusal(session.replicas());
  const found = await countReplicas(session, wanted, written);
  if (found instanceof StoreError) return { found: null, missing: `The replicas are unknown: ${found.message}` };
  if (isEnough(found)) return { found, missing: null };
  return { found, missing: replicasInWords(wanted, found, connected) };
}

/** @param connected when the wait began */
export function replicasInWords(wanted: number, found: number | null, connected: unknown): string {
  return connected === 0 && !found
    ? 'No replica is connected, so there is no second copy of the revocation, and one that was cut off could take over without it. If there are no replicas, leave --replicas out.'
    : `Acknowledged by ${found ?? 'an unknown number'} of ${wanted} replicas. A failover could undo the revocation: once all replicas are connected, revoke once more.`;
}

async function countReplicas(
  { openStore, place, limit }: Session,
  replicas: number,
  written: Ring,
): Promise<number | null | StoreError> {
  const timeoutMs = limit.leftMs();
  const waitMs = timeoutMs - Math.min(GRACE_MS, timeoutMs / 2);
  try {
    const wrote = (ring: string): boolean => hasChange(ring, written);
    const counted = openStore().acknowledged?.(place.namespace, { replicas, waitMs, timeoutMs, hasChange: wrote });
    return await within(timeoutMs, Promise.resolve(counted ?? null), () => new Error('ETIMEDOUT'));
  } catch (error) {
    return asStoreError(error);
  }
}

/**
 * Waits from the moment of the revocation on. Null for the fleet: no member is announced, or announcements
 * cannot be read.
 *
 * @param written the ring with the revocation: the members of one that lacks it confirm nothing
 */
export async function waitForFleet(
  session: Session,
  written: Ring,
  say: (words: string) => void,
): Promise<Waited<Fleet | null>> {
  const begunAtMs = performance.now();
  const giveUpMs = begunAtMs + session.limit.leftMs(MEMBERS_MS);
  let said: string | null = null;
  let last: Fleet | null = null;
  for (;;) {
    const answer: Seen = await orRefusal(fleetIn(session, written));
    // The time that is left may be too short for an answer, which is no fault of the store.
    const isCut = answer instanceof StoreError && session.limit.leftMs() <= 1;
    const found: Seen = isCut && last !== null ? last : answer;
    const isDenied = found instanceof StoreError && found.code === 'ERR_REWT_STORE_DENIED';
    const missing = missingIn(found, performance.now() - begunAtMs);
    const fleet: Fleet | null = found instanceof StoreError || found === 'lost' ? null : found;
    if (fleet !== null) {
      last = fleet;
      // Without the seconds of those that are silent, which are others each time.
      const laggard = names(laggards(fleet));
      if (laggard !== said) say(`${fleetInWords(fleet, 'the new keyring')}.`);
      said = laggard;
    }
    const isOver = missing === null || found === null || found === 'lost' || isDenied;
    if (isOver || performance.now() + POLL_MS >= giveUpMs) return { found: fleet, missing };
    await sleep(POLL_MS);
  }
}

async function fleetIn(session: Session, written: Ring): Promise<Fleet | 'lost' | null> {
  // By the reader's own connection, which no WAIT holds up.
  const { ring, keyring } = examine(await session.read());
  if (keyring === null || lacks(ring, written)) return 'lost';
  return fleetOf(keyring, await session.announcements(), true);
}

/** A lineage that began after the revocation has nothing of before either; an older one was brought back. */
function lacks(ring: Ring | null, written: Ring): boolean {
  if (ring === null) return true;
  return ring.id === written.id ? !hasRevocation(ring, written) : ring.next.since < written.next.since;
}

/** Looks once more: a failover may have come during the wait for replicas. */
export async function isLost(session: Session, written: Ring): Promise<boolean> {
  const entries = await orRefusal(session.read());
  if (entries instanceof StoreError) return false;
  return lacks(examine(entries).ring, written);
}

export const CONFIRMED =
  'Confirmed by all that are announced, or their maxStaleness is over. Members without a memberName, or refused for an hour, are not counted.';
export const LOST = 'The store has lost this revocation, as by a failover: revoke again.';
const STANDS = 'A member that does not read it refuses the old tokens once its copy is maxStaleness old.';

function missingIn(found: Seen, sinceMs: number): string | null {
  if (found === 'lost') return LOST;
  if (found instanceof StoreError) return `The members are unknown: ${found.message} ${STANDS}`;
  if (found === null) return `No member is announced, so none can confirm: members need a memberName. ${STANDS}`;
  const behind = laggards(found).filter((member) => mayAccept(member, sinceMs));
  if (behind.length === 0 && found.members.length === found.size) return null;
  const seen = names(behind, ({ heardSecondsAgo }) => ` (last seen ${spanOf(heardSecondsAgo * 1_000)} ago)`);
  const unread = found.size - found.members.length;
  const who = [seen, unread > 0 ? `${unread} that were not looked at` : ''].filter((text) => text !== '').join(', ');
  return `Not confirmed in time: ${who}. ${STANDS} See whether they run and reach the store, with rewt status; do not revoke again.`;
}
