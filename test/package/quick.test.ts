/** The rule by which tests belong to `npm run test:quick`. */

import { expect, it } from 'vitest';
import { isQuick, testFiles } from '../support/quick.js';

const within = (folders: RegExp) => testFiles.filter((path) => folders.test(path));

it.each(within(/^test\/(?:jwt|validation)\//))('the test file %s is quick', (path) => {
  expect(isQuick(path)).toBe(true);
});

it.each(within(/^test\/(?:servers|processes|interop|stores\/files|examples)\//))(
  'the test file %s is not quick',
  (path) => {
    expect(isQuick(path)).toBe(false);
  },
);

it('a test that reaches a process only through a helper is not quick', () => {
  expect(isQuick('test/stores/redis/port.test.ts')).toBe(false);
  expect(isQuick('test/support/servers.ts')).toBe(false);
});
