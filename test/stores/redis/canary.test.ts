/**
 * No secret is among the commands and arguments that the tracing of ioredis 6 and redis 6 publishes
 * on node:diagnostics_channel.
 *
 * What this cannot promise: both clients publish the replies of reads (`result`), which hold the
 * secrets, and ioredis hangs the raw arguments of a command that Redis refused on its error
 * (`error.command.args`). Subscribers to the process' channels may see those.
 */
import { randomUUID } from 'node:crypto';
import { channel, tracingChannel } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRedisPort } from '../../../src/stores/redis/clients/detect.js';
import type { RedisPort } from '../../../src/stores/redis/clients/port.js';
import { redisStore } from '../../../src/stores/redis/redis-store.js';
import { disposedAfterEach } from '../../support/disposals.js';
import { type Connect, clients } from '../../support/redis-clients.js';
import { type RedisServer, startRedis } from '../../support/servers.js';

const limits = { timeoutMs: 5_000 };

let server: RedisServer;
const disposals = disposedAfterEach();
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

/** Every event of the two clients, without what is known to hold replies. */
function listen(): { readonly commands: () => number; readonly text: () => string } {
  const seen: object[] = [];
  let commands = 0;
  const note = (event: object): void => {
    const { result: _result, reply: _reply, error: _error, ...rest } = event as Record<string, unknown>;
    if ('command' in rest) commands += 1;
    seen.push(rest);
  };
  for (const client of ['ioredis', 'node-redis']) {
    for (const operation of ['command', 'batch', 'connect']) {
      const tracing = tracingChannel<object, object>(`${client}:${operation}`);
      const handlers = { start: note, end: note, asyncStart: note, asyncEnd: note, error: note };
      tracing.subscribe(handlers);
      disposals.push(() => tracing.unsubscribe(handlers));
    }
  }
  const points = [
    'connection:ready',
    'connection:closed',
    'connection:handoff',
    'error',
    'maintenance',
    'pubsub',
    'command:reply',
  ];
  for (const point of points) {
    const onPoint = (event: unknown): void => note(event as object);
    channel(`node-redis:${point}`).subscribe(onPoint);
    disposals.push(() => channel(`node-redis:${point}`).unsubscribe(onPoint));
  }
  const text = (): string => inspect(seen, { depth: null, maxArrayLength: null, maxStringLength: null });
  return { commands: () => commands, text };
}

async function connectedPort(connect: Connect, options: object = {}): Promise<RedisPort> {
  const { client, close } = await connect(server.port, options);
  disposals.push(close);
  return readRedisPort(client);
}

const traced = clients.filter(([name]) => name.endsWith(' 6'));

describe.each(traced)('what %s publishes', (_, connect) => {
  it.each([
    ['its own connection', {}],
    ['a key prefix', { keyPrefix: 'app:' }],
    ['auto-pipelining', { enableAutoPipelining: true }],
  ])('shows no secret of a swap, nor of one sent again, late or in vain, with %s', async (_case, options) => {
    const events = listen();
    const store = redisStore(await connectedPort(connect, options));
    disposals.push(() => store.close());
    const namespace = randomUUID();
    const canary = `canary${randomUUID()}`;
    for (const key of [`${canary}-one`, `${canary}-two`]) {
      const { nowMs, version } = await store.read(namespace, limits);
      const expiresAtMs = nowMs + 60_000;
      const wanted = { key: { value: key, expiresAtMs }, ring: { text: `ring ${key}`, expiresAtMs } };
      const swapLimits = { ...limits, notAfterMs: nowMs + 10_000 };
      expect((await store.swap(namespace, version, wanted, swapLimits)).swapped).toBe(true);
      expect((await store.swap(namespace, version, wanted, swapLimits)).swapped).toBe(true);
      const other = { ...wanted, ring: { text: `other ring ${key}`, expiresAtMs } };
      expect((await store.swap(namespace, version, other, swapLimits)).swapped).toBe(false);
      expect((await store.swap(namespace, version, other, { ...limits, notAfterMs: 1 })).swapped).toBe(false);
    }
    expect(events.commands()).toBeGreaterThan(20);
    expect(events.text()).toContain(namespace);
    expect(events.text()).not.toContain(canary);
  });

  it('would show a secret that is an argument of EVAL', async () => {
    const events = listen();
    const port = await connectedPort(connect);
    const canary = `canary${randomUUID()}`;
    await port.send([['EVAL', 'return 1', '1', 'key', canary]], 'key');
    expect(events.text()).toContain(canary);
  });

  it('hides the value of SET', async () => {
    const events = listen();
    const port = await connectedPort(connect);
    const canary = `canary${randomUUID()}`;
    await port.send([['SET', 'a-key', canary, 'PX', '1000']], 'a-key');
    expect(events.text()).toContain('a-key');
    expect(events.text()).not.toContain(canary);
  });
});
