/**
 * The table of rights, held against real users on a real server: it is enough, each right in it is
 * needed, and the doctor names the one that is missing.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/cli/doctor/finding.js';
import { Rewt } from '../../../src/index.js';
import { connectRedis } from '../../../src/stores/redis/clients/from-url.js';
import { patternOf, redisNames } from '../../../src/stores/redis/names.js';
import { plainRead, readPlainly } from '../../../src/stores/redis/plain-read.js';
import { aclRules, costOf, type Role, rightsFor, roles } from '../../../src/stores/redis/rights.js';
import { rewt as command } from '../../cli/command.js';
import { codeOf } from '../../interop/fleet.js';
import { createUser, knowsChannels, refusalsOf, type User } from '../../support/redis-users.js';
import { type RedisServer, startRedis, until } from '../../support/servers.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

interface NamedUser extends User {
  readonly namespace: string;
}

async function userWith(rules: readonly string[], namespace: string): Promise<NamedUser> {
  return { ...(await createUser(server, rules)), namespace };
}

/** All that a member does, and the commands that look: what works, in a word each. */
async function exercise(user: NamedUser) {
  const rewt = new Rewt({
    redisConn: user.url,
    redisNamespace: user.namespace,
    memberName: 'orders-1',
    maxStaleness: 2,
    storeTimeout: 5,
  });
  const env = { REWT_URL: user.url };
  const at = ['--namespace', user.namespace, '--json'];
  const fleetKey = redisNames(user.namespace).fleet;
  try {
    const sign = await codeOf(rewt.sign({}));
    const rotate = await codeOf(rewt.rotate({ force: true }));
    const revoked = await rewt.revoke().then(
      ({ replicas }) => String(replicas),
      (error) => error.code as string,
    );
    const waited = await rewt.revoke({ replicas: 1, timeout: 0.2 }).then(
      ({ replicas }) => String(replicas),
      (error) => error.code as string,
    );
    await sleep(sign === 'no error' ? 1_100 : 0);
    // After a second a read makes sure of the push connection.
    await codeOf(rewt.sign({}));
    await until(
      'push is tried',
      async () => rewt.status().push.reason !== 'Its connection is being opened.',
      5_000,
    ).catch(() => null);
    const push = rewt.status().push.state;
    const clients = await server.cli('CLIENT', 'LIST');
    const port = connectRedis(user.url);
    const { key, ring } = redisNames(user.namespace);
    const looked = readPlainly(await port.send(plainRead(key, [ring]), key), [ring]);
    await port.close();
    const status = await command(['status', ...at], { env });
    const { fleet = null, keyring = null } = status.code === 0 ? JSON.parse(status.stdout) : {};
    const announced = await server.cli('EXISTS', fleetKey);
    await rewt.close();
    return {
      sign,
      rotate,
      revoked,
      waited,
      push,
      named: clients.split('\n').some((line) => line.includes('name=rewt-push') && line.includes(`user=${user.name}`)),
      announced,
      left: (await server.cli('EXISTS', fleetKey)) === '0',
      status: keyring !== null,
      fleet: fleet?.size ?? null,
      looked: !(looked instanceof Error) && looked.roleUnknown === null,
    };
  } finally {
    await rewt.close();
  }
}

/** What comes of it with every right. */
const whole = {
  sign: 'no error',
  rotate: 'no error',
  revoked: '0',
  waited: '0',
  push: 'on',
  named: true,
  announced: '1',
  left: true,
  status: true,
  fleet: 1,
  looked: true,
};

async function lackingBy(user: NamedUser): Promise<Finding[]> {
  const { stdout } = await command(['doctor', '--namespace', user.namespace, '--json'], {
    env: { REWT_URL: user.url },
  });
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  return findings.filter(({ check, found }) => check === 'rights' && found.startsWith('this user lacks'));
}

const rulesFor = (role: Role, namespace: string) => aclRules(role, redisNames(namespace)).flat();

