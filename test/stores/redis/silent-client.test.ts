/**
 * A borrowed client whose connection died without a word, while new ones work: rewt goes round it,
 * and comes back.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as passMs } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rewt, type RewtOptions } from '../../../src/index.js';
import { disposedAfterAll } from '../../support/disposals.js';
import { type NetworkProxy, startProxy } from '../../support/proxy.js';
import { type ConnectedClient, clientNamed } from '../../support/redis-clients.js';
import { type RedisServer, startRedis, until } from '../../support/servers.js';

let server: RedisServer;
const disposals = disposedAfterAll();
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

async function network(): Promise<NetworkProxy> {
  const proxy = await startProxy(server.port);
  disposals.push(proxy.stop);
  return proxy;
}

async function clientOn(proxy: NetworkProxy, name: string): Promise<ConnectedClient['client']> {
  const { client, close } = await clientNamed(name)(proxy.port);
  disposals.push(close);
  return client;
}

function rewtOn(redisConn: object | string, options: Partial<RewtOptions>): Rewt {
  const rewt = new Rewt({ redisConn, storeTimeout: 0.3, maxStaleness: 1, ...options });
  disposals.push(() => rewt.close());
  return rewt;
}

const names = ['redis 3.1', 'redis 4', 'redis 6', 'ioredis 5', 'ioredis 6'] as const;

// At once: they wait more than they do.
describe.concurrent.each(names)('where the network forgot the connection of %s,', (name) => {
  it('its member revokes within seconds, and goes on from there', async () => {
    const proxy = await network();
    const redisNamespace = randomUUID();
    const rewt = rewtOn(await clientOn(proxy, name), { redisNamespace });
    await until('a token', () => rewt.sign({ sub: 'a' }).catch(() => null));
    proxy.forget();
    const { kid } = await until('a revocation', () => rewt.revoke().catch(() => null));
    // Longer than a copy lives without the store.
    await passMs(1_100);
    await expect(rewt.verify(await rewt.sign({ sub: 'b' }))).resolves.toMatchObject({ sub: 'b' });
    const other = rewtOn(server.url, { redisNamespace, storeTimeout: 10 });
    await other.ready();
    expect(other.status().keyring?.signing).toBe(kid);
  });

  it('the client is used again once it answers, and the connection beside it is closed', async () => {
    const proxy = await network();
    const rewt = rewtOn(await clientOn(proxy, name), { redisNamespace: randomUUID(), maxStaleness: 0, push: false });
    await until('a token', () => rewt.sign({ sub: 'a' }).catch(() => null));
    proxy.forget();
    await until('a token', () => rewt.sign({ sub: 'b' }).catch(() => null));
    const made = proxy.accepted;
    expect(proxy.open).toBe(2);
    // What lost bytes is reset, which the client notices; it then connects again.
    await proxy.pass();
    await until('one connection', async () => {
      await rewt.sign({ sub: 'c' }).catch(() => null);
      return proxy.open === 1 && proxy.accepted === made + 1;
    });
  });
});

describe.concurrent('a connection beside a silent client', () => {
  it('is not used by a member that holds no keyring: it may lead to another database', async () => {
    const proxy = await network();
    const redisNamespace = randomUUID();
    const client = await clientOn(proxy, 'redis 6');
    await rewtOn(client, { redisNamespace, storeTimeout: 10 }).ready();
    const newcomer = rewtOn(client, { redisNamespace, push: false });
    proxy.forget();
    for (let round = 0; round < 4; round += 1) {
      await expect(newcomer.sign({ sub: 'a' })).rejects.toMatchObject({ code: 'ERR_REWT_STORE_TIMEOUT' });
    }
  });

  it('is not used, nor written to, if it leads to another database than the client', async () => {
    const proxy = await network();
    const redisNamespace = randomUUID();
    const client = (await clientOn(proxy, 'redis 6')) as { select(database: number): Promise<unknown> };
    await client.select(3);
    const rewt = rewtOn(client, { redisNamespace, maxStaleness: 0 });
    await until('a token', () => rewt.sign({ sub: 'a' }).catch(() => null));
    proxy.forget();
    for (let round = 0; round < 4; round += 1) {
      await expect(rewt.revoke()).rejects.toMatchObject({ code: 'ERR_REWT_STORE_TIMEOUT' });
    }
    expect(await server.cli('-n', '0', 'KEYS', `*${redisNamespace}*`)).toBe('');
  });
});
