/**
 * A slow line to Redis: a connection that takes longer to open than one call may wait is there for
 * a later call.
 */
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Rewt } from '../../../src/index.js';
import { readRedisPort } from '../../../src/stores/redis/clients/detect.js';
import { connectRedis } from '../../../src/stores/redis/clients/from-url.js';
import { redisStore } from '../../../src/stores/redis/redis-store.js';
import type { Snapshot, Store } from '../../../src/stores/store.js';
import { type NetworkProxy, startProxy } from '../../support/proxy.js';
import { redis6 } from '../../support/redis-clients.js';
import { freePort, type RedisServer, startRedis, until } from '../../support/servers.js';
import { type Certificates, makeCertificates } from '../../support/tls.js';

const argv1 = process.argv[1] ?? '';

let server: RedisServer;
let certificates: Certificates;
let tlsPort: number;
const disposals: (() => unknown)[] = [];
beforeAll(async () => {
  certificates = makeCertificates();
  tlsPort = await freePort();
  server = await startRedis(certificates.settings(tlsPort));
});
afterAll(async () => {
  await server?.stop();
  certificates?.remove();
});
afterEach(async () => {
  process.argv[1] = argv1;
  for (const dispose of disposals.splice(0).reverse()) await dispose();
});

async function lineOf(delayMs: number, port = server.port): Promise<NetworkProxy> {
  const proxy = await startProxy(port);
  disposals.push(proxy.stop);
  await proxy.delayReplies(delayMs);
  return proxy;
}

/** A client whose handshake takes two replies: one of TLS, one of Redis. */
const tlsClient = (port: number): object =>
  redis6.createClient({ socket: { host: 'localhost', port, tls: true, ca: certificates.ca } });

/** Reads as impatient callers do, until one of them has an answer. */
async function readUntilAnswered(store: Store, timeoutMs: number): Promise<Snapshot> {
  return until('an answer', () => store.read('rewt', { timeoutMs }).catch(() => null));
}

it.each([
  ['redis 2.8', 'redis', 'redis2'],
  ['redis 3.1', 'redis', 'redis3'],
  ['redis 6', 'redis', 'redis'],
  ['ioredis 6', 'ioredis', 'ioredis'],
])(
  'a URL through %s works with a round trip of 150 ms and a timeout of 0.25 s, on one connection',
  async (_, name, from) => {
    const folder = await mkdtemp(join(tmpdir(), 'rewt-app-'));
    disposals.push(() => rm(folder, { recursive: true }));
    await mkdir(join(folder, 'node_modules'));
    await symlink(join(resolve('node_modules'), from), join(folder, 'node_modules', name));
    process.argv[1] = join(folder, 'app.js');
    const line = await lineOf(150);
    const store = redisStore(connectRedis(`redis://127.0.0.1:${line.port}/3`));
    disposals.push(() => store.close());
    expect(await readUntilAnswered(store, 250)).toMatchObject({ ring: null });
    expect(line.accepted).toBe(1);
  },
);

it('ioredis with a key prefix works with a round trip of 150 ms and a timeout of 0.25 s', async () => {
  const { Redis } = await import('ioredis');
  const line = await lineOf(150);
  const client = new Redis({ port: line.port, db: 3, keyPrefix: 'app:' });
  disposals.push(() => client.disconnect());
  const store = redisStore(readRedisPort(client));
  disposals.push(() => store.close());
  expect(await readUntilAnswered(store, 250)).toMatchObject({ ring: null });
  expect(line.accepted).toBe(2);
});

it('a TLS handshake that outlasts a call is not begun again', async () => {
  const line = await lineOf(250, tlsPort);
  const store = redisStore(readRedisPort(tlsClient(line.port)));
  disposals.push(() => store.close());
  expect(await readUntilAnswered(store, 400)).toMatchObject({ ring: null });
  expect(line.accepted).toBe(1);
});

it('a round trip of 340 ms with TLS and the default timeout keeps a member in use, push included', async () => {
  const redisNamespace = 'far';
  const near = new Rewt({ redisConn: server.url, redisNamespace });
  disposals.push(() => near.close());
  await near.ready();
  const line = await lineOf(340, tlsPort);
  const far = new Rewt({ redisConn: tlsClient(line.port), redisNamespace });
  disposals.push(() => far.close());
  await until('a token', () => far.sign({ sub: 'a' }).catch(() => null));
  await until('push', async () => far.status().push.state === 'on');
  // One for commands, one for push.
  expect(line.accepted).toBe(2);
});
