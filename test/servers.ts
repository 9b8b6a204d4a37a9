/** Real redis-server processes for tests: each on a free loopback port, in a folder of its own, ended by pid whatever becomes of the test. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findRedisServer } from '../scripts/redis-server.js';

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** Ends the server, also one that is stopped by a signal, and removes its folder. Idempotent. */
  stop(): Promise<void>;
  /** What `redis-cli` prints for a command. */
  cli(...args: string[]): Promise<string>;
  /** What `redis-cli` prints, as bytes, with `input` as the command's last argument. */
  cliWithInput(input: Buffer, ...args: string[]): Promise<string>;
}

const running = new Set<ChildProcess>();
// A test runner that is ended, or that fails, takes its servers along.
process.once('exit', () => {
  for (const server of running) server.kill('SIGKILL');
});

/** Starts a server that keeps nothing on disk; resolves once it takes connections. */
export async function startRedis(extraArgs: readonly string[] = []): Promise<RedisServer> {
  const binary = findRedisServer();
  if (binary === null) throw new Error('no redis-server: run node scripts/redis-server.js');
  // Another process may take a free port before the server does.
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(binary, extraArgs);
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}

async function start(binary: string, extraArgs: readonly string[]): Promise<RedisServer> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'rewt-redis-'));
  const settings = { port, bind: '127.0.0.1', dir: folder, save: '', appendonly: 'no', daemonize: 'no' };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = spawn(binary, [...args, ...extraArgs], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(server);
  const ended = new Promise<void>((resolve) => server.once('close', () => resolve()));

  async function stop(): Promise<void> {
    // SIGKILL: the one signal that also ends a process under SIGSTOP. Nothing is on disk that could suffer.
    if (server.exitCode === null && server.signalCode === null) server.kill('SIGKILL');
    await ended;
    running.delete(server);
    await rm(folder, { recursive: true, force: true });
  }

  const command = join(dirname(binary), 'redis-cli');
  const connection = ['-h', '127.0.0.1', '-p', String(port), '-e'];
  try {
    await readiness(server);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    pid: server.pid ?? 0,
    stop,
    async cli(...words) {
      const { stdout } = await promisify(execFile)(command, [...connection, ...words]);
      return stdout.replace(/\n$/, '');
    },
    cliWithInput(input, ...words) {
      return new Promise((resolve, reject) => {
        const client = execFile(command, [...connection, '-x', ...words], (error, stdout) =>
          error ? reject(error) : resolve(stdout.replace(/\n$/, '')),
        );
        client.stdin?.end(input);
      });
    },
  };
}

/** The log tells when the server takes connections; one that cannot start ends instead. */
function readiness(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    server.stdout?.on('data', (chunk: Buffer) => {
      log += chunk;
      if (/ready to accept connections/i.test(log)) {
        // From here on the log only has to be drained.
        server.stdout?.removeAllListeners('data').resume();
        resolve();
      }
    });
    server.once('error', reject);
    server.once('close', () => reject(new Error(`redis-server did not start:\n${log}`)));
  });
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