describe('a user with the rights of a member', () => {
  it('may do all that a member and the commands that look do, and is refused nothing', async () => {
    const namespace = `n-${randomUUID()}`;
    const user = await userWith(rulesFor('member', namespace), namespace);
    expect(await exercise(user)).toEqual(whole);
    expect(await refusalsOf(server, user)).toEqual([]);
    expect(await lackingBy(user)).toEqual([]);
  });

  it('is found to lack nothing by the doctor in a namespace full of what patterns mean', async () => {
    const namespace = `a*b?c[d]e\\f-${randomUUID()}`;
    const user = await userWith(rulesFor('member', namespace), namespace);
    expect(await exercise(user)).toMatchObject({ sign: 'no error', push: 'on', fleet: 1 });
    expect(await lackingBy(user)).toEqual([]);
    const other = redisNames(namespace.replace('*', 'x'));
    const port = connectRedis(user.url);
    const [own, others] = await port.send(
      [
        ['GET', redisNames(namespace).key],
        ['GET', other.key],
      ],
      other.key,
    );
    await port.close();
    expect(typeof own).toBe('string');
    expect(String(others)).toContain('NOPERM');
  });

  const needed = roles.member.flatMap((use) => rightsFor(use).map((right) => ({ use, right })));
  const commands = [...new Set(needed.map(({ right }) => right.command))];

  it.each(commands)('without +%s goes without something, and the doctor says what', async (command) => {
    const namespace = `n-${randomUUID()}`;
    const user = await userWith(
      rulesFor('member', namespace).filter((rule) => rule !== `+${command}`),
      namespace,
    );
    const found = await exercise(user);
    // A check of the push connection that is refused still proves that it is alive.
    if (command === 'ping') expect(found).toEqual(whole);
    else expect(found).not.toEqual(whole);
    const isLogged = (await knowsChannels(server)) || !command.startsWith('client|');
    expect(await refusalsOf(server, user)).toEqual(isLogged ? [command] : []);
    const costs = needed.filter(({ right }) => right.command === command).map(({ use, right }) => costOf(use, right));
    const [finding, ...more] = await lackingBy(user);
    expect(more).toEqual([]);
    expect(finding?.found).toBe(`this user lacks +${command}: ${costs[0]}`);
  });

  it.each([
    ['+eval', 'run eval, which rewt needs: grant +eval +get +pttl +time +set +pexpireat with'],
    ['+set', 'run set, which rewt needs: grant +eval +get +pttl +time +set +pexpireat with'],
    ['~{<K>}:ring', 'a key of this namespace: grant ~n-'],
  ])('without %s reads which right is missing in the error', async (missing, words) => {
    const namespace = `n-${randomUUID()}`;
    const rule = missing.replace('<K>', redisNames(namespace).key);
    const user = await userWith(
      rulesFor('member', namespace).filter((granted) => granted !== rule),
      namespace,
    );
    const member = new Rewt({ redisConn: user.url, redisNamespace: namespace, push: false, storeTimeout: 10 });
    try {
      await expect(member.sign({})).rejects.toMatchObject({
        code: 'ERR_REWT_STORE_DENIED',
        message: expect.stringContaining(words),
      });
    } finally {
      await member.close();
    }
  });

  it('that may not write and saw what Redis has lost since is told to run rewt revoke, and that ends it', async () => {
    const namespace = `n-${randomUUID()}`;
    const user = await userWith(
      rulesFor('member', namespace).filter((granted) => granted !== '+set'),
      namespace,
    );
    const { key, ring } = redisNames(namespace);
    const texts = () => Promise.all([key, ring].map((name) => server.cli('GET', name)));
    const put = async (values: string[]) => {
      for (const [index, name] of [key, ring].entries()) await server.cli('SET', name, values[index] ?? '', 'KEEPTTL');
    };
    const shared = { redisNamespace: namespace, push: false, storeTimeout: 10 };
    await using writer = new Rewt({ ...shared, redisConn: server.url });
    await using reader = new Rewt({ ...shared, redisConn: user.url, maxStaleness: 0 });
    await writer.ready();
    const before = await texts();
    await writer.revoke();
    const after = await texts();
    const verdict = async () => reader.verify(await writer.sign({}));
    await verdict();
    await put(before);
    const refused = { code: 'ERR_REWT_STORE_DENIED', message: expect.stringContaining('run rewt revoke') };
    await expect(reader.ready()).rejects.toMatchObject(refused);
    await put(after);
    await expect(reader.ready()).rejects.toMatchObject(refused);
    expect(
      await command(['revoke', '--yes', '--namespace', namespace], { env: { REWT_URL: server.url } }),
    ).toMatchObject({
      code: 0,
    });
    await writer.refresh();
    await verdict();
  });

  it.each(['key', 'ring', 'draft', 'fleet'] as const)(
    'without its %s goes without something, and the doctor says what',
    async (kind) => {
      const namespace = `n-${randomUUID()}`;
      const names = redisNames(namespace);
      const pattern = kind === 'draft' ? `~${patternOf(names.drafts)}*` : `~${patternOf(names[kind])}`;
      const user = await userWith(
        rulesFor('member', namespace).filter((rule) => rule !== pattern),
        namespace,
      );
      const found = await exercise(user);
      if (kind === 'fleet') expect(found).toMatchObject({ sign: 'no error', announced: '0', fleet: null });
      else expect(found.sign).toBe('ERR_REWT_STORE_DENIED');
      const [finding] = await lackingBy(user);
      expect(finding?.found).toContain(`this user lacks ${pattern}`);
    },
  );

  it('without the channel has no push, and the doctor says so', async () => {
    const namespace = `n-${randomUUID()}`;
    const user = await userWith(
      rulesFor('member', namespace).filter((rule) => !rule.startsWith('&')),
      namespace,
    );
    const isRight = await knowsChannels(server);
    expect(await exercise(user)).toMatchObject({ sign: 'no error', push: isRight ? 'off' : 'on' });
    expect((await lackingBy(user)).map(({ found }) => found)).toEqual(
      isRight ? [`this user lacks &__redis__:invalidate: ${costOf('push', {})}`] : [],
    );
  });
});

