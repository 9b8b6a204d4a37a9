/** The charts of docs/benchmarks.md are drawn from the figures beside them. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { charts, drawn } from '../../bench/charts.js';

const folder = new URL('../../docs/benchmarks/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8');

it.each(Object.entries(charts))('%s.svg shows the newest figures', (name, one) => {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  const runs = files.sort().map((file) => JSON.parse(read(file)));
  expect(drawn(one, runs) === read(`${name}.svg`), 'npm run bench -- --write draws it').toBe(true);
});

it('what a bench takes from inside of the library is there', async () => {
  const bench = new URL('../../bench/', import.meta.url);
  const sources = readdirSync(bench).filter((file) => file.endsWith('.js'));
  const imports = sources.flatMap((file) =>
    Array.from(readFileSync(new URL(file, bench), 'utf8').matchAll(/\{ (.+) \} = await internal\('(.+)'\)/g)),
  );
  expect(imports.length).toBeGreaterThan(1);
  for (const [, names = '', file] of imports) {
    const inside = await import(new URL(`../../src/${file}.ts`, import.meta.url).href);
    for (const name of names.split(', ')) expect(inside, `${name} of ${file}`).toHaveProperty(name);
  }
});
