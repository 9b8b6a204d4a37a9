/** The view of a keyring in `rewt status`: bars on a screen, and a table. Pure. */

import type { ChangeCause } from '../../keyring/changes.js';
import type { KeyringStatus } from '../../status.js';
import { type Place, serverInWords } from '../input/address.js';
import { planInWords } from '../lookup/found.js';
import type { Look } from '../lookup/look.js';
import { fleetInWords } from './fleet.js';
import { foreignName, instantOf, spanOf, whenOf } from './format.js';
import type { Screen } from './screen.js';
import { sealedInWords, sealInWords } from './sealed.js';
import { formatTable, type Row } from './table.js';
import { drawTimeline } from './timeline.js';

/**
 * Returns the whole view as lines. `others` lists the existing keyrings if this one does not exist.
 */
export function viewKeyring(look: Look, screen: Screen | null, others = ''): string {
  const { keyring, storeTime } = look;
  const nowMs = storeTime.getTime();
  const found = keyring === null ? keyRows(look, others) : rowsOf(keyring, nowMs);
  const rows = [...placeRows(look), ...dueRows(look), ...sealRows(look), ...found, ...fleetRows(look)];
  const table = formatTable(rows, screen);
  return screen === null || keyring === null ? table : [...drawTimeline(keyring, nowMs, screen), '', table].join('\n');
}

function placeRows(place: Place): readonly Row[] {
  return [
    ['namespace', foreignName(place.namespace)],
    ['store', place.store],
    ['server', foreignName(serverInWords(place), 300)],
  ];
}

function keyRows({ key, sealed, storeTime }: Look, others: string): readonly Row[] {
  const seal: readonly Row[] = sealed === null ? [] : [['keyring', sealedInWords(sealed)]];
  if (key === null) return sealed === null ? [['keyring', `none yet: the first sign begins it. ${others}`]] : seal;
  const end = key.expiresAt === null ? 'has no TTL' : `ends ${whenOf(key.expiresAt, storeTime.getTime())}`;
  const named = key.kid ?? 'too short to sign, or not text';
  if (sealed !== null) return [...seal, ['secret', `${key.marks ? `${named}, by its mark,` : 'no mark, and'} ${end}`]];
  return [
    ['keyring', key.marks ? 'none: the sealed ring is gone' : 'none yet: there is a secret, and no ring'],
    [key.marks ? 'mark' : 'secret', `${named}, ${end}`],
  ];
}

/** Returns the seal, and what a look with a seal key finds plain. */
export function sealRows({ keyring, note, storeTime }: Look): readonly Row[] {
  if (note !== null) return [['sealed', `no: ${note}`]];
  return keyring === null || keyring.sealed === null
    ? []
    : [['sealed', sealInWords(keyring.sealed, storeTime.getTime())]];
}

/** Returns the due plan. It comes first: until it is done, the rest may not apply to any member. */
export function dueRows({ due, key }: Look): readonly Row[] {
  return due === null ? [] : [['due', planInWords(due, key)]];
}

/** Returns the members that hold it, and what could not be read. */
export function fleetRows({ fleet, unknown }: Look): readonly Row[] {
  return [
    ...(fleet === null ? [] : [['fleet', fleetInWords(fleet)] as const]),
    ...unknown.map(({ of, message }) => [of, `unknown: ${message}`] as const),
  ];
}

function rowsOf(keyring: KeyringStatus, nowMs: number): readonly Row[] {
  const { lineage, epoch, generation, ttl, overlap, signing, current, next, retired, changes } = keyring;
  return [
    ['signing', signing],
    ['rotates', `at the latest ${whenOf(current.expiresAt, nowMs)}`],
    ['current', `${current.kid}  verifies until ${whenOf(current.verifiesUntil, nowMs)}`],
    ['next', `${next.kid}  there since ${instantOf(next.since)}`],
    ...retired.map(
      ({ kid, verifiesUntil: until }): Row => ['retired', `${kid}  verifies until ${whenOf(until, nowMs)}`],
    ),
    ...changes.map(({ at, cause, reason }): Row => ['changed', changeInWords(at, cause, reason)]),
    ['ttl', `${spanOf(ttl * 1_000)}, and ${spanOf(overlap * 1_000)} more to verify`],
    ['epoch', `${epoch} (revocations)`],
    ['generation', `${generation} (writes) of lineage ${foreignName(lineage)}`],
  ];
}

/** The meaning of a change that no operator made. */
const causesInWords: { readonly [Cause in ChangeCause]?: string } = {
  bootstrap: ' (the keyring was gone; a member began a new one)',
  rollback: ' (a member revoked again: the store had lost writes)',
  adopt: ' (the ring was gone; a member went on with the secret)',
  brake: ' (the secret was deleted or replaced by hand)',
};

function changeInWords(at: Date, cause: ChangeCause, reason: string | null): string {
  // A brake has a reason only if it was not made by hand.
  const words = cause === 'brake' && reason !== null ? '' : (causesInWords[cause] ?? '');
  return `${instantOf(at)}  ${cause}${words}${reason === null ? '' : `: ${foreignName(reason, 200)}`}`;
}
