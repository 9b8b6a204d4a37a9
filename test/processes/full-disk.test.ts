/**
 * A disk that fills up: a typed error, the keyring as it was, and all is well once there is room
 * again (docs/guarantees.md, promise 5).
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compiledFolder } from './members.js';
import { unshared } from './namespaces.js';

const script = fileURLToPath(new URL('full-disk.js', import.meta.url));

describe.runIf(process.platform === 'linux')('a small disk', () => {
  it.for([
    ['bytes', 'write'],
    ['names', 'open'],
    ['all names but one', 'link'],
  ] as const)('without room for %s fails to %s: ERR_REWT_STORE_FULL, until there is some', ([what, syscall]) => {
    const mountPoint = mkdtempSync(join(tmpdir(), 'rewt-full-'));
    try {
      const [file = '', ...words] = [...unshared('-m'), process.execPath, script, compiledFolder(), mountPoint, what];
      const shown = JSON.parse(execFileSync(file, words, { encoding: 'utf8' }));
      const full = { code: 'ERR_REWT_STORE_FULL', syscall, message: expect.stringContaining(shown.path) };
      expect(shown.errors).toEqual([full, full]);
      expect(shown).toMatchObject({ left: shown.before, accepted: null, kept: shown.held });
      expect(shown.after).toMatchObject({ refused: { code: 'ERR_REWT_UNKNOWN_KEY' }, accepted: null, signing: true });
    } finally {
      rmSync(mountPoint, { recursive: true });
    }
  });
});
