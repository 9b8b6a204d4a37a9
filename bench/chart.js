/** Draws the documentation's chart from the figures of one run: how many times longer than ours everybody takes, to sign and to verify. */

import { cellText, ratioText } from './table.js';

const WIDTH = 880;
const NAMES_END = 250;
const BARS_END = 790;
const TOP = 92;
const ROW = 52;
const BAR = 17;
/** Bars that would be longer are cut, and look it: in full length they would leave all others too short to tell apart. */
const LONGEST = 6;

const verbs = [
  { verb: 'sign', color: '#b45309', at: 4, label: 'sign' },
  { verb: 'verify', color: '#1d4ed8', at: 4 + BAR + 3, label: 'verify a token for the first time' },
];

/** In the tables, and where that is too long for here. */
const names = {
  rewt: 'rewt',
  'createHmac and JSON by hand': 'createHmac and JSON by hand',
  'fast-jwt': 'fast-jwt',
  '@node-rs/jsonwebtoken': '@node-rs/jsonwebtoken',
  'jsonwebtoken, KeyObject': 'jsonwebtoken, KeyObject',
  'jsonwebtoken 8, string and callback (rewt 2.0)': 'jsonwebtoken 8 (rewt 2.0)',
  jose: 'jose',
  'jsonwebtoken, string': 'jsonwebtoken, string',
};

/** An SVG on a ground of its own, so that it reads the same on a light page and on a dark one. */
export function chart({ node, machine, tables }) {
  const bottom = TOP + Object.keys(names).length * ROW;
  const parts = [
    text(24, 36, "HS256, payload of 149 B: time as a multiple of rewt's", 'title'),
    ...legend(),
    ...axis(bottom),
    ...Object.entries(names).flatMap(([name, shown], row) => [
      text(NAMES_END - 12, TOP + row * ROW + ROW / 2 + 3, shown, 'name'),
      ...verbs.flatMap((one) => bar(one, TOP + row * ROW + one.at, ratioOf(tables, one.verb, name))),
    ]),
    text(24, bottom + 52, `Node ${node}, ${machine}. npm run bench -- codec`, 'small'),
  ];
  const height = bottom + 70;
  const label = 'Bars: how many times longer than rewt other libraries take to sign and to verify';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${label}">
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

/** Null where it was not measured; ours is what the others are measured by. */
function ratioOf(tables, verb, name) {
  if (name === 'rewt') return { median: 1 };
  const rows = tables.find(({ id }) => id === `codec ${verb} 149`)?.rows ?? [];
  return rows.find((row) => row.name === name)?.ratio ?? null;
}

function bar({ color }, y, ratio) {
  if (ratio === null) return [text(NAMES_END + 6, y + 13, 'not measured', 'small')];
  const end = toX(Math.min(ratio.median, LONGEST));
  const isCut = ratio.median > LONGEST;
  // A torn edge.
  const edge = isCut ? `l6,${BAR / 4} l-12,${BAR / 2} l6,${BAR / 4}` : `v${BAR}`;
  const shape = `<path d="M${NAMES_END},${y} H${end} ${edge} H${NAMES_END} Z" fill="${color}"/>`;
  const value = isCut || ratio.low === undefined ? ratioText(ratio.median) : cellText(ratio);
  return [shape, text(end + 10, y + 13, value, 'small')];
}

function axis(bottom) {
  return Array.from({ length: LONGEST + 1 }, (_, ratio) => {
    const x = toX(ratio);
    const line = `<line x1="${x}" y1="${TOP - 6}" x2="${x}" y2="${bottom}" stroke="${ratio === 1 ? '#6b7280' : '#e5e7eb'}"/>`;
    return ratio === 0 ? line : `${line}\n${text(x, bottom + 20, `×${ratio}`, 'tick')}`;
  });
}

function legend() {
  let x = 24;
  const entries = verbs.map(({ color, label }) => {
    const entry = `<rect x="${x}" y="53" width="12" height="12" fill="${color}"/>\n${text(x + 18, 64, label)}`;
    x += 40 + label.length * 8;
    return entry;
  });
  return [...entries, text(WIDTH - 24, 64, 'shorter is faster; median and quartiles', 'last')];
}

const toX = (ratio) => Math.round((NAMES_END + ((BARS_END - NAMES_END) * ratio) / LONGEST) * 10) / 10;

function text(x, y, content, kind) {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}"${kind ? ` class="${kind}"` : ''}>${escaped}</text>`;
}
