/** The table of docs/benchmarks.md on growth: what a cost is with more of what a deployment has. */

import { figure, markdownTable, ratioText } from './table.js';

const retired = { of: 'retired secrets', table: 'scale secrets', rows: ['1 retired', '8 retired', '30 retired'] };
const members = {
  of: 'members with push',
  table: 'fleet',
  rows: ['10 members, push', '100 members, push', '1,000 members, push'],
};

const lines = [
  { cost: 'sign, µs', column: 'sign, µs', ...retired },
  { cost: 'verify, newest secret, µs', column: 'verify, µs', ...retired },
  { cost: 'verify, oldest secret, µs', column: 'verify, oldest secret, µs', ...retired },
  {
    cost: 'verify a remembered token, µs',
    of: 'namespaces in a process, in turn',
    table: 'scale namespaces',
    rows: ['1', '100', '10,000'],
    column: 'µs p10 / median',
  },
  {
    cost: 'heap of a member, kB',
    of: 'namespaces in a process',
    table: 'scale namespaces',
    rows: ['100', '10,000'],
    column: 'heap each, kB',
  },
  {
    cost: 'heap of a remembered token, bytes',
    of: 'payload',
    table: 'scale remembered',
    rows: ['a flat payload of 149 B', '1,000 B with a list'],
    column: 'bytes each',
  },
  { cost: 'until the last member refuses, ms', column: 'last refusal p50', ...members },
  { cost: "server's CPU for a revocation, ms", column: 'server CPU each', ...members },
  { cost: "server's memory for a member, kB", column: 'kB per member', ...members },
  {
    cost: "server's CPU for a write of any key, µs",
    of: 'namespaces with push',
    table: 'scale pushed',
    rows: ['1', '100', '1,000'],
    column: 'server CPU per write, µs',
  },
];

/** Lacks the lines whose bench was not run. */
export function growthTable(tables) {
  const found = lines.flatMap(({ cost, of, table, rows, column }) => {
    const measured = tables.find(({ id }) => id === table)?.rows;
    if (measured === undefined) return [];
    const values = rows.map((name) => {
      const cell = measured.find((row) => row.name === name)[column];
      return cell.p10 ?? cell;
    });
    const counts = rows.map((name) => name.replace(/ (?:retired|members).*/, '')).join(' / ');
    return [[cost, `${counts} ${of}`, values.map(figure).join(' / '), ratioText(values.at(-1) / values[0])]];
  });
  return markdownTable([['cost', 'with', 'is', 'growth'], ...found]);
}
