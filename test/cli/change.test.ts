/**
 * `rewt rotate` and `rewt revoke` at three in the morning: the wrong place is refused, the right
 * one is named.
 */

import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TimeLimit } from '../../src/cli/time-limit.js';
import { Rewt } from '../../src/index.js';
import { startProxy } from '../support/proxy.js';
import { type RedisServer, startRedis, until } from '../support/servers.js';
import { rewt } from './command.js';
import { freshState } from './process.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());
beforeEach(() => server.cli('FLUSHALL'));

const change = { rotate: ['rotate', '--force'], revoke: ['revoke', '--yes'] } as const;
const verbs = [['rotate'], ['revoke']] as const;

async function signedIn(namespace: string): Promise<string> {
  await using member = new Rewt({ redisConn: server.url, redisNamespace: namespace, storeTimeout: 10 });
  await member.sign({});
  return member.status().keyring?.signing ?? '';
}

it.each(verbs)('%s refuses a namespace without a keyring, names those that there are, and makes none', async (verb) => {
  await signedIn('shop-prod');
  await signedIn('{tagged}:shop');
  const env = { REWT_URL: server.url, REWT_NAMESPACE: 'typo-prod' };
  const { code, stdout, stderr } = await rewt([...change[verb]], { env });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('"typo-prod"');
  expect(stderr).toContain('There are: shop-prod, {tagged}:shop.');
  const json = await rewt([...change[verb], '--json'], { env });
  expect(JSON.parse(json.stdout).error.code).toBe('ERR_REWT_NO_KEYRING');
  expect(await server.cli('KEYS', '*typo*')).toBe('');
});

it.each(verbs)('%s without the right to SCAN says that it cannot say which keyrings there are', async (verb) => {
  await server.cli('ACL', 'SETUSER', 'ann', 'reset', 'on', '>hunter2', '~*', '+@all', '-scan');
  const url = server.url.replace('//', '//ann:hunter2@');
  const { code, stderr } = await rewt([...change[verb], '--url', url]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/Which there are is not known\. .*SCAN/);
  expect(stderr).not.toContain('hunter2');
});

it.each(verbs)('%s says where before it does anything, and which kid signed and signs', async (verb) => {
  const before = await signedIn('shop');
  const env = { REWT_URL: `${server.url}/0`, REWT_NAMESPACE: 'shop' };
  const { code, stdout, stderr } = await rewt([...change[verb]], { env });
  expect(code).toBe(0);
  const [first] = stderr.split('\n');
  expect(first).toBe(`In redis 127.0.0.1:${server.port}, database 0, namespace "shop":`);
  expect(stderr).toContain(`${stdout.trim()} signs now, in place of ${before}.`);
  const json = JSON.parse((await rewt([...change[verb], '--json'], { env })).stdout);
  const place = { store: 'redis', server: `127.0.0.1:${server.port}`, database: 0, namespace: 'shop' };
  expect(json).toMatchObject({ ...place, before: stdout.trim(), kid: expect.stringMatching(/^\S{11}$/) });
});

it.each(verbs)('%s without a URL says that it means the embedded store, and begins none there', async (verb) => {
  const state = freshState();
  try {
    const { code, stderr } = await rewt([...change[verb]], { env: state.env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^In the embedded store in .*, namespace "rewt":\n/);
    expect(stderr).toContain('there is no keyring');
    expect(existsSync(state.folder)).toBe(false);
  } finally {
    state.remove();
  }
});

it('a ring whose secret was deleted can be revoked', async () => {
  await signedIn('rewt');
  await server.cli('DEL', 'rewt:rewt-secret');
  expect(await rewt(['revoke', '--yes', '--url', server.url])).toMatchObject({ code: 0 });
});

/** Runs revoke in this process, so that a short --timeout leaves room on a slow machine. */
const revokeHere = (url: string, ...more: string[]) => rewt(['revoke', '--yes', '--json', '--url', url, ...more]);
const epochNow = async () => JSON.parse(await server.cli('GET', '{rewt:rewt-secret}:ring')).epoch;

it('a revocation without a connected replica happens, reports that none is connected, and exits with 1', async () => {
  const before = await signedIn('rewt');
  const { code, stdout, stderr } = await revokeHere(server.url, '--replicas', '1', '--timeout', '2s');
  expect(code).toBe(1);
  const missing = [expect.stringMatching(/^No replica is connected/)];
  expect(JSON.parse(stdout)).toMatchObject({ revoked: true, before, replicas: 0, missing });
  expect(stderr).toMatch(/^Revoked: .*\nRevoked: \S{11} signs now\. No replica is connected.*\n$/);
});

it.each([
  [
    '--replicas, by a user without +wait',
    ['+@all', '-wait', '~*'],
    ['--replicas', '1'],
    /\nRevoked: \S{11} signs now\. The replicas are unknown: .*\+wait.*\n$/,
  ],
  [
    '--wait, by a user without a right to the fleet',
    ['+@all', '~rewt:*', '~{rewt:*', '~rewt-draft:*'],
    ['--wait'],
    new RegExp(
      '\\nRevoked: \\S{11} signs now\\. The members are unknown: ' +
        '.*grant ~rewt:rewt-secret .* ~rewt-fleet:\\{rewt:rewt-secret\\} with.*\\n$',
    ),
  ],
])('what %s cannot confirm is said after the revocation, and is exit code 1', async (_, rules, words, said) => {
  await signedIn('rewt');
  await server.cli('ACL', 'SETUSER', 'ann', 'reset', 'on', '>hunter2', ...rules);
  const { code, stdout, stderr } = await revokeHere(server.url.replace('//', '//ann:hunter2@'), ...words);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ revoked: true, kid: expect.stringMatching(/^\S{11}$/) });
  expect(stderr).toMatch(said);
  expect(await epochNow()).toBe(1);
});

