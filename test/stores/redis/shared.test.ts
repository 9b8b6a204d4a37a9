/**
 * Members on one URL share its connections; the last one closes them, and so does the garbage
 * collector.
 */
import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Rewt } from '../../../src/index.js';
import { knowsChannels } from '../../support/redis-users.js';
import { type RedisServer, startRedis, until } from '../../support/servers.js';

let server: RedisServer;
beforeEach(async () => {
  server = await startRedis();
});
afterEach(() => server?.stop());

/** Connections to the server, but for the one that asks. */
async function connections(): Promise<number> {
  return (await server.cli('CLIENT', 'LIST')).split('\n').filter((line) => !/cmd=client(\|list)?( |$)/.test(line))
    .length;
}

async function inUse(redisConn: string, redisNamespace: string = randomUUID()): Promise<Rewt> {
  const rewt = new Rewt({ redisConn, redisNamespace, storeTimeout: 10 });
  await rewt.verify(await rewt.sign({ sub: 'a' }));
  await until('push', async () => rewt.status().push.state === 'on');
  return rewt;
}

it('members on one URL share one connection for commands and one for push; the last to close ends both', async () => {
  const rewts = await Promise.all(Array.from({ length: 60 }, () => inUse(server.url)));
  await until('two connections', async () => (await connections()) === 2);
  for (const rewt of rewts.slice(1)) await rewt.close();
  const [last] = rewts as [Rewt];
  await last.verify(await last.sign({ sub: 'b' }));
  expect(await connections()).toBe(2);
  await last.close();
  await last.close();
  await until('none', async () => (await connections()) === 0);
  const later = await inUse(server.url);
  expect(await connections()).toBe(2);
  await later.close();
});

it('members on another database or with other credentials share nothing', async () => {
  const channels = (await knowsChannels(server)) ? ['&*'] : [];
  await server.cli('ACL', 'SETUSER', 'bob', 'on', '>canary', '~*', ...channels, '+@all');
  const rewts = await Promise.all(['', '/0', '/3'].map((database) => inUse(`${server.url}${database}`)));
  rewts.push(await inUse(server.url.replace('//', '//bob:canary@')));
  await until('eight connections', async () => (await connections()) === 8);
  for (const rewt of rewts) await rewt.close();
});

it('what is refused at once leaves no user behind', async () => {
  expect(() => new Rewt({ redisConn: server.url, redisNamespace: 'a}b' })).toThrow(
    expect.objectContaining({ code: 'ERR_REWT_OPTION', option: 'redisNamespace' }),
  );
  await (await inUse(server.url)).close();
  await until('none', async () => (await connections()) === 0);
});

it('members that are forgotten are collected, and their connections closed', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let reload = 0; reload < 10; reload += 1) await inUse(server.url, 'reloaded');
  expect(await connections()).toBe(2);
  await until('none', async () => {
    collect();
    return (await connections()) === 0;
  });
});
