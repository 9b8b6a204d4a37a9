/** examples/express: two processes, one calling the other. */
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Rewt } from '../../src/index.js';
import { type RedisServer, startRedis } from '../support/servers.js';
import { commandIn, type Example, follow, memberFor, runCommand, startExample, textOf, warm } from './example.js';

const readme = textOf('express/README.md');

let redis: RedisServer;
let member: Rewt;
let orders: Example;
let shop: Example;
beforeAll(async () => {
  redis = await startRedis();
  member = memberFor(redis);
  orders = await startExample('express/orders.js', { REDIS_URL: redis.url });
  shop = await startExample('express/shop.js', { REDIS_URL: redis.url, ORDERS_URL: orders.origin });
  await warm(`${orders.origin}/orders`, await member.sign({}, { audience: 'orders', issuer: 'shop' }));
  // Itself it asks for no token.
  await warm(shop.origin, '');
});
afterAll(async () => {
  await Promise.all([shop?.end(), orders?.end(), member?.close()]);
  await redis?.stop();
});

const status = async (origin: string, token: string) =>
  (await fetch(`${origin}/orders`, { headers: { authorization: `Bearer ${token}` } })).status;

describe('two Express services', () => {
  it('answer as their README says', async () => {
    const steps = await follow(readme, { redisUrl: redis.url, ports: { 3000: shop.port, 3001: orders.port } });
    expect(steps.map(({ answer, line }) => [line, answer.status])).toEqual([
      [expect.stringContaining('# 200'), 200],
      [expect.stringContaining('# 401'), 401],
    ]);
    expect(JSON.parse(steps[0]?.body ?? '')).toEqual({ askedBy: 'shop', for: 'ann', orders: ['a book', 'a lamp'] });
  });

  it('let no caller in with a token that is for another service, or by another', async () => {
    expect(await status(orders.origin, await member.sign({}, { audience: 'orders', issuer: 'shop' }))).toBe(200);
    expect(await status(orders.origin, await member.sign({}, { audience: 'mail', issuer: 'shop' }))).toBe(401);
    expect(await status(orders.origin, await member.sign({}, { audience: 'orders', issuer: 'mail' }))).toBe(401);
  });

  it('lose no request when the secret rotates, or is revoked', async () => {
    const old = await member.sign({}, { audience: 'orders', issuer: 'shop' });
    const answers: number[] = [];
    let isDone = false;
    const asking = (async () => {
      while (!isDone) {
        answers.push((await fetch(shop.origin)).status);
        await setTimeout(5);
      }
    })();
    await runCommand(commandIn(readme, 'npx rewt rotate'), redis.url);
    expect(await status(orders.origin, old)).toBe(200);
    await runCommand(commandIn(readme, 'npx rewt revoke'), redis.url);
    await expect.poll(() => status(orders.origin, old)).toBe(401);
    isDone = true;
    await asking;
    expect(answers.length).toBeGreaterThan(5);
    expect(new Set(answers)).toEqual(new Set([200]));
  });

  it('go on without Redis, and where one cannot, its answer is 503 and not 401', async () => {
    const token = await member.sign({}, { audience: 'orders', issuer: 'shop' });
    await redis.kill();
    expect((await fetch(shop.origin)).status).toBe(200);
    const late = await startExample('express/orders.js', { REDIS_URL: redis.url });
    const caller = await startExample('express/shop.js', { REDIS_URL: redis.url, ORDERS_URL: late.origin });
    const answer = await fetch(`${late.origin}/orders`, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('2');
    expect((await fetch(caller.origin)).status).toBe(503);
    await Promise.all([late.end(), caller.end()]);
    await redis.restart();
  });
});
