/**
 * One frame of `rewt status --watch`: bars, the keyring, members and events, as far as they fit on
 * the screen. Pure.
 */

import type { KeyringStatus } from '../../status.js';
import type { PushStatus } from '../../stores/store.js';
import type { Look } from '../lookup/look.js';
import type { Fleet, MemberSeen } from '../output/fleet.js';
import { foreignName, instantOf, spanOf, whenOf } from '../output/format.js';
import { dueRows, fleetRows, sealRows } from '../output/keyring.js';
import type { Screen } from '../output/screen.js';
import { sealedInWords } from '../output/sealed.js';
import { formatTable, type Row, wrap } from '../output/table.js';
import { drawTimeline } from '../output/timeline.js';
import type { WatchEvent } from './events.js';

/** The keyring is read once a second. */
const SILENT_MS = 1_250;
/** The place, the store and the signing secret: no event takes their lines. */
const MIN_ROWS = 6;

export interface Watched {
  /** The last successful read. */
  readonly look: Look;
  readonly push: PushStatus;
  /** The newest last. */
  readonly events: readonly WatchEvent[];
  /** The time since the store's last reply. */
  readonly answeredMsAgo: number;
  /** The existing keyrings, if this one does not exist. */
  readonly others: string;
}

/**
 * Returns lines that fit: no more than the screen has rows, and none longer than it has columns.
 */
export function frameOf(watched: Watched, screen: Screen): readonly string[] {
  const { look, push, answeredMsAgo, events, others } = watched;
  const { keyring, sealed, fleet, storeTime, server } = look;
  const nowMs = storeTime.getTime();
  const place = `${foreignName(look.namespace)} on ${foreignName(server, 60)}, ${instantOf(storeTime)}`;
  const head = [screen.paint('bold', cut(place, screen)), ''];
  const store =
    answeredMsAgo < SILENT_MS ? 'answers' : `last answer ${spanOf(answeredMsAgo)} ago; this is as it was then`;
  const pushRow: Row = ['push', push.state === 'on' ? 'on' : `${push.state}: ${push.reason ?? ''}`];
  // The most important ones first: if there is too little room, the last ones are cut.
  const rows: readonly Row[] = [
    ['store', store],
    ...dueRows(look),
    ...(keyring === null
      ? [
          [
            'keyring',
            sealed === null ? `none yet: the first sign begins it. ${others}` : sealedInWords(sealed),
          ] as const,
        ]
      : signingRows(keyring, nowMs)),
    ...fleetRows(look),
    ...sealRows(look),
    pushRow,
    ...(keyring === null ? [] : countRows(keyring)),
  ];
  const table = formatTable(rows, screen).split('\n');
  const bars = keyring === null ? [] : [...drawTimeline(keyring, nowMs, screen), ''];
  const eventTexts = events.toReversed().map((event) => wrap(lineOf(event), screen.columns - 2).join('\n  '));
  // The newest event is more important than the last rows of the table.
  const newest = eventTexts[0] === undefined ? 0 : 1 + eventTexts[0].split('\n').length;
  const kept = screen.rows - newest < MIN_ROWS ? 0 : newest;
  const hasRoom = head.length + bars.length + table.length + kept <= screen.rows;
  const body = fitted([...head, ...(hasRoom ? bars : []), ...table], { ...screen, rows: screen.rows - kept });
  const room = screen.rows - body.length;
  // Events are more important than healthy members; both are shown if there is room.
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

/** Returns as many lines as there are rows; the last one counts the omitted ones. */
function fitted(lines: readonly string[], screen: Screen): readonly string[] {
  if (lines.length <= screen.rows) return lines;
  const shown = lines.slice(0, Math.max(0, screen.rows - 1));
  return [...shown, cut(`(${lines.length - shown.length} more lines: the window is too small)`, screen)];
}

/**
 * Returns an empty line and the first items. If not all fit, adds how many are omitted. An item may
 * have several lines.
 */
function block(items: readonly string[], room: number): readonly string[] {
  const shown: string[] = [];
  for (const [index, item] of items.entries()) {
    const lines = item.split('\n');
    const isLast = index === items.length - 1;
    if (shown.length + lines.length + (isLast ? 1 : 2) > room) {
      if (room < 2) return [];
      // The first item is more important than the count.
      return index === 0 ? ['', ...lines.slice(0, room - 1)] : ['', ...shown, `and ${items.length - index} more`];
    }
    shown.push(...lines);
  }
  return shown.length === 0 ? [] : ['', ...shown];
}

/** Lists the members, those in trouble first. */
function membersIn({ members }: Fleet, screen: Screen): readonly string[] {
  const trouble = ({ state, silent }: MemberSeen): number => (state === 'behind' ? 2 : 0) + (silent ? 1 : 0);
  const sorted = members.toSorted((a, b) => trouble(b) - trouble(a));
  const width = Math.min(24, Math.max(...sorted.map(({ name }) => name.length)));
  return sorted.map((member) => {
    const { name, state, generation, announcedSecondsAgo, silent } = member;
    const line =
      `${name.padEnd(width)}  ${state}  generation ${generation}  announced ` +
      `${spanOf(announcedSecondsAgo * 1_000)} ago`;
    const format = state === 'behind' || silent ? 'yellow' : 'reset';
    return screen.paint(format, cut(line, screen));
  });
}

function cut(line: string, { columns, unicode }: Screen): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}${unicode ? '\u2026' : '~'}`;
}
