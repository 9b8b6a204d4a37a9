/**
 * Names under a key prefix: a user with the prefix alone can use rewt, and members of the version
 * before lose nothing beside it.
 */
import { randomUUID } from 'node:crypto';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Rewt } from '../../../src/index.js';
import { connectRedis } from '../../../src/stores/redis/clients/from-url.js';
import { redisStore } from '../../../src/stores/redis/redis-store.js';
import { aclRules } from '../../../src/stores/redis/rights.js';
import { codeOf } from '../../interop/fleet.js';
import { startCluster } from '../../support/cluster.js';
import { prefixedMembers } from '../../support/prefixed-members.js';
import { createUser } from '../../support/redis-users.js';
import { type RedisServer, startRedis, until } from '../../support/servers.js';

const prefix = 'team:';
let server: RedisServer;
let namespace: string;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  namespace = `n-${randomUUID()}`;
  await server.cli('FLUSHALL');
});

const { names, oldNames, has, places, memberOf, newMember, oldMember } = prefixedMembers(prefix, () => ({
  server,
  namespace,
}));

const userUrl = async (...rules: string[]): Promise<string> => (await createUser(server, rules)).url;
const commands = () =>
  aclRules('member', names())
    .flat()
    .filter((rule) => !rule.startsWith('~'));

/** Each signs, and each verifies what any of them signed. */
async function agree(...members: Rewt[]): Promise<void> {
  for (const signer of members) {
    const token = await signer.sign({ user: 'ann' });
    for (const verifier of members) expect(await verifier.verify(token)).toMatchObject({ user: 'ann' });
  }
}

describe('a keyring begun under a key prefix', () => {
  it('has no key outside of the prefix, so a user with the prefix alone can do all of it', async () => {
    const url = await userUrl(`~${prefix}*`, ...commands());
    const [one, two] = [newMember(url), newMember(url)];
    await agree(one, two);
    await one.rotate({ force: true });
    await agree(one, two);
    await two.revoke();
    await agree(one, two);
    const pushed = newMember(url, { memberName: 'orders-1', maxStaleness: 2 });
    await pushed.sign({});
    await until('push is on', async () => pushed.status().push.state === 'on');
    await one.rotate({ force: true });
    const { generation } = one.status().keyring ?? {};
    await until('a change is pushed', async () => pushed.status().keyring?.generation === generation);
    await until('it is announced', () => has(names().fleet));
    const keys = (await server.cli('KEYS', '*')).split('\n');
    expect(keys.sort()).toEqual([names().key, names().ring, names().fleet].sort());
    expect(keys.filter((key) => !key.startsWith(prefix))).toEqual([]);
  });

  it('needs no more than the exact rights of the table', async () => {
    const url = await userUrl(...aclRules('member', names()).flat());
    const [one, two] = [newMember(url), newMember(url)];
    await agree(one, two);
    await one.rotate({ force: true });
    await two.revoke();
    await agree(one, two);
    expect(await places()).toEqual({ old: false, prefixed: true });
  });

  it('is in one slot of a cluster, whichever part brings the hash tag', async () => {
    const cluster = await startCluster();
    try {
      for (const [keyPrefix, redisNamespace] of [
        ['team:', 'app'],
        ['{team}:', 'app'],
        ['team:', '{app}'],
        ['a{', 'app'],
      ]) {
        const nodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
        const client = new Cluster(nodes, { keyPrefix });
        const rewt = new Rewt({ redisConn: client, redisNamespace, storeTimeout: 10 });
        try {
          const token = await rewt.sign({});
          await rewt.rotate({ force: true });
          await rewt.verify(token);
          await rewt.revoke();
        } finally {
          await rewt.close();
          client.disconnect();
        }
      }
    } finally {
      await cluster.stop();
    }
  });
});

