/** What the doctor finds, and how it is shown. Pure. */

import type { Screen } from '../screen.js';
import { wrap } from '../table.js';

export type Level = 'ok' | 'note' | 'warning' | 'problem';

export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string;
  readonly level: Level;
  /** What is. Never a secret or a password. */
  readonly found: string;
  /** What to do about it; absent where there is nothing to do. */
  readonly remedy?: string;
}

export function finding(check: string, level: Level, found: string, remedy?: string): Finding {
  return remedy === undefined ? { check, level, found } : { check, level, found, remedy };
}

export function countOf(findings: readonly Finding[], level: Level): number {
  return findings.filter((one) => one.level === level).length;
}

/** '1 problem, 2 warnings', or that there is neither. */
export function summaryOf(findings: readonly Finding[]): string {
  const counts = (['problem', 'warning'] as const).flatMap((level) => {
    const count = countOf(findings, level);
    return count === 0 ? [] : [`${count} ${level}${count === 1 ? '' : 's'}`];
  });
  return counts.length === 0 ? 'Nothing is wrong.' : `${counts.join(', ')}.`;
}

const formats = { ok: 'green', note: 'cyan', warning: 'yellow', problem: 'red' } as const;

/** The heading, and one or two lines for each, broken at spaces where a screen is too narrow. */
export function formatFindings(heading: string, findings: readonly Finding[], screen: Screen | null): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const arrow = screen?.unicode ? '→' : '->';
  // Below a name where there is too little room beside it.
  const narrow = screen !== null && screen.columns < 60;
  const indent = narrow ? '  ' : ' '.repeat('problem'.length + width + 4);
  const room = screen === null ? Number.POSITIVE_INFINITY : Math.max(16, screen.columns - indent.length);
  const blocks = findings.flatMap(({ check, level, found, remedy }) => {
    const mark = screen === null ? level.padEnd(7) : screen.paint(formats[level], level.padEnd(7));
    const advice = remedy === undefined ? [] : wrap(remedy, room - arrow.length - 1);
    const marked = advice.map((line, index) => `${index === 0 ? arrow : ' '.repeat(arrow.length)} ${line}`);
    const [first = '', ...rest] = [...wrap(found, room), ...marked];
    const head = narrow ? [`${mark}  ${check}`, `${indent}${first}`] : [`${mark}  ${check.padEnd(width)}  ${first}`];
    return [...head, ...rest.map((line) => indent + line)];
  });
  return [...wrap(heading, screen?.columns ?? Number.POSITIVE_INFINITY), ...blocks].join('\n');
}
