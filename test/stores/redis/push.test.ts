/**
 * Push on real servers: what anyone writes is noticed by members that are not used, and the loss of
 * a connection hides nothing.
 */

import { randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rewt, type RewtOptions } from '../../../src/index.js';
import type { RevokedMessage, RotatedMessage } from '../../../src/observe/channels.js';
import { readRedisPort } from '../../../src/stores/redis/clients/detect.js';
import { redisStore } from '../../../src/stores/redis/redis-store.js';
import { disposedAfterEach } from '../../support/disposals.js';
import { startProxy } from '../../support/proxy.js';
import { type Connect, clients } from '../../support/redis-clients.js';
import { type RedisServer, startRedis } from '../../support/servers.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

const disposals = disposedAfterEach();

async function clientOn(port: number, connect: Connect, options: object = {}): Promise<object> {
  const { client, close } = await connect(port, options);
  disposals.push(close);
  return client;
}

function rewtOn(redisConn: object | string, options: Partial<RewtOptions> = {}): Rewt {
  // No machine is so busy that a copy grows old while a test looks on: what is noticed was pushed.
  const rewt = new Rewt({ redisConn, storeTimeout: 10, ttl: '1h', maxStaleness: 60, ...options });
  disposals.push(() => rewt.close());
  return rewt;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpMs = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > giveUpMs) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A Rewt in use whose push connection is armed. */
async function listening(rewt: Rewt): Promise<Rewt> {
  await rewt.ready();
  await until(() => rewt.status().push.state === 'on');
  return rewt;
}

/** The next message on a channel for this namespace, from a member that was not used meanwhile. */
function heard<Message extends RotatedMessage | RevokedMessage>(
  name: 'rotated' | 'revoked',
  namespace: string,
): Promise<Message> {
  return new Promise((resolve) => {
    const channel = `rewt:${name}`;
    const listen = (message: unknown): void => {
      if ((message as Message).namespace !== namespace) return;
      unsubscribe(channel, listen);
      resolve(message as Message);
    };
    subscribe(channel, listen);
  });
}

const pushConnections = async (on = server): Promise<string[]> =>
  (await on.cli('CLIENT', 'LIST')).split('\n').filter((line) => line.includes('name=rewt-push'));

const idOf = (line: string | undefined): string => /\bid=(\d+)/.exec(line ?? '')?.[1] ?? '';

describe.each(clients)('through %s', (_, connect) => {
  it.each([
    ['DEL', (key: string) => ['DEL', key]],
    ['SET', (key: string) => ['SET', key, 'x'.repeat(40)]],
    ['FLUSHALL', () => ['FLUSHALL']],
    ['UNLINK of both keys', (key: string) => ['UNLINK', key, `{${key}}:ring`]],
  ] as const)('an operator’s %s reaches a member that is not used', async (_, command) => {
    const alone = await startRedis();
    disposals.push(alone.stop);
    const namespace = randomUUID();
    const rewt = await listening(rewtOn(await clientOn(alone.port, connect), { redisNamespace: namespace }));
    const { keyring } = rewt.status();
    const revoked = heard<RevokedMessage>('revoked', namespace);
    await alone.cli(...command(`${namespace}:rewt-secret`));
    expect((await revoked).own).toBe(true);
    expect(rewt.status().keyring?.current.kid).not.toBe(keyring?.current.kid);
    // Its own writing was pushed to it as well, and is no reason to go on.
    expect(rewt.status().push.state).toBe('on');
  });

  it('another member’s rotation and revocation reach a member that is not used', async () => {
    const namespace = randomUUID();
    const options = { redisNamespace: namespace };
    const idle = await listening(rewtOn(await clientOn(server.port, connect), options));
    const busy = rewtOn(server.url, { ...options, push: false });
    await busy.ready();
    const rotated = heard<RotatedMessage>('rotated', namespace);
    const { kid } = await busy.rotate({ force: true });
    expect(await rotated).toMatchObject({ kid });
    await until(() => idle.status().keyring?.current.kid === kid);
    const { epoch } = await busy.revoke();
    await until(() => idle.status().keyring?.epoch === epoch);
  });

  it('a connection that is killed is made anew, and what was written in between is found', async () => {
    const namespace = randomUUID();
    const idle = await listening(rewtOn(await clientOn(server.port, connect), { redisNamespace: namespace }));
    const busy = rewtOn(server.url, { redisNamespace: namespace, push: false });
    await busy.ready();
    for (let round = 0; round < 3; round += 1) {
      const [before] = await pushConnections();
      await server.cli('CLIENT', 'KILL', 'ID', idOf(before));
      const { epoch } = await busy.revoke();
      await until(() => idle.status().keyring?.epoch === epoch);
      await until(() => idle.status().push.state === 'on');
      await until(async () => (await pushConnections()).length === 1);
      expect(idOf((await pushConnections())[0])).not.toBe(idOf(before));
    }
  });

  it('all Rewts on one client share one connection, and the last one to close ends it', async () => {
    const client = await clientOn(server.port, connect);
    const [a, b, c] = ['a', 'b', `b:rewt-secret`].map((name) => `${randomUUID()}-${name}`) as [string, string, string];
    const rewts: Rewt[] = [];
    for (const redisNamespace of [a, b, a, c, `${a}:rewt-secret`]) {
      rewts.push(await listening(rewtOn(client, { redisNamespace })));
    }
    await until(async () => (await pushConnections()).length === 1);
    const { keyring } = (rewts[1] as Rewt).status();
    const revoked = heard<RevokedMessage>('revoked', b);
    await server.cli('DEL', `${b}:rewt-secret`);
    expect((await revoked).kid).not.toBe(keyring?.current.kid);
    for (const rewt of rewts.slice(1)) await rewt.close();
    expect(await pushConnections()).toHaveLength(1);
    await rewts[0]?.close();
    await until(async () => (await pushConnections()).length === 0);
  });

  it('a user who may not track is told so by status(), and the soft age goes on keeping the promise', async () => {
    const name = `user-${randomUUID()}`;
    await server.cli('ACL', 'SETUSER', name, 'on', '>pass-word', '~*', '+@all', '-subscribe');
    disposals.push(() => server.cli('ACL', 'DELUSER', name));
    const redisConn = `redis://${name}:pass-word@127.0.0.1:${server.port}`;
    const rewt = rewtOn(redisConn, { redisNamespace: randomUUID() });
    const token = await rewt.sign({ sub: 'a' });
    await until(() => rewt.status().push.state === 'off');
    expect(rewt.status().push.reason).toMatch(/CLIENT TRACKING.*push: false/);
    await expect(rewt.verify(token)).resolves.toMatchObject({ sub: 'a' });
  });
});

