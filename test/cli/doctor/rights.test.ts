/**
 * What `rewt doctor` finds of the rights of real users: too little and too much, for each role, and
 * a remedy that works.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dangersFor, dangersIn, excessIn } from '../../../src/cli/doctor/excess.js';
import type { Finding } from '../../../src/cli/doctor/finding.js';
import { redisNames } from '../../../src/stores/redis/names.js';
import { aclRules, type Role } from '../../../src/stores/redis/rights.js';
import { createUser, knowsChannels, refusalsOf, type User } from '../../support/redis-users.js';
import { type RedisServer, startRedis } from '../../support/servers.js';
import { rewt } from '../command.js';

let server: RedisServer;
let isSix: boolean;
beforeAll(async () => {
  server = await startRedis();
  isSix = (await server.cli('INFO', 'server')).includes('redis_version:6.');
});
afterAll(() => server?.stop());

let namespace: string;
beforeEach(async () => {
  namespace = `n-${randomUUID()}`;
  await server.cli('ACL', 'LOG', 'RESET');
  await rewt(['sign', '{}', '--namespace', namespace], { env: { REWT_URL: server.url } });
});

const rulesFor = (role: Role) => aclRules(role, redisNames(namespace)).flat();

async function examine({ url }: Pick<User, 'url'>, ...more: string[]) {
  const words = ['doctor', '--namespace', namespace, '--json', ...more];
  const { code, stdout } = await rewt(words, { env: { REWT_URL: url } });
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  return { code, rights: findings.filter(({ check }) => check === 'rights'), findings };
}

/** Carries out the line that a remedy names. */
async function follow(remedy = ''): Promise<void> {
  const [, command = ''] = /rewt (acl .*) has the line/.exec(remedy) ?? [];
  const { code, stdout } = await rewt(command.split(' '));
  expect({ remedy, code }).toEqual({ remedy, code: 0 });
  expect(await server.typed(stdout.trimEnd())).toBe('OK');
}

describe.each(['member', 'verifier', 'reader', 'operator'] as const)('a user with the rights of a %s', (role) => {
  it('has what that role needs', async () => {
    const { code, rights } = await examine(await createUser(server, rulesFor(role)), '--role', role);
    expect({ code, rights }).toEqual({
      code: 0,
      rights: [{ check: 'rights', level: 'ok', found: expect.stringMatching(`^what an? ${role} needs`) }],
    });
  });

  it('that lacks one is given the line of rewt acl, which mends it and takes away what is too much', async () => {
    const rules = rulesFor(role).filter((rule) => rule !== '+get');
    const user = await createUser(server, [...rules, '~another*', '+acl|whoami', '+acl|getuser']);
    const { code, rights } = await examine(user, '--role', role);
    expect(code).toBe(1);
    expect(rights).toMatchObject([
      { level: 'problem', found: expect.stringContaining('this user lacks +get: ') },
      { level: 'note', found: expect.stringContaining(': ~another*'), remedy: rights[0]?.remedy },
    ]);
    await follow(rights[0]?.remedy);
    expect((await examine(user, '--role', role)).rights).toMatchObject([{ level: 'ok' }]);
  });
});

describe('too little', () => {
  it.each([
    ['+get', 'problem', 'readOnly members and the commands that only read (status, verify, doctor, list) do not work'],
    ['+info', 'problem', 'do not recognise a replica'],
  ])('a verifier without %s is a %s', async (missing, level, cost) => {
    const user = await createUser(
      server,
      rulesFor('verifier').filter((rule) => rule !== missing),
    );
    const { code, rights } = await examine(user, '--role', 'verifier');
    expect(rights).toMatchObject([{ level, found: expect.stringMatching(`^this user lacks \\${missing}: `) }]);
    expect(rights[0]?.found).toContain(cost);
    expect(code).toBe(level === 'problem' ? 1 : 0);
  });

  it('a member lacks of an operator what it takes to list and to examine', async () => {
    const { code, rights } = await examine(await createUser(server, rulesFor('member')), '--role', 'operator');
    expect(code).toBe(0);
    expect(rights.map(({ found }) => found)).toEqual([
      'this user lacks +scan, +cluster|slots: rewt list does not find keyrings',
      expect.stringContaining('this user lacks +config|get, +acl|whoami, +acl|dryrun: rewt doctor'),
    ]);
  });

  it('without a role, a verifier is a note that says what it can do', async () => {
    const { code, rights, findings } = await examine(await createUser(server, rulesFor('verifier')));
    expect(code).toBe(0);
    expect(rights).toMatchObject([{ level: 'note', found: expect.stringMatching(/^those of a verifier.*forge/) }]);
    expect(findings).toContainEqual({ check: 'writes', level: 'note', found: 'not tried: this user is a verifier' });
  });

  it('keys that a member may only read are too little for its scripts', async ({ skip }) => {
    if (isSix) skip();
    const { key, ring } = redisNames(namespace);
    const rules = rulesFor('member').map((rule) => (rule === `~${key}` ? `%R${rule}` : rule));
    const { code, rights } = await examine(await createUser(server, rules));
    expect(code).toBe(1);
    expect(rights[0]?.found).toContain(`this user lacks ~${key}`);
    expect(rights[0]?.found).not.toContain(ring);
  });
});

