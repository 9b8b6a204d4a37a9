/** One picture of `rewt status --watch`: bars, the keyring, members and events, as far as they fit on the screen. Pure. */

import type { PushStatus } from '../../stores/store.js';
import type { Fleet, MemberSeen } from '../fleet.js';
import { lookRows } from '../keyring-view.js';
import type { Look } from '../look.js';
import type { Screen } from '../screen.js';
import { formatTable, type Row } from '../table.js';
import { drawTimeline } from '../timeline.js';
import { foreignName, instantOf, spanOf, whenOf } from '../words.js';
import type { WatchEvent } from './events.js';

export interface Watched {
  /** The last one that succeeded. */
  readonly look: Look;
  readonly push: PushStatus;
  /** The newest last. */
  readonly events: readonly WatchEvent[];
  /** Since when the store has not answered; null: it does. */
  readonly awaySince: Date | null;
}

/** Lines that fit: no more than the screen has rows, none longer than it has columns. */
export function frameOf(watched: Watched, screen: Screen): readonly string[] {
  const { look, push, awaySince, events } = watched;
  const { keyring, fleet, storeTime, server } = look;
  const nowMs = storeTime.getTime();
  const place = `${foreignName(look.namespace)} on ${foreignName(server, 60)}, ${instantOf(storeTime)}`;
  const head = [screen.paint('bold', cut(place, screen)), ''];
  const store =
    awaySince === null ? 'answers' : `away for ${spanOf(Date.now() - awaySince.getTime())}; this is as it was`;
  const rows: Row[] = [
    ...(keyring === null ? [['keyring', 'none yet: the first sign begins it'] as const] : keyringRows(keyring, nowMs)),
    ['store', store],
    ['push', push.state === 'on' ? 'on' : `${push.state}: ${push.reason ?? ''}`],
    ...lookRows(look),
  ];
  const bars = keyring === null ? [] : [...drawTimeline(keyring, nowMs, screen), ''];
  const body = fitted([...head, ...bars, ...formatTable(rows, screen).split('\n')], screen);
  const room = screen.rows - body.length;
  // Events are worth more than members that are well; some of both if there is room.
  const happened = block(
    events.toReversed().map((event) => cut(lineOf(event), screen)),
    fleet === null ? room : Math.ceil(room / 2),
  );
  const seen = block(fleet === null ? [] : membersIn(fleet, screen), room - happened.length);
  return [...body, ...seen, ...happened];
}

export function lineOf({ time, event, words }: WatchEvent): string {
  return `${instantOf(time)} ${event}: ${words}`;
}

function keyringRows(
  { signing, current, epoch, generation }: NonNullable<Look['keyring']>,
  nowMs: number,
): readonly Row[] {
  return [
    ['signing', signing],
    ['rotates', `at the latest ${whenOf(current.expiresAt, nowMs)}`],
    ['epoch', `${epoch} (revocations)`],
    ['generation', `${generation} (writes)`],
  ];
}

/** As many lines as there are rows; the last one then says how many are missing. */
function fitted(lines: readonly string[], screen: Screen): readonly string[] {
  if (lines.length <= screen.rows) return lines;
  const shown = lines.slice(0, Math.max(0, screen.rows - 1));
  return [...shown, cut(`(${lines.length - shown.length} more lines: the window is too small)`, screen)];
}

/** After an empty line; the first ones and how many more there are, if not all fit. */
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

function cut(line: string, { columns, unicode }: Screen): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}${unicode ? '\u2026' : '~'}`;
}