it('--timeout bounds a whole revocation; one that cannot read first reports that nothing was written', async () => {
  await signedIn('rewt');
  const proxy = await startProxy(server.port);
  try {
    await proxy.delayReplies(60_000);
    const { code, stdout } = await revokeHere(`redis://127.0.0.1:${proxy.port}`, '--timeout', '1s');
    expect(code).toBe(3);
    expect(JSON.parse(stdout).error.message).toMatch(/Nothing was written\.$/);
    expect(await epochNow()).toBe(0);
  } finally {
    await proxy.stop();
  }
});

it('--timeout bounds the look for other keyrings too, however many keys there are', async () => {
  await signedIn('shop');
  await server.cli('EVAL', "for i = 1, 12000 do redis.call('SET', 'key' .. i, '') end", '0');
  const proxy = await startProxy(server.port);
  try {
    // A step of SCAN is a thousand keys.
    await proxy.delayReplies(200);
    const words = ['--namespace', 'typo', '--timeout', '1s'];
    const { code, stdout } = await revokeHere(`redis://127.0.0.1:${proxy.port}`, ...words);
    expect(code).not.toBe(0);
    expect(JSON.parse(stdout).error.message).not.toContain('There are: shop');
  } finally {
    await proxy.stop();
  }
});

it('--timeout gives each step more time than it usually has, and no less than is left', async () => {
  expect(new TimeLimit().leftMs()).toBe(5_000);
  expect(new TimeLimit().leftMs(40_000)).toBe(40_000);
  expect(new TimeLimit(3_600).leftMs()).toBeGreaterThan(3_000_000);
  expect(new TimeLimit(1e-9).leftMs(40_000)).toBe(1);
});

it.each([['10sex'], ['2days'], ['0'], ['-1']])('--timeout %s is a wrong value of --timeout', async (value) => {
  const { code, stdout } = await revokeHere(server.url, `--timeout=${value}`);
  expect(code).toBe(2);
  expect(JSON.parse(stdout).error.option).toBe('--timeout');
});

