/**
 * A client without listeners throws when its own connection fails. Whatever becomes of rewt's
 * connections must not be a reason.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { compileStores } from '../../support/compiled-stores.js';
import { type RedisServer, startRedis, until } from '../../support/servers.js';

const script = fileURLToPath(new URL('no-error-listener-child.js', import.meta.url));
const nodeRedis = ['redis4', 'redis5', 'redis'];
const ioredis = ['ioredis5', 'ioredis', 'iovalkey'];
const packages = ['redis2', 'redis3', ...nodeRedis, ...ioredis];

let dist: string;
let server: RedisServer;
const children: ChildProcess[] = [];
beforeAll(() => {
  dist = compileStores({ modules: ['index'], packages: true, format: 'esm' });
});
afterAll(() => rm(dist, { recursive: true, force: true }));
beforeEach(async () => {
  server = await startRedis();
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await server.stop();
});

interface Program {
  /** What `verb` came to in the program; rejects once the program has crashed. */
  ask(verb: 'start' | 'revoke' | 'fail' | 'push' | 'close'): Promise<unknown>;
  /** Lets it end. Its exit code, and what it printed. */
  end(): Promise<unknown>;
  readonly ended: Promise<{ code: unknown; printed: string }>;
}

async function startProgram(packageName: string, state: 'connected' | 'idle' | 'url'): Promise<Program> {
  const child = fork(script, [dist, packageName, String(server.port), state], { execArgv: [], silent: true });
  children.push(child);
  child.stdout?.resume();
  const ended = Promise.all([once(child, 'exit'), text(child.stderr ?? Readable.from([]))]).then(
    ([[code], printed]: [unknown[], string]) => ({ code, printed }),
  );
  async function answer(): Promise<unknown> {
    const crash = ended.then((how): never => {
      throw new Error(`the program has ended: ${JSON.stringify(how)}`);
    });
    const [message] = (await Promise.race([once(child, 'message'), crash])) as [{ value?: unknown; error?: string }];
    if (message.error !== undefined) throw new Error(message.error);
    return message.value;
  }
  await answer();
  return {
    ask(verb) {
      const answered = answer();
      child.send(verb);
      return answered;
    },
    end() {
      child.disconnect();
      return ended;
    },
    ended,
  };
}

/** The ids of the server's clients, but for the one that asks. */
async function connections(): Promise<string[]> {
  const list = await server.cli('CLIENT', 'LIST');
  const clients = [...list.matchAll(/^id=(\d+) .* cmd=(\S+)/gm)].map(([, id = '', cmd = '']) => ({ id, cmd }));
  // Redis 6 calls its command no more than "client", as it does that of a client which has just
  // said who it is.
  const asking = clients.findLast(({ cmd }) => cmd === 'client|list' || cmd === 'client');
  return clients.filter((client) => client !== asking).map(({ id }) => id);
}

describe.each(packages)('%s without an error listener', (packageName) => {
  it('loses every connection that rewt opened beside it, and works on', async () => {
    const program = await startProgram(packageName, 'connected');
    // Some connect when they like.
    const borrowed = await until('the client is connected', async () => {
      const ids = await connections();
      return ids.length > 0 && ids;
    });
    await program.ask('start');
    for (let round = 0; round < 3; round += 1) {
      await until('there is push', async () => (await program.ask('push')) === 'on');
      const own = (await connections()).filter((id) => !borrowed.includes(id));
      expect(own).toHaveLength(1);
      for (const id of own) await server.cli('CLIENT', 'KILL', 'ID', id);
      await program.ask('revoke');
    }
    expect(await connections()).toEqual(expect.arrayContaining(borrowed));
    await program.ask('close');
    expect(await program.end()).toEqual({ code: 0, printed: expect.any(String) });
  });
});

describe.each([
  ...nodeRedis.map((name) => [name, 'idle'] as const),
  ...ioredis.flatMap((name) => [[name, 'connected'] as const, [name, 'idle'] as const]),
  ['redis', 'url'] as const,
])('%s (%s) without an error listener', (packageName, state) => {
  it('outlives its server with rewt on it, and rewt works on', async () => {
    const program = await startProgram(packageName, state);
    await program.ask('start');
    await server.kill();
    for (let round = 0; round < 3; round += 1) {
      expect(await program.ask('fail')).toMatch(/^ERR_REWT_STORE_(DOWN|TIMEOUT)$/);
    }
    await server.restart();
    await until('rewt revokes again', () =>
      program.ask('revoke').catch((error) => (/ended/.test(error.message) ? Promise.reject(error) : null)),
    );
    await program.ask('close');
    expect(await program.end()).toEqual({ code: 0, printed: expect.any(String) });
  });
});

it.each(['redis2', 'redis3', ...nodeRedis])(
  '%s alone does not outlive its server without an error listener',
  async (packageName) => {
    const program = await startProgram(packageName, 'connected');
    await until('the client is connected', async () => (await connections()).length > 0);
    await server.kill();
    const { code, printed } = await program.ended;
    expect([code, printed]).toEqual([1, expect.stringMatching(/unhandled|closed unexpectedly|ECONNREFUSED/i)]);
  },
);
