import { defineConfig } from 'vitest/config';

/**
 * The tests of the pure files alone: no server, no sleep, so that each mutant can be tried against
 * them (stryker.config.json).
 */
export default defineConfig({
  test: {
    include: [
      'test/{jwt,seal}/**/*.test.ts',
      'test/keyring/{secret,ring,advance,advance.property,begin-ring,rotate-ring,copy,changes,times,two-names}.test.ts',
      'test/keyring/{replace,exchange,answers,copy-state,deposed,diverged-masters}.test.ts',
      'test/keyring/{revocation-names,revoked-kids}.test.ts',
      'test/validation/*.test.ts',
      'test/options.test.ts',
      'test/{hostile,hostile-keys}.test.ts',
    ],
    // Fewer runs, because there are many mutants. The fixed seed whatever the caller's variable is:
    // a score that depends on luck says nothing.
    env: { REWT_SEED: '', REWT_RUNS: '0.2' },
    testTimeout: 30_000,
  },
});
