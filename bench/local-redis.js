/**
 * A redis-server of one's own for the time of a bench, on a free port of the loopback interface.
 */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { ensureRedisServer } from '../scripts/redis-server.js';

export async function startRedis() {
  const binary = ensureRedisServer();
  const port = await freePort();
  const settings = { port, bind: '127.0.0.1', save: '', appendonly: 'no', maxclients: '10000' };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = spawn(binary, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = () => server.kill('SIGKILL');
  process.once('exit', stop);
  for await (const chunk of server.stdout) if (String(chunk).includes('eady to accept')) break;
  const program = binary.replace(/redis-server$/, 'redis-cli');
  const cli = async (...command) => {
    const { stdout } = await promisify(execFile)(program, ['-p', String(port), ...command]);
    return stdout.trim();
  };
  const info = async (section, name) =>
    new RegExp(`^${name}:(.*)$`, 'm').exec(await cli('INFO', section))?.[1]?.trim() ?? '';
  return {
    port,
    version: `Redis ${await info('server', 'redis_version')}`,
    cli,
    info,
    stop() {
      process.off('exit', stop);
      stop();
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}