describe('a push connection', () => {
  const [, connect] = clients.at(-1) as (typeof clients)[number];

  it('is not opened before the first call, nor where push is false', async () => {
    const client = await clientOn(server.port, connect);
    const rewt = rewtOn(client, { redisNamespace: randomUUID(), push: false });
    rewtOn(client, { redisNamespace: randomUUID() });
    await rewt.verify(await rewt.sign({ sub: 'a' }));
    expect(await pushConnections()).toHaveLength(0);
  });

  it('that is only half there is found out by a member in use, which loses nothing by it', async () => {
    const proxy = await startProxy(server.port);
    disposals.push(() => proxy.stop());
    const [direct, through] = [
      readRedisPort(await clientOn(server.port, connect)),
      readRedisPort(await clientOn(proxy.port, connect)),
    ];
    // Reads go round the hole, so that only the push connection is in it.
    const store = redisStore({ ...direct, connect: through.connect });
    const rewt = new Rewt({ store, redisNamespace: randomUUID(), storeTimeout: 10, maxStaleness: 2 });
    disposals.push(
      () => rewt.close(),
      () => store.close(),
    );
    await listening(rewt);
    const token = await rewt.sign({ sub: 'a' });
    await proxy.blackHole();
    await until(async () => {
      await expect(rewt.verify(token)).resolves.toMatchObject({ sub: 'a' });
      return rewt.status().push.state === 'connecting';
    });
    expect(rewt.status().push.reason).toMatch(/silent/);
    await proxy.pass();
    await listening(rewt);
  });

  it('hears what anyone publishes on its channel, and takes it for no more than a hint', async () => {
    const namespace = randomUUID();
    const rewt = await listening(rewtOn(await clientOn(server.port, connect), { redisNamespace: namespace }));
    const token = await rewt.sign({ sub: 'a' });
    const evals = async (): Promise<number> =>
      Number(/cmdstat_eval:calls=(\d+)/.exec(await server.cli('INFO', 'commandstats'))?.[1] ?? 0);
    const before = await evals();
    const begunMs = performance.now();
    for (let n = 0; n < 300; n += 1) await server.cli('PUBLISH', '__redis__:invalidate', `junk ${n}`);
    const elapsedMs = performance.now() - begunMs;
    await expect(rewt.verify(token)).resolves.toMatchObject({ sub: 'a' });
    // Ten a second for the junk; beside it a busy member's own, and one in flight at either end.
    expect((await evals()) - before).toBeLessThanOrEqual(elapsedMs / 100 + elapsedMs / 1_000 + 3);
    expect(rewt.status()).toMatchObject({ copy: 'usable', push: { state: 'on' } });
  });
});
