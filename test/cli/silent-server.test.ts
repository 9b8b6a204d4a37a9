/**
 * Servers that take a connection and say nothing: each verb ends, with an error that names the
 * place.
 */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { endOf, rewtProcess, startRewt } from './process.js';

let silent: Server;
let port: number;
const sockets = new Set<Socket>();

beforeAll(async () => {
  silent = createServer((socket) => void sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve);
  });
  const address = silent.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => silent?.close(resolve));
});

// At the same time: all that they do is to wait.
it.concurrent.each([
  ['status', 'redis'],
  ['list', 'redis'],
  ['status', 'redis+sentinel'],
  ['revoke', 'redis+sentinel'],
])('rewt %s ends on a silent server behind %s://', async (verb, scheme) => {
  const url = `${scheme}://127.0.0.1:${port}${scheme === 'redis' ? '' : '/main'}`;
  const { code, stderr } = await rewtProcess([verb, '--url', url, ...(verb === 'revoke' ? ['--yes'] : [])]);
  expect({ code, isNamed: stderr.includes(`127.0.0.1:${port}`) }).toEqual({ code: 3, isNamed: true });
});

it('rewt revoke leaves at Ctrl-C while it connects to sentinels that are silent', async () => {
  const taken = once(silent, 'connection');
  const url = `redis+sentinel://127.0.0.1:${port},localhost:${port}/main`;
  const child = startRewt(['revoke', '--yes', '--timeout', '600', '--url', url]);
  const ended = endOf(child);
  await taken;
  child.kill('SIGINT');
  expect(await ended).toEqual({ code: 130, stdout: '', stderr: expect.stringContaining('Nothing was written.') });
});
