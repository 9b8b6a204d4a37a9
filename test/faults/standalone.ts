/** What becomes of one Redis without replicas. */
import { setTimeout as passMs } from 'node:timers/promises';
import { startProxy } from '../support/proxy.js';
import { onDisk, type RedisServer, until } from '../support/servers.js';
import { clients, type Fleet, key } from './fleet.js';
import type { Place } from './members.js';
import type { Fault, Stage } from './stage.js';

const at = ({ port }: { readonly port: number }): Place[] => clients.map((client) => ({ client, port }));

/**
 * Brings the next rotation near: the members take K's new TTL for the schedule, and rotate some
 * seconds before its end.
 */
async function endSecretIn(ms: number, server: RedisServer, fleet: Fleet): Promise<void> {
  await server.cli('PEXPIRE', key, String(ms));
  const latestMs = Date.now() + ms;
  await fleet.allHold('all members know the new schedule', ({ keyring }) =>
    Boolean(keyring && Date.parse(keyring.current.expiresAt) <= latestMs + 50),
  );
}

async function awayFor(ms: number, server: RedisServer): Promise<void> {
  await server.kill();
  await passMs(ms);
  await server.restart();
}

async function stopFor(ms: number, { pid }: RedisServer): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await passMs(ms);
  process.kill(pid, 'SIGCONT');
}

/** Redis 7 and later give DEBUG by a setting, which earlier ones do not know. */
async function debuggable(stage: Stage): Promise<RedisServer> {
  const server = await stage.server();
  const isAllowed = await server.cli('DEBUG', 'HELP').then(
    () => true,
    () => false,
  );
  return isAllowed ? server : stage.server(['--enable-debug-command', 'local']);
}

/** A fleet on a separate server, which has just shown that revocations spread. */
async function healthy(
  stage: Stage,
  ...args: readonly string[]
): Promise<{ readonly server: RedisServer; readonly fleet: Fleet }> {
  const server = await stage.server(args);
  const fleet = await stage.fleet(at(server));
  await fleet.revoke(3);
  return { server, fleet };
}

export const nothing: Fault = {
  name: 'nothing',
  title: 'Nothing happens (push)',
  mayFail: false,
  rotates: true,
  async play(stage) {
    const { server, fleet } = await healthy(stage);
    await endSecretIn(4_500, server, fleet);
    await passMs(3_000);
    await fleet.revoke(10);
  },
};

export const noPush: Fault = {
  name: 'no-push',
  title: 'Nothing happens (`push: false`)',
  mayFail: false,
  async play(stage) {
    const fleet = await stage.fleet(at(await stage.server()), { push: false });
    await fleet.revoke(6);
  },
};

export const killed: Fault = {
  name: 'killed',
  title: 'Redis is killed (-9) and back after 2 s, with its data',
  mayFail: false,
  async play(stage) {
    const { server, fleet } = await healthy(stage, ...onDisk);
    await awayFor(2_000, server);
    await fleet.inTouch();
    await fleet.revoke(5);
  },
};

export const killedAtRotation: Fault = {
  name: 'killed-at-rotation',
  title: 'Redis is killed (-9) for 4 s, in which a rotation falls due and the secret ends',
  mayFail: false,
  rotates: true,
  async play(stage) {
    const { server, fleet } = await healthy(stage, ...onDisk);
    await endSecretIn(5_500, server, fleet);
    await passMs(2_000);
    await awayFor(4_000, server);
    await fleet.inTouch();
    await fleet.revoke(3);
  },
};

export const killedEmpty: Fault = {
  name: 'killed-empty',
  title: 'Redis is killed (-9) and back after 2 s, without its data',
  mayFail: true,
  async play(stage) {
    const { server, fleet } = await healthy(stage);
    fleet.loses();
    await awayFor(2_000, server);
    await fleet.inTouch();
    await fleet.revoke(5);
  },
};

export const stopped: Fault = {
  name: 'stopped',
  title: 'Redis is stopped (SIGSTOP) for 3 s',
  mayFail: false,
  async play(stage) {
    const { server, fleet } = await healthy(stage);
    await stopFor(3_000, server);
    await fleet.inTouch();
    await fleet.revoke(5);
  },
};

