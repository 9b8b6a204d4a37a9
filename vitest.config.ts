import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { isQuick, replacesModules, testFiles } from './test/support/quick.js';

/**
 * Those that take longest: begun last, one of them would go on alone. Of neighbours, one keeps a
 * processor busy and one waits for servers.
 */
const longest = [
  'sim/sim',
  'stores/redis/rights',
  'processes/one-winner',
  'stores/redis/deadline',
  'stores/redis/port',
  'cli/link',
  'stores/redis/no-error-listener',
  'package/package',
  'stores/redis/silent-clients',
  'processes/file-storm',
  'cli/change',
  'stores/redis/failover',
  'package/types',
  'processes/traffic',
  'stores/redis/push',
  'faults/faults',
  'interop/operator',
  'stores/files/interleavings',
  'stores/files/file-store',
  'processes/rotations',
  'stores/redis/faults',
  'stores/redis/read-only-failover',
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
    // Most of them wait for servers: six at a time keep two cores busy.
    maxWorkers: 6,
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