describe('a keyring of the version before', () => {
  it('stays under its names, and new members use it there', async () => {
    const old = oldMember();
    const early = await old.sign({});
    const one = newMember();
    await agree(old, one);
    await one.rotate({ force: true });
    await agree(old, one);
    await old.rotate({ force: true });
    await agree(old, one);
    await one.verify(early);
    expect(await places()).toEqual({ old: true, prefixed: false });
    expect(one.status().keyring).toMatchObject({ epoch: 0 });
    await one.revoke();
    expect(await codeOf(old.verify(early))).toBe('ERR_REWT_UNKNOWN_KEY');
    await agree(old, one);
  });

  it('works on with the rights that were documented for it', async () => {
    await oldMember().sign({});
    const { key, ring } = oldNames();
    const one = newMember(await userUrl(`~${key}`, `~${ring}`, '~rewt-draft:*', '~rewt-fleet:*', ...commands()));
    await one.rotate({ force: true });
    await agree(one, oldMember(), newMember());
    expect(await places()).toEqual({ old: true, prefixed: false });
  });

  it('is begun by a user with the rights that were documented for it', async () => {
    const { key, ring } = oldNames();
    const one = newMember(await userUrl(`~${key}`, `~${ring}`, '~rewt-draft:*', '~rewt-fleet:*', ...commands()));
    await agree(one, oldMember(), newMember());
    expect(await places()).toEqual({ old: true, prefixed: false });
  });

  it('is not begun again by a user who may not see it', async () => {
    const old = oldMember();
    await old.sign({});
    const secret = await server.cli('GET', names().key);
    const blind = newMember(await userUrl(`~${prefix}*`, ...commands()));
    expect(await codeOf(blind.sign({}))).toBe('ERR_REWT_STORE_DENIED');
    expect(await server.cli('GET', names().key)).toBe(secret);
    expect(await places()).toEqual({ old: true, prefixed: false });
  });

  it('that is lost is written back under its names by a new member that knew it', async () => {
    const [old, one] = [oldMember(), newMember()];
    await agree(old, one);
    await server.cli('DEL', oldNames().ring);
    await agree(one, old);
    expect(await places()).toEqual({ old: true, prefixed: false });
    expect(one.status().keyring?.epoch).toBe(0);
  });
});

describe('a member of the version before, beside a keyring under the prefix,', () => {
  it('begins one under its own names, and no token of before is refused by new members', async () => {
    const [one, two] = [newMember(), newMember()];
    const retired = await one.sign({ user: 'bob' });
    await one.rotate({ force: true });
    const current = await two.sign({ user: 'ann' });
    const { lineage } = two.status().keyring ?? {};

    const old = oldMember();
    await old.verify(current);
    expect(await places()).toEqual({ old: true, prefixed: true });
    for (const rewt of [one, two, newMember()]) {
      expect(await rewt.verify(retired)).toMatchObject({ user: 'bob' });
      expect(await rewt.verify(current)).toMatchObject({ user: 'ann' });
    }
    expect(await places()).toEqual({ old: true, prefixed: false });
    await agree(one, old, two);
    await old.rotate({ force: true });
    await agree(one, old, two);
    for (const rewt of [one, two, old]) expect(await rewt.verify(current)).toMatchObject({ user: 'ann' });
    expect(one.status().keyring).toMatchObject({ lineage, epoch: 0 });
  });

  it('revokes, and new members refuse the tokens of before', async () => {
    const one = newMember();
    const early = await one.sign({});
    await oldMember().revoke();
    expect(await codeOf(one.verify(early))).toBe('ERR_REWT_UNKNOWN_KEY');
    await agree(one, newMember(), oldMember());
    expect(await codeOf(newMember().verify(early))).toBe('ERR_REWT_UNKNOWN_KEY');
    expect(await places()).toEqual({ old: true, prefixed: false });
  });

  it('rotates before any new member looks, and its contents go on', async () => {
    const one = newMember();
    const early = await one.sign({ user: 'ann' });
    const old = oldMember();
    await old.verify(early);
    await old.rotate({ force: true });
    expect(await one.verify(early)).toMatchObject({ user: 'ann' });
    await agree(one, old, newMember());
    expect(await places()).toEqual({ old: true, prefixed: false });
    expect(one.status().keyring?.epoch).toBe(0);
  });

  it('can be one of this version without the prefix, in a namespace that begins with it', async () => {
    const one = newMember();
    const early = await one.sign({ user: 'bob' });
    await one.rotate({ force: true });
    const store = redisStore(connectRedis(server.url));
    const plain = memberOf(store, { redisNamespace: `${prefix}${namespace}` });
    await agree(plain, one);
    expect(await one.verify(early)).toMatchObject({ user: 'bob' });
    await plain.rotate({ force: true });
    await agree(one, plain, newMember());
    expect(await places()).toEqual({ old: true, prefixed: false });
    expect(one.status().keyring?.epoch).toBe(0);
  });

  it('agrees with all others again after FLUSHALL, whichever comes first', async () => {
    for (const first of [newMember(), oldMember()]) {
      const fleet = [oldMember(), newMember(), first];
      await agree(...fleet);
      await server.cli('FLUSHALL');
      const late = newMember();
      await agree(late, ...fleet);
      await agree(...fleet, late);
      await agree(late, ...fleet);
      expect(await places()).toEqual({ old: true, prefixed: false });
    }
  });
});

