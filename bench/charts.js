/** The charts of docs/benchmarks.md: which rows of which tables each of them shows. */

import { chart } from './chart.js';

/** What others take or give, as a multiple of the row that they are compared with. */
const cell = (tables, id, name, column) =>
  tables.find((table) => table.id === id)?.rows.find((row) => row.name === name)?.[column] ?? null;

/** Reads each row's bars, of which rewt's own are the measure. */
const timesOf = (names, ids) => (tables) =>
  Object.entries(names).map(([name, shown]) => ({
    name: shown,
    bars: ids.map((id) => (name === 'rewt' ? { median: 1 } : cell(tables, id, name, 'ratio'))),
  }));

const once = {
  rewt: 'rewt',
  'createHmac and JSON by hand': 'createHmac and JSON by hand',
  'fast-jwt': 'fast-jwt',
  '@node-rs/jsonwebtoken': '@node-rs/jsonwebtoken',
  'jsonwebtoken, KeyObject': 'jsonwebtoken, KeyObject',
  'jsonwebtoken 8, string and callback (rewt 2.0)': 'jsonwebtoken 8 (rewt 2.0)',
  jose: 'jose',
  'jsonwebtoken, string': 'jsonwebtoken, string',
};

const again = {
  rewt: 'rewt',
  'fast-jwt, cache': 'fast-jwt, cache',
  'rewt, tokenCache: 0': 'rewt, tokenCache: 0',
  'fast-jwt': 'fast-jwt',
  'jsonwebtoken, KeyObject': 'jsonwebtoken, KeyObject',
};

const routes = [
  ['Express', 'rewt'],
  ['Express', 'express-jwt'],
  ['Fastify', 'rewt'],
  ['Fastify', '@fastify/jwt'],
  ['Fastify', '@fastify/jwt, cache'],
  ['Hono', 'rewt'],
  ['Hono', 'hono/jwt'],
];

export const charts = {
  codec: {
    bench: 'codec',
    title: "HS256, payload of 149 B: time as a multiple of rewt's",
    note: 'shorter is faster; median and quartiles',
    series: [{ label: 'verify a token for the first time' }, { label: 'sign' }],
    axis: { max: 6, step: 1 },
    rows: timesOf(once, ['codec verify 149', 'codec sign 149']),
  },
  repeat: {
    bench: 'repeat',
    title: "Verify 256 tokens over and over: time as a multiple of rewt's",
    note: 'shorter is faster; median and quartiles',
    series: [{ label: 'payload of 149 B' }, { label: '1,000 B with a list' }],
    axis: { max: 12, step: 2 },
    rows: timesOf(again, ['repeat 149 B', 'repeat 1,000 B with a list']),
  },
  routes: {
    bench: 'http',
    title: 'A protected route: throughput as a part of the unprotected one',
    note: 'longer is faster; median and quartiles',
    series: [{ label: 'tokens that come again' }, { label: 'tokens that never do' }],
    axis: { max: 1, step: 0.2 },
    rows: (tables) =>
      routes.map(([framework, name]) => ({
        name: `${framework}: ${name}`,
        bars: ['again', 'never'].map((kind) =>
          cell(tables, `http ${framework} ${kind}`, name, 'throughput, of nothing'),
        ),
      })),
  },
};

/** Draws one of them from the newest run that has its bench. */
export function drawn({ bench, rows, ...rest }, runs) {
  const run = runs.findLast(({ tables }) => tables.some((table) => table.bench === bench));
  const source = `Node ${run.node}, ${run.machine}. npm run bench -- ${bench}`;
  return chart({ ...rest, source, rows: rows(run.tables) });
}