it('a full Redis denies a revocation without a write, and accepts one after DEL or with more memory', async () => {
  await using member = new Rewt({ redisConn: server.url, storeTimeout: 10, push: false });
  const token = await member.sign({});
  try {
    await server.cli('CONFIG', 'SET', 'maxmemory', '1');
    const full = await revokeHere(server.url);
    expect(full.code).toBe(3);
    expect(JSON.parse(full.stdout).error).toMatchObject({
      code: 'ERR_REWT_STORE_FULL',
      message: expect.stringMatching(/Nothing was written\.$/),
    });
    await member.verify(token);
    // The brake needs no memory: no member accepts a token until there is room for fresh secrets.
    await server.cli('DEL', 'rewt:rewt-secret');
    await member.refresh().catch(() => {});
    await expect(member.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_STORE_FULL' });
    // The ring is that of before: what is true of it stands first.
    const shown = await rewt(['status', '--url', server.url]);
    expect(shown.stdout).toMatch(/\ndue +brake: .*accepts no token.*\nsigning /);
  } finally {
    await server.cli('CONFIG', 'SET', 'maxmemory', '0');
  }
  expect((await revokeHere(server.url)).code).toBe(0);
  await expect(member.verify(token)).rejects.toMatchObject({ status: 401 });
  await member.verify(await member.sign({}));
});

it('revoke --wait names the members that have not announced the new keyring, and is exit code 1', async () => {
  const named = { redisConn: server.url, storeTimeout: 10 };
  await using here = new Rewt({ ...named, memberName: 'orders-1' });
  await here.sign({});
  // One that a proxy has cut off, say: it announced itself, and nothing reaches it any more.
  const held = JSON.stringify({ name: 'orders-7', lineage: 'x', epoch: 0, generation: 1, next: 'x' });
  await server.cli('ZADD', 'rewt-fleet:{rewt:rewt-secret}', String(Date.now() - 30_000), `id7\n${held}`);
  const { code, stdout, stderr } = await revokeHere(server.url, '--wait', '--timeout', '2s');
  expect(code).toBe(1);
  expect(stderr).toMatch(/of 2 members hold the new keyring; .*orders-7/);
  const [last] = stderr.trimEnd().split('\n').slice(-1);
  // The other one may not have announced it yet.
  expect(last).toMatch(/^Revoked: \S{11} signs now\. Not confirmed in time: .*orders-7 \(last seen/);
  expect(JSON.parse(stdout)).toMatchObject({ revoked: true, fleet: { size: 2 } });
});

it('revoke --wait asks the members while it waits for replicas', async () => {
  await using here = new Rewt({ redisConn: server.url, storeTimeout: 10, memberName: 'orders-1' });
  await here.sign({});
  const { code, stdout, stderr } = await revokeHere(server.url, '--wait', '--replicas', '1', '--timeout', '8s');
  expect(stderr).toMatch(
    /\nRevoked: \S{11} signs now\. No replica is connected.* Confirmed by all that are announced, .*\n$/,
  );
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 1, replicas: 0, fleet: { size: 1, holdNext: 1 } });
});

