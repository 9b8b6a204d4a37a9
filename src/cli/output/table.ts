/** The tables that the command prints for people: names on the left, values on the right. */

import type { Screen } from './screen.js';

export type Row = readonly [name: string, value: string];

/** Formats a table. Breaks values at spaces if the screen is too narrow. */
export function formatTable(rows: readonly Row[], screen: Screen | null): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  const indent = ' '.repeat(width + 2);
  const room = screen === null ? Number.POSITIVE_INFINITY : Math.max(8, screen.columns - indent.length);
  const dim = (name: string): string => (screen === null ? name : screen.paint('dim', name));
  return rows.map(([name, value]) => `${dim(name.padEnd(width))}  ${wrap(value, room).join(`\n${indent}`)}`).join('\n');
}

/** Returns lines of at most `room` characters; a longer word is broken. */
export function wrap(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = '';
  // Two spaces separate the parts of a value: a break removes both. Text in brackets stays together
  // if it fits.
  for (const [, space = '', word = ''] of text.matchAll(/(\s*)(\([^)]{1,24}\)\S*|\S+)/g)) {
    if (line !== '' && line.length + space.length + word.length > room) {
      lines.push(line);
      line = word;
    } else line += line === '' ? word : space + word;
    for (; line.length > room; line = line.slice(room)) lines.push(line.slice(0, room));
  }
  return [...lines, line];
}

/** Formats columns, each as wide as its widest cell. Breaks lines if the screen is too narrow. */
export function formatColumns(rows: readonly (readonly string[])[], screen: Screen | null): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .flatMap((row) => {
      const line = row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd();
      return screen === null ? line : wrap(line, screen.columns);
    })
    .join('\n');
}
