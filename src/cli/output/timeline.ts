/** The keyring as bars over time: the secret that signs, and the end of each secret. Pure. */

import type { KeyringStatus } from '../../status.js';
import { spanOf } from './format.js';
import type { Screen } from './screen.js';
import type { Format } from './terminal.js';

/** More would push the rest off the screen. */
const MAX_RETIRED = 6;
/** The minimum width for kids beside the bars; a narrower window shows them only in the table. */
const COLUMNS_FOR_KIDS = 60;
/** A longer bar is harder to read, not easier. */
const MAX_COLUMNS = 110;

type Part = 'signs' | 'verifies' | 'held';

const glyphs = {
  unicode: { signs: '━', verifies: '─', held: '┄', end: '┤', on: '►' },
  ascii: { signs: '=', verifies: '-', held: '.', end: '|', on: '>' },
} as const;

const colours: Readonly<Record<Part, Format>> = { signs: 'green', verifies: 'yellow', held: 'cyan' };

interface Bar {
  readonly role: string;
  readonly kid: string;
  /** From now on. Each part continues to its end, which for the last part of some is never. */
  readonly parts: readonly { readonly part: Part; readonly untilMs: number }[];
}

/**
 * Draws the lines for `screen`; `nowMs` is the store's clock. Not to scale: both a day and the
 * minutes at its end are visible.
 */
export function drawTimeline(keyring: KeyringStatus, nowMs: number, screen: Screen): readonly string[] {
  const columns = Math.min(screen.columns, MAX_COLUMNS);
  const withKids = columns >= COLUMNS_FOR_KIDS;
  const gutter = withKids ? 22 : 9;
  const width = Math.max(12, columns - gutter - 1);
  // Each end needs two columns.
  const { bars, hidden } = barsOf(keyring, nowMs, Math.min(MAX_RETIRED, Math.floor(width / 2) - 4));
  const columnOf = scale(bars, nowMs, width);
  const glyph = screen.unicode ? glyphs.unicode : glyphs.ascii;

  const drawn = bars.map(({ role, kid, parts }) => {
    let from = 0;
    const line = parts
      .map(({ part, untilMs }, index) => {
        const to = columnOf(untilMs);
        const isLast = index === parts.length - 1;
        const tip = isLast ? (untilMs === Number.POSITIVE_INFINITY ? glyph.on : glyph.end) : '';
        const body = glyph[part].repeat(Math.max(0, to - from - tip.length));
        from = to;
        return screen.paint(colours[part], body + tip);
      })
      .join('');
    return `${role.padEnd(9)}${withKids ? `${kid.padEnd(11)}  ` : ''}${line}`;
  });
  const legend = (['signs', 'verifies', 'held'] as const).map(
    (part) => `${screen.paint(colours[part], glyph[part])} ${part}`,
  );
  const more = hidden > 0 ? [`${' '.repeat(9)}and ${hidden} more that retired before`] : [];
  return [
    `${' '.repeat(gutter)}${screen.paint('dim', labels(keyring, nowMs, { columnOf, width }))}`,
    ...drawn,
    ...more,
    `${' '.repeat(gutter)}${legend.join('  ')}`,
  ];
}

function barsOf({ current, next, retired }: KeyringStatus, nowMs: number, mostRetired: number) {
  const endMs = instant(current.expiresAt);
  // Those that verify longest were retired last.
  const live = retired.filter(({ verifiesUntil }) => instant(verifiesUntil) > nowMs);
  const shown = live
    .toSorted((a, b) => instant(a.verifiesUntil) - instant(b.verifiesUntil))
    .slice(-mostRetired)
    .map(({ kid, verifiesUntil }): Bar => {
      return { role: 'retired', kid, parts: [{ part: 'verifies', untilMs: instant(verifiesUntil) }] };
    });
  const bars: readonly Bar[] = [
    ...shown,
    {
      role: 'current',
      kid: current.kid,
      parts: [
        { part: 'signs', untilMs: endMs },
        { part: 'verifies', untilMs: instant(current.verifiesUntil) },
      ],
    },
    {
      role: 'next',
      kid: next.kid,
      parts: [
        { part: 'held', untilMs: endMs },
        { part: 'signs', untilMs: Number.POSITIVE_INFINITY },
      ],
    },
  ];
  return { bars, hidden: live.length - shown.length };
}

/**
 * Maps an instant to its column. Each stretch between two marked instants gets room for its
 * logarithm, and at least two columns.
 */
function scale(bars: readonly Bar[], nowMs: number, width: number): (ms: number) => number {
  const ends = bars.flatMap(({ parts }) => parts.map(({ untilMs }) => untilMs));
  const instants = [...new Set([nowMs, ...ends])].filter((ms) => ms >= nowMs && ms < Number.POSITIVE_INFINITY);
  instants.sort((a, b) => a - b);
  const weights = instants.map((ms, index) => {
    const to = instants[index + 1];
    // The time after the last instant is open.
    return to === undefined ? 1.5 : 1 + Math.log10(1 + (to - ms) / 1_000);
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const spare = Math.max(0, width - 2 * instants.length);
  const columns = new Map<number, number>();
  let weighed = 0;
  for (const [index, ms] of instants.entries()) {
    columns.set(ms, 2 * index + Math.round((weighed / total) * spare));
    weighed += weights[index] ?? 0;
  }
  return (ms) => (ms <= nowMs ? 0 : (columns.get(ms) ?? width));
}

/** Draws the labels above the bars: now, the rotation, and others that fit. */
function labels(
  { current, retired }: KeyringStatus,
  nowMs: number,
  { columnOf, width }: { columnOf: (ms: number) => number; width: number },
) {
  const verifying = [current, ...retired].map(({ verifiesUntil }) => instant(verifiesUntil));
  const instants = [instant(current.expiresAt), ...verifying];
  const placed: { at: number; words: string }[] = [{ at: 0, words: 'now' }];
  for (const ms of instants) {
    const words = `+${spanOf(ms - nowMs)}`;
    const at = Math.min(columnOf(ms) - 1, width - words.length);
    const isFree = placed.every((other) => at > other.at + other.words.length || at + words.length < other.at);
    if (ms > nowMs && ms < Number.POSITIVE_INFINITY && at > 0 && isFree) placed.push({ at, words });
  }
  placed.sort((a, b) => a.at - b.at);
  return placed.reduce((line, { at, words }) => line.padEnd(at) + words, '');
}

/** Returns the time in milliseconds. An operator's EXPIRE can exceed the range of dates. */
function instant(date: Date): number {
  const ms = date.getTime();
  return Number.isNaN(ms) ? Number.POSITIVE_INFINITY : ms;
}
