/** A URL as redisConn: rewt makes a client from what the application has installed, and owns it. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as passMs } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OptionError } from '../../../src/errors.js';
import { connectRedis } from '../../../src/stores/redis/clients/from-url.js';
import { redisStore } from '../../../src/stores/redis/redis-store.js';
import { compileStores } from '../../support/compiled-stores.js';
import { startProxy } from '../../support/proxy.js';
import { type RedisServer, startRedis, until } from '../../support/servers.js';
import { makeCertificates } from '../../support/tls.js';

const limits = { timeoutMs: 5_000 };
const modules = resolve('node_modules');
const argv1 = process.argv[1] ?? '';

let server: RedisServer;
/**
 * rewt in a folder from which no client is found, as in one that its package manager keeps apart.
 */
let compiled: string;
const storeModules = ['stores/redis/clients/from-url', 'stores/redis/redis-store'];
const disposals: (() => unknown)[] = [];
beforeAll(async () => {
  server = await startRedis(['--requirepass', 'p@ss/word']);
  compiled = compileStores({ modules: storeModules, packages: false, format: 'esm' });
});
afterAll(() => Promise.all([server?.stop(), rm(compiled, { recursive: true, force: true })]));
afterEach(async () => {
  process.argv[1] = argv1;
  for (const dispose of disposals.splice(0).reverse()) await dispose();
});

const url = (database = '') => `redis://:${encodeURIComponent('p@ss/word')}@127.0.0.1:${server.port}${database}`;

/**
 * The folder of an application that has `installed` under `name`, and where its script would be.
 */
async function application(name?: string, installed?: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rewt-app-'));
  disposals.push(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'node_modules'));
  if (name && installed) await symlink(join(modules, installed), join(folder, 'node_modules', name));
  const script = join(folder, 'app.mjs');
  await writeFile(script, '');
  return script;
}

/**
 * Runs a program of that application with the compiled rewt, and gives what it prints; it has to
 * end by itself.
 */
async function run(
  script: string,
  from: string,
  then: string,
  cwd = join(script, '..'),
  rewt = compiled,
): Promise<string> {
  const fileUrl = (file: string): string => pathToFileURL(join(rewt, file)).href;
  await writeFile(
    script,
    `import { connectRedis } from '${fileUrl('stores/redis/clients/from-url.js')}';
     import { redisStore } from '${fileUrl('stores/redis/redis-store.js')}';
     let port;
     try { port = connectRedis(process.argv[2]); }
     catch (error) { console.log(error.name, error.option, error.message); }
     ${then}`,
  );
  const { stdout } = await promisify(execFile)(process.execPath, [script, from], { timeout: 90_000, cwd });
  return stdout.trim();
}

