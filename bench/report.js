/**
 * Puts a run into the documentation: its figures as JSON, one file for each major version of Node,
 * and from all of these the charts, the table of rewt's own figures, and that of their growth.
 */

import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { ensureRedisServer } from '../scripts/redis-server.js';
import { charts, drawn } from './charts.js';
import { growthTable } from './growth.js';
import { cellText, markdownTable, tableText } from './table.js';

const FOLDER = 'docs/benchmarks';
const PAGE = 'docs/benchmarks.md';
const BEGIN = '<!-- npm run bench -- --write writes from here on. -->';
const END = '<!-- It ends here. -->';

/** The figures of rewt alone: what is measured, and in which row of which table it is. */
const own = [
  ['sign', 'codec sign 149', 'rewt', 'µs p10 / median'],
  ['verify a token for the first time', 'codec verify 149', 'rewt', 'µs p10 / median'],
  ['verify a token that comes again', 'repeat 149 B', 'rewt', 'µs p10 / median'],
  ['refuse a bad signature', 'reject signature', 'rewt, code', 'µs p10 / median'],
  ['refuse an unknown `kid`', 'reject kid', 'rewt, code', 'µs p10 / median'],
  ['verify in a loaded server, `tokenCache: 0`', 'server', 'rewt, tokenCache: 0', 'µs p10 / median'],
  ['load the package', 'start', 'require rewt', 'ms p10 / median'],
];

/** Tables of benches that were not run this time stay as they were. */
export async function write(tables, seed) {
  const path = join(FOLDER, `${majorOf(process.versions)}.json`);
  await mkdir(FOLDER, { recursive: true });
  const before = await readFile(path, 'utf8').then(JSON.parse, () => ({ tables: [] }));
  const wasRun = (name) => tables.some(({ bench }) => bench === name);
  const all = [...before.tables.filter(({ bench }) => !wasRun(bench)), ...tables];
  const run = { node: process.versions.node, machine: machine(), redis: redisVersion(), seed, tables: all };
  await writeFile(path, JSON.stringify(run, fourDigits, 2));
  // As the linter will want to see it.
  execFileSync(process.execPath, ['node_modules/@biomejs/biome/bin/biome', 'format', '--write', FOLDER]);
  await writePage();
}

export async function writePage() {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.json'));
  const runs = await Promise.all(names.map(async (name) => JSON.parse(await readFile(join(FOLDER, name), 'utf8'))));
  runs.sort((a, b) => majorOf(a) - majorOf(b));
  const page = await readFile(PAGE, 'utf8');
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from === -1 || to < from)
    throw new Error(`${PAGE} has lost the lines between which its tables go: ${BEGIN} ${END}`);
  await writeFile(PAGE, `${page.slice(0, from + BEGIN.length)}\n\n${generated(runs)}\n${page.slice(to)}`);
  for (const [name, one] of Object.entries(charts)) await writeFile(join(FOLDER, `${name}.svg`), drawn(one, runs));
  console.log(`Written: ${PAGE} and ${FOLDER}/.`);
}

/** The runs, and rewt's own figures with a column for each version of Node. */
function generated(runs) {
  const machines = runs.map(({ node, machine, redis, seed }) => `* Node ${node}: ${machine}; ${redis}; seed ${seed}`);
  const cellOf = ({ tables }, [, id, name, column]) =>
    cellText(tables.find((table) => table.id === id)?.rows.find((row) => row.name === name)?.[column]);
  const unit = (row) => row[3].split(' ', 1);
  const lines = own.map((row) => [`${row[0]}, ${unit(row)}`, ...runs.map((run) => cellOf(run, row))]);
  const heading = ['', ...runs.map((run) => `Node ${majorOf(run)}`)];
  const grown = runs.findLast(({ tables }) => tables.some(({ bench }) => bench === 'scale'));
  const growth = grown ? `\nGrowth, on Node ${majorOf(grown)}:\n\n${growthTable(grown.tables)}\n` : '';
  const where = runs.flatMap(({ tables }) => tables.filter(({ id }) => id === 'http where')).at(-1);
  const route = where ? `\n${tableText(where)}` : '';
  return `${machines.join('\n')}\n\n${markdownTable([heading, ...lines])}\n${growth}${route}`;
}

const majorOf = ({ node }) => Number.parseInt(node, 10);

const machine = () => `${cpus().length} × ${cpus()[0]?.model.trim()}, ${process.platform} ${process.arch}`;

function redisVersion() {
  const told = execFileSync(ensureRedisServer(), ['--version'], { encoding: 'utf8' });
  return `Redis ${/v=([\d.]+)/.exec(told)?.[1] ?? 'of an unknown version'}`;
}

/** More would only make a difference between two runs look like one. */
const fourDigits = (_, value) =>
  typeof value === 'number' ? Number(value.toPrecision(Number.isInteger(value) ? 15 : 4)) : value;
