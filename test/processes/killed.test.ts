/**
 * A process that is killed between rotations, or in the middle of one, leaves a keyring with which
 * others go on.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileStore, Rewt } from '../../src/index.js';
import type { RewtOptions } from '../../src/options.js';
import { type RedisServer, startRedis } from '../support/servers.js';
import { type Place, startMember } from './members.js';

/** Seconds. Nothing ends while the test looks, however slow the machine. */
const options = { ttl: 300, tokenLifetime: 100, maxStaleness: 60, storeTimeout: 10 };
const kills = 8;

let server: RedisServer;
let folder: string;
beforeAll(async () => {
  server = await startRedis();
  folder = await mkdtemp(join(tmpdir(), 'rewt-killed-'));
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const places: readonly (readonly [string, () => Place, () => RewtOptions])[] = [
  ['Redis', () => ({ redis: server.port, client: 'ioredis' }), () => ({ redisConn: server.url })],
  ['files', () => ({ folder }), () => ({ store: fileStore({ path: folder }) })],
];

describe.each(places)('on %s', (_, place, connection) => {
  it(`${kills} processes killed in a rotation cost no token and no revocation, and others rotate on`, async () => {
    const given = connection();
    for (let kill = 0; kill < kills; kill += 1) {
      const room = { ...given, ...options, redisNamespace: randomUUID() };
      const survivor = new Rewt(room);
      const token = await survivor.sign({ user: 'ann' });
      const lineage = survivor.status().keyring?.lineage;

      const victim = startMember(place());
      await victim.ask('rotateForEver', { namespace: room.redisNamespace, options });
      // Some thirty rotations follow; each kill meets another of them.
      await setTimeout(kill * 3);
      await victim.kill();

      const newcomer = new Rewt(room);
      await newcomer.ready();
      for (const rewt of [newcomer, survivor]) {
        expect(await rewt.verify(token)).toMatchObject({ user: 'ann' });
        expect(await newcomer.verify(await rewt.sign({ user: 'bob' }))).toMatchObject({ user: 'bob' });
      }
      const before = newcomer.status().keyring;
      expect(before).toMatchObject({ lineage, epoch: 0 });
      // By hand there may be no room for another; a revocation always finds some.
      const { kid } = await survivor.revoke();
      expect(kid).not.toBe(before?.current.kid);
      expect(survivor.status().keyring).toMatchObject({ lineage, epoch: 1, retired: [] });
      expect(await newcomer.verify(await survivor.sign({ user: 'cid' }))).toMatchObject({ user: 'cid' });
      await survivor.close();
      await newcomer.close();
    }
    await given.store?.close();
    // Eight processes are started and killed: on a slow machine with others beside them, half a
    // minute was not enough.
  }, 120_000);
});
