/**
 * The changes of a keyring between two reads, as objects for programs and as lines for people.
 * Pure.
 */

import { planInWords } from '../lookup/found.js';
import type { Look } from '../lookup/look.js';
import type { Fleet } from '../output/fleet.js';
import { instantOf } from '../output/format.js';
import { sealedInWords } from '../output/sealed.js';

export interface WatchEvent {
  readonly time: Date;
  readonly event: 'began' | 'rotated' | 'revoked' | 'due' | 'members' | 'push' | 'degraded' | 'recovered';
  readonly words: string;
  /** The fields for programs beside time and name. */
  readonly details: object;
}

type Happened = Omit<WatchEvent, 'time'>;

/** Returns the changes. `before` is null for the first read. */
export function changesBetween(before: Look | null, after: Look): readonly Happened[] {
  return [...keyringChanges(before, after), ...dueChanges(before, after), ...memberChanges(before, after)];
}

function keyringChanges(before: Look | null, { keyring, sealed }: Look): readonly Happened[] {
  const old = before?.keyring ?? null;
  if (keyring === null) {
    if (before !== null && old === null && before.sealed?.keyId === sealed?.keyId) return [];
    const words = sealed === null ? 'no keyring yet' : sealedInWords(sealed);
    return [{ event: 'began', words, details: sealed === null ? {} : { sealed } }];
  }
  const { signing: kid, epoch, revocation, generation, current, lineage } = keyring;
  if (old === null) {
    const words = `${kid} signs, and rotates at the latest ${instantOf(current.expiresAt)}`;
    return [{ event: 'began', words, details: { kid, epoch, generation, expiresAt: current.expiresAt } }];
  }
  if (old.lineage !== lineage || old.epoch !== epoch || old.revocation !== revocation) {
    const words = `every token of before is refused; ${kid} signs now, epoch ${epoch}`;
    return [{ event: 'revoked', words, details: { kid, epoch, generation } }];
  }
  if (old.signing === kid) return [];
  const words = `${kid} signs now, in place of ${old.signing}`;
  return [{ event: 'rotated', words, details: { kid, previousKid: old.signing, epoch, generation } }];
}

function dueChanges(before: Look | null, { due, key }: Look): readonly Happened[] {
  if (due === null || due === before?.due) return [];
  return [{ event: 'due', words: planInWords(due, key), details: { due } }];
}

function memberChanges(before: Look | null, { fleet }: Look): readonly Happened[] {
  const [was, is] = [before?.fleet ?? null, fleet].map((one) => (one === null ? '' : healthOf(one)));
  // Right after a rotation, no member has announced the new secret yet. Those announcements are the
  // news to report.
  const isAwaited = fleet?.members.some(({ state, silent }) => state === 'not announced yet' && !silent) ?? false;
  if (isAwaited || was === is) return [];
  return [{ event: 'members', words: is || 'none is announced any more', details: { fleet } }];
}

/** Returns the health, without values that change every second. */
function healthOf({ size, holdNext, members }: Fleet): string {
  const behind = members.filter(({ state }) => state === 'behind').map(({ name }) => name);
  const silent = members.filter((member) => member.silent).map(({ name }) => name);
  const some = (names: readonly string[]): string =>
    names.slice(0, 5).join(', ') + (names.length > 5 ? ' and more' : '');
  return [
    `${holdNext} of ${size} hold next`,
    ...(behind.length > 0 ? [`behind: ${some(behind)}`] : []),
    ...(silent.length > 0 ? [`silent: ${some(silent)}`] : []),
  ].join('; ');
}
