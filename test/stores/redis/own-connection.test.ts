/**
 * Connections of rewt's own on a URL: one that leads nowhere is replaced, and callers that can wait
 * for it still get their answers.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as passMs } from 'node:timers/promises';
import { createClient } from 'redis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Rewt } from '../../../src/index.js';
import { createPort } from '../../../src/stores/redis/clients/dedicated.js';
import { connectRedis } from '../../../src/stores/redis/clients/from-url.js';
import { type NodeRedisClient, nodeRedis } from '../../../src/stores/redis/clients/node-redis.js';
import type { RedisPort } from '../../../src/stores/redis/clients/port.js';
import { redisStore } from '../../../src/stores/redis/redis-store.js';
import { type NetworkProxy, startProxy } from '../../support/proxy.js';
import { type RedisServer, startRedis, until } from '../../support/servers.js';

const argv1 = process.argv[1] ?? '';

let server: RedisServer;
const disposals: (() => unknown)[] = [];
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());
afterEach(async () => {
  process.argv[1] = argv1;
  vi.restoreAllMocks();
  for (const dispose of disposals.splice(0).reverse()) await dispose();
});

async function network(): Promise<NetworkProxy> {
  const proxy = await startProxy(server.port);
  disposals.push(proxy.stop);
  return proxy;
}

/** Makes `connectRedis` find this client, and no other. */
async function install(name: string, from: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rewt-app-'));
  disposals.push(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'node_modules'));
  await symlink(join(resolve('node_modules'), from), join(folder, 'node_modules', name));
  process.argv[1] = join(folder, 'app.js');
}

const clients = [
  ['redis 2.8', 'redis', 'redis2'],
  ['redis 3.1', 'redis', 'redis3'],
  ['redis 6', 'redis', 'redis'],
  ['ioredis 6', 'ioredis', 'ioredis'],
] as const;

describe.each(clients)('through a URL with %s,', (_, name, from) => {
  it('an address that left connections silent serves the next calls, not only those of ten seconds later', async () => {
    await install(name, from);
    const proxy = await network();
    const store = redisStore(connectRedis(`redis://127.0.0.1:${proxy.port}/3`));
    disposals.push(() => store.close());
    const read = () => store.read('rewt', { timeoutMs: 200 }).catch(() => null);
    await proxy.hold();
    expect(await read()).toBeNull();
    proxy.forget();
    await proxy.pass();
    expect(await until('an answer', read, 6_000)).toMatchObject({ ring: null });
  });
});

/** Stops the time of connections; what it returns lets a second of it pass. */
function seconds(): () => void {
  // Whole, so that sums are exact.
  let nowMs = Math.ceil(performance.now());
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  return () => {
    nowMs += 1_000;
  };
}

it('a silent node of several costs the others no connection, and is served again at once', async () => {
  const [quick, silent] = await Promise.all([network(), network()]);
  const create = (key: string) => {
    const socket = {
      host: '127.0.0.1',
      port: (key === 'silent' ? silent : quick).port,
      reconnectStrategy: false as const,
    };
    return createClient({ RESP: 2, socket, disableOfflineQueue: true }) as unknown as NodeRedisClient;
  };
  const port = createPort(nodeRedis, {
    keyPrefix: '',
    borrow: () => null,
    scope: (key) => key,
    ownerOf: (key) => key,
    create,
  });
  disposals.push(() => port.close());
  for (const key of ['quick', 'silent']) expect(await port.send([['PING']], key)).toEqual(['PONG']);
  const pass = seconds();
  // Every node has a call under way.
  const answer = port.send([['BLPOP', 'quick', '0']], 'quick');
  silent.forget();
  void port.send([['PING']], 'silent');
  // Both are handed over within one turn.
  await passMs(1);
  pass();
  port.abandon('silent', performance.now());
  expect(await port.send([['PING']], 'silent')).toEqual(['PONG']);
  await server.cli('RPUSH', 'quick', 'here');
  expect(await answer).toEqual([['quick', 'here']]);
  expect(await port.send([['PING']], 'quick')).toEqual(['PONG']);
  expect([quick.accepted, silent.accepted]).toEqual([1, 2]);
});

