/** What becomes of members that are led to a replica, or left with a master that was replaced. */
import { setTimeout as passMs } from 'node:timers/promises';
import { type NetworkProxy, startProxy } from '../support/proxy.js';
import { cutReplication, healReplication, isInSync } from '../support/replication.js';
import { type RedisServer, until } from '../support/servers.js';
import { clients, type Fleet } from './fleet.js';
import type { Place } from './members.js';
import type { Fault, Stage } from './stage.js';

/** The user of all members, whose rights each server has for itself. */
const user = { username: 'members', password: 'pw' };
const allRights = ['~*', '&*', '+@all'];
/** Longer than a copy of the suite's members lasts. */
const PAST_STALENESS_MS = 17_000;

interface Pair {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  /** By which one half of the members, and the other half, reach their server. */
  readonly near: NetworkProxy;
  readonly far: NetworkProxy;
  readonly fleet: Fleet;
}

interface Settings {
  readonly onMaster?: readonly string[];
  readonly onReplica?: readonly string[];
  readonly lackedOnReplica?: readonly string[];
}

async function pair(
  stage: Stage,
  { onMaster = [], onReplica = [], lackedOnReplica = [] }: Settings = {},
): Promise<Pair> {
  const master = await stage.server(['--repl-diskless-sync-delay', '0', ...onMaster]);
  const replica = await stage.server(['--replicaof', '127.0.0.1', String(master.port), ...onReplica]);
  for (const [server, lacked] of [
    [master, []],
    [replica, lackedOnReplica],
  ] as const) {
    // Redis 6.0 knows no rights to channels.
    const give = (...rights: readonly string[]) =>
      server.cli('ACL', 'SETUSER', user.username, 'on', `>${user.password}`, ...rights, ...lacked);
    await give(...allRights).catch(() => give('~*', '+@all'));
  }
  await until('the replica follows', () => isInSync(replica, master));
  const near = stage.keep(await startProxy(master.port));
  const far = stage.keep(await startProxy(master.port));
  const places = clients.map((client, index): Place => ({ client, port: (index < 2 ? near : far).port, user }));
  const fleet = await stage.fleet(places);
  await fleet.revoke(3);
  return { master, replica, near, far, fleet };
}

/**
 * Half of the members are led to a replica that knows nothing of what comes then; another member
 * revokes.
 */
async function leadAstray({ master, replica, far, fleet }: Pair): Promise<void> {
  await until('the replica has it all', () => isInSync(replica, master));
  await cutReplication(master);
  far.lead(replica.port);
  await passMs(1_000);
  await fleet.revokeUnseen(0);
  await passMs(PAST_STALENESS_MS);
  far.lead(master.port);
  await healReplication(master);
  await fleet.inTouch();
  await fleet.revoke(3);
}

export const writableReplica: Fault = {
  name: 'writable-replica',
  title: 'Half of the members are led to a replica that takes writes; another revokes',
  mayFail: true,
  async play(stage) {
    await leadAstray(await pair(stage, { onReplica: ['--replica-read-only', 'no'] }));
  },
};

export const readerOnReplica: Fault = {
  name: 'reader-on-replica',
  title: 'Half of the members may only read, from a replica; another revokes',
  mayFail: true,
  async play(stage) {
    await leadAstray(await pair(stage, { lackedOnReplica: ['-@write'] }));
  },
};

export const deposed: Fault = {
  name: 'deposed',
  title: 'A partition leaves half of the members with the old master; another revokes',
  mayFail: true,
  async play(stage) {
    const { master, replica, near, far, fleet } = await pair(stage, {
      onMaster: ['--min-replicas-to-write', '1', '--min-replicas-max-lag', '1'],
    });
    await replica.cli('REPLICAOF', 'NO', 'ONE');
    near.lead(replica.port);
    // min-replicas-max-lag, and the second within which the old master notices.
    await passMs(2_000);
    await fleet.revokeUnseen(0);
    await passMs(PAST_STALENESS_MS);
    await master.cli('REPLICAOF', '127.0.0.1', String(replica.port));
    far.lead(replica.port);
    await fleet.inTouch();
    await fleet.revoke(3);
  },
};
