/**
 * What went wrong is named as far as it is known, with host and port: on real servers, through a
 * client of each family.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoreError } from '../../../src/errors.js';
import { readRedisPort } from '../../../src/stores/redis/clients/detect.js';
import { redisStore, redisStoreFor } from '../../../src/stores/redis/redis-store.js';
import type { Store } from '../../../src/stores/store.js';
import { disposedAfterAll } from '../../support/disposals.js';
import { clientNamed, clients, redis3, redis4, redis6 } from '../../support/redis-clients.js';
import { freePort, type RedisServer, type ServerGroup, serverGroup, startRedis } from '../../support/servers.js';
import { type Certificates, makeCertificates } from '../../support/tls.js';

const limits = { timeoutMs: 2_000 };

let group: ServerGroup;
let server: RedisServer;
let certificates: Certificates;
const tlsPorts = { trusted: 0, expired: 0, elsewhere: 0 };
const disposals = disposedAfterAll();
beforeAll(async () => {
  group = serverGroup();
  certificates = makeCertificates();
  for (const name of ['trusted', 'expired', 'elsewhere'] as const) tlsPorts[name] = await freePort();
  [server] = await Promise.all([
    group.start(certificates.settings(tlsPorts.trusted)),
    group.start(certificates.settingsOf('expired', tlsPorts.expired)),
    group.start(certificates.settingsOf('elsewhere', tlsPorts.elsewhere)),
  ]);
});
afterAll(async () => {
  await group?.stop();
  certificates?.remove();
});

interface Place {
  readonly host: string;
  readonly port: number;
  readonly database?: number;
  readonly tls?: object;
}

/**
 * Clients that are not connected, or that rewt works beside: it connects by itself, with their
 * options.
 */
const families: readonly (readonly [name: string, make: (place: Place) => object])[] = [
  [
    'redis 3.1',
    ({ database, tls, ...address }) => {
      const options = { ...address, prefix: 'app:', ...(database ? { db: database } : {}), ...(tls ? { tls } : {}) };
      const client = redis3.createClient({ ...options, retry_strategy: () => undefined });
      client.on('error', () => {});
      disposals.push(() => client.end(true));
      return client;
    },
  ],
  ...(
    [
      ['redis 4', redis4],
      ['redis 6', redis6],
    ] as const
  ).map(
    ([name, module]) =>
      [
        name,
        ({ database = 0, tls, ...socket }: Place) =>
          module.createClient({ socket: { ...socket, ...(tls ? { tls: true, ...tls } : {}) }, database }),
      ] as const,
  ),
  ...(
    [
      ['ioredis 5', Redis5],
      ['ioredis 6', Redis],
    ] as const
  ).map(
    ([name, Client]) =>
      [
        name,
        ({ database = 0, tls, ...address }: Place) =>
          new (Client as typeof Redis)({ ...address, db: database, lazyConnect: true, ...(tls ? { tls } : {}) }),
      ] as const,
  ),
];

function storeOf(client: object): Store {
  const store = redisStore(readRedisPort(client));
  disposals.push(() => store.close());
  return store;
}

async function failureOf(store: Store): Promise<StoreError> {
  return store.read(randomUUID(), limits).then(
    () => expect.fail('it works'),
    (error: StoreError) => error,
  );
}