export const stoppedLong: Fault = {
  name: 'stopped-long',
  title: 'Redis is stopped (SIGSTOP) for 18 s, right after a revocation',
  mayFail: true,
  async play(stage) {
    const { server, fleet } = await healthy(stage);
    await fleet.revokeUnseen(0);
    await stopFor(18_000, server);
    await fleet.inTouch();
    await fleet.revoke(5);
  },
};

export const blackHole: Fault = {
  name: 'black-hole',
  title: 'Redis is black-holed for half of the members, and another one revokes',
  mayFail: true,
  async play(stage) {
    const server = await stage.server();
    const proxy = stage.keep(await startProxy(server.port));
    const fleet = await stage.fleet([...at(server).slice(0, 2), ...at(proxy).slice(2)]);
    await fleet.revoke(3);
    await proxy.blackHole();
    await passMs(1_000);
    await fleet.revokeUnseen(0);
    // Longer than the copies of the others last.
    await passMs(17_000);
    await proxy.pass();
    await fleet.inTouch();
    await fleet.revoke(3);
  },
};

export const forgotten: Fault = {
  name: 'forgotten',
  title: 'The network forgets the connections of half of the members, and takes new ones',
  mayFail: false,
  async play(stage) {
    const server = await stage.server();
    const proxy = stage.keep(await startProxy(server.port));
    const fleet = await stage.fleet([...at(server).slice(0, 2), ...at(proxy).slice(0, 2)]);
    await fleet.revoke(3);
    proxy.forget();
    // Longer than a copy lasts.
    await passMs(17_000);
    await fleet.inTouch();
    await fleet.revoke(5);
  },
};

export const flushed: Fault = {
  name: 'flushed',
  title: 'Redis is flushed (FLUSHALL), five times',
  mayFail: true,
  async play(stage) {
    const { server, fleet } = await healthy(stage);
    for (let time = 0; time < 5; time += 1) {
      fleet.loses();
      await server.cli('FLUSHALL');
      await passMs(500);
    }
    await fleet.revoke(3);
  },
};

export const evicted: Fault = {
  name: 'evicted',
  title: 'Redis evicts the secret (volatile-lru), and is full for 2 s',
  mayFail: true,
  async play(stage) {
    const { server, fleet } = await healthy(stage, '--maxmemory-policy', 'volatile-lru');
    fleet.loses();
    await server.cli('CONFIG', 'SET', 'maxmemory', '8mb');
    const fill =
      "for i = 1, 20 do redis.call('SET', KEYS[1] .. ':' .. ARGV[1] .. ':' .. i, string.rep('x', 10000)) end";
    let turn = 0;
    await until('Redis evicts the secret', async () => {
      turn += 1;
      // Refused as soon as there is nothing left to evict.
      await server.cli('EVAL', fill, '1', 'filling', String(turn)).catch(() => {});
      return Number(/evicted_keys:(\d+)/.exec(await server.cli('INFO', 'stats'))?.[1]) >= 2;
    });
    await passMs(2_000);
    await server.cli('CONFIG', 'SET', 'maxmemory', '0');
    await fleet.inTouch();
    await fleet.revoke(5);
  },
};

export const reloaded: Fault = {
  name: 'reloaded',
  title: 'Redis reloads a million keys from disk (DEBUG RELOAD)',
  mayFail: false,
  async play(stage) {
    const server = await debuggable(stage);
    await server.cli('DEBUG', 'POPULATE', '1000000');
    const fleet = await stage.fleet(at(server));
    await fleet.revoke(3);
    await server.cli('DEBUG', 'RELOAD');
    await fleet.inTouch();
    await fleet.revoke(5);
  },
};

export const pushKilled: Fault = {
  name: 'push-killed',
  title: 'The push connections are killed (CLIENT KILL) right before each revocation',
  mayFail: false,
  async play(stage) {
    const { server, fleet } = await healthy(stage);
    for (let time = 0; time < 5; time += 1) {
      await server.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await fleet.revoke();
      await fleet.inTouch();
    }
  },
};

export const halfMinute: Fault = {
  name: 'half-minute',
  title: 'Redis is killed (-9) for 30 s, in which the secret ends; default options',
  mayFail: false,
  rotates: true,
  options: {},
  async play(stage) {
    const server = await stage.server(onDisk);
    const fleet = await stage.fleet(at(server));
    await endSecretIn(20_000, server, fleet);
    await awayFor(30_000, server);
    await fleet.inTouch();
    await fleet.revoke(3);
  },
};
