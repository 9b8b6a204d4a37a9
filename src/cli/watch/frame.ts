/** One picture of `rewt watch`: bars, the keyring, members and what has happened, as far as they fit on the screen. Pure. */

import type { PushStatus } from '../../stores/store.js';
import { type Fleet, fleetInWords, type MemberSeen } from '../fleet.js';
import type { KeyringFound } from '../keyring-view.js';
import type { Screen } from '../screen.js';
import { formatTable, type Row } from '../table.js';
import { drawTimeline } from '../timeline.js';
import { foreignName, instantOf, spanOf, whenOf } from '../words.js';
import type { WatchEvent } from './events.js';

export interface Watched {
  readonly found: KeyringFound;
  readonly push: PushStatus;
  readonly fleet: Fleet | null;
  /** The newest last. */
  readonly events: readonly WatchEvent[];
  /** Since when the store has not answered; null: it does. */
  readonly awaySince: Date | null;
}

/** Lines that fit: no more than the screen has rows, none longer than it has columns. */
export function frameOf(watched: Watched, screen: Screen): readonly string[] {
  const { found, push, fleet, awaySince, events } = watched;
  const { keyring, storeTime } = found;
  const nowMs = (storeTime ?? new Date()).getTime();
  const title = cut(`${foreignName(found.namespace)} on ${found.store}, ${instantOf(new Date(nowMs))}`, screen);
  const head = [screen.paint('bold', title), ''];
  if (keyring === null) {
    const why = awaySince === null ? 'no keyring yet: the first sign begins it' : 'the keyring cannot be used';
    const happened = events.toReversed().map((event) => cut(lineOf(event), screen));
    return [...head, cut(why, screen), ...block(happened, screen.rows - head.length - 1)].slice(0, screen.rows);
  }
  const { signing, current, epoch, generation } = keyring;
  const rows: Row[] = [
    ['signing', signing],
    ['rotates', `at the latest ${whenOf(current.expiresAt, nowMs)}`],
    ['epoch', `${epoch} (revocations)`],
    ['generation', `${generation} (writes)`],
    [
      'store',
      awaySince === null ? 'answers' : `away for ${spanOf(Date.now() - awaySince.getTime())}; ${copyInWords(found)}`,
    ],
    ['push', push.state === 'on' ? 'on' : `${push.state}: ${push.reason ?? ''}`],
    ...(fleet === null ? [] : [['fleet', fleetInWords(fleet)] as const]),
  ];
  const body = [...head, ...drawTimeline(keyring, nowMs, screen), '', ...formatTable(rows, screen).split('\n')];
  const room = Math.max(0, screen.rows - body.length);
  // What has happened is worth more than who is well; some of both where there is room.
  const happened = block(
    events.toReversed().map((event) => cut(lineOf(event), screen)),
    fleet === null ? room : Math.ceil(room / 2),
  );
  const seen = block(fleet === null ? [] : membersIn(fleet, screen), room - happened.length);
  return [...body, ...seen, ...happened].slice(0, screen.rows);
}

export function lineOf({ time, event, words }: WatchEvent): string {
  return `${instantOf(time)} ${event}: ${words}`;
}

/** After an empty line; the first ones and how many more there are, where not all fit. */
function block(lines: readonly string[], room: number): readonly string[] {
  if (lines.length === 0 || room < 2) return [];
  const shown = lines.length <= room - 1 ? lines : [...lines.slice(0, room - 2), `and ${lines.length - room + 2} more`];
  return ['', ...shown];
}

/** Those in trouble first. */
function membersIn({ members }: Fleet, screen: Screen): readonly string[] {
  const trouble = ({ state, silent }: MemberSeen): number => (state === 'behind' ? 2 : 0) + (silent ? 1 : 0);
  const sorted = members.toSorted((a, b) => trouble(b) - trouble(a));
  const width = Math.min(24, Math.max(...sorted.map(({ name }) => name.length)));
  return sorted.map((member) => {
    const { name, state, generation, heardSecondsAgo, silent } = member;
    const line = `${name.padEnd(width)}  ${state}  generation ${generation}  heard ${spanOf(heardSecondsAgo * 1_000)} ago`;
    const format = state === 'behind' || silent ? 'yellow' : 'reset';
    return screen.paint(format, cut(line, screen));
  });
}

function copyInWords({ copy, ageSeconds }: KeyringFound): string {
  return copy === 'usable' ? `this copy is ${spanOf((ageSeconds ?? 0) * 1_000)} old` : 'this copy is too old to use';
}

function cut(line: string, { columns, unicode }: Screen): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}${unicode ? '…' : '~'}`;
}
