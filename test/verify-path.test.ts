/** The length of the path that a verification takes through src/ (`scripts/verify-path.js`). */

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('one verify of a new token runs at most 32 functions in 14 files', () => {
  const script = fileURLToPath(new URL('../scripts/verify-path.js', import.meta.url));
  const lines = execFileSync(process.execPath, [script], { encoding: 'utf8' }).trim().split('\n');
  expect(lines).toContainEqual(expect.stringMatching(/^verifier\.ts: .*\bverify, /));
  const [, files, functions] = /^(\d+) files, (\d+) functions$/.exec(lines.at(-1) ?? '') ?? [];
  expect(Number(files)).toBeLessThanOrEqual(14);
  expect(Number(functions)).toBeLessThanOrEqual(32);
});