describe.each(clients)('of a port with %s,', (_, name, from) => {
  async function portOn(tcpPort: number): Promise<RedisPort> {
    await install(name, from);
    const port = connectRedis(`redis://127.0.0.1:${tcpPort}/3`);
    disposals.push(() => port.close());
    return port;
  }

  it('three attempts at most are under way at a mute address, the first one for as long as it takes', async () => {
    const pass = seconds();
    const sockets: Socket[] = [];
    const mute = createServer((socket) => sockets.push(socket.on('error', () => {}).resume())).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    disposals.push(() => mute.close());
    const open = () => sockets.filter(({ closed }) => !closed);
    const port = await portOn((mute.address() as AddressInfo).port);
    const opening = port.beside('key').catch((error) => error);
    await until('an attempt', async () => open().length === 1);
    for (let attempts = 2; attempts <= 6; attempts += 1) {
      // Only the first of them counts: the attempt that it begins has had no time yet.
      pass();
      for (let call = 0; call < 3; call += 1) port.abandon('key', performance.now());
      const most = Math.min(attempts, 3);
      await until('an attempt', async () => sockets.length === attempts && open().length === most);
    }
    expect(sockets[0]?.closed).toBe(false);
    await port.close();
    expect(await opening).toBeInstanceOf(Error);
    await until('an end', async () => open().length === 0);
    expect(sockets).toHaveLength(6);
  });

  it('four silent connections at most are kept for their answers, and each ends with its last one', async () => {
    const pass = seconds();
    const proxy = await network();
    const port = await portOn(proxy.port);
    const list = randomUUID();
    const blocked = async () => (await server.cli('CLIENT', 'LIST')).match(/ cmd=blpop /g)?.length ?? 0;
    const answers: Promise<unknown>[] = [];
    for (let round = 1; round <= 6; round += 1) {
      answers.push(port.send([['BLPOP', list, '0']], list).then(([answer]) => answer));
      await until('a call that waits', async () => (await blocked()) === Math.min(round, 5));
      expect(proxy.accepted).toBe(round);
      // Too soon after the one before it: this call waits behind the first one.
      if (round > 1) port.abandon(list, performance.now() + 1);
      void port.send([['PING']], list);
      pass();
      port.abandon(list, performance.now());
      await until(
        'an end of what is too many',
        async () => proxy.open === Math.min(round, 4) && (await blocked()) === proxy.open,
      );
    }
    expect(await Promise.all(answers.slice(0, 2))).toEqual([expect.any(Error), expect.any(Error)]);
    await server.cli('-n', '3', 'RPUSH', list, 'here');
    expect(await answers[2]).toEqual([list, 'here']);
    await until('an end', async () => proxy.open === 3);
    await port.close();
    await until('an end', async () => proxy.open === 0);
  });
});

describe.each([
  ['redis 6', 'redis', 'redis'],
  ['ioredis 6', 'ioredis', 'ioredis'],
])('among members on one URL with %s,', (_, name, from) => {
  it('an impatient one leaves the answers of a patient one alone', async () => {
    await install(name, from);
    const proxy = await network();
    const redisConn = `redis://127.0.0.1:${proxy.port}`;
    const member = (redisNamespace: string, storeTimeout: number): Rewt => {
      const rewt = new Rewt({ redisConn, redisNamespace, storeTimeout, maxStaleness: 0, push: false });
      disposals.push(() => rewt.close());
      return rewt;
    };
    const patient = member(randomUUID(), 10);
    const token = await patient.sign({ sub: 'a' });
    const impatient = member(randomUUID(), 0.1);
    await until('a token', () => impatient.sign({ sub: 'b' }).catch(() => null));
    await proxy.delayReplies(300);
    let works = true;
    const trying = (async () => {
      while (works) {
        await impatient.sign({ sub: 'b' }).catch(() => {});
        // A closed member refuses at once.
        await passMs(1);
      }
    })();
    disposals.push(() => {
      works = false;
      return trying;
    });
    for (let call = 0; call < 3; call += 1) {
      await expect(patient.verify(token)).resolves.toMatchObject({ sub: 'a' });
    }
    await expect(patient.revoke()).resolves.toMatchObject({ epoch: 1 });
  });
});
