/** One picture of `rewt status --watch`: bars, the keyring, members and events, as far as they fit on the screen. Pure. */

import type { KeyringStatus } from '../../status.js';
import type { PushStatus } from '../../stores/store.js';
import type { Fleet, MemberSeen } from '../fleet.js';
import { dueRows, fleetRows } from '../keyring-view.js';
import type { Look } from '../look.js';
import type { Screen } from '../screen.js';
import { formatTable, type Row, wrap } from '../table.js';
import { drawTimeline } from '../timeline.js';
import { foreignName, instantOf, spanOf, whenOf } from '../words.js';
import type { WatchEvent } from './events.js';

/** It is read once a second. */
const SILENT_MS = 1_250;
/** Place, store and who signs: no event takes their lines. */
const LEAST_ROWS = 6;

export interface Watched {
  /** The last one that succeeded. */
  readonly look: Look;
  readonly push: PushStatus;
  /** The newest last. */
  readonly events: readonly WatchEvent[];
  /** How long ago the store answered last. */
  readonly answeredMsAgo: number;
  /** The keyrings that there are, if this one is not. */
  readonly others: string;
}

/** Lines that fit: no more than the screen has rows, none longer than it has columns. */
export function frameOf(watched: Watched, screen: Screen): readonly string[] {
  const { look, push, answeredMsAgo, events, others } = watched;
  const { keyring, fleet, storeTime, server } = look;
  const nowMs = storeTime.getTime();
  const place = `${foreignName(look.namespace)} on ${foreignName(server, 60)}, ${instantOf(storeTime)}`;
  const head = [screen.paint('bold', cut(place, screen)), ''];
  const store =
    answeredMsAgo < SILENT_MS ? 'answers' : `last answer ${spanOf(answeredMsAgo)} ago; this is as it was then`;
  const pushRow: Row = ['push', push.state === 'on' ? 'on' : `${push.state}: ${push.reason ?? ''}`];
  // The most important ones first: where there is too little room, the last ones are cut.
  const rows: readonly Row[] = [
    ['store', store],
    ...dueRows(look),
    ...(keyring === null
      ? [['keyring', `none yet: the first sign begins it. ${others}`] as const]
      : signingRows(keyring, nowMs)),
    ...fleetRows(look),
    pushRow,
    ...(keyring === null ? [] : countRows(keyring)),
  ];
  const table = formatTable(rows, screen).split('\n');
  const bars = keyring === null ? [] : [...drawTimeline(keyring, nowMs, screen), ''];
  const eventTexts = events.toReversed().map((event) => wrap(lineOf(event), screen.columns - 2).join('\n  '));
  // The newest is worth more than the last rows of the table.
  const newest = eventTexts[0] === undefined ? 0 : 1 + eventTexts[0].split('\n').length;
  const kept = screen.rows - newest < LEAST_ROWS ? 0 : newest;
  const hasRoom = head.length + bars.length + table.length + kept <= screen.rows;
  const body = fitted([...head, ...(hasRoom ? bars : []), ...table], { ...screen, rows: screen.rows - kept });
  const room = screen.rows - body.length;
  // Events are worth more than members that are well; some of both if there is room.
  const happened = block(eventTexts, fleet === null ? room : Math.max(kept, Math.ceil(room / 2)));
  const seen = block(fleet === null ? [] : membersIn(fleet, screen), room - happened.length);
  return [...body, ...seen, ...happened];
}

export function lineOf({ time, event, words }: WatchEvent): string {
  return `${instantOf(time)} ${event}: ${words}`;
}

function signingRows({ signing, current }: KeyringStatus, nowMs: number): readonly Row[] {
  return [
    ['signing', signing],
    ['rotates', `at the latest ${whenOf(current.expiresAt, nowMs)}`],
  ];
}

function countRows({ epoch, generation }: KeyringStatus): readonly Row[] {
  return [
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

/** After an empty line; the first ones and how many more there are, if not all fit. An item may have several lines. */
function block(items: readonly string[], room: number): readonly string[] {
  const shown: string[] = [];
  for (const [index, item] of items.entries()) {
    const lines = item.split('\n');
    const isLast = index === items.length - 1;
    if (shown.length + lines.length + (isLast ? 1 : 2) > room) {
      if (room < 2) return [];
      // The first counts for more than how many there are.
      return index === 0 ? ['', ...lines.slice(0, room - 1)] : ['', ...shown, `and ${items.length - index} more`];
    }
    shown.push(...lines);
  }
  return shown.length === 0 ? [] : ['', ...shown];
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
