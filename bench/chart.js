/**
 * Draws a chart of horizontal bars as SVG: a group of bars for each row, one bar for each series,
 * each with its median and quartiles.
 */

import { cellText, ratioText } from './table.js';

const WIDTH = 880;
const NAMES_END = 250;
const BARS_END = 790;
const TOP = 92;
const BAR = 17;
const COLORS = ['#1d4ed8', '#b45309'];

/**
 * A background keeps it readable on a light page and on a dark one.
 *
 * @param options.series each with a `label`.
 * @param options.rows each with a `name` and the ratios of its `bars`, null for what was not
 * measured.
 * @param options.axis `max` and `step`. A longer bar is cut and drawn with a torn edge: in full
 * length it would make all others too short to compare.
 */
export function chart({ title, note, source, series, rows, axis }) {
  const rowHeight = series.length * (BAR + 3) + 12;
  const bottom = TOP + rows.length * rowHeight;
  const toX = (ratio) => Math.round((NAMES_END + ((BARS_END - NAMES_END) * ratio) / axis.max) * 10) / 10;
  const parts = [
    text(24, 36, title, 'title'),
    ...legend(series, note),
    ...ticks(axis).flatMap((ratio) => tick(ratio, toX(ratio), bottom)),
    ...rows.flatMap(({ name, bars }, row) => [
      text(NAMES_END - 12, TOP + row * rowHeight + rowHeight / 2 + 3, name, 'name'),
      ...bars.flatMap((ratio, at) => bar(ratio, COLORS[at], TOP + row * rowHeight + 4 + at * (BAR + 3), toX, axis.max)),
    ]),
    text(24, bottom + 52, source, 'small'),
  ];
  const height = bottom + 70;
  const size = `viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${escaped(title)}">
<style>
text { font: 14px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #111827 }
.title { font-size: 19px; font-weight: 600 }
.name, .last { text-anchor: end }
.small, .last { font-size: 12.5px; fill: #4b5563 }
.tick { font-size: 12.5px; fill: #4b5563; text-anchor: middle }
</style>
<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8" fill="#ffffff" stroke="#d1d5db"/>
${parts.join('\n')}
</svg>
`;
}

function bar(ratio, color, y, toX, max) {
  if (ratio === null) return [text(NAMES_END + 6, y + 13, 'not measured', 'small')];
  const isCut = ratio.median > max;
  const end = toX(Math.min(ratio.median, max));
  const edge = isCut ? `l6,${BAR / 4} l-12,${BAR / 2} l6,${BAR / 4}` : `v${BAR}`;
  const shape = `<path d="M${NAMES_END},${y} H${end} ${edge} H${NAMES_END} Z" fill="${color}"/>`;
  const value = isCut || ratio.low === undefined ? ratioText(ratio.median) : cellText(ratio);
  return [shape, text(end + 10, y + 13, value, 'small')];
}

function ticks({ max, step }) {
  return Array.from({ length: Math.round(max / step) + 1 }, (_, at) => at * step);
}

function tick(ratio, x, bottom) {
  const stroke = ratio === 1 ? '#6b7280' : '#e5e7eb';
  const line = `<line x1="${x}" y1="${TOP - 6}" x2="${x}" y2="${bottom}" stroke="${stroke}"/>`;
  const label = `×${Number(ratio.toFixed(2))}`;
  return ratio === 0 ? [line] : [line, text(x, bottom + 20, label, 'tick')];
}

function legend(series, note) {
  let x = 24;
  const entries = series.map(({ label }, at) => {
    const entry = `<rect x="${x}" y="53" width="12" height="12" fill="${COLORS[at]}"/>\n${text(x + 18, 64, label)}`;
    x += 40 + label.length * 8;
    return entry;
  });
  return [...entries, text(WIDTH - 24, 64, note, 'last')];
}

function text(x, y, content, kind) {
  return `<text x="${x}" y="${y}"${kind ? ` class="${kind}"` : ''}>${escaped(content)}</text>`;
}

const escaped = (content) => content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
