/**
 * Two processes with a token per millisecond between them, while the secret rotates under their
 * hands (docs/guarantees.md, promise 1).
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type RedisServer, startRedis } from '../support/servers.js';
import { startMember } from './members.js';

const rotations = 10;
/** Seconds: a turn of about one and a half, and tokens that meet two or three of them. */
const options = { ttl: 2, tokenLifetime: 4, maxStaleness: 1, clockTolerance: 0.2, storeTimeout: 5 };

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

it(`${rotations} rotations refuse none of the tokens that one process sends another each millisecond`, async () => {
  const room = { namespace: randomUUID(), options };
  const sender = startMember({ redis: server.port, client: 'ioredis' });
  const receiver = startMember({ redis: server.port, client: 'redis' });
  try {
    const port = await receiver.ask('listen', room);
    await sender.ask('startSending', { ...room, port });
    const patience = { timeout: 100_000, interval: 200 };
    await vi.waitFor(async () => {
      const { kids, refused } = await receiver.ask('heard', undefined);
      if (Object.keys(refused).length === 0) expect(kids.length).toBeGreaterThan(rotations);
    }, patience);
    const { count, elapsedMs } = await sender.ask('stopSending', undefined);

    // Those that were held back until shortly before their end included.
    const all = count + Math.ceil(count / 50);
    const { refused, accepted, late } = await vi.waitFor(async () => {
      const heard = await receiver.ask('heard', undefined);
      const refusals = Object.values(heard.refused).reduce((sum, times) => sum + times, 0);
      expect(heard.accepted + heard.late + refusals).toBeGreaterThanOrEqual(refusals > 0 ? count : all);
      return heard;
    }, patience);
    expect(refused).toEqual({});
    expect(accepted + late).toBe(all);
    // The sender makes up for every millisecond that it was kept waiting.
    expect(count).toBeGreaterThan(elapsedMs * 0.9);
  } finally {
    await Promise.all([sender.kill(), receiver.kill()]);
  }
});
