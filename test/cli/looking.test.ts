/** The verbs that look: they write nothing, whatever is there, and print what a member would do. */

import { createHmac } from 'node:crypto';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tokenIn } from '../../src/cli/input/stdin.js';
import { Rewt } from '../../src/index.js';
import { type RedisServer, startRedis, until } from '../support/servers.js';
import { rewt } from './command.js';
import { freshState, rewtProcess } from './process.js';

const secret = 'x3Vq0yQyZ9mJ1c7bKQw2nT5dLr8aHfUe4sGpYzWiXoA';
const segment = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
/** As an original rewt signs it: without a kid. */
function kidless(claims: object, key = secret): string {
  const signed = `${segment({ alg: 'HS256', typ: 'JWT' })}.${segment(claims)}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}
const token = kidless({ user: 'ann' });

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());
beforeEach(() => server.cli('FLUSHALL'));

/** A user of Redis with the rights of these verbs, and no right to write or to run a script. */
async function lookerUrl(...more: string[]): Promise<string> {
  const rights = '~* resetchannels &__redis__:invalidate -@all +@read +info +time +ping';
  await server.cli('ACL', 'SETUSER', 'looker', 'reset', 'on', '>hunter2', ...rights.split(' '), ...more);
  return server.url.replace('//', '//looker:hunter2@');
}

/** Changes since the server began: writes, and expiries that were moved. */
async function changes(): Promise<string | undefined> {
  return /rdb_changes_since_last_save:(\d+)/.exec(await server.cli('INFO', 'persistence'))?.[1];
}

async function watchFor(words: string, env: Record<string, string>, ...more: string[]): Promise<string> {
  const leaving = new AbortController();
  const onLine = (line: string) => {
    if (line.includes(words)) leaving.abort(130);
  };
  const given = { env, onLine, interrupted: leaving.signal };
  const { code, stdout, stderr } = await rewt(['status', '--watch', ...more], given);
  expect({ code, stderr }).toEqual({ code: 130, stderr: '' });
  return stdout;
}

describe.each([
  ['a secret too short to sign', ['SET', 'legacy:rewt-secret', 'tooshort', 'EX', '86400'], 'adopt'],
  ['a secret without a TTL', ['SET', 'legacy:rewt-secret', secret], 'adopt'],
  ['a ring that cannot be read', ['SET', '{legacy:rewt-secret}:ring', 'junk'], null],
  ['nothing at all', ['PING'], null],
] as const)('%s', (_, command, due) => {
  it('is unchanged after status, status --watch, verify, explain, doctor and list', { timeout: 90_000 }, async () => {
    await server.cli(...command);
    const before = await changes();
    const ttl = await server.cli('PTTL', 'legacy:rewt-secret');
    const env = { REWT_URL: server.url, REWT_NAMESPACE: 'legacy' };
    const verbs = [['status'], ['status', '--json'], ['verify', token], ['explain', token], ['doctor'], ['list']];
    const runs = await Promise.all(verbs.map((words) => rewt(words, { env })));
    for (const { stdout, stderr } of runs) expect(stdout + stderr).not.toMatch(/tooshort|x3Vq0yQ|\n {4}at /);
    if (due !== null) {
      expect(JSON.parse(runs[1]?.stdout ?? '')).toMatchObject({ due, keyring: null });
      expect(runs[0]?.stdout).toMatch(/^due +adopt: /m);
      expect(await watchFor('due: adopt', env)).not.toMatch(/tooshort|x3Vq0yQ/);
    }
    expect(await changes()).toBe(before);
    expect((await server.cli('PTTL', 'legacy:rewt-secret')) === '-1').toBe(ttl === '-1');
    expect(await server.cli('DBSIZE')).toBe(command[0] === 'SET' ? '1' : '0');
  });
});

it('a master which lacks replicas may have been replaced: status says so, and no token is judged by it', async () => {
  await server.cli('SET', 'legacy:rewt-secret', secret, 'EX', '86400');
  const env = { REWT_URL: await lookerUrl(), REWT_NAMESPACE: 'legacy' };
  await server.cli('CONFIG', 'SET', 'min-replicas-to-write', '1');
  try {
    const { stdout } = await rewt(['status', '--json'], { env });
    expect(JSON.parse(stdout)).toMatchObject({ unknown: [{ of: 'role', code: 'ERR_REWT_STORE_READ_ONLY' }] });
    for (const verb of ['verify', 'explain']) {
      const refused = await rewt([verb, '--json', token], { env });
      expect(refused.code).toBe(3);
      expect(JSON.parse(refused.stdout).error.code).toBe('ERR_REWT_STORE_READ_ONLY');
    }
    // A keyring that is not here may be on the master that took over.
    const [list, typo] = await Promise.all([
      rewt(['list', '--json'], { env }),
      rewt(['revoke', '--yes', '--json'], { env: { REWT_URL: server.url, REWT_NAMESPACE: 'typo' } }),
    ]);
    expect(list.code).toBe(3);
    expect(JSON.parse(list.stdout)).toMatchObject({
      keyrings: [{ namespace: 'legacy' }],
      unknown: [{ of: `127.0.0.1:${server.port}`, code: 'ERR_REWT_STORE_READ_ONLY' }],
    });
    expect(JSON.parse(typo.stdout).error.code).toBe('ERR_REWT_STORE_READ_ONLY');
    expect(typo.code).toBe(3);
    // What a member warns of is said once, and not again as Node's own warning.
    const signed = await rewtProcess(['sign', '{}'], { env: { ...env, REWT_URL: server.url } });
    expect(signed.code).toBe(3);
    expect(signed.stderr.match(/may have replaced this one/g)).toHaveLength(1);
    expect(signed.stderr).not.toMatch(/\(node:|warning/i);
  } finally {
    await server.cli('CONFIG', 'SET', 'min-replicas-to-write', '0');
  }
  const { stdout } = await rewt(['status', '--json'], { env });
  expect(JSON.parse(stdout)).toMatchObject({ unknown: [] });
});

it('what a member warns of, and no error says, is a line on stderr', async () => {
  await server.cli('SET', 'rewt:rewt-secret', 'tooshort');
  const { code, stderr } = await rewtProcess(['sign', '{}'], { env: { REWT_URL: server.url } });
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringMatching(/^warning: A secret in the store is not used, .*\n$/m),
  });
});

it('a rotation that is due is printed and not done, and tokens of before verify', async () => {
  const member = new Rewt({ redisConn: server.url, storeTimeout: 10, ttl: '1h' });
  const signed = await member.sign({ user: 'ann' });
  await member.close();
  const { next } = JSON.parse(await server.cli('GET', '{rewt:rewt-secret}:ring'));
  // As a write that was cut short between K and R leaves it.
  await server.cli('SET', 'rewt:rewt-secret', next.secret, 'EX', '3600');
  const before = await changes();
  const env = { REWT_URL: server.url };
  expect((await rewt(['status'], { env })).stdout).toMatch(/^due +late rotation: /m);
  expect(await rewt(['verify', signed], { env })).toMatchObject({ code: 0 });
  expect(await changes()).toBe(before);
});

it('a brake that a member would pull refuses every token, and is printed', async () => {
  const member = new Rewt({ redisConn: server.url, storeTimeout: 10, ttl: '1h' });
  const signed = await member.sign({ user: 'ann' });
  await member.close();
  await server.cli('DEL', 'rewt:rewt-secret');
  const before = await changes();
  const env = { REWT_URL: server.url };
  expect((await rewt(['status'], { env })).stdout).toMatch(/^due +brake: /m);
  const { code, stderr } = await rewt(['verify', signed], { env });
  expect(code).toBe(1);
  expect(stderr).toContain('due: brake');
  expect(await changes()).toBe(before);
});

it('a user without scripts and write rights is enough for all of them', async () => {
  const member = new Rewt({ redisConn: server.url, storeTimeout: 10, memberName: 'orders-1' });
  const signed = await member.sign({ user: 'ann' });
  await until('it is announced', async () => (await server.cli('EXISTS', 'rewt-fleet:{rewt:rewt-secret}')) === '1');
  const env = { REWT_URL: await lookerUrl() };
  expect(await rewt(['verify', signed], { env })).toMatchObject({ code: 0 });
  const { stdout } = await rewt(['status', '--json'], { env });
  expect(JSON.parse(stdout)).toMatchObject({ due: null, fleet: { size: 1, holdNext: 1 }, unknown: [] });
  expect((await rewt(['list'], { env })).stdout).toMatch(/^rewt +\S{11} /m);
  expect((await rewt(['explain', signed], { env })).stdout).toMatch(/^secret +current/m);
  expect(await watchFor('1 of 1 hold next', env)).toContain('began: ');
  await member.close();
});

it('what the user may not read is printed with its reason, and never left out in silence', async () => {
  const member = new Rewt({ redisConn: server.url, storeTimeout: 10, memberName: 'orders-1' });
  await member.sign({});
  await member.close();
  const env = { REWT_URL: await lookerUrl('-zrangebyscore', '-zrevrangebyscore', '-info', '-scan') };
  const shown = await rewt(['status'], { env });
  expect(shown.code).toBe(0);
  expect(shown.stdout).toMatch(/^fleet +unknown: /m);
  expect(shown.stdout).toMatch(/^role +unknown: /m);
  const { unknown, keyring } = JSON.parse((await rewt(['status', '--json'], { env })).stdout);
  expect(unknown).toEqual([
    { of: 'role', code: 'ERR_REWT_STORE_DENIED', message: expect.any(String) },
    { of: 'fleet', code: 'ERR_REWT_STORE_DENIED', message: expect.any(String) },
  ]);
  expect(keyring.signing).toMatch(/^\S{11}$/);
  const list = await rewt(['list'], { env });
  expect(list.code).toBe(3);
  expect(list.stderr).toContain('SCAN');
});

it('a replica is not looked at, as it may not know of a revocation', async () => {
  const replica = await startRedis();
  try {
    await replica.cli('CONFIG', 'SET', 'replica-read-only', 'no');
    await replica.cli('REPLICAOF', '127.0.0.1', '1');
    for (const verb of ['status', 'list']) {
      const { code, stdout } = await rewt([verb, '--json', '--url', replica.url]);
      expect(JSON.parse(stdout).error?.code).toBe('ERR_REWT_STORE_READ_ONLY');
      expect(code).toBe(3);
    }
  } finally {
    await replica.stop();
  }
});

describe('where there is no keyring', () => {
  it('each verb names those that there are, and the one that was meant', async () => {
    for (const name of ['shop', 'orders']) await server.cli('SET', `${name}:rewt-secret`, secret, 'EX', '86400');
    const env = { REWT_URL: server.url, REWT_NAMESPACE: 'shpo' };
    for (const words of [['status'], ['doctor'], ['verify', token], ['explain', token]]) {
      const { stdout, stderr } = await rewt(words, { env });
      expect((stdout + stderr).replace(/\s+/g, ' ')).toContain("There are: orders, shop; did you mean 'shop'?");
    }
  });

  it('verify and explain report it by a separate code, since no token could be right', async () => {
    const env = { REWT_URL: server.url };
    const [verified, explained] = await Promise.all([
      rewt(['verify', token, '--json'], { env }),
      rewt(['explain', token, '--json'], { env }),
    ]);
    expect(verified.code).toBe(1);
    expect(JSON.parse(verified.stdout).error.code).toBe('ERR_REWT_NO_KEYRING');
    expect(explained.code).toBe(1);
    expect(JSON.parse(explained.stdout)).toMatchObject({ valid: false, code: 'ERR_REWT_NO_KEYRING', claim: null });
  });
});

describe('where a verb looks', () => {
  it('is printed by each of them, first of all', async () => {
    const place = new URL(server.url).host;
    const verbs = [['sign', '{}'], ['status'], ['doctor'], ['list'], ['verify', token], ['explain', token]];
    for (const words of verbs) {
      const [verb] = words;
      const { stdout, stderr } = await rewt(words, { env: { REWT_URL: server.url } });
      const [head = ''] = /^(.*\n){1,3}/.exec(stderr === '' ? stdout : stderr) ?? [];
      expect({ verb, head }).toEqual({ verb, head: expect.stringContaining(`${place}, database 0`) });
    }
  });

  it.each(['sign', 'verify', 'explain', 'status', 'list', 'doctor'])(
    'rewt %s says that no URL is set, and looking makes no folder',
    async (verb) => {
      const state = freshState();
      try {
        const words = verb === 'sign' ? ['{}'] : verb === 'verify' || verb === 'explain' ? [token] : [];
        const { stdout, stderr } = await rewt([verb, ...words], { env: state.env });
        expect(stdout + stderr).toContain('(neither --url nor REWT_URL is set)');
        if (verb !== 'sign') expect(existsSync(state.folder)).toBe(false);
        const json = await rewt([verb, ...words, '--json'], { env: state.env });
        if (verb !== 'verify') expect(JSON.parse(json.stdout)).toMatchObject({ store: 'file', urlMissing: true });
        const given = await rewt([verb, ...words, '--url', `file:${state.folder}`], { env: state.env });
        expect(given.stdout + given.stderr).not.toContain('REWT_URL is set');
      } finally {
        state.remove();
      }
    },
  );

  it('a doctor without a URL and without a store warns, in place of finding nothing wrong', async () => {
    const state = freshState();
    const { stdout } = await rewt(['doctor', '--json'], { env: state.env });
    expect(JSON.parse(stdout)).toMatchObject({ warnings: 1, findings: [{ check: 'folder', level: 'warning' }] });
    state.remove();
  });
});

it.each([
  ['a header', (one: string) => `Authorization: Bearer ${one}`],
  ['a header in JSON', (one: string) => `"authorization": "Bearer ${one}",`],
  ['its value', (one: string) => `bearer ${one}\n`],
  ['a quoted token', (one: string) => `"${one}"`],
  ['a line break as a log writes it', (one: string) => `"${one}\\n"`],
  ['lines of a mail', (one: string) => `${one.slice(0, 40)}\r\n  ${one.slice(40)}\n`],
])('a token is found in %s', (_, written) => {
  expect(tokenIn(written(token))).toBe(token);
});

it('what stands beside a token is not dropped in silence', () => {
  for (const text of [`x ${token}`, `Bearer ${token} y`, `Bearer Bearer ${token}`, `{"a":"${token}"}`]) {
    expect(tokenIn(text)).not.toBe(token);
  }
});

it('verify and explain take a token with Bearer before it', async () => {
  await server.cli('SET', 'rewt:rewt-secret', secret, 'EX', '86400');
  const env = { REWT_URL: server.url };
  for (const verb of ['verify', 'explain']) {
    expect(await rewt([verb, 'Bearer', token], { env })).toMatchObject({ code: 0 });
    expect(await rewt([verb, `Bearer ${token}`, '--json'], { env })).toMatchObject({ code: 0 });
  }
});

it('on the embedded store, what is not there is not made', async () => {
  const state = freshState();
  try {
    for (const words of [['status'], ['verify', token], ['explain', token], ['doctor'], ['list']]) {
      await rewt(words, { env: state.env });
      expect(existsSync(state.folder)).toBe(false);
    }
  } finally {
    state.remove();
  }
});

it('a full Redis is read as any other, and refuses a change as full', { timeout: 60_000 }, async () => {
  const env = { REWT_URL: server.url };
  await rewt(['sign', '{}'], { env });
  await server.cli('CONFIG', 'SET', 'maxmemory', '1');
  try {
    const [status, list, rotate, revoke] = await Promise.all([
      rewt(['status', '--json'], { env }),
      rewt(['list', '--json'], { env }),
      rewt(['rotate', '--force', '--json'], { env }),
      rewt(['revoke', '--yes', '--json'], { env }),
    ]);
    expect(status).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(list.stdout).keyrings).toMatchObject([{ namespace: 'rewt' }]);
    for (const { code, stdout } of [rotate, revoke]) {
      expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 3, error: { code: 'ERR_REWT_STORE_FULL' } });
    }
  } finally {
    await server.cli('CONFIG', 'SET', 'maxmemory', '0');
  }
});

it('without the key prefix of its members a keyring is named, judged by no verb, and changed by none', async () => {
  const env = { REWT_URL: server.url };
  const prefixed = ['--namespace', 'pay', '--key-prefix', 'team:'];
  const signed = await rewt(['sign', '{}', ...prefixed], { env });
  const secret = await server.cli('GET', 'team:pay:rewt-secret');
  const keys = await server.cli('KEYS', '*');
  const wrong = ['--namespace', 'team:pay'];
  const verbs = [['status'], ['explain', signed.stdout.trim()], ['verify', signed.stdout.trim()], ['sign', '{}']];
  for (const words of [...verbs, ['revoke', '--yes'], ['rotate'], ['set', '--ttl', '2h', '--yes']]) {
    const { code, stdout } = await rewt([...words, ...wrong, '--json'], { env });
    expect({ words, code, ...JSON.parse(stdout) }).toMatchObject({
      code: 1,
      error: { code: 'ERR_REWT_NO_KEYRING', message: expect.stringContaining("'pay' under the key prefix 'team:'") },
    });
  }
  const tooLong = await rewt(['status', '--namespace', 'ay', '--key-prefix', 'team:p', '--json'], { env });
  expect(JSON.parse(tooLong.stdout).error.message).toContain("'pay' under the key prefix 'team:'");
  const doctor = await rewt(['doctor', ...wrong, '--json'], { env });
  expect(doctor.code).toBe(1);
  expect(JSON.parse(doctor.stdout).findings).toContainEqual({
    check: 'keyring',
    level: 'problem',
    found: expect.stringContaining("'pay' under the key prefix 'team:'"),
  });
  const { stdout, stderr } = await rewt(['list'], { env });
  expect(stdout).not.toContain('adopt');
  expect(stderr).toContain("'pay' under the key prefix 'team:'");
  expect(await server.cli('GET', 'team:pay:rewt-secret')).toBe(secret);
  expect(await server.cli('KEYS', '*')).toBe(keys);
  expect((await rewt(['list', '--key-prefix', 'other:'], { env })).stderr).toContain('under the key prefix "other:"');
  // Nor does a user who may see no other names.
  await server.cli('ACL', 'SETUSER', 'team', 'reset', 'on', '>hunter2', '~team:*', '+@all');
  const narrow = { REWT_URL: server.url.replace('//', '//team:hunter2@') };
  for (const words of [
    ['status', '--namespace', 'pay'],
    ['revoke', '--yes', ...wrong],
  ]) {
    const denied = await rewt(words, { env: narrow });
    expect({ words, ...denied }).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('give that: --key-prefix.'),
    });
  }
  expect((await rewt(['status', ...prefixed], { env: narrow })).code).toBe(0);
});

it('explain names the secret of a token that was cut, and believes nothing of it', async () => {
  const env = { REWT_URL: server.url };
  const { stdout } = await rewt(['sign', '{}'], { env });
  const { code, ...cut } = await rewt(['explain', stdout.trim().slice(0, -4), '--json'], { env });
  expect({ code, ...JSON.parse(cut.stdout) }).toMatchObject({
    code: 'ERR_REWT_MALFORMED',
    secret: { is: 'current', signed: false },
    valid: false,
  });
});
