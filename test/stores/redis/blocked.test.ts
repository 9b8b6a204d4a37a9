/**
 * A process whose own work stops its event loop for longer than `storeTimeout`, while Redis
 * answers: real clients, a real Redis, a loop that really stands still.
 */

import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { within } from '../../../src/async/race.js';
import { Rewt } from '../../../src/index.js';
import { type RedisServer, startRedis } from '../../support/servers.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

/**
 * Stops the loop without work for the processor. Timers come next after it, and sockets only then:
 * as after a request's handler.
 */
async function block(ms: number): Promise<void> {
  await turn();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** The answers come after so many milliseconds, when the caller is at work already. */
async function answerLater(ms: number): Promise<void> {
  await server.cli('CLIENT', 'PAUSE', String(ms));
}

const clients = {
  async ioredis() {
    const client = new Redis(server.port, '127.0.0.1');
    await client.ping();
    return { client, end: () => client.disconnect() };
  },
  async redis() {
    const client = createClient({ url: server.url });
    await client.connect();
    return { client, end: () => client.destroy() };
  },
};

describe.each(Object.entries(clients))('with a client of %s', (_, connect) => {
  it.each([1_500, 1_001])(
    '%d ms of synchronous work while a read is under way fail no request whose answer is there',
    async (ms) => {
      const { client, end } = await connect();
      const token = await new Rewt({ redisConn: client, push: false }).sign({ sub: 'a' });
      const rewt = new Rewt({ redisConn: client, push: false });
      try {
        await answerLater(600);
        const requests = Array.from({ length: 50 }, () => rewt.verify(token));
        await sleep(20);
        expect(rewt.status().copy).toBe('none');
        await block(ms);
        for (const { status } of await Promise.allSettled(requests)) expect(status).toBe('fulfilled');
      } finally {
        await rewt.close();
        end();
      }
    },
  );

  it('a Redis that does not answer is waited for no longer because of it', async () => {
    const { client, end } = await connect();
    const rewt = new Rewt({ redisConn: client, push: false });
    try {
      await answerLater(2_500);
      const request = rewt.ready().catch((error) => error);
      await sleep(20);
      const blockedUntilMs = performance.now() + 1_500;
      await block(1_500);
      expect(await request).toMatchObject({ code: 'ERR_REWT_STORE_TIMEOUT' });
      expect(performance.now() - blockedUntilMs).toBeLessThan(500);
    } finally {
      await rewt.close();
      end();
    }
  });
});

it('work that is done when a late deadline comes is done in time, and what is not is given up', async () => {
  const late = () => new Error('late');
  const done = within(50, sleep(100, 'done'), late);
  const never = within(50, new Promise(() => {}), late).catch((error) => error.message);
  await block(150);
  expect(await Promise.all([done, never])).toEqual(['done', 'late']);
});
