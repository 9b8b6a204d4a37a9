/** docs/events.md has each metric of the code. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { counters, gauges, histograms } from '../../src/observe/metrics.js';

const page = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8');

/** The rows of the table that follows on a header. */
function rowsUnder(header: string): readonly string[] {
  const [, rows = ''] = page.split(`${header}\n`);
  return rows.slice(0, rows.indexOf('\n\n')).split('\n').slice(1);
}

it('docs/events.md has a row for each metric, with its kind, its unit and its description', () => {
  const kinds = { counter: counters, histogram: histograms, gauge: gauges };
  const rows = Object.entries(kinds).flatMap(([kind, table]) =>
    Object.entries(table).map(([name, { unit, description }]) => {
      const measured = unit === 's' ? `${kind}, seconds` : kind;
      return `| \`${name}\` | ${measured} | ${description.replace(/\.$/, '')} |`;
    }),
  );
  expect(rowsUnder('| metric | kind | value |')).toEqual(rows);
});
