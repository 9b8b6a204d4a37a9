/** Names on the left, values on the right: what the command prints for people. */

export type Row = readonly [name: string, value: string];

export function formatTable(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}
