/**
 * `rewt acl`: what its line grants, and no more, with users of a real server of each version
 * (`npm run test:servers`).
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Rewt } from '../../src/index.js';
import { RESEAL } from '../../src/keyring/reseal.js';
import { createSealKey } from '../../src/seal/seal-key.js';
import { connectRedis } from '../../src/stores/redis/clients/from-url.js';
import { redisNames } from '../../src/stores/redis/names.js';
import { redisStore } from '../../src/stores/redis/redis-store.js';
import { codeOf } from '../interop/fleet.js';
import { prefixedMembers } from '../support/prefixed-members.js';
import { refusalsOf } from '../support/redis-users.js';
import { type RedisServer, startRedis, until } from '../support/servers.js';
import { linesOf, rewt } from './command.js';

const password = 'pass-word';
let server: RedisServer;
let version: string;
beforeAll(async () => {
  server = await startRedis();
  version = /redis_version:([\d.]+)/.exec(await server.cli('INFO', 'server'))?.[1] ?? '';
});
afterAll(() => server?.stop());

let namespace: string;
let admin: { readonly env: Readonly<Record<'REWT_URL' | 'REWT_NAMESPACE', string>> };
beforeEach(async () => {
  await server.cli('FLUSHALL');
  await server.cli('ACL', 'LOG', 'RESET');
  namespace = `n-${randomUUID()}`;
  admin = { env: { REWT_URL: server.url, REWT_NAMESPACE: namespace } };
});

/** Types the line of `rewt acl` into redis-cli, as an operator does, and adds a password. */
async function userOf(role: string, ...more: string[]) {
  const words = ['acl', '--role', role, '--redis', version, '--namespace', namespace, ...more];
  const { code, stdout } = await rewt(words);
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ACL SETUSER \S+ .*\n$/) });
  expect(await server.typed(stdout.trimEnd())).toBe('OK');
  const [, , name = ''] = stdout.split(' ');
  expect(await server.cli('ACL', 'SETUSER', name, 'resetpass', `>${password}`)).toBe('OK');
  return { name, url: server.url.replace('//', `//${name}:${password}@`) };
}

const writing = 'run eval, which rewt needs: grant +eval +get +pttl +time +set +pexpireat with ACL SETUSER';
const scanning = 'may not SCAN, so it cannot be listed which keyrings there are. Grant an operator +scan';
const verbs = [
  ['sign', ['{}'], { verifier: writing, reader: writing }],
  ['verify', [], {}],
  ['explain', [], {}],
  ['status', [], {}],
  ['doctor', [], {}],
  ['rotate', ['--force'], { verifier: writing, reader: writing }],
  ['set', ['--overlap', '1h'], { verifier: writing, reader: writing }],
  ['revoke', ['--yes'], { verifier: writing, reader: writing }],
  ['reseal', ['--yes'], { verifier: writing, reader: writing }],
  ['list', [], { member: scanning, verifier: scanning, reader: scanning }],
] as const satisfies [string, string[], Partial<Record<string, string>>][];

const modes = ['plain', 'sealed'] as const;
const sealKey = createSealKey(randomBytes);
const roles = ['member', 'verifier', 'reader', 'operator'];

describe.each(roles)('a user with the line for a %s', (role) => {
  it.each(modes)('may run each verb of that role on a %s keyring, and reads which right others need', async (mode) => {
    const seals = mode === 'sealed' ? { REWT_SEAL_KEY: sealKey } : {};
    admin = { env: { ...admin.env, ...seals } };
    await rewt(['sign', '{}'], admin);
    const user = await userOf(role);
    const env = { ...admin.env, REWT_URL: user.url };
    const results: unknown[] = [];
    const wanted: unknown[] = [];
    for (const [verb, words, refused] of verbs) {
      if (verb === 'reseal' && mode === 'plain') continue;
      const token = (await rewt(['sign', '{}'], admin)).stdout;
      const given = verb === 'list' ? { env: { REWT_URL: user.url } } : { env, input: token };
      const { code, stderr } = await rewt([verb, ...words], given);
      const sentence = (refused as Partial<Record<string, string>>)[role];
      const said = sentence === undefined || stderr.includes(sentence) ? (sentence ?? '') : stderr;
      results.push([verb, code, said]);
      wanted.push([verb, sentence === undefined ? 0 : 3, sentence ?? '']);
    }
    expect(results).toEqual(wanted);
  });

  it('may not read or write another namespace', async () => {
    const other = `other-${namespace}`;
    const { env } = admin;
    const token = (await rewt(['sign', '{}'], { env: { ...env, REWT_NAMESPACE: other } })).stdout;
    const user = await userOf(role);
    const { code, stderr } = await rewt(['verify', '--namespace', other], {
      env: { REWT_URL: user.url },
      input: token,
    });
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining(`grant ~${redisNames(other).key} `) });
  });
});

