/** What the members' announcements say, held against the keyring: who holds the next secret, who does not, and who has fallen silent. Pure. */

import { type HeldBy, lastAnnounced } from '../keyring/announcement.js';
import type { KeyringStatus } from '../status.js';
import type { Announcements } from '../stores/store.js';
import { foreignName, spanOf } from './words.js';

/** A member speaks every 30 to 33 s, if the store is there; one that was not heard for longer is late. */
const LATE_MS = 45_000;
/** What was said so soon after next was published may have been on its way before. */
const NEWS_TRAVELS_MS = 5_000;
/**
 * How long a member on the old side of a failover may renew its copy: min-replicas-max-lag, 10 s by default,
 * and a little more.
 */
const OLD_SIDE_MS = 15_000;
/** More names would hide the rest. */
const MOST_NAMED = 5;
/** orders-2 before orders-10. */
const byName = new Intl.Collator('en', { numeric: true });

/** 'holds next'; 'behind': announced since next was published that it holds another; 'not announced yet': announced itself before that, and will again within half a minute. */
export type MemberState = 'holds next' | 'behind' | 'not announced yet';

export interface MemberSeen {
  readonly name: string;
  readonly state: MemberState;
  /** Writes of the keyring that it has seen. */
  readonly generation: number;
  readonly heardSecondsAgo: number;
  /** How old its copy may become, in seconds; null: a member of an older version does not announce it. */
  readonly maxStaleness: number | null;
  /** It has missed an announcement: ended without `close()`, or cannot reach the store. */
  readonly silent: boolean;
}

export interface Fleet {
  /** How many have announced themselves; more than are listed, where there are more than 5000. */
  readonly size: number;
  readonly holdNext: number;
  readonly members: readonly MemberSeen[];
}

/**
 * Null if no member is announced, which says nothing about whether there is any.
 *
 * @param all counts those too that have been silent for so long that they are forgotten elsewhere
 */
export function fleetOf(keyring: KeyringStatus, announced: Announcements, all = false): Fleet | null {
  const { nowMs, count, kept } = announced;
  const newest = lastAnnounced(announced, all);
  if (newest.size === 0) return null;
  // While the store was away no member could announce itself. One that was used announces when that was over.
  const backAtMs = Math.max(...[...newest.values()].map(({ held, atMs }) => (held.back ? atMs : 0)));
  const members = [...newest.values()].map(({ held, atMs }): MemberSeen => {
    const heardMsAgo = Math.max(0, nowMs - atMs);
    return {
      name: foreignName(held.name, 64),
      state: stateOf(keyring, held, atMs),
      generation: held.generation,
      heardSecondsAgo: Math.round(heardMsAgo / 1_000),
      maxStaleness: held.maxStaleness === undefined ? null : held.maxStaleness / 1_000,
      silent: nowMs - Math.max(atMs, backAtMs) > LATE_MS,
    };
  });
  members.sort((a, b) => byName.compare(a.name, b.name) || a.heardSecondsAgo - b.heardSecondsAgo);
  return {
    size: newest.size + Math.max(0, count - kept.length),
    holdNext: members.filter(({ state }) => state === 'holds next').length,
    members,
  };
}

function stateOf(keyring: KeyringStatus, held: HeldBy, atMs: number): MemberState {
  const { lineage, epoch, generation, next } = keyring;
  if (held.lineage === lineage) {
    // A member may have read a later ring than this command did. One of another revocation is not later.
    const isSame = held.epoch === epoch && (held.revocation === undefined || held.revocation === keyring.revocation);
    const isAhead = held.epoch > epoch || (isSame && held.generation > generation);
    if (held.next === next.kid || isAhead) return 'holds next';
  }
  return atMs > next.since.getTime() + NEWS_TRAVELS_MS ? 'behind' : 'not announced yet';
}

/** One line: '12 of 12 members hold next'. */
export function fleetInWords({ size, holdNext, members }: Fleet, what = 'next'): string {
  const parts = [`${holdNext} of ${size} ${size === 1 ? 'member holds' : 'members hold'} ${what}`];
  const unheard = members.filter(({ state, silent }) => state === 'not announced yet' && !silent);
  if (unheard.length > 0) parts.push(`not announced yet: ${names(unheard)} (wait half a minute)`);
  const behind = members.filter(({ state }) => state === 'behind');
  if (behind.length > 0) parts.push(`behind: ${names(behind)}`);
  const silent = members.filter((member) => member.silent);
  if (silent.length > 0)
    parts.push(`silent: ${names(silent, ({ heardSecondsAgo }) => ` for ${spanOf(heardSecondsAgo * 1_000)}`)}`);
  if (members.length < size) parts.push(`${size - members.length} more not looked at`);
  return parts.join('; ');
}

/** Those that may not hold next, for a warning; empty where all do. */
export function laggards({ members }: Fleet): readonly MemberSeen[] {
  return members.filter(({ state }) => state !== 'holds next');
}

/**
 * Decides whether a member that has not announced a revocation may accept what it revoked, `sinceMs` after it
 * was written.
 */
export function mayAccept({ maxStaleness }: MemberSeen, sinceMs: number): boolean {
  return maxStaleness === null || sinceMs <= maxStaleness * 1_000 + OLD_SIDE_MS;
}

/** Some of them by name. */
export function names(members: readonly MemberSeen[], more: (member: MemberSeen) => string = () => ''): string {
  const named = members.slice(0, MOST_NAMED).map((member) => member.name + more(member));
  const rest = members.length - named.length;
  return named.join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
