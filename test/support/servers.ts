/**
 * Real redis-server processes for tests: each on a free loopback port, in a separate folder,
 * ended by pid whatever becomes of the test.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findRedisServer } from '../../scripts/redis-server.js';
import { oneCommand } from './one-command.js';

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Of the process that runs now, or ran last. */
  readonly pid: number;
  readonly running: boolean;
  /** kill -9. The folder stays, with whatever the server has on disk. */
  kill(): Promise<void>;
  /** Starts it again: same port, same folder, same settings. */
  restart(): Promise<void>;
  /** Ends the server, also one that is stopped by a signal, and removes its folder. Idempotent. */
  stop(): Promise<void>;
  /** What `redis-cli` prints for a command, which its own options may precede. */
  cli(...words: (string | Buffer)[]): Promise<string>;
  /** What `redis-cli` prints for lines that are typed into it. */
  typed(lines: string): Promise<string>;
}

/**
 * Settings of a server that has on disk what it acknowledged, however it ends. Without them it
 * keeps nothing.
 */
export const onDisk: readonly string[] = ['--appendonly', 'yes', '--appendfsync', 'always'];

const running = new Map<ChildProcess, string>();
// A test runner that is ended, or that fails, takes its servers along.
process.once('exit', () => {
  for (const [server, folder] of running) {
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
});

/**
 * Starts a server; resolves once it takes connections. `config` becomes its redis.conf: a file that
 * the server itself (or a sentinel) rewrites, so that a restart remembers.
 */
export async function startRedis(extraArgs: readonly string[] = [], config?: string): Promise<RedisServer> {
  const binary = findRedisServer();
  if (binary === null) throw new Error('no redis-server: run node scripts/redis-server.js');
  // Another process may take a free port before the server does.
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(binary, extraArgs, config);
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}

async function start(binary: string, extraArgs: readonly string[], config?: string): Promise<RedisServer> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'rewt-redis-'));
  const settings = { port, bind: '127.0.0.1', dir: folder, save: '', appendonly: 'no', daemonize: 'no' };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  if (config !== undefined) {
    const file = join(folder, 'redis.conf');
    await writeFile(file, config);
    args.unshift(file);
  }
  let server: ChildProcess;
  let ended: Promise<void>;

  const isRunning = (): boolean => server.exitCode === null && server.signalCode === null;

  async function run(): Promise<void> {
    server = spawn(binary, [...args, ...extraArgs], { stdio: ['ignore', 'pipe', 'inherit'] });
    running.set(server, folder);
    ended = new Promise<void>((resolve) => server.once('close', () => resolve()));
    await readiness(server);
  }

  async function kill(): Promise<void> {
    // SIGKILL: the one signal that also ends a process under SIGSTOP.
    if (isRunning()) server.kill('SIGKILL');
    await ended;
    running.delete(server);
  }

  async function stop(): Promise<void> {
    await kill();
    await rm(folder, { recursive: true, force: true });
  }

  const command = join(dirname(binary), 'redis-cli');
  const connection = ['-h', '127.0.0.1', '-p', String(port), '-e'];
  try {
    await run();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return server.pid ?? 0;
    },
    get running() {
      return isRunning();
    },
    kill,
    async restart() {
      await kill();
      await run();
    },
    stop,
    async cli(...words) {
      if (!String(words[0]).startsWith('-')) return oneCommand(port, ...words);
      const { stdout } = await promisify(execFile)(command, [...connection, ...words.map(String)]);
      return stdout.replace(/\n$/, '');
    },
    async typed(lines) {
      const typing = promisify(execFile)(command, connection);
      typing.child.stdin?.end(`${lines}\n`);
      return (await typing).stdout.replace(/\n$/, '');
    },
  };
}

/**
 * The log tells when the server takes connections (a sentinel: when it knows its name); one that
 * cannot start ends instead.
 */
function readiness(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    server.stdout?.on('data', (chunk: Buffer) => {
      log += chunk;
      if (/ready to accept connections|sentinel id is/i.test(log)) {
        // From here on the log only has to be drained.
        server.stdout?.removeAllListeners('data').resume();
        resolve();
      }
    });
    server.once('error', reject);
    server.once('close', () => reject(new Error(`redis-server did not start:\n${log}`)));
  });
}

/**
 * A port that is free, and whose cluster bus (port + 10000) is free as well. Both lie below those
 * that systems give to outgoing connections: a client that keeps calling a killed server must not
 * take its port, nor end up connected to itself. Each worker has separate ports, and gives none
 * twice: a test may need a port without a listener.
 */
export async function freePort(): Promise<number> {
  const worker = Number(process.env.VITEST_POOL_ID ?? 0) % WORKERS;
  for (;;) {
    const port = 10_000 + randomInt(10_000 / WORKERS) * WORKERS + worker;
    if (given.has(port) || !(await isFree(port)) || !(await isFree(port + 10_000))) continue;
    given.add(port);
    return port;
  }
}

/** More than run at a time, and a divisor of 10,000. */
const WORKERS = 8;
const given = new Set<number>();

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Asks again and again, as servers have no other way to tell; `what` is what never became true. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | false | null | undefined>,
  limitMs = 90_000,
): Promise<T> {
  const deadlineMs = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadlineMs) throw new Error(`servers: ${what}: not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Servers that end together. */
export interface ServerGroup {
  start(extraArgs: readonly string[], config?: string): Promise<RedisServer>;
  stop(): Promise<void>;
}

export function serverGroup(): ServerGroup {
  const started: RedisServer[] = [];
  return {
    async start(extraArgs, config) {
      const server = await startRedis(extraArgs, config);
      started.push(server);
      return server;
    },
    async stop() {
      await Promise.all(started.splice(0).map((server) => server.stop()));
    },
  };
}