describe('a verifier', () => {
  it.each(modes)('that is a member with readOnly reads a %s keyring, and no other verb works', async (mode) => {
    const newKey = createSealKey(randomBytes);
    const seals = mode === 'sealed' ? { sealKey: [newKey, sealKey] } : {};
    const options = { redisNamespace: namespace, storeTimeout: 10, ...seals };
    await using writer = new Rewt({ ...options, redisConn: server.url });
    await using older = new Rewt({ ...options, redisConn: server.url, ...(mode === 'sealed' ? { sealKey } : {}) });
    const token = await older.sign({ sub: 'ann' });
    const user = await userOf('verifier', '--push');
    await using reader = new Rewt({ ...options, redisConn: user.url, readOnly: true });
    expect(await reader.verify(token)).toMatchObject({ sub: 'ann' });
    await until('push is on', async () => reader.status().push.state === 'on');
    await writer.rotate({ force: true });
    if (mode === 'sealed') await writer[RESEAL]({});
    for (const signed of [token, await writer.sign({ sub: 'ann' })]) {
      expect(await reader.verify(signed)).toMatchObject({ sub: 'ann' });
    }
    await writer.revoke();
    await until('it is revoked', async () => (await codeOf(reader.verify(token))) === 'ERR_REWT_UNKNOWN_KEY');
    for (const call of [() => reader.sign({}), () => reader.rotate(), () => reader.revoke()]) {
      expect(await codeOf((async () => call())())).toBe('ERR_REWT_OPTION');
    }
    expect(await refusalsOf(server, user)).toEqual([]);

    await using other = new Rewt({ ...options, redisConn: user.url, push: false });
    const calls = [() => other.sign({}), () => other.verify(token), () => other.rotate(), () => other.revoke()];
    for (const call of [...calls, () => other[RESEAL]({ plain: mode === 'plain' })]) {
      const denied = { code: 'ERR_REWT_STORE_DENIED', message: expect.stringContaining(writing) };
      await expect(call()).rejects.toMatchObject(denied);
    }
  });

  it('reads a keyring without one refusal', async () => {
    const token = (await rewt(['sign', '{}'], admin)).stdout;
    const user = await userOf('verifier', '--user', 'orders');
    expect(user.name).toBe('orders');
    const env = { REWT_URL: user.url, REWT_NAMESPACE: namespace };
    expect((await rewt(['verify'], { env, input: token })).code).toBe(0);
    expect(await refusalsOf(server, user)).toEqual([]);
  });

  it.each([
    ['notices a change at once with --push', ['--push'], 'on'],
    ['has no push without it', [], 'off'],
  ] as const)('%s', async (_, more, state) => {
    await rewt(['sign', '{}'], admin);
    const { url } = await userOf('verifier', ...more);
    const store = redisStore(connectRedis(url));
    let changes = 0;
    const onSuspect = (): void => {
      changes += 1;
    };
    const watch = store.watch?.(namespace, onSuspect);
    try {
      await until('push is tried', async () => watch?.status().state !== 'connecting');
      expect(watch?.status().state).toBe(state);
      if (state === 'off') expect(watch?.status().reason).toContain('Push needs CLIENT ID, CLIENT TRACKING');
      await rewt(['rotate', '--force'], admin);
      if (state === 'on') await until('the change is noticed', async () => changes > 0);
    } finally {
      watch?.end();
      await store.close();
    }
  });

  it('of a verifier without push comes with the option that it needs then', async () => {
    expect((await rewt(['acl', '--role', 'verifier'])).stderr).toContain('set push: false in its options');
    for (const words of [
      ['--role', 'verifier', '--push'],
      ['--role', 'reader'],
    ]) {
      expect((await rewt(['acl', ...words])).stderr).not.toContain('push');
    }
  });

  it.each(['member', 'verifier', 'reader', 'operator'])('comes with messages of one line each (%s)', async (role) => {
    const { said } = await linesOf(['acl', '--role', role]);
    expect(said.filter((line) => /\p{Cc}/u.test(line))).toEqual([]);
  });

  it.each(['verifier', 'reader'])('is named as one who can forge, in the first words (%s)', async (role) => {
    const { stderr } = await rewt(['acl', '--role', role]);
    expect(stderr).toMatch(new RegExp(`^A ${role} can forge tokens`));
    expect((await rewt(['acl', '--help'])).stdout).toMatch(/^[^.]* can forge tokens, a verifier too,[^.]*\./);
  });
});

