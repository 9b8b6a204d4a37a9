/**
 * The members' announcements, compared with the keyring: who holds the next secret, who does not,
 * and who is silent. Pure.
 */

import { HEARTBEAT_MS, type HeldBy, LATE_MS, lastAnnounced } from '../../keyring/announcement.js';
import type { KeyringStatus } from '../../status.js';
import type { Announcements } from '../../stores/store.js';
import { foreignName, spanOf } from './format.js';

/** An announcement this soon after next was published may have been sent before. */
export const NEWS_TRAVELS_MS = 5_000;
/**
 * The time for which a member on the old side of a failover may renew its copy:
 * min-replicas-max-lag, 10 s by default, and a margin.
 */
export const OLD_SIDE_MS = 15_000;
/** More names would hide the rest. */
const MAX_NAMED = 5;
/** orders-2 before orders-10. */
const byName = new Intl.Collator('en', { numeric: true });

/**
 * 'holds next'; 'behind': announced another since next was published; 'not announced yet': its last
 * announcement is older, and the next is due with its heartbeat.
 */
export type MemberState = 'holds next' | 'behind' | 'not announced yet';

export interface MemberSeen {
  readonly name: string;
  readonly state: MemberState;
  /** The generation of the keyring that it has read. */
  readonly generation: number;
  readonly announcedSecondsAgo: number;
  /**
   * The maximum age of its copy, in seconds; null: a member of an older version does not announce
   * it.
   */
  readonly maxStaleness: number | null;
  /** True if it has missed a heartbeat: it ended without `close()`, or cannot reach the store. */
  readonly silent: boolean;
}

export interface Fleet {
  /** The number of announced members. If there are more than 5000, not all are listed. */
  readonly size: number;
  readonly holdNext: number;
  readonly members: readonly MemberSeen[];
}

/**
 * Returns the fleet. Null if no member is announced, which does not mean that there is none.
 *
 * @param all also counts members that have been silent for so long that other reports omit them
 */
export function fleetOf(keyring: KeyringStatus, announced: Announcements, all = false): Fleet | null {
  const { nowMs, count, kept } = announced;
  const newest = lastAnnounced(announced, all);
  if (newest.size === 0) return null;
  // During an outage of the store, no member could announce itself. A member in use announces the
  // end of the outage.
  const backAtMs = Math.max(...[...newest.values()].map(({ held, atMs }) => (held.back ? atMs : 0)));
  const members = [...newest.values()].map(({ held, atMs }): MemberSeen => {
    const agoMs = Math.max(0, nowMs - atMs);
    return {
      name: foreignName(held.name, 64),
      state: stateOf(keyring, held, atMs),
      generation: held.generation,
      announcedSecondsAgo: Math.round(agoMs / 1_000),
      maxStaleness: held.maxStaleness === undefined ? null : held.maxStaleness / 1_000,
      silent: nowMs - Math.max(atMs, backAtMs) > LATE_MS,
    };
  });
  members.sort((a, b) => byName.compare(a.name, b.name) || a.announcedSecondsAgo - b.announcedSecondsAgo);
  return {
    size: newest.size + Math.max(0, count - kept.length),
    holdNext: members.filter(({ state }) => state === 'holds next').length,
    members,
  };
}

function stateOf(keyring: KeyringStatus, held: HeldBy, atMs: number): MemberState {
  const { lineage, epoch, generation, next } = keyring;
  if (held.lineage === lineage) {
    // A member may have read a later ring than this command did. One with another revocation is not
    // later.
    const isSame = held.epoch === epoch && (held.revocation === undefined || held.revocation === keyring.revocation);
    const isAhead = held.epoch > epoch || (isSame && held.generation > generation);
    if (held.next === next.kid || isAhead) return 'holds next';
  }
  return atMs > next.since.getTime() + NEWS_TRAVELS_MS ? 'behind' : 'not announced yet';
}

/** Returns one line: '12 of 12 members hold next'. */
export function fleetInWords({ size, holdNext, members }: Fleet, what = 'next'): string {
  const parts = [`${holdNext} of ${size} ${size === 1 ? 'member holds' : 'members hold'} ${what}`];
  const due = members.filter(({ state, silent }) => state === 'not announced yet' && !silent);
  if (due.length > 0) parts.push(`not announced yet: ${names(due)} (wait ${spanOf(HEARTBEAT_MS)})`);
  const behind = members.filter(({ state }) => state === 'behind');
  if (behind.length > 0) parts.push(`behind: ${names(behind)}`);
  const silent = members.filter((member) => member.silent);
  if (silent.length > 0)
    parts.push(`silent: ${names(silent, ({ announcedSecondsAgo }) => ` for ${spanOf(announcedSecondsAgo * 1_000)}`)}`);
  if (members.length < size) parts.push(`${size - members.length} more not looked at`);
  return parts.join('; ');
}

/** Returns the members that may not hold next, for a warning; empty if all do. */
export function laggards({ members }: Fleet): readonly MemberSeen[] {
  return members.filter(({ state }) => state !== 'holds next');
}

/**
 * Checks if a member that has not announced a revocation may still accept revoked secrets,
 * `sinceMs` after the write.
 */
export function mayAccept({ maxStaleness }: MemberSeen, sinceMs: number): boolean {
  return maxStaleness === null || sinceMs <= maxStaleness * 1_000 + OLD_SIDE_MS;
}

/** Lists some members by name. */
export function names(members: readonly MemberSeen[], more: (member: MemberSeen) => string = () => ''): string {
  const named = members.slice(0, MAX_NAMED).map((member) => member.name + more(member));
  const rest = members.length - named.length;
  return named.join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
