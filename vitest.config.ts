import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** A minute or more each: begun last, one of them would go on alone. Those that keep both processors busy not at the same time. */
const longest = [
  'sim/sim',
  'redis/port',
  'processes/one-winner',
  'redis/deadline',
  'redis/failover',
  'stores/redis',
  'processes/file-storm',
  'stores/file-interleavings',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((name) => moduleId.endsWith(`test/${name}.test.ts`));
      return at === -1 ? longest.length : at;
    };
    // The order among the others stays.
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    sequence: { sequencer: LongestFirst },
    // Most of them wait for servers, so that two at a time are no burden on two cores.
    maxWorkers: 2,
    // Far above what any of them needs, and above the limit of `until`, which knows better what was waited for.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 90_000 } },
    coverage: {
      provider: 'v8',
      // The pure files: no I/O and no clock, so there is no excuse for a line or a branch that no test has run.
      include: ['src/jwt/**', 'src/keyring/{ring,advance,known,secret,copy}.ts', 'src/option-{names,values}.ts'],
      thresholds: { lines: 100, branches: 100, functions: 100, statements: 100 },
    },
  },
});