describe('a store made from a URL', () => {
  it.each([
    ['redis 2.8', 'redis', 'redis2', 'redis-callback'],
    ['redis 3.1', 'redis', 'redis3', 'redis-callback'],
    ['redis 6', 'redis', 'redis', 'node-redis'],
    ['ioredis 6', 'ioredis', 'ioredis', 'ioredis'],
  ])('uses the %s of the application, with password and database', async (_, name, installed, dialect) => {
    process.argv[1] = await application(name, installed);
    const port = connectRedis(url('/3'));
    expect(port.dialect).toBe(dialect);
    const store = redisStore(port);
    disposals.push(() => store.close());
    const { nowMs, version } = await store.read(name, limits);
    const ring = { text: `ring of ${name}`, expiresAtMs: nowMs + 60_000 };
    await store.swap(name, version, { key: null, ring }, { ...limits, notAfterMs: nowMs + 5_000 });
    expect(await server.cli('-a', 'p@ss/word', '-n', '3', 'GET', `{${name}:rewt-secret}:ring`)).toBe(ring.text);
  });

  it.each([
    ['redis 2.8', 'redis', 'redis2'],
    ['redis 3.1', 'redis', 'redis3'],
    ['redis 6', 'redis', 'redis'],
    ['ioredis 6', 'ioredis', 'ioredis'],
  ])(
    'through %s tells a wrong password and a server that is not there apart, at once and each time',
    async (_, name, installed) => {
      process.argv[1] = await application(name, installed);
      const denied = redisStore(connectRedis(`redis://:wrong@127.0.0.1:${server.port}`));
      const gone = redisStore(connectRedis('redis://:wrong@127.0.0.1:1'));
      disposals.push(
        () => denied.close(),
        () => gone.close(),
      );
      for (let n = 0; n < 3; n += 1) {
        await expect(denied.read('rewt', limits)).rejects.toMatchObject({ code: 'ERR_REWT_STORE_DENIED' });
        await expect(gone.read('rewt', limits)).rejects.toMatchObject({ code: 'ERR_REWT_STORE_DOWN' });
      }
    },
  );

  it.each([
    ['redis 2.8', 'redis', 'redis2'],
    ['redis 3.1', 'redis', 'redis3'],
    ['redis 6', 'redis', 'redis'],
    ['ioredis 6', 'ioredis', 'ioredis'],
  ])('through %s opens another connection when one was lost, or did not answer', async (_, name, installed) => {
    process.argv[1] = await application(name, installed);
    const own = await startRedis();
    disposals.push(own.stop);
    const proxy = await startProxy(own.port);
    disposals.push(proxy.stop);
    const store = redisStore(connectRedis(`redis://127.0.0.1:${proxy.port}`));
    disposals.push(() => store.close());
    await store.read('rewt', limits);
    await own.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await expect.poll(() => store.read('rewt', limits)).toMatchObject({ ring: null });
    proxy.forget();
    await expect(store.read('rewt', { timeoutMs: 100 })).rejects.toMatchObject({ code: 'ERR_REWT_STORE_TIMEOUT' });
    expect(await store.read('rewt', limits)).toMatchObject({ ring: null });
  });

  it.each([
    ['redis 2.8', 'redis', 'redis2'],
    ['redis 3.1', 'redis', 'redis3'],
    ['redis 6', 'redis', 'redis'],
    ['ioredis 6', 'ioredis', 'ioredis'],
  ])('through %s lets an idle process end by itself', async (_, name, installed) => {
    const script = await application(name, installed);
    expect(
      await run(script, url(), `console.log((await redisStore(port).read('rewt', { timeoutMs: 5_000 })).key);`),
    ).toBe('null');
  });

  it('lets a process end while a connection to a silent server is being opened, with any client', async () => {
    const certificates = makeCertificates();
    disposals.push(certificates.remove);
    const sockets: Socket[] = [];
    const listen = async (mute: Server): Promise<number> => {
      const listening = once(mute.listen(0, '127.0.0.1'), 'listening');
      disposals.push(() => mute.close());
      await listening;
      return (mute.address() as AddressInfo).port;
    };
    const take = (socket: Socket) => void sockets.push(socket.on('error', () => {}).resume());
    const tcp = await listen(createServer(take));
    const tls = await listen(createTlsServer(certificates.identity, take));
    disposals.push(() => sockets.forEach((socket) => void socket.destroy()));
    const urls = [`redis://:word@127.0.0.1:${tcp}/3`, `rediss://127.0.0.1:${tcp}`, `rediss://:word@localhost:${tls}/3`];
    const installed = [
      ...['redis2', 'redis3', 'redis4', 'redis5', 'redis'].map((from) => ['redis', from] as const),
      ...['ioredis5', 'ioredis', 'iovalkey'].map((from) => ['ioredis', from] as const),
    ];
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: certificates.caFile };
    const programs = await Promise.all(
      installed.map(async ([name, from]) => {
        const script = await application(name, from);
        await writeFile(
          script,
          `import { connectRedis } from '${pathToFileURL(join(compiled, 'stores/redis/clients/from-url.js')).href}';
           for (const url of ${JSON.stringify(urls)}) connectRedis(url).beside('key').catch(() => {});
           process.stdin.resume();`,
        );
        const child = spawn(process.execPath, [script], { env, stdio: ['pipe', 'ignore', 'inherit'] });
        disposals.push(() => child.kill('SIGKILL'));
        return { from, child, exited: once(child, 'exit') };
      }),
    );
    await until('all attempts', async () => sockets.length === urls.length * installed.length);
    const ends = programs.map(async ({ from, child, exited }) => {
      child.stdin.end();
      const [code] = await Promise.race([exited, passMs(8_000, ['is alive'], { ref: false })]);
      return [from, code];
    });
    expect(await Promise.all(ends)).toEqual(installed.map(([, from]) => [from, 0]));
  });

  it('looks for a client where the program was started, too', async () => {
    const script = await application();
    const cwd = join(await application('redis', 'redis'), '..');
    expect(await run(script, url(), 'console.log(port.dialect);', cwd)).toBe('node-redis');
  });

  it('looks for a client beside rewt, too, for a program that a launcher elsewhere started', async () => {
    const rewt = compileStores({ modules: storeModules, packages: true, format: 'esm' });
    disposals.push(() => rm(rewt, { recursive: true }));
    const script = await application();
    expect(await run(script, url(), 'console.log(port.dialect);', join(script, '..'), rewt)).toBe('node-redis');
  });

  it('says what to install where the application has no client', async () => {
    expect(await run(await application(), url(), '')).toMatch(/^OptionError redisConn .*npm install redis/);
  });
});

describe('a URL that cannot be used is refused, and not repeated', () => {
  it.each([
    ['redis:', 'no host'],
    ['redis://', 'host'],
    ['canary', 'write it as'],
    ['http://:canary@localhost', 'redis:// or rediss://'],
    ['unix:///canary.sock', 'redis:// or rediss://'],
    ['redis://:canary@localhost/one', 'number of a database'],
    ['redis://:canary@localhost/1?db=2', 'must end'],
    ['redis://:can%ary@localhost', '%25'],
    ['redis://:canary@localhost:99999', 'write it as'],
  ])('%s is refused, with the remedy', (text, words) => {
    const refusal = (() => {
      try {
        return connectRedis(text);
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toBeInstanceOf(OptionError);
    expect(refusal).toMatchObject({ option: 'redisConn', message: expect.stringContaining(words) });
    expect(String(refusal)).not.toMatch(/can%?ary/);
  });
});
