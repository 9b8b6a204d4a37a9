/** What becomes of a Redis Cluster whose slots move and whose masters fail. */
import { setTimeout as passMs } from 'node:timers/promises';
import { type Cluster, startCluster } from '../support/cluster.js';
import { onDisk } from '../support/servers.js';
import { clients, type Fleet, key } from './fleet.js';
import type { Place } from './members.js';
import type { Fault, Stage } from './stage.js';

async function spread(stage: Stage): Promise<{ readonly cluster: Cluster; readonly fleet: Fleet }> {
  const cluster = stage.keep(await startCluster({ replicasPerMaster: 1, args: onDisk }));
  const nodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
  const fleet = await stage.fleet(clients.map((client): Place => ({ client, nodes })));
  await fleet.revoke(3);
  await cluster.inSync();
  return { cluster, fleet };
}

export const ownerKilled: Fault = {
  name: 'cluster-killed',
  title: 'Cluster: the master of the slot is killed (-9), its replica takes over',
  mayFail: false,
  async play(stage) {
    const { cluster, fleet } = await spread(stage);
    const owner = await cluster.ownerOf(key);
    await owner.kill();
    await cluster.ownerAfter(owner, key);
    await fleet.inTouch();
    await fleet.revoke(5);
  },
};

export const failedOver: Fault = {
  name: 'cluster-failover',
  title: 'Cluster: a planned failover (CLUSTER FAILOVER)',
  mayFail: false,
  async play(stage) {
    const { cluster, fleet } = await spread(stage);
    await cluster.failover(key);
    await fleet.revoke();
    await fleet.inTouch();
    await fleet.revoke(4);
  },
};

export const resharded: Fault = {
  name: 'cluster-resharded',
  title: 'Cluster: the slot moves to another master, its keys apart for 1 s',
  mayFail: false,
  async play(stage) {
    const { cluster, fleet } = await spread(stage);
    const owner = await cluster.ownerOf(key);
    const other = cluster.nodes.slice(0, 3).find((node) => node !== owner) ?? owner;
    await cluster.migrate(key, other, () => passMs(1_000));
    await fleet.revoke();
    await fleet.inTouch();
    await fleet.revoke(4);
  },
};
