/** The `rewt` command on a real Redis, and on one that is not there. */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Rewt } from '../../src/index.js';
import { freePort, type RedisServer, startRedis } from '../support/servers.js';
import { rewt } from './command.js';
import { rewtProcess } from './process.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

it('sign, verify, status and revoke share the keyring of the namespace in Redis', async () => {
  const env = { REWT_URL: server.url };
  const shared = ['--namespace', 'shop'];
  const signed = await rewtProcess(['sign', '{"user":"ann"}', ...shared], { env });
  const verified = await rewtProcess(['verify', ...shared], { env, input: signed.stdout });
  expect(JSON.parse(verified.stdout)).toMatchObject({ user: 'ann' });
  const status = JSON.parse((await rewtProcess(['status', '--json', ...shared], { env })).stdout);
  expect(status).toMatchObject({ namespace: 'shop', store: 'redis', due: null, keyring: { generation: 1 } });

  const ring = JSON.parse(await server.cli('GET', '{shop:rewt-secret}:ring'));
  expect(JSON.stringify(status)).not.toContain(ring.current.secret);
  expect(JSON.stringify(status)).not.toContain(ring.next.secret);

  expect((await rewtProcess(['revoke', '--yes', ...shared], { env })).code).toBe(0);
  expect((await rewtProcess(['verify', ...shared], { env, input: signed.stdout })).code).toBe(1);
});

it('status and verify leave an empty Redis empty', async () => {
  const place = ['--namespace', 'nobody', '--url', server.url];
  const { code, stdout } = await rewt(['status', ...place]);
  expect(code).toBe(0);
  expect(stdout).toContain('none yet');
  const foreign = (await rewt(['sign', '{}', '--namespace', 'somebody', '--url', server.url])).stdout;
  const refused = await rewt(['verify', ...place], { input: foreign });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('there is no keyring in redis ');
  expect(await server.cli('KEYS', '*nobody*')).toBe('');
});

it('no verb changes the schedule or overlap of a fleet, and a lifetime beyond its secret is rejected', async () => {
  const fleet = { ttl: 4, tokenLifetime: 2, maxStaleness: 1, clockTolerance: 0.5, redisNamespace: 'fleet' };
  const service = new Rewt({ ...fleet, redisConn: server.url });
  const place = ['--namespace', 'fleet', '--url', server.url];
  const terms = async () => {
    const { ttl, overlap } = JSON.parse(await server.cli('GET', '{fleet:rewt-secret}:ring'));
    return { ttl, overlap };
  };
  try {
    const token = await service.sign({});
    expect((await rewt(['verify', ...place], { input: token })).code).toBe(0);
    expect((await rewt(['rotate', '--force', ...place])).code).toBe(0);
    const signed = await rewt(['sign', '{"user":"ann"}', ...place]);
    await expect(service.verify(signed.stdout.trim())).resolves.toMatchObject({ user: 'ann' });
    expect((await rewt(['revoke', '--yes', ...place])).code).toBe(0);
    expect(await terms()).toEqual({ ttl: 4_000, overlap: 3_500 });
    for (const words of [
      ['{}', '--expires-in', '20s'],
      [`{"exp":${Math.ceil(Date.now() / 1_000) + 60}}`],
      ['{}', '--ttl', '1h'],
    ]) {
      const refused = await rewt(['sign', ...words, ...place]);
      expect({ words, code: refused.code }).toEqual({ words, code: 2 });
      expect(refused.stderr).toContain('rewt set --');
    }
    expect(await terms()).toEqual({ ttl: 4_000, overlap: 3_500 });
  } finally {
    await service.close();
  }
});

it('what an operator keeps under the key is a store failure that is told, not overwritten', async () => {
  await server.cli('LPUSH', 'taken:rewt-secret', 'x');
  const { code, stderr } = await rewt(['sign', '{}', '--namespace', 'taken', '--url', server.url]);
  expect(code).toBe(3);
  expect(stderr).toContain('not a string');
});

it.each([false, true])(
  'an unreachable Redis is exit code 3, told without the user and the password of the URL (--json: %s)',
  async (json) => {
    const url = `redis://ann:hunter2@127.0.0.1:${await freePort()}`;
    const verbs = [['sign', '{}'], ['status'], ['rotate'], ['revoke', '--yes']];
    const runs = verbs.map((words) => rewt([...words, '--url', url, ...(json ? ['--json'] : [])]));
    for (const { code, stdout, stderr } of await Promise.all(runs)) {
      expect(code).toBe(3);
      expect(stdout + stderr).not.toMatch(/hunter2|ann:|\n {4}at /);
      if (json) expect(JSON.parse(stdout).error.code).toBe('ERR_REWT_STORE_DOWN');
      else expect(stderr).toMatch(/Redis at 127.0.0.1:\d+ refused the connection/);
    }
  },
);

it('verify prints the digits that were signed, and not what programs round them to', async () => {
  const part = (text: string): string => Buffer.from(text).toString('base64url');
  const env = { REWT_URL: server.url, REWT_NAMESPACE: 'digits' };
  await rewt(['sign', '{}'], { env });
  const { current } = JSON.parse(await server.cli('GET', '{digits:rewt-secret}:ring'));
  const signed = `${part('{"alg":"HS256"}')}.${part('{"uid":9007199254740993,\n"n":1e400}')}`;
  const token = `${signed}.${createHmac('sha256', current.secret).update(signed).digest('base64url')}`;
  const { stdout } = await rewt(['verify', token], { env });
  expect(stdout).toBe('{"uid":9007199254740993, "n":1e400}\n');
  expect((await rewt(['verify', token, '--json'], { env })).stdout).toContain(stdout.trim());
});
