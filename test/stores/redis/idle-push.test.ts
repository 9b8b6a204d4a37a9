/**
 * Push behind something that ends connections on which nothing is said: a real Redis, with its
 * connections for push ended every third of a second.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Rewt } from '../../../src/index.js';
import { type RedisServer, startRedis, until } from '../../support/servers.js';

let server: RedisServer;
let admin: Redis;
beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.port, '127.0.0.1');
});
afterAll(async () => {
  admin?.disconnect();
  await server?.stop();
});
afterEach(() => vi.restoreAllMocks());

/** So that a third of a second lasts as long for a member as 20 s. */
function hurryClock(): void {
  const now = performance.now.bind(performance);
  const beganMs = now();
  vi.spyOn(performance, 'now').mockImplementation(() => beganMs + (now() - beganMs) * 60);
}

function endIdleConnections(): () => void {
  const timer = setInterval(() => void admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub'), 330);
  return () => clearInterval(timer);
}

async function counts(): Promise<{ connections: number; reads: number }> {
  const info = `${await admin.info('stats')}${await admin.info('commandstats')}`;
  const number = (pattern: RegExp): number => Number(pattern.exec(info)?.[1]);
  return { connections: number(/total_connections_received:(\d+)/), reads: number(/cmdstat_eval:calls=(\d+)/) };
}

describe('where connections without traffic are ended', () => {
  it('a member that is not used opens fewer and fewer, and reads as seldom', async () => {
    const rewt = new Rewt({ redisConn: admin, redisNamespace: 'idle' });
    await rewt.ready();
    await until('push is on', async () => rewt.status().push.state === 'on');
    hurryClock();
    const end = endIdleConnections();
    try {
      await sleep(4_000);
      const before = await counts();
      await sleep(4_000);
      const { connections, reads } = await counts();
      // Twelve times connections were ended meanwhile. Each costs a read when it is made, and one
      // when it is lost.
      expect(connections - before.connections).toBeLessThanOrEqual(4);
      expect(reads - before.reads).toBeLessThanOrEqual(8);
    } finally {
      end();
      await rewt.close();
    }
  });

  it('a member that is used has its push again at once, as soon as connections last', async () => {
    const rewt = new Rewt({ redisConn: admin, redisNamespace: 'used' });
    await rewt.ready();
    await until('push is on', async () => rewt.status().push.state === 'on');
    hurryClock();
    const end = endIdleConnections();
    await sleep(7_000);
    end();
    const endedAtMs = Date.now();
    await until('push is on', async () => {
      await rewt.refresh();
      return rewt.status().push.state === 'on';
    });
    // Unused, it would have waited for some seconds more.
    expect(Date.now() - endedAtMs).toBeLessThan(1_500);
    await rewt.close();
  });
});