it('revoke --wait does not forget a member whose copy may still be used, in a second run neither', async () => {
  await signedIn('rewt');
  const held = { name: 'orders-7', lineage: 'x', epoch: 0, generation: 1, next: 'x', maxStaleness: 900_000 };
  const entry = `id7\n${JSON.stringify(held)}`;
  await server.cli('ZADD', 'rewt-fleet:{rewt:rewt-secret}', String(Date.now() - 300_000), entry);
  for (let run = 1; run <= 2; run += 1) {
    const { code, stderr } = await revokeHere(server.url, '--wait', '--timeout', '1s');
    expect(code).toBe(1);
    expect(stderr).toMatch(/ Not confirmed in time: orders-7 \(last seen 5 min/);
  }
});

it('revoke --wait counts a cut-off member whose announcements were denied for minutes while it read on', async () => {
  const named = { storeTimeout: 1, push: false };
  await using here = new Rewt({ ...named, redisConn: server.url, memberName: 'orders-1', storeTimeout: 10 });
  const proxy = await startProxy(server.port);
  await server.cli('ACL', 'SETUSER', 'seven', 'reset', 'on', '>hunter2', '~*', '+@all');
  const redisConn = `redis://seven:hunter2@127.0.0.1:${proxy.port}`;
  await using away = new Rewt({ ...named, redisConn, memberName: 'orders-7' });
  const token = await until('a token', () => away.sign({}).catch(() => null));
  const fleet = 'rewt-fleet:{rewt:rewt-secret}';
  const entries = async () => (await server.cli('ZRANGE', fleet, '0', '-1')).split(/\n(?!\{)/);
  // What it announces once it signs comes within two seconds: there is no other entry of it then.
  const isLast = async () =>
    (await entries()).find((entry) => entry.includes('orders-7') && /overlap":[1-9]/.test(entry));
  const entry = await until('it is announced', isLast);
  await server.cli('ACL', 'SETUSER', 'seven', '-zadd');
  await server.cli('ZADD', fleet, String(Date.now() - 300_000), entry ?? '');
  await here.sign({});
  await away.verify(token);
  await proxy.hold();
  try {
    const { code, stderr } = await revokeHere(server.url, '--wait', '--timeout', '2s');
    expect(code).toBe(1);
    expect(stderr).toMatch(/ Not confirmed in time: .*orders-7 \(last seen 5 min/);
    await away.verify(token);
  } finally {
    await proxy.stop();
  }
});

it('revoke --wait without any member that is announced says so, and is exit code 1', async () => {
  await signedIn('rewt');
  const { code, stdout } = await rewt(['revoke', '--yes', '--wait', '--json', '--url', server.url]);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ revoked: true, fleet: null });
});

it('a revocation without a reply reports that its outcome is unknown, and how to check it', async () => {
  await signedIn('rewt');
  const proxy = await startProxy(server.port);
  try {
    const url = `redis://127.0.0.1:${proxy.port}`;
    await proxy.delayReplies(1_500);
    const run = rewt(['revoke', '--yes', '--url', url]);
    await until('it is written', async () => /"epoch":1/.test(await server.cli('GET', '{rewt:rewt-secret}:ring')));
    await proxy.cut();
    const { code, stderr } = await run;
    expect(code).toBe(3);
    expect(stderr).toMatch(new RegExp(`^rewt: .*127.0.0.1:${proxy.port}.* is unknown: rewt status`, 'm'));
  } finally {
    await proxy.stop();
  }
});

describe('with a replica that does not answer', () => {
  let replica: RedisServer;
  beforeAll(async () => {
    await server.cli('CONFIG', 'SET', 'repl-diskless-sync-delay', '0');
    replica = await startRedis(['--replicaof', '127.0.0.1', String(server.port)]);
    await until('it follows', async () => (await replica.cli('INFO', 'replication')).includes('link_status:up'));
  });
  beforeEach(() => void process.kill(replica.pid, 'SIGSTOP'));
  afterEach(() => void process.kill(replica.pid, 'SIGCONT'));
  afterAll(() => replica?.stop());

  it('a revocation that is interrupted says whether it was written', async () => {
    await signedIn('rewt');
    const leaving = new AbortController();
    // Written, while it is counted for a tenth of a second which replicas have it, and longer for
    // --replicas.
    const run = rewt(['revoke', '--yes', '--replicas', '1', '--url', server.url], { interrupted: leaving.signal });
    await until('it is written', async () => (await epochNow()) === 1);
    leaving.abort(130);
    expect(await run).toMatchObject({ code: 130, stderr: expect.stringMatching(/It was written before that.*status/) });
  });

  it('of two operators who revoke while a replica is slow, both learn that it has acknowledged', async () => {
    await signedIn('rewt');
    const revoke = () => revokeHere(server.url, '--replicas', '1', '--timeout', '60s');
    const first = revoke();
    await until('the first has revoked', async () => (await epochNow()) === 1);
    const second = revoke();
    await until('the second has revoked', async () => (await epochNow()) === 2);
    process.kill(replica.pid, 'SIGCONT');
    for (const { code, stdout } of await Promise.all([first, second])) {
      expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, revoked: true, replicas: 1, missing: [] });
    }
  });

  it.each([
    ['--wait', 'the keyring of before'],
    ['--replicas=1', 'the keyring of before'],
    ['--wait', 'a keyring that was left'],
    ['--replicas=1', 'a keyring that was left'],
    ['--wait', 'another revocation'],
  ])(
    'a revocation that the store loses during %s to %s is not called one, by its words, exit code or JSON',
    async (flag, successor) => {
      await using left = new Rewt({ redisConn: server.url, redisNamespace: 'left', storeTimeout: 10 });
      await left.sign({});
      await using member = new Rewt({ redisConn: server.url, storeTimeout: 10, push: false });
      await member.sign({});
      const { lineage = '', epoch, generation, next } = member.status().keyring ?? {};
      const held = JSON.stringify({ name: 'orders-7', lineage, epoch, generation, next: next?.kid });
      await server.cli('ZADD', 'rewt-fleet:{rewt:rewt-secret}', String(Date.now()), `id7\n${held}`);
      const names = ['rewt:rewt-secret', '{rewt:rewt-secret}:ring'] as const;
      const [key = '', ring = ''] = await Promise.all(
        names.map((name) =>
          server.cli('GET', successor === 'a keyring that was left' ? name.replace('rewt:', 'left:') : name),
        ),
      );
      const run = revokeHere(server.url, flag, '--timeout', '60s');
      await until('it is written', async () => (await epochNow()) === 1);
      const branch = { ...JSON.parse(ring), epoch: 1, rev: 'of-another-branch' };
      // As a failover to a replica without the revocation leaves the store.
      await server.cli(
        'MSET',
        names[0],
        key,
        names[1],
        successor === 'another revocation' ? JSON.stringify(branch) : ring,
      );
      process.kill(replica.pid, 'SIGCONT');
      const { code, stdout, stderr } = await run;
      expect(code).toBe(1);
      expect(stderr).toMatch(/\nThe store has lost this revocation, [^\n]*revoke again\.\n$/);
      expect(JSON.parse(stdout)).toMatchObject({
        ...{ revoked: false, kid: null, epoch: null, replicas: null },
        missing: [expect.stringMatching(/revoke again/)],
      });
    },
  );
});
