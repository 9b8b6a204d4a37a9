/**
 * `rewt move`, and the other verbs under a key prefix: with members of this version and of the one
 * before.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Rewt } from '../../src/index.js';
import { COPY_FLEET } from '../../src/stores/redis/announcements.js';
import { connectRedis } from '../../src/stores/redis/clients/from-url.js';
import { redisStore } from '../../src/stores/redis/redis-store.js';
import { aclRules } from '../../src/stores/redis/rights.js';
import { prefixedMembers } from '../support/prefixed-members.js';
import { type RedisServer, startRedis, until } from '../support/servers.js';
import { rewt } from './command.js';
import { freshState } from './process.js';

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

const { names, oldNames, places, memberOf, newMember, oldMember } = prefixedMembers(prefix, () => ({
  server,
  namespace,
}));

const run = (verb: string, ...more: string[]) =>
  rewt([verb, '--namespace', namespace, '--key-prefix', prefix, '--json', ...more], { env: { REWT_URL: server.url } });

async function agree(...members: Rewt[]): Promise<void> {
  for (const signer of members) {
    const token = await signer.sign({ user: 'ann' });
    for (const verifier of members) expect(await verifier.verify(token)).toMatchObject({ user: 'ann' });
  }
}

describe('a keyring of the version before', () => {
  it('is moved under load, and no token is refused', async () => {
    await oldMember().sign({});
    const fleet = [newMember(server.url, { maxStaleness: 2 }), newMember(server.url, { maxStaleness: 2 })] as const;
    let [isOver, tokens] = [false, 0];
    const traffic = (async () => {
      while (!isOver) {
        for (const signer of fleet) {
          const token = await signer.sign({});
          for (const verifier of fleet) await verifier.verify(token);
          tokens += 1;
        }
        await sleep(1);
      }
    })();
    await sleep(200);
    const secret = await server.cli('GET', names().key);
    const ttl = Number(await server.cli('PTTL', names().key));
    const { code, stdout } = await run('move', '--yes');
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, moved: true, keyPrefix: prefix });
    expect(await server.cli('GET', names().key)).toBe(secret);
    expect(ttl - Number(await server.cli('PTTL', names().key))).toBeLessThan(10_000);
    await sleep(500);
    await fleet[0].rotate({ force: true });
    await sleep(500);
    isOver = true;
    await traffic;
    expect(tokens).toBeGreaterThan(20);
    expect(await places()).toEqual({ old: false, prefixed: true });
    for (const { epoch, lineage } of fleet.map((member) => member.status().keyring ?? { epoch: 1, lineage: '' })) {
      expect({ epoch, lineage }).toEqual({ epoch: 0, lineage: fleet[0].status().keyring?.lineage });
    }
    expect((await server.cli('KEYS', '*')).split('\n').filter((key) => !key.startsWith(prefix))).toEqual([]);
  });

  it('that was moved is open to a user with the prefix alone, and moving it again does nothing', async () => {
    await oldMember().sign({});
    expect((await run('move', '--yes')).code).toBe(0);
    const commands = aclRules('member', names())
      .flat()
      .filter((rule) => !rule.startsWith('~'));
    await server.cli('ACL', 'SETUSER', 'team', 'reset', 'on', '>pass-word', '-@all', `~${prefix}*`, ...commands);
    const narrow = newMember(server.url.replace('//', '//team:pass-word@'));
    await agree(narrow, newMember());
    await narrow.rotate({ force: true });
    const { code, stdout } = await run('move', '--yes');
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, moved: false });
  });

  it('that was moved keeps its announced members, so that a revocation waits for a cut-off one too', async () => {
    await oldMember().sign({});
    const store = redisStore(connectRedis(server.url, prefix));
    await memberOf(store, { memberName: 'orders-1' }).sign({});
    const announced = async () => JSON.parse((await run('status')).stdout).fleet;
    await until('it is announced', announced);
    await store.close();
    expect((await run('move', '--yes')).code).toBe(0);
    expect(await announced()).toMatchObject({ size: 1, members: [{ name: 'orders-1' }] });
    const { fleet, before } = names();
    expect(Number(await server.cli('PTTL', fleet))).toBeGreaterThan(60_000);
    await server.cli('PEXPIRE', fleet, '7200000');
    await server.cli('EVAL', COPY_FLEET, '2', before?.fleet ?? '', fleet);
    expect(Number(await server.cli('PTTL', fleet))).toBeGreaterThan(3_700_000);
  });

  it('is moved, with a warning, by a user without a right to the announcements', async () => {
    await oldMember().sign({});
    const { key, ring, drafts, before } = names();
    const commands = aclRules('member', names())
      .flat()
      .filter((rule) => !rule.startsWith('~'));
    const keys = [key, ring, `${drafts}*`, before?.ring, `${before?.drafts}*`].map((name) => `~${name}`);
    await server.cli('ACL', 'SETUSER', 'quiet', 'reset', 'on', '>pass-word', '-@all', ...keys, ...commands);
    const { code, stderr } = await run('move', '--yes', '--url', server.url.replace('//', '//quiet:pass-word@'));
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('the members are unknown') });
    expect(await places()).toEqual({ old: false, prefixed: true });
  });

  it('is not moved while a member of that version is announced', async () => {
    const old = oldMember();
    await old.sign({});
    const { lineage, next } = old.status().keyring ?? {};
    const entry = JSON.stringify({ name: 'orders-1', lineage, epoch: 0, generation: 1, next: next?.kid });
    const now = String(Number((await server.cli('TIME')).split('\n')[0]) * 1_000);
    await server.cli('ZADD', oldNames().fleet, now, `id\n${entry}`);
    const { code, stdout } = await run('move', '--yes');
    expect(code).toBe(1);
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'ERR_REWT_OLD_MEMBERS',
      message: expect.stringContaining('orders-1'),
    });
    expect(await places()).toEqual({ old: true, prefixed: false });
  });

  it('that was moved too early is written back by a member of that version, and no token is refused', async () => {
    const [old, one] = [oldMember(), newMember()];
    const early = await old.sign({ user: 'ann' });
    await one.verify(early);
    expect((await run('move', '--yes')).code).toBe(0);
    await agree(one);
    await old.verify(early);
    await agree(old, one, newMember());
    for (const member of [old, one, newMember()]) expect(await member.verify(early)).toMatchObject({ user: 'ann' });
    await one.rotate({ force: true });
    await agree(old, one);
    expect(await one.verify(early)).toMatchObject({ user: 'ann' });
    expect(await places()).toEqual({ old: true, prefixed: false });
    expect(one.status().keyring?.epoch).toBe(0);
  });

  it('that was moved and rotated is revoked by no member if a member of that version wakes up', async () => {
    const [old, one] = [oldMember(), newMember()];
    await agree(old, one);
    expect((await run('move', '--yes')).code).toBe(0);
    await one.rotate({ force: true });
    const current = await one.sign({ user: 'ann' });
    await old.verify(current);
    for (const member of [one, old, newMember(), one]) {
      expect(await member.verify(current)).toMatchObject({ user: 'ann' });
    }
    await agree(old, one, newMember());
    expect(await places()).toEqual({ old: true, prefixed: false });
    expect([one, old].map((member) => member.status().keyring?.epoch)).toEqual([0, 0]);
  });
});

describe('rewt move', () => {
  it.each([
    ['without a key prefix', ['move', '--yes']],
    ['without a terminal and --yes', ['move', '--key-prefix', prefix]],
  ])('%s is a usage error', async (_, words) => {
    const { code, stdout } = await rewt([...words, '--json'], { env: { REWT_URL: server.url } });
    expect(code).toBe(2);
    expect(JSON.parse(stdout).error.code).toMatch(/^ERR_REWT_/);
  });

  it('refuses a keyring that is not there, and the embedded store', async () => {
    const { code, stdout } = await run('move', '--yes');
    expect({ code, ...JSON.parse(stdout).error }).toMatchObject({ code: 'ERR_REWT_NO_KEYRING' });
    const state = freshState();
    try {
      const { code } = await rewt(['move', '--yes', '--key-prefix', prefix], { env: state.env });
      expect(code).toBe(2);
    } finally {
      state.remove();
    }
  });
});

describe('the other verbs with --key-prefix', () => {
  it.each([
    ['of this version', () => newMember(server.url, { memberName: 'orders-1' })],
    ['of the version before', () => oldMember()],
  ])('work on a keyring %s', async (_, member) => {
    const one = member();
    const token = await one.sign({ user: 'ann' });
    await sleep(200);
    const before = await places();
    expect(JSON.parse((await run('status')).stdout)).toMatchObject({
      due: null,
      keyPrefix: prefix,
      keyring: { epoch: 0 },
    });
    expect(JSON.parse((await run('verify', token)).stdout)).toMatchObject({ payload: { user: 'ann' } });
    expect((await run('rotate', '--force')).code).toBe(0);
    expect(await one.verify(token)).toMatchObject({ user: 'ann' });
    const { findings } = JSON.parse((await run('doctor')).stdout);
    expect(findings).toContainEqual({ check: 'keyring', level: 'ok', found: 'readable, and nothing is due' });
    const list = await rewt(['list', '--key-prefix', prefix, '--json'], { env: { REWT_URL: server.url } });
    expect(JSON.parse(list.stdout).keyrings).toMatchObject([{ namespace, epoch: 0, due: null }]);
    expect((await run('revoke', '--yes')).code).toBe(0);
    await expect(one.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
    expect(await places()).toEqual(before);
  });
});
