/** The variables that choose the random cases: without them, every run is the same. */

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { seeded } from './keyring/seeded.js';
import { testFiles } from './support/quick.js';
import { readSeeds } from './support/seeds.js';

const fresh = () => 4_711;

it('without a seed the same cases are played each time', () => {
  const [one, another] = [readSeeds({}), readSeeds({ REWT_SEED: '' })];
  expect(one.seed).toBe(another.seed);
  expect(one.range(3)).toEqual([1, 2, 3]);
  expect(one.runs).toBe(1);
});

it('a seed is played alone', () => {
  const { seed, range } = readSeeds({ REWT_SEED: '-7' }, fresh);
  expect([seed, range(3)]).toEqual([-7, [-7]]);
});

it('a random seed is a fresh one each time, and as many from there on', () => {
  const { seed, range } = readSeeds({ REWT_SEED: 'random' }, fresh);
  expect([seed, range(3)]).toEqual([4_711, [4_711, 4_712, 4_713]]);
  expect(readSeeds({ REWT_SEED: 'random' }).seed).not.toBe(readSeeds({ REWT_SEED: 'random' }).seed);
});

it.each([{ REWT_SEED: 'x' }, { REWT_SEED: '1.5' }, { REWT_RUNS: '0' }, { REWT_RUNS: 'many' }])(
  '%j is refused',
  (env) => {
    expect(() => readSeeds(env)).toThrow(/^REWT_/);
  },
);

it('the parameters of fast-check follow them', () => {
  expect(seeded(100, readSeeds({}))).toMatchObject({ numRuns: 100, endOnFailure: false, seed: readSeeds({}).seed });
  expect(seeded(100, readSeeds({ REWT_RUNS: '0.2', REWT_SEED: '7' }))).toEqual({
    numRuns: 20,
    endOnFailure: true,
    seed: 7,
  });
  expect(seeded(100, readSeeds({ REWT_SEED: 'random' }, fresh))).toMatchObject({ seed: 4_711 });
});

it('no test leaves its random cases to luck', () => {
  const countIn = (text: string, call: string): number => text.split(call).length - 1;
  const found = testFiles.flatMap((path) => {
    const text = readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
    const [asserts, parameters] = [countIn(text, '.assert('), countIn(text, 'seeded(')];
    return text.includes("from 'fast-check'") && parameters < asserts ? [{ path, asserts, parameters }] : [];
  });
  expect(found).toEqual([]);
});
