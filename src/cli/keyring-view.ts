/** The keyring as `rewt status` and `rewt watch` show it: bars where there is a screen, and a table. Pure. */

import type { KeyringStatus, Status } from '../status.js';
import type { Screen } from './screen.js';
import { formatTable, type Row } from './table.js';
import { drawTimeline } from './timeline.js';
import { foreignName, instantOf, spanOf, whenOf } from './words.js';

/** Of the keyring; whether it would be pushed to this command is nobody's question. */
export type KeyringFound = Omit<Status, 'push'>;

/** All of it, as lines. `more` are rows that only one of the commands has. */
export function viewKeyring(found: KeyringFound, screen: Screen | null, more: readonly Row[] = []): string {
  const { namespace, store, ageSeconds, storeTime, keyring } = found;
  const place: readonly Row[] = [
    ['namespace', namespace],
    ['store', store],
  ];
  if (keyring === null) {
    return formatTable([...place, ['keyring', 'none yet: the first sign begins it'], ...more], screen);
  }
  const nowMs = (storeTime ?? new Date()).getTime();
  const read: Row = ['read', `${Math.round((ageSeconds ?? 0) * 1_000)} ms ago`];
  const table = formatTable([...place, ...rowsOf(keyring, nowMs), ...more, read], screen);
  return screen === null ? table : [...drawTimeline(keyring, nowMs, screen), '', table].join('\n');
}

function rowsOf(keyring: KeyringStatus, nowMs: number): readonly Row[] {
  const { lineage, epoch, generation, ttl, overlap, signing, current, next, retired } = keyring;
  const verifiesUntil = new Date(current.expiresAt.getTime() + overlap * 1_000);
  return [
    ['signing', signing],
    ['rotates', `at the latest ${whenOf(current.expiresAt, nowMs)}`],
    ['current', `${current.kid}  verifies until ${whenOf(verifiesUntil, nowMs)}`],
    ['next', `${next.kid}  there since ${instantOf(next.since)}`],
    ...retired.map(
      ({ kid, verifiesUntil: until }): Row => ['retired', `${kid}  verifies until ${whenOf(until, nowMs)}`],
    ),
    ['ttl', `${spanOf(ttl * 1_000)}, and ${spanOf(overlap * 1_000)} more to verify`],
    ['epoch', `${epoch} (revocations)`],
    ['generation', `${generation} (writes) of lineage ${foreignName(lineage)}`],
  ];
}