describe('what cannot be read under one of the two names', () => {
  const LATER = JSON.stringify({ v: 2, of: 'a later version' });
  const codes = async (rewt: Rewt) => [
    await codeOf(rewt.sign({})),
    await codeOf(rewt.revoke()),
    await codeOf(rewt.revoke({ replace: 'unreadable' })),
  ];
  const settles = async (replace: 'newer' | 'unreadable') => {
    const rewt = newMember();
    await rewt.revoke({ replace });
    await agree(rewt, newMember());
    await rewt.rotate({ force: true });
    await agree(newMember(), rewt);
  };

  it('is left alone if it is of a later version, beside a keyring that can be read', async () => {
    await oldMember().sign({});
    await server.cli('SET', names().ring, LATER);
    expect(await codes(newMember())).toEqual(Array(3).fill('ERR_REWT_RING_NEWER'));
    expect(await server.cli('GET', names().ring)).toBe(LATER);
    await settles('newer');
    expect(await places()).toEqual({ old: true, prefixed: false });
  });

  it('is left alone if it is of a later version, also beside what may be replaced', async () => {
    await server.cli('SET', oldNames().ring, 'junk');
    await server.cli('SET', names().ring, LATER);
    expect(await codeOf(newMember().revoke({ replace: 'unreadable' }))).toBe('ERR_REWT_RING_NEWER');
    expect(await server.cli('GET', names().ring)).toBe(LATER);
  });

  it.each(['old', 'prefixed'] as const)(
    'is loud if it is no string (%s name), until revoke() replaces it',
    async (which) => {
      const ring = which === 'old' ? oldNames().ring : names().ring;
      await server.cli('RPUSH', ring, 'x');
      const rewt = newMember();
      expect(await codeOf(rewt.sign({}))).toBe('ERR_REWT_STORE_WRONG_TYPE');
      expect(await codeOf(rewt.revoke())).toBe('ERR_REWT_STORE_WRONG_TYPE');
      await settles('unreadable');
      expect(await places()).toEqual({ old: false, prefixed: true });
    },
  );

  it.each(['old', 'prefixed'] as const)(
    'is replaced if it is no string (%s name), beside a keyring too',
    async (which) => {
      const [spoilt, good] = which === 'old' ? [oldNames().ring, names().ring] : [names().ring, oldNames().ring];
      const early = await newMember().sign({});
      await server.cli('RENAMENX', names().ring, good);
      await server.cli('RPUSH', spoilt, 'x');
      await settles('unreadable');
      expect(await codeOf(newMember().verify(early))).toBe('ERR_REWT_UNKNOWN_KEY');
      expect(await server.cli('TYPE', spoilt)).toBe('none');
      expect(await server.cli('TYPE', good)).toBe('string');
    },
  );
});
