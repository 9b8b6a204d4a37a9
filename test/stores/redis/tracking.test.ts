/**
 * The push connection, seen from a watch: what marks a copy stale, and how often the connection is
 * made anew.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { setTimeout as passMs } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { readRedisPort } from '../../../src/stores/redis/clients/detect.js';
import type { RedisPort } from '../../../src/stores/redis/clients/port.js';
import { redisStore } from '../../../src/stores/redis/redis-store.js';
import type { Watch } from '../../../src/stores/store.js';
import { type NetworkProxy, startProxy } from '../../support/proxy.js';
import { redis6 } from '../../support/redis-clients.js';
import { freePort, type RedisServer, startRedis, until } from '../../support/servers.js';

/** For `vi.waitUntil`. */
const soon = { timeout: 90_000 };

let server: RedisServer;
let proxy: NetworkProxy;
const disposals: (() => unknown)[] = [];
beforeAll(async () => {
  server = await startRedis();
  proxy = await startProxy(server.port);
});
afterAll(async () => {
  await proxy?.stop();
  await server?.stop();
});
afterEach(async () => {
  vi.useRealTimers();
  for (const dispose of disposals.splice(0).reverse()) await dispose();
  await proxy.pass();
});

/** A client that is never connected: rewt makes connections with its options. */
function portTo(port: number): RedisPort {
  const made = readRedisPort(redis6.createClient({ socket: { port, host: '127.0.0.1' } }));
  disposals.push(() => made.close());
  return made;
}

interface Watched {
  readonly namespace: string;
  readonly watch: Watch;
  /** How often the copy was marked stale. */
  marks(): number;
}

function watched(port: RedisPort): Watched {
  const namespace = randomUUID();
  let marks = 0;
  const onSuspect = (): void => {
    marks += 1;
  };
  const watch = redisStore(port).watch?.(namespace, onSuspect) ?? expect.fail('no watch');
  disposals.push(() => watch.end());
  return { namespace, watch, marks: () => marks };
}

/** The first mark tells that the connection is armed. */
async function armed(to: Watched): Promise<Watched> {
  await until('push', async () => to.watch.status().state === 'on' && to.marks() === 1);
  return to;
}

describe('a watch', () => {
  it('marks the copy stale as soon as its connection is lost, not only when there is another', async () => {
    const { watch, marks } = await armed(watched(portTo(proxy.port)));
    await proxy.cut();
    await until('a mark', async () => marks() === 2);
    expect(watch.status().state).toBe('connecting');
  });

  it('marks the copy stale when the ring alone is written, and for no other key', async () => {
    const { namespace, marks } = await armed(watched(portTo(server.port)));
    await server.cli('SET', `{${namespace}:rewt-secret}:other`, 'x');
    await server.cli('SET', `{${namespace}:rewt-secret}:ring`, 'x');
    await until('a mark', async () => marks() === 2);
    await passMs(50);
    expect(marks()).toBe(2);
  });

  it('marks the copy stale when its connection was replaced, and the old one died with messages in it', async () => {
    const port = portTo(proxy.port);
    const first = await armed(watched(port));
    proxy.forget();
    await server.cli('SET', `${first.namespace}:rewt-secret`, 'x');
    // Its names need another connection, which serves the first one from then on.
    await armed(watched(port));
    await until('a mark', async () => first.marks() === 2);
  });
});

describe('the connection of a watch', () => {
  it('is tried ever less often while the server refuses connections', async () => {
    const through = portTo(proxy.port);
    let attempts = 0;
    const connect: RedisPort['connect'] = (...args) => {
      attempts += 1;
      return through.connect(...args);
    };
    await proxy.cut();
    watched({ ...through, connect });
    await passMs(2_000);
    expect(attempts).toBeGreaterThan(1);
    // 50 ms, and twice as long each time, less a half by chance; without that it would be at least
    // forty.
    expect(attempts).toBeLessThan(12);
  });
});

describe('a connection that never comes up', () => {
  async function mute(): Promise<{ readonly port: number; readonly sockets: Set<Socket> }> {
    const sockets = new Set<Socket>();
    const listener = createServer((socket) => sockets.add(socket.on('error', () => {}).resume()));
    const port = await freePort();
    await new Promise<void>((listening) => listener.listen(port, '127.0.0.1', listening));
    disposals.push(() => {
      for (const socket of sockets) socket.destroy();
      listener.close();
    });
    return { port, sockets };
  }

  it('is given up and begun again by a watch', async () => {
    const { port, sockets } = await mute();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    watched(portTo(port));
    await vi.waitUntil(() => sockets.size === 1, soon);
    await vi.advanceTimersByTimeAsync(10_000);
    await vi.advanceTimersByTimeAsync(100);
    await vi.waitUntil(() => sockets.size === 2, soon);
  });

  it('is given up and begun again by a store, while callers with shorter deadlines come and go', async () => {
    const { port, sockets } = await mute();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const store = redisStore(portTo(port));
    const read = (): Promise<unknown> => store.read('rewt', { timeoutMs: 1_000 }).catch(() => null);
    void read();
    await vi.waitUntil(() => sockets.size === 1, soon);
    for (let second = 0; second < 9; second += 1) {
      void read();
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(sockets.size).toBe(1);
    void read();
    await vi.advanceTimersByTimeAsync(1_000);
    void read();
    await vi.waitUntil(() => sockets.size === 2, soon);
  });
});
