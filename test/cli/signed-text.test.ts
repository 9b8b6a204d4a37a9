/** What the command signs and prints is what it was given, digit by digit. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rewt } from '../../src/index.js';
import { redisNames } from '../../src/stores/redis/names.js';
import { type RedisServer, startRedis } from '../support/servers.js';
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

describe('what a terminal would obey', () => {
  // C1 control characters, DEL, a right-to-left override, a tag, and a line separator.
  const hostile = 'a\u009b31m\u0085\u007f\u202egnp\u{e0001}\u2028é😀';
  const obeyed = /[^\P{C}\n]|[\p{Zl}\p{Zp}]/u;

  it('is escaped in the JSON of every verb that prints it, and is the same once that is read', async () => {
    const name = 'shop-\u009b\u202e';
    const place = ['--namespace', name, '--json', '--url', redis.url];
    await using other = new Rewt({ redisConn: redis.url, redisNamespace: name, storeTimeout: 5 });
    const token = await other.sign({ user: hostile }, { header: { cty: hostile } });
    const listed = ['list', '--json', '--url', redis.url];
    const all = [
      ['verify', token, ...place],
      ['verify', `${token}${hostile}`, ...place],
      ['explain', token, ...place],
      ['status', ...place],
      ['doctor', ...place],
      listed,
    ];
    const printed = await Promise.all(all.map(async (words) => (await rewt(words)).stdout));
    for (const text of printed) expect(text).not.toMatch(obeyed);
    const [verified, , explained, shown] = printed.map((text) => JSON.parse(text));
    expect(verified).toMatchObject({ header: { cty: hostile }, payload: { user: hostile } });
    expect(JSON.parse(explained.payload).user).toBe(hostile);
    expect(shown).toMatchObject({ namespace: name });
    expect(JSON.parse(printed.at(-1) ?? '').keyrings).toContainEqual(expect.objectContaining({ namespace: name }));
  });

  it('is escaped in the place that a verb names', async () => {
    const place = ['--namespace', `no\u009b\u202e`, '--key-prefix', `no\u009b\u202e`, '--url', redis.url];
    for (const words of [['revoke', '--yes'], ['status'], ['list'], ['doctor']]) {
      const { stdout, stderr } = await rewt([...words, ...(words[0] === 'list' ? place.slice(2) : place)]);
      expect(stderr + stdout).not.toMatch(obeyed);
    }
  });

  it('is escaped in the key prefix that a keyring is moved to', async () => {
    const names = redisNames('billing', 'no\u009b\u202e');
    await using other = new Rewt({ redisConn: redis.url, redisNamespace: 'old', storeTimeout: 5 });
    await other.ready();
    // As an earlier version named them.
    const old = redisNames('old');
    await redis.cli('RENAME', old.key, names.key);
    await redis.cli('RENAME', old.ring, names.before?.ring ?? '');
    const place = ['--namespace', 'billing', '--key-prefix', 'no\u009b\u202e', '--url', redis.url];
    const { stderr } = await rewt(['move', '--yes', ...place]);
    expect(stderr).toContain('Moved: every key of the keyring begins with "no\\u009b\\u202e"');
    expect(stderr).not.toMatch(obeyed);
  });

  it('is escaped in claims that are printed alone, between whose parts a tab may stand', async () => {
    const { stdout } = await rewt(['verify', await member.sign(`{\t"user":"${hostile}"}`), '--url', redis.url]);
    expect(stdout.slice(0, 2)).toBe('{\t');
    expect(stdout.slice(2)).not.toMatch(obeyed);
    expect(JSON.parse(stdout)).toMatchObject({ user: hostile });
  });
});