describe('too much', () => {
  it('a verifier that may write is found without a right to ask', async () => {
    const keys = rulesFor('verifier').map((rule) => rule.replace(/^%R~/, '~'));
    const user = await createUser(server, [...keys, '+set']);
    const { code, rights } = await examine(user, '--role', 'verifier');
    expect(code).toBe(0);
    expect(rights).toMatchObject([{ level: 'note', found: 'this user may do more than a verifier needs: +set' }]);
    await follow(rights[0]?.remedy);
    expect((await examine(user, '--role', 'verifier')).rights).toMatchObject([{ level: 'ok' }]);
  });

  it('keys, commands and channels are named if the user may see its rules', async () => {
    const channels = (await knowsChannels(server)) ? ['&*'] : [];
    const more = ['~*', '+flushall', '+keys', '+@read', ...channels];
    const own = rulesFor('member').filter((rule) => !rule.startsWith('~') && !rule.startsWith('&'));
    const user = await createUser(server, [...own, ...more, '+acl|whoami', '+acl|getuser']);
    const { rights } = await examine(user);
    for (const rule of ['~*', '+flushall', ...channels]) expect(rights[0]?.found).toContain(rule);
    expect(rights[0]?.found).toMatch(/\+keys|\+@read/);
    await follow(rights[0]?.remedy);
    expect((await examine(user)).rights).toMatchObject([{ level: 'ok' }]);
  });

  it('the default user is advised a user for rewt, whose name is left open', async () => {
    const { rights } = await examine(server);
    const remedy = `a separate user for rewt: rewt acl --role member --namespace ${namespace}`;
    expect(rights).toMatchObject([{ level: 'note', remedy: expect.stringMatching(`^${remedy}( --redis 6\\S+)?$`) }]);
    expect(rights[0]?.found).toMatch(/nopass, ~\*, .*\+@all/);
  });

  it('a user that may ask ACL DRYRUN alone is refused nothing by it', async ({ skip }) => {
    if (isSix) skip();
    const user = await createUser(server, [...rulesFor('operator'), '+flushall']);
    const { rights } = await examine(user);
    expect(rights).toMatchObject([{ found: 'this user may do more than rewt needs: FLUSHALL' }]);
    expect(await refusalsOf(server, user)).toEqual([]);
  });

  it('that a member cannot see what it may do is said', async () => {
    const { rights } = await examine(await createUser(server, [...rulesFor('member'), '+flushall']));
    expect(rights).toMatchObject([{ level: 'ok', found: expect.stringContaining('beyond is not known') }]);
  });
});

describe('the reply to ACL GETUSER', () => {
  const names = redisNames('rewt', 'team:');
  const hash = 'a'.repeat(64);
  const reply = (keys: unknown, commands: string, ...more: unknown[]) =>
    ['flags', ['on', 'nopass'], 'passwords', [hash], 'commands', commands, 'keys', keys, ...more] as never;

  it.each([
    ['of Redis 7', reply(`~${names.key} %R~${names.before?.ring} ~x`, '-@all +get', 'channels', '&y', 'selectors', [])],
    ['of Redis 6.2', reply([names.key, names.before?.ring, 'x'], '-@all +get', 'channels', ['y'])],
    ['with a selector', reply('', '-@all', 'selectors', [['commands', '+get', 'keys', '~x', 'channels', '&y']])],
  ])('%s names what is beyond the namespace, and no hash', (_, shown) => {
    expect(excessIn(shown, 'member', names)).toEqual(['nopass', '~x', '&y']);
  });

  it('that is an error, or none, shows nothing', () => {
    for (const shown of [new Error('NOPERM'), null]) expect(excessIn(shown, 'member', names)).toBeNull();
  });

  const dangers = dangersFor(redisNames('rewt'));
  it.each([
    ['answers', dangers.map(({ name }) => (name === 'KEYS' ? 'OK' : 'User u has no permissions')), ['KEYS']],
    ['is refused', dangers.map(() => new Error('NOPERM')), null],
    ['is not asked', [], null],
  ])('ACL DRYRUN %s', (_, answers, expected) => {
    expect(dangersIn(dangers, answers)).toEqual(expected);
  });
});
