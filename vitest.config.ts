import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { isQuick, replacesModules, testFiles } from './test/support/quick.js';

/**
 * A minute or more each: begun last, one of them would go on alone. Those that keep both processors
 * busy not at the same time.
 */
const longest = [
  'sim/sim',
  'stores/redis/port',
  'processes/one-winner',
  'stores/redis/deadline',
  'stores/redis/failover',
  'stores/redis/redis-store',
  'processes/file-storm',
  'stores/files/interleavings',
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

const quick = testFiles.filter(isQuick);
/** They can share their modules, which would take most of the time to load. */
const sharing = quick.filter((path) => !replacesModules(path));

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'quick', isolate: false, include: sharing } },
      { extends: true, test: { name: 'quick-apart', include: quick.filter(replacesModules) } },
      { extends: true, test: { name: 'rest', include: testFiles.filter((path) => !quick.includes(path)) } },
    ],
    sequence: { sequencer: LongestFirst },
    // Most of them wait for servers: four at a time keep two cores busy.
    maxWorkers: 4,
    // Tests assert on warnings as events; printed, they would hide a failure.
    execArgv: ['--no-warnings'],
    // Far above what any of them needs, and above the limit of `until`, which knows better what was
    // waited for.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 90_000, interval: 10 } },
    coverage: {
      provider: 'v8',
      reporter: [['text', { skipFull: true }]],
      // The pure files: no I/O and no clock, so there is no excuse for a line or a branch that no
      // test has run.
      include: [
        'src/{jwt,seal}/**',
        'src/keyring/{ring,plan,contents,advance,begin-ring,rotate-ring,policy,history,secret,copy}.ts',
        'src/validation/{option-names,option-values,plain-object,printable}.ts',
      ],
      thresholds: { lines: 100, branches: 100, functions: 100, statements: 100 },
    },
  },
});