it('a user with the rights of a reader may run the commands that only read, which are denied nothing', async () => {
  const namespace = `n-${randomUUID()}`;
  const member = new Rewt({ redisConn: server.url, redisNamespace: namespace, memberName: 'orders-1' });
  try {
    const token = await member.sign({});
    await until('it is announced', async () => (await server.cli('EXISTS', redisNames(namespace).fleet)) === '1');
    const user = await userWith(rulesFor('reader', namespace), namespace);
    const [env, at] = [{ REWT_URL: user.url }, ['--namespace', namespace, '--json']];
    const { stdout } = await command(['status', ...at], { env });
    expect(JSON.parse(stdout)).toMatchObject({ due: null, fleet: { size: 1 }, unknown: [] });
    expect((await command(['verify', token, ...at], { env })).code).toBe(0);
    expect((await command(['explain', token, ...at], { env })).code).toBe(0);
    expect(await refusalsOf(server, user)).toEqual([]);
    const examined = await command(['doctor', ...at], { env });
    const { problems, findings } = JSON.parse(examined.stdout) as { problems: number; findings: Finding[] };
    expect({ code: examined.code, problems }).toEqual({ code: 0, problems: 0 });
    expect(findings.filter(({ check }) => check === 'rights')).toMatchObject([
      { level: 'note', found: expect.stringMatching(/^those of a reader/) },
    ]);
    // Without one of them it cannot look either.
    const blind = await userWith(
      rulesFor('reader', namespace).filter((rule) => rule !== '+get'),
      namespace,
    );
    expect((await command(['doctor', ...at], { env: { REWT_URL: blind.url } })).code).toBe(1);
  } finally {
    await member.close();
  }
});

it('a user with the rights of an operator may run every command, and is refused nothing by them', async () => {
  const namespace = `n-${randomUUID()}`;
  const member = new Rewt({ redisConn: server.url, redisNamespace: namespace, storeTimeout: 30 });
  await member.sign({});
  await member.close();
  const user = await userWith(rulesFor('operator', namespace), namespace);
  const [env, at] = [{ REWT_URL: user.url }, ['--namespace', namespace, '--json']];
  for (const words of [['rotate', '--force'], ['revoke', '--yes'], ['status']]) {
    expect([words, (await command([...words, ...at], { env })).code]).toEqual([words, 0]);
  }
  expect(await refusalsOf(server, user)).toEqual([]);
  expect((await command(['list', '--json'], { env })).code).toBe(0);
  expect(await lackingBy(user)).toEqual([]);
  // Other namespaces are listed by name, and not read. Redis 6 has no ACL DRYRUN to ask before the
  // doctor tries ACL GETUSER, and logs it as all of ACL.
  const isSix = (await server.cli('INFO', 'server')).includes('redis_version:6.');
  expect((await refusalsOf(server, user)).filter((refused) => !refused.includes(':rewt-secret'))).toEqual(
    isSix ? ['acl'] : [],
  );
});