describe('the line', () => {
  it('takes away what the user had beyond it, and leaves its password', async () => {
    const user = await userOf('member');
    const wide = ['~*', '+@all', ...(version.startsWith('6.') ? [] : ['&*', '(~* +get)'])];
    expect(await server.cli('ACL', 'SETUSER', user.name, ...wide)).toBe('OK');
    const { stdout } = await rewt(['acl', '--role', 'member', '--redis', version, '--namespace', namespace]);
    expect(await server.typed(stdout.trimEnd())).toBe('OK');
    const port = connectRedis(user.url);
    const { key } = redisNames(namespace);
    const outcomes = await port.send([['GET', 'x'], ['FLUSHALL'], ['GET', key]], key);
    await port.close();
    expect(outcomes.map((outcome) => (outcome instanceof Error ? outcome.message.slice(0, 6) : outcome))).toEqual([
      'NOPERM',
      'NOPERM',
      null,
    ]);
  });

  it('covers exactly its own namespace, whatever is in the name', async () => {
    for (const name of ['a*b?c[d]e\\f', 'q"uote\'s', 'no\u00a0break \u001b[31m', '{tag}:x', 'ü\u2028\u202e']) {
      namespace = `${name}-${randomUUID()}`;
      const { url } = await userOf('member');
      const env = { REWT_URL: url, REWT_NAMESPACE: namespace };
      const { code, stdout } = await rewt(['sign', '{}'], { env });
      expect({ name, code }).toEqual({ name, code: 0 });
      expect((await rewt(['verify'], { env, input: stdout })).code).toBe(0);
      const others = [namespace.replace('*', 'x'), namespace.replace('?', 'x'), namespace.replace('[d]', 'd')];
      for (const other of others.filter((one) => one !== namespace)) {
        expect((await rewt(['sign', '{}', '--namespace', other], { env })).code).toBe(3);
      }
    }
  });

  it('shows no control character on a terminal', async () => {
    const { stdout, stderr } = await rewt([
      'acl',
      '--role',
      'member',
      '--namespace',
      'a\u001b[2J\u202e',
      '--user',
      'b\u0007',
    ]);
    expect(stdout + stderr).not.toMatch(/[^\P{C}\n]/u);
  });

  it.each(['6', '6.2', '7', undefined])('has what Redis %s knows, and no password', async (redis) => {
    const { stdout } = await rewt(['acl', '--role', 'reader', '--push', ...(redis ? ['--redis', redis] : [])]);
    const knows = (...rules: string[]) => rules.map((rule) => stdout.includes(` ${rule}`));
    const isSix = redis === '6';
    expect(knows('resetchannels', '&__redis__:invalidate')).toEqual([!isSix, !isSix]);
    const isNew = redis !== '6' && redis !== '6.2';
    expect(knows('clearselectors', '%R~', '~')).toEqual([isNew, isNew, !isNew]);
    expect(stdout).not.toMatch(/[>#<!]|nopass/);
  });

  it('needs no server, and with --json has its rules as a list', async () => {
    const { code, stdout } = await rewt(['acl', '--role', 'member', '--key-prefix', 'team:', '--json']);
    const { rules, line, ...more } = JSON.parse(stdout);
    expect({ code, ...more }).toEqual({
      code: 0,
      role: 'member',
      user: 'rewt-member',
      namespace: 'rewt',
      keyPrefix: 'team:',
    });
    expect(line).toBe(['ACL', 'SETUSER', 'rewt-member', ...rules].join(' '));
    const { key, ring, fleet, before } = redisNames('rewt', 'team:');
    for (const name of [key, ring, fleet, before?.ring, before?.fleet]) expect(rules).toContain(`~${name}`);
  });
});

describe('under a key prefix', () => {
  const prefix = 'team:';
  const { places, newMember, oldMember } = prefixedMembers(prefix, () => ({ server, namespace }));

  it('a member uses a keyring of an earlier version, and an operator moves it', async () => {
    await oldMember().sign({});
    const member = newMember((await userOf('member', '--key-prefix', prefix)).url);
    const token = await member.sign({});
    expect(await places()).toEqual({ old: true, prefixed: false });
    const { url } = await userOf('operator', '--key-prefix', prefix);
    const at = ['--namespace', namespace, '--key-prefix', prefix];
    expect((await rewt(['move', '--yes', ...at], { env: { REWT_URL: url } })).code).toBe(0);
    expect(await places()).toEqual({ old: false, prefixed: true });
    expect(await member.verify(token)).toBeTypeOf('object');
  });

  it.each(['verifier', 'reader'])('a %s may not move it, and reads which right is missing', async (role) => {
    await oldMember().sign({});
    const { url } = await userOf(role, '--key-prefix', prefix);
    const at = ['--namespace', namespace, '--key-prefix', prefix];
    const { code, stderr } = await rewt(['move', '--yes', ...at], { env: { REWT_URL: url } });
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining(writing) });
  });
});
