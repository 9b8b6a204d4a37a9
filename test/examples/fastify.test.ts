/** examples/fastify: a service whose routes ask for different things. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Rewt } from '../../src/index.js';
import { type RedisServer, startRedis } from '../support/servers.js';
import { type Example, follow, memberFor, startExample, textOf, warm } from './example.js';

let redis: RedisServer;
let member: Rewt;
let reports: Example;
beforeAll(async () => {
  redis = await startRedis();
  member = memberFor(redis);
  reports = await startExample('fastify/reports.js', { REDIS_URL: redis.url });
  await warm(`${reports.origin}/reports`, await member.sign({}, { audience: 'reports' }));
});
afterAll(async () => {
  await Promise.all([reports?.end(), member?.close()]);
  await redis?.stop();
});

describe('a Fastify service', () => {
  it('answers as its README says', async () => {
    const steps = await follow(textOf('fastify/README.md'), {
      redisUrl: redis.url,
      ports: { 3000: reports.port },
    });
    expect(steps).toHaveLength(5);
    for (const { line, expected, answer } of steps) expect(answer.status, line).toBe(Number(expected.slice(0, 3)));
    expect(steps.map(({ body }) => JSON.parse(body))).toEqual([
      { service: 'reports' },
      { error: 'unauthorized' },
      { for: 'ann', reports: ['may', 'june'] },
      { error: 'insufficient_scope' },
      { deleted: 'may' },
    ]);
    expect(steps[3]?.expected).toContain('scope="reports:write"');
    expect(steps[3]?.answer.headers.get('www-authenticate')).toContain('scope="reports:write"');
  });

  it.each([
    ['GET', '/reports'],
    ['DELETE', '/reports/may'],
  ])('asks for its audience at %s %s, whatever else the route asks for', async (method, path) => {
    const token = await member.sign({ role: 'editor' }, { audience: 'orders' });
    const answer = await fetch(`${reports.origin}${path}`, { method, headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(401);
  });
});
