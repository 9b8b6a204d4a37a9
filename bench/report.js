/** Puts a run into the documentation: its figures as JSON, one file for each major version of Node, and from all of these the tables and the chart. */

import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { ensureRedisServer } from '../scripts/redis-server.js';
import { chart } from './chart.js';
import { cellText, markdownTable } from './table.js';

const FOLDER = 'docs/benchmarks';
const PAGE = 'docs/benchmarks.md';
const CHART = 'docs/benchmarks.svg';
const BEGIN = '<!-- From here on npm run bench -- --write writes. -->';
const END = '<!-- Here it ends. -->';

const headings = {
  codec: 'Sign and verify, in a loop',
  reject: 'Refuse',
  repeat: 'Tokens that come again',
  server: 'Verify in a server',
  http: 'In front of a route',
  redis: 'End to end, against the original',
  start: 'Start',
  embedded: 'The embedded store',
  tricks: 'What each trick buys',
};

/** Tables of benches that were not run this time stay as they were. */
export async function write(tables, seed) {
  const path = join(FOLDER, `${majorOf(process.versions)}.json`);
  await mkdir(FOLDER, { recursive: true });
  const before = await readFile(path, 'utf8').then(JSON.parse, () => ({ tables: [] }));
  const wasRun = (name) => tables.some(({ bench }) => bench === name);
  const all = Object.keys(headings).flatMap((name) =>
    (wasRun(name) ? tables : before.tables).filter(({ bench }) => bench === name),
  );
  const run = { node: process.versions.node, machine: machine(), redis: redisVersion(), seed, tables: all };
  await writeFile(path, JSON.stringify(run, fourDigits, 2));
  // As the linter will want to see it.
  execFileSync(process.execPath, ['node_modules/@biomejs/biome/bin/biome', 'format', '--write', FOLDER]);
  await writePage();
}

async function writePage() {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.json'));
  const runs = await Promise.all(names.map(async (name) => JSON.parse(await readFile(join(FOLDER, name), 'utf8'))));
  runs.sort((a, b) => majorOf(a) - majorOf(b));
  const page = await readFile(PAGE, 'utf8');
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from === -1 || to < from)
    throw new Error(`${PAGE} has lost the lines between which its tables go: ${BEGIN} ${END}`);
  await writeFile(PAGE, `${page.slice(0, from + BEGIN.length)}\n\n${generated(runs)}\n${page.slice(to)}`);
  await writeFile(CHART, chart(runs.at(-1)));
  console.log(`Written: ${PAGE}, ${CHART} and ${FOLDER}/.`);
}

function generated(runs) {
  const machines = runs.map(({ node, machine, redis, seed }) => `* Node ${node}: ${machine}; ${redis}; seed ${seed}`);
  const sections = Object.entries(headings).flatMap(([bench, heading]) => {
    const ids = new Set(runs.flatMap(({ tables }) => tables.filter((one) => one.bench === bench).map(({ id }) => id)));
    if (ids.size === 0) return [];
    return [`## ${heading}`, `\`npm run bench -- ${bench}\``, ...[...ids].map((id) => section(id, runs))];
  });
  return [machines.join('\n'), ...sections, ''].join('\n\n');
}

/** Versions of Node stand beside each other where a table has one figure, else below each other; where they all say the same, it is said once. */
function section(id, runs) {
  const versions = runs.flatMap(({ node, tables }) => {
    const table = tables.find((one) => one.id === id);
    return table ? [{ node: String(majorOf({ node })), table }] : [];
  });
  const [{ table }] = versions;
  const names = [...new Set(versions.flatMap((version) => version.table.rows.map(({ name }) => name)))];
  const columns = documented(table.columns);
  const [first] = table.rows;
  const ofTheFirst =
    columns.length === 1 && first.ratio === undefined ? ` (of ${first.name}: ${columns[0].heading})` : '';
  return `${table.title}${ofTheFirst}\n\n${markdownTable(linesOf(versions, names, columns))}`;
}

function linesOf(versions, names, columns) {
  const cells = ({ table }, name) => {
    const row = table.rows.find((one) => one.name === name) ?? {};
    return columns.map(({ text }) => text(row));
  };
  const areAlike = names.every((name) => new Set(versions.map((version) => cells(version, name).join('|'))).size === 1);
  const headings = columns.map(({ heading }) => heading);
  if (areAlike) return [['', ...headings], ...names.map((name) => [name, ...cells(versions[0], name)])];
  if (columns.length === 1) {
    const lines = names.map((name) => [name, ...versions.map((version) => cells(version, name)[0])]);
    return [['', ...versions.map(({ node }) => `Node ${node}`)], ...lines];
  }
  const lines = names.flatMap((name) =>
    versions.map((version, at) => [at === 0 ? name : '', version.node, ...cells(version, name)]),
  );
  return [['', 'Node', ...headings], ...lines];
}

/** A ratio and the figure right of it are one: the ratio where there is one, and for ours, which the others are compared with, the figure. */
function documented(columns) {
  const isRatio = (column) => column?.includes('ratio');
  return columns.flatMap((column, at) => {
    if (isRatio(column)) return [];
    const ratio = isRatio(columns[at - 1]) ? columns[at - 1] : column;
    return [{ heading: column, text: (row) => cellText(row[ratio] ?? row[column]) }];
  });
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
