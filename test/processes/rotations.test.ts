/** Nothing grows with the number of rotations. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { startRedis } from '../support/servers.js';
import { compiledFolder } from './members.js';

const script = fileURLToPath(new URL('rotations.js', import.meta.url));

/**
 * Forgotten for each rotation, as little as 100 bytes would make more than this; what comes and
 * goes is a tenth of it.
 */
const MAX_GROWTH_BYTES = 300_000;

it('5,000 rotations in one process leave heap, handles, connections and listeners as they were', async () => {
  const server = await startRedis();
  try {
    const args = ['--expose-gc', script, compiledFolder(), String(server.port), '5000', String(MAX_GROWTH_BYTES)];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 280_000, killSignal: 'SIGKILL' });
    const { before, after, generation } = JSON.parse(stdout);
    expect(generation).toBeGreaterThanOrEqual(5_000);
    const { heapBytes: heapBefore, ...heldBefore } = before;
    const { heapBytes: heapAfter, ...heldAfter } = after;
    expect(heldAfter).toEqual(heldBefore);
    expect(heapAfter - heapBefore).toBeLessThan(MAX_GROWTH_BYTES);
  } finally {
    await server.stop();
  }
}, 300_000);