// At once: they wait more than they do.
describe.concurrent.each(families)('through %s', (_, make) => {
  it.each<[string, () => Place, string, RegExp]>([
    [
      'a database that there is not',
      () => ({ host: '127.0.0.1', port: server.port, database: 99 }),
      'ERR',
      /no database/,
    ],
    ['a port where nothing listens', () => ({ host: '127.0.0.1', port: 1 }), 'ECONNREFUSED', /refused the connection/],
    ['a host that has no address', () => ({ host: 'no-such.invalid', port: 6379 }), 'ENOTFOUND', /cannot be resolved/],
    [
      'a certificate of no known authority',
      () => ({ host: 'localhost', port: tlsPorts.trusted, tls: {} }),
      'SELF_SIGNED_CERT_IN_CHAIN',
      /not trusted/,
    ],
    [
      'a certificate past its end',
      () => ({ host: 'localhost', port: tlsPorts.expired, tls: { ca: certificates.ca } }),
      'CERT_HAS_EXPIRED',
      /expired/,
    ],
    [
      'a certificate for another host',
      () => ({ host: 'localhost', port: tlsPorts.elsewhere, tls: { ca: certificates.ca } }),
      'ERR_TLS_CERT_ALTNAME_INVALID',
      /another host/,
    ],
  ])('%s is the cause that the error names', async (_what, placeOf, code, words) => {
    const place = placeOf();
    const error = await failureOf(storeOf(make(place)));
    expect(error).toMatchObject({ code: 'ERR_REWT_STORE_DOWN', message: expect.stringMatching(words) });
    expect(error.message).toContain(`at ${place.host}:${place.port}`);
    expect(error.cause).toMatchObject({ code, host: place.host, port: place.port });
    expect(Object.isFrozen(error.cause)).toBe(true);
  });

  it('plain text to a TLS port is not told as a Redis that is away', async () => {
    const { message, cause } = await failureOf(storeOf(make({ host: '127.0.0.1', port: tlsPorts.trusted })));
    expect(message).toMatch(/TLS|lost/);
    expect(cause).toMatchObject({ host: '127.0.0.1', port: tlsPorts.trusted });
  });

  it('TLS to a server that answers in plain text is named', async () => {
    const plain = createServer((socket) => socket.on('error', () => {}).end('-ERR Protocol error\r\n'));
    const port = await freePort();
    await new Promise<void>((listening) => plain.listen(port, '127.0.0.1', listening));
    disposals.push(() => plain.close());
    const { message } = await failureOf(storeOf(make({ host: '127.0.0.1', port, tls: {} })));
    expect(message).toMatch(/does not speak TLS/);
  });

  it('a server without room for clients is not told as one that is away', async () => {
    const full = await startRedis(['--maxclients', '1']);
    disposals.push(full.stop);
    const holder = new Redis(full.port, '127.0.0.1');
    disposals.push(() => holder.disconnect());
    await holder.ping();
    const { message } = await failureOf(storeOf(make({ host: '127.0.0.1', port: full.port })));
    expect(message).toMatch(/maxclients|lost/);
  });
});

describe.each(clients)('through a borrowed %s', (name, connect) => {
  it('a command that is renamed is the cause that the error names', async () => {
    const own = await startRedis(['--rename-command', 'TIME', '""']);
    disposals.push(own.stop);
    const { client, close } = await connect(own.port);
    disposals.push(close);
    const error = await failureOf(storeOf(client));
    expect(error).toMatchObject({ code: 'ERR_REWT_STORE_DENIED', message: expect.stringMatching(/rename-command/) });
  });

  it('a client that is subscribed is the cause that the error names', async () => {
    const { client, close } = await connect(server.port, /ioredis 6/.test(name) ? { protocol: 2 } : resp2(name));
    disposals.push(close);
    await (client as { subscribe(channel: string, hear: () => void): unknown }).subscribe('channel', () => {});
    const error = await failureOf(storeOf(client));
    expect(error).toMatchObject({ code: 'ERR_REWT_STORE_DOWN', message: expect.stringMatching(/subscribed/) });
  });
});

function resp2(name: string): object {
  return name === 'redis 6' ? { RESP: 2, maintNotifications: 'disabled' } : {};
}

it('redis 3 without an offline queue is asked again until it is connected', async () => {
  const { client, close } = await clientNamed('redis 3.1')(server.port, { enable_offline_queue: false });
  disposals.push(close);
  await expect(storeOf(client).read(randomUUID(), limits)).resolves.toMatchObject({ ring: null });
});

it('no password of a URL is in an error, however it is looked at', async () => {
  const store = redisStoreFor('redis://bob:canary@127.0.0.1:1/3', 'rewt');
  disposals.push(() => store.close());
  const error = await failureOf(store);
  const { inspect } = await import('node:util');
  expect(inspect(error, { showHidden: true, depth: null })).not.toMatch(/canary|bob/);
  expect(error.cause).toMatchObject({ code: 'ECONNREFUSED', host: '127.0.0.1', port: 1 });
});
