/** What the command signs and prints is what it was given, digit by digit. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rewt } from '../../src/index.js';
import { type RedisServer, startRedis } from '../servers.js';
import { rewt } from './command.js';

let redis: RedisServer;
let member: Rewt;
beforeAll(async () => {
  redis = await startRedis();
  member = new Rewt({ redisConn: redis.url, storeTimeout: 5 });
  await member.ready();
});
afterAll(async () => {
  await member?.close();
  await redis?.stop();
});

const run = (...args: string[]) => rewt([...args, '--url', redis.url]);

describe('rewt sign', () => {
  it.each(['{"uid":1234567890123456789}', '{"a":[{"b":1e400}]}'])(
    'refuses %s, which it would round',
    async (payload) => {
      const { code, stdout, stderr } = await run('sign', payload);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).not.toContain(payload.slice(6, 12));
      expect(JSON.parse((await run('sign', '--json', payload)).stdout).error.code).toBe('ERR_REWT_PAYLOAD');
    },
  );

  it.each(['{"uid":"1234567890123456789"}', '{"uid":9007199254740991,"part":0.1}'])('signs %s', async (payload) => {
    const { stdout } = await run('sign', payload);
    const claims = Buffer.from(stdout.split('.')[1] ?? '', 'base64url').toString();
    expect(claims.slice(0, payload.length - 1)).toBe(payload.slice(0, -1));
  });

  it('signs what is no object as it stands', async () => {
    const { stdout } = await run('sign', '[1234567890123456789]');
    expect(Buffer.from(stdout.split('.')[1] ?? '', 'base64url').toString()).toBe('[1234567890123456789]');
  });
});

describe('rewt verify', () => {
  const claims = '{"uid": 1234567890123456789, "list": [1e400, 1.10],\r\n "name": "a\\nb"}';

  it('prints the claims as the token has them, on one line', async () => {
    const { stdout } = await run('verify', await member.sign(claims));
    expect(stdout).toBe('{"uid": 1234567890123456789, "list": [1e400, 1.10],  "name": "a\\nb"}\n');
  });

  it('prints header and claims so with --json too, and a text as a text', async () => {
    const { stdout } = await run('verify', '--json', await member.sign(claims));
    expect(stdout).toMatch(/,"header":\{"alg":"HS256","kid":"[^"]+"\},"payload":\{"uid": 1234567890123456789, /);
    expect(JSON.parse(stdout).payload.name).toBe('a\nb');
    const text = JSON.parse((await run('verify', '--json', await member.sign('say "hi"'))).stdout);
    expect(text).toMatchObject({ header: { alg: 'HS256' }, payload: 'say "hi"' });
  });
});
