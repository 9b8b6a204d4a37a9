import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Most of them wait for servers, so that two at a time are no burden on two cores.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: {
      provider: 'v8',
      // The pure files: no I/O and no clock, so there is no excuse for a line or a branch that no test has run.
      include: ['src/jwt/**', 'src/keyring/{ring,advance,secret,copy}.ts', 'src/option-{names,values}.ts'],
      thresholds: { lines: 100, branches: 100, functions: 100, statements: 100 },
    },
  },
});
