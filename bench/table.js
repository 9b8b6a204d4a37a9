/**
 * Prints a table of measurements: as Markdown that is aligned, so that a terminal and a document
 * show the same.
 */

/**
 * What a cell says: a ratio with its quartiles, a quiet machine's figure and this one's, or a
 * number.
 */
export function cellText(value) {
  if (value === undefined) return '';
  if (typeof value === 'number') return figure(value);
  if ('low' in value) return `${ratioText(value.median)} (${digits(value.low)}–${digits(value.high)})`;
  return `${digits(value.p10)} / ${digits(value.p50)}`;
}

export const ratioText = (ratio) => `×${digits(ratio)}`;

export const figure = (value) => (Number.isInteger(value) ? value.toLocaleString('en') : digits(value));

/** Three digits tell all that a shared machine can. */
function digits(value) {
  const size = Math.abs(value);
  if (size >= 99.95) return Math.round(value).toLocaleString('en');
  return value.toFixed(size >= 9.995 ? 1 : 2);
}

/**
 * `lines` of texts, the first one the heading; the first column to the left, the others to the
 * right.
 */
export function markdownTable(lines) {
  const widths = lines[0].map((_, at) => Math.max(3, ...lines.map((line) => line[at].length)));
  const row = (cells) =>
    `| ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at]))).join(' | ')} |`;
  const rule = widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [row(lines[0]), row(rule), ...lines.slice(1).map(row)].join('\n');
}

/** One run's table. */
export function tableText({ title, columns, rows }) {
  const lines = rows.map((row) => [row.name, ...columns.map((column) => cellText(row[column]))]);
  return `${title}\n\n${markdownTable([['', ...columns], ...lines])}\n`;
}
