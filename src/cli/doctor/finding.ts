/** The findings of the doctor, and their format. Pure. */

import { printable } from '../../validation/printable.js';
import type { Screen } from '../output/screen.js';
import { wrap } from '../output/table.js';

export type Level = 'ok' | 'note' | 'warning' | 'problem';

export interface Finding {
  /** The name of the check. */
  readonly check: string;
  readonly level: Level;
  /** The result. Never a secret or a password. */
  readonly found: string;
  /** The remedy; absent if none is needed. */
  readonly remedy?: string;
}

/** Creates a finding. What a server or a file system reports is escaped in its texts. */
export function finding(check: string, level: Level, found: string, remedy?: string): Finding {
  const result = { check, level, found: printable(found) };
  return remedy === undefined ? result : { ...result, remedy: printable(remedy) };
}

export function countOf(findings: readonly Finding[], level: Level): number {
  return findings.filter((one) => one.level === level).length;
}

/** Counts the findings: '1 problem, 2 warnings', or that there is neither. */
export function summaryOf(findings: readonly Finding[]): string {
  const counts = (['problem', 'warning'] as const).flatMap((level) => {
    const count = countOf(findings, level);
    return count === 0 ? [] : [`${count} ${level}${count === 1 ? '' : 's'}`];
  });
  return counts.length === 0 ? 'Nothing is wrong.' : `${counts.join(', ')}.`;
}

const formats = { ok: 'green', note: 'cyan', warning: 'yellow', problem: 'red' } as const;

/**
 * Formats the heading, and one or two lines for each finding. Breaks them at spaces if the screen
 * is too narrow.
 */
export function formatFindings(heading: string, findings: readonly Finding[], screen: Screen | null): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const arrow = screen?.unicode ? '→' : '->';
  // Below the name if there is too little room beside it.
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
