/** Nothing that rewt opens keeps a process alive. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../support/servers.js';
import { compiledFolder } from './members.js';

const script = fileURLToPath(new URL('idle.js', import.meta.url));

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

it.each(['redis2', 'redis3', 'redis4', 'redis5', 'redis', 'ioredis5', 'ioredis', 'iovalkey', 'url'])(
  'a process with an idle Rewt on %s, its push connection open, ends by itself',
  async (client) => {
    // A process that had to be killed rejects.
    const run = promisify(execFile)(process.execPath, [script, compiledFolder(), String(server.port), client], {
      timeout: 90_000,
      killSignal: 'SIGKILL',
    });
    expect((await run).stdout).toBe('nothing left to do\n');
  },
);
