/** What a server has after kill -9, and that it is where it was. */
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { onDisk, startRedis } from '../support/servers.js';

it('a server on disk comes back on its port with all that it acknowledged', async () => {
  const server = await startRedis(onDisk);
  try {
    const { port, pid } = server;
    const folder = (await server.cli('CONFIG', 'GET', 'dir')).split('\n')[1] ?? '';
    for (let n = 0; n < 3; n += 1) {
      expect(await server.cli('INCR', 'starts')).toBe(String(n + 1));
      await server.kill();
      expect(server.running).toBe(false);
      await expect(server.cli('PING')).rejects.toThrow();
      await server.restart();
    }
    expect([server.port, server.running]).toEqual([port, true]);
    expect(server.pid).not.toBe(pid);
    await server.stop();
    expect(existsSync(folder)).toBe(false);
  } finally {
    await server.stop();
  }
});

it('any other server comes back empty, also one that is stopped by a signal or still runs', async () => {
  const server = await startRedis();
  try {
    await server.cli('SET', 'key', '1');
    process.kill(server.pid, 'SIGSTOP');
    await server.restart();
    expect(await server.cli('DBSIZE')).toBe('0');
  } finally {
    await server.stop();
  }
});
