/**
 * Draws docs/rotation.svg, the picture of the README: two rotations and a revocation.
 * `node scripts/picture.js` writes it.
 */

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const WIDTH = 880;
const HEIGHT = 292;
const LEFT = 24;
const RIGHT = 856;
const TOP = 78;
const ROW = 30;
const BAR = 20;

/** When what happens, in parts of the whole width. */
const ROTATIONS = [25, 50];
const REVOCATION = 74;

/** The states of each secret: from when to when. */
const secrets = [
  { signs: [0, 25], retired: [25, 38] },
  { known: [0, 25], signs: [25, 50], retired: [50, 63] },
  { known: [25, 50], signs: [50, REVOCATION] },
  { known: [50, REVOCATION] },
  { signs: [REVOCATION, 100] },
  { known: [REVOCATION, 100] },
];

const words = { known: 'known, signs later', signs: 'signs and verifies', retired: 'verifies' };

const x = (part) => Math.round(LEFT + ((RIGHT - LEFT) * part) / 100);
const y = (row) => TOP + ROW * row;

function bar(state, [from, to], row) {
  const [start, width] = [x(from), x(to) - x(from)];
  const kind = state === 'known' ? '' : ` class="on-${state}"`;
  return [
    `<rect class="${state}" x="${start + 1}" y="${y(row)}" width="${width - 2}"/>`,
    `<text${kind} x="${start + 8}" y="${y(row) + 14}">${words[state]}</text>`,
  ];
}

function event(part, label, kind) {
  return [
    `<line class="${kind}" x1="${x(part)}" y1="${TOP - 14}" x2="${x(part)}" y2="${y(secrets.length)}"/>`,
    `<text class="${kind}-label" x="${x(part)}" y="${TOP - 22}">${label}</text>`,
  ];
}

const NOTE = 'A retired secret verifies until the last token that it signed has ended.';
const LABEL = 'Secrets of a keyring over time: two rotations and a revocation';

export function picture() {
  const parts = [
    '<text class="title" x="24" y="28">One keyring over time: each bar is a secret</text>',
    ...ROTATIONS.flatMap((part) => event(part, 'rotation: no request lost', 'turn')),
    ...event(REVOCATION, 'revoke(): every secret goes', 'pull'),
    ...secrets.flatMap((states, row) => Object.entries(states).flatMap(([state, span]) => bar(state, span, row))),
    `<text class="small" x="${LEFT}" y="${HEIGHT - 14}">${NOTE}</text>`,
  ];
  const size = `viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${LABEL}">
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2937 }
.title { font-size: 16px; font-weight: 600 }
.small { fill: #4b5563 }
rect { height: ${BAR}px; rx: 3px }
.known { fill: none; stroke: #1d4ed8; stroke-dasharray: 4 3 }
.signs { fill: #1d4ed8 }
.retired { fill: #bfdbfe }
.on-signs { fill: #ffffff }
.on-retired { fill: #1e3a8a }
.turn { stroke: #6b7280; stroke-dasharray: 2 3 }
.pull { stroke: #b91c1c; stroke-width: 2 }
.turn-label, .pull-label { text-anchor: middle }
.pull-label { fill: #b91c1c; font-weight: 600 }
@media (prefers-color-scheme: dark) {
text { fill: #e5e7eb }
.small { fill: #9ca3af }
.known { stroke: #93c5fd }
.signs { fill: #3b82f6 }
.retired { fill: #1e3a8a }
.on-retired { fill: #dbeafe }
.turn { stroke: #9ca3af }
.pull { stroke: #f87171 }
.pull-label { fill: #f87171 }
}
</style>
${parts.join('\n')}
</svg>
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(fileURLToPath(new URL('../docs/rotation.svg', import.meta.url)), picture());
}
