import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { seeds } from '../support/seeds.js';
import { play } from './play.js';
import { scenarios } from './scenarios.js';

const SEEDS = 60;

/** The same each time: seeds that are red once in ten thousand are for `npm run sim`. */
function seedsFor(share: number): readonly number[] {
  return seeds.range(Math.max(1, Math.round((SEEDS * seeds.runs * share) / 100)));
}

const page = (name: string) => readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');
/** What the judge may excuse, as docs/testing.md lists it. */
const list = page('testing').split('The judge excuses')[1]?.split('It can fail:')[0] ?? '';
const listed = new Set(Array.from(list.matchAll(/`([^`]+)`/g), ([, name]) => name));
const isListed = (excuse: string) => listed.has(excuse) || listed.has(excuse.replace(', unheard of', ''));

it('what the judge excuses is what protocol.md says', () => {
  const oneLine = (text: string) => text.replace(/\s+/g, ' ');
  const quotes = Array.from(list.matchAll(/"([^"]+)"/g), ([, quote = '']) => oneLine(quote));
  expect(quotes.length).toBeGreaterThan(20);
  expect(quotes.filter((quote) => !oneLine(page('protocol')).includes(quote))).toEqual([]);
});

// Long, for a machine that has other things to do.
describe('members of a simulated fleet', { timeout: 300_000 }, () => {
  // A year takes long, and is played in plain text.
  it.each(scenarios.filter(({ share = 100 }) => share >= 1))('keep the promises: $name', async (scenario) => {
    for (const seed of seedsFor(scenario.share ?? 100)) {
      const { violations, counts } = await play(scenario, seed);
      const broken = violations.map(({ promise, atMs, text }) => `${(atMs / 1_000).toFixed(3)} s, ${promise}: ${text}`);
      expect(
        broken,
        `REWT_SEED=${seed}, or: node scripts/sim.js --scenario '${scenario.name}' --seed ${seed} --trace`,
      ).toEqual([]);
      expect(Object.keys(counts.excused).filter((excuse) => !isListed(excuse))).toEqual([]);
    }
  });

  it.each(scenarios.filter(({ share = 100 }) => share >= 10))(
    'do the same again for the same seed: $name',
    async (scenario) => {
      const [once, again]: [string[], string[]] = [[], []];
      await play(scenario, 4711, (line) => once.push(line));
      await play(scenario, 4711, (line) => again.push(line));
      expect(once.length).toBeGreaterThan(50);
      expect(again).toEqual(once);
    },
  );
});
