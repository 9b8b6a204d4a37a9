/**
 * The programs of examples/ as processes, and the commands in their READMEs, carried out: what a
 * line says after its `#` is what has to come.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Rewt } from '../../src/index.js';
import { main } from '../cli/process.js';
import { type RedisServer, until } from '../support/servers.js';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));

export interface Example {
  readonly port: number;
  readonly origin: string;
  readonly pid: number;
  /** Ends it, and gives the exit code; null where the signal did it. */
  end(signal?: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export function textOf(path: string): string {
  return readFileSync(`${examples}${path}`, 'utf8');
}

/** What a file of the demo exports. It is JavaScript without types. */
export function demoModule(name: string) {
  return import(`${examples}demo/${name}.js`);
}

/** Starts a program on a separate port; resolves once it says that it listens. */
export async function startExample(path: string, env: Record<string, string>, folder = examples): Promise<Example> {
  const child = spawn(process.execPath, [path], {
    cwd: folder,
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  const ended = once(child, 'close').then(([code]: (number | null)[]) => code ?? null);
  ended.finally(() => running.delete(child)).catch(() => {});
  const port = await new Promise<number>((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
      const found = /listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
    ended.then((code) => reject(new Error(`${path} ended with ${code} before it listened: ${said}`)), reject);
  });
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    end(signal = 'SIGKILL') {
      child.kill(signal);
      return ended;
    },
  };
}

/**
 * A service that has just begun reads the keyring first, for which a busy machine may take longer
 * than a service allows: this asks until it has.
 */
export function warm(url: string, token: string): Promise<boolean> {
  return until('the service has read the keyring', async () => {
    const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    await answer.body?.cancel();
    return answer.status !== 503;
  });
}

/** A member of the examples' namespace that waits for a busy machine. */
export function memberFor(redis: RedisServer): Rewt {
  return new Rewt({ redisConn: redis.url, redisNamespace: 'example', storeTimeout: 20 });
}

export interface Step {
  readonly line: string;
  /** What its comment says: `200`, `403, with scope="…"`. */
  readonly expected: string;
  readonly answer: Response;
  readonly body: string;
}

export interface Place {
  readonly redisUrl: string;
  /** The port of each origin in the README. */
  readonly ports: Readonly<Record<string, number>>;
}

/**
 * Carries out every `name=$(npx rewt …)` and `curl …` of a README, in their order. What starts
 * servers is for the test.
 */
export async function follow(readme: string, { redisUrl, ports }: Place): Promise<Step[]> {
  const steps: Step[] = [];
  const variables = new Map<string, string>();
  for (const line of commandsOf(readme)) {
    const [, name, command] = /^(\w+)=\$\((npx rewt .*)\)$/.exec(line) ?? [];
    if (name !== undefined && command !== undefined) variables.set(name, await runCommand(command, redisUrl));
    if (!line.startsWith('curl ')) continue;
    const [request = '', expected = ''] = line.split(/ +# /);
    const [, port = '', path = ''] = /http:\/\/127\.0\.0\.1:(\d+)(\S*)/.exec(request) ?? [];
    const headers = [...request.matchAll(/-H "([^:]+): ([^"]*)"/g)].map(
      ([, key = '', value = '']): [string, string] => [
        key,
        value.replace(/\$(\w+)/g, (_, variable: string) => variables.get(variable) ?? ''),
      ],
    );
    const method = /-X (\w+)/.exec(request)?.[1] ?? 'GET';
    const answer = await fetch(`http://127.0.0.1:${ports[port]}${path}`, { method, headers });
    steps.push({ line, expected, answer, body: await answer.text() });
  }
  return steps;
}

/** The one command of a README that begins like this, with the address of this Redis. */
export function commandIn(readme: string, start: string): string {
  const found = [...commandsOf(readme), ...[...readme.matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text)];
  const command = found.find((line) => line.startsWith(start));
  if (command === undefined) throw new Error(`no such command: ${start}`);
  return command.split(/ +# /)[0] ?? '';
}

/** Runs a line of a README in a shell, with our command in the place of `npx rewt`. */
export async function runCommand(line: string, redisUrl: string, env: Record<string, string> = {}): Promise<string> {
  const port = new URL(redisUrl).port;
  const command = line
    .replace('npx rewt', `"${process.execPath}" "${main}"`)
    .replaceAll('redis://localhost:6379', redisUrl)
    .replace('redis-cli', `redis-cli -p ${port}`);
  const { stdout } = await promisify(execFile)('sh', ['-c', command], {
    env: { ...process.env, REWT_URL: redisUrl, ...env },
  });
  return stdout.trim();
}

function commandsOf(readme: string): string[] {
  const blocks = [...readme.matchAll(/^ *```sh\n(.*?)^ *```/gms)].map(([, text = '']) => text);
  return blocks.flatMap((text) => text.split('\n')).map((line) => line.trim());
}
