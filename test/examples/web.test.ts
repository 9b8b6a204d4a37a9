/** examples/web: a handler over the web's Request. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Rewt } from '../../src/index.js';
import { ask } from '../middleware/raw-client.js';
import { type RedisServer, startRedis } from '../support/servers.js';
import { type Example, follow, memberFor, startExample, textOf, warm } from './example.js';

let redis: RedisServer;
let member: Rewt;
let web: Example;
beforeAll(async () => {
  redis = await startRedis();
  member = memberFor(redis);
  web = await startExample('web/server.js', { REDIS_URL: redis.url });
  await warm(web.origin, await member.sign({}, { audience: 'reports' }));
});
afterAll(async () => {
  await Promise.all([web?.end(), member?.close()]);
  await redis?.stop();
});

describe('a route handler over the web', () => {
  it('answers as its README says', async () => {
    const steps = await follow(textOf('web/README.md'), { redisUrl: redis.url, ports: { 3000: web.port } });
    expect(steps.map(({ expected, answer }) => [expected, answer.status])).toEqual([
      ['401', 401],
      ['200: {"for":"ann"}', 200],
    ]);
    expect(steps[1]?.body).toBe('{"for":"ann"}');
    expect(steps[0]?.answer.headers.get('www-authenticate')).toBe('Bearer realm="api"');
  });

  it('is handed each header that came, so that two tokens are refused', async () => {
    const line = `Authorization: Bearer ${await member.sign({}, { audience: 'reports' })}`;
    expect((await ask(web.port, { path: '/', lines: [line] })).status).toBe(200);
    expect((await ask(web.port, { path: '/', lines: [line, line] })).status).toBe(400);
  });
});
