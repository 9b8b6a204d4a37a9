/** What becomes of a master with a replica, watched by sentinels. */
import { setTimeout as passMs } from 'node:timers/promises';
import { type SentinelSetup, startSentinel } from '../support/sentinel.js';
import { onDisk } from '../support/servers.js';
import { clients, type Fleet } from './fleet.js';
import type { Place } from './members.js';
import type { Fault, Stage } from './stage.js';

/**
 * Without its detector, ioredis stays with a master that was replaced as planned until that is
 * demoted, some ten seconds later. With it, ioredis 6.0 gives up for ever (status "end") when it
 * hears of the new master while it still calls the one that died.
 */
type Failover = 'planned' | 'death';

async function watched(
  stage: Stage,
  failover: Failover,
): Promise<{ readonly setup: SentinelSetup; readonly fleet: Fleet }> {
  const setup = stage.keep(await startSentinel({ args: onDisk }));
  const { addresses: sentinels, name } = setup;
  const fleet = await stage.fleet(
    clients.map((client): Place => ({ client, sentinels, name, failoverDetector: failover === 'planned' })),
  );
  await fleet.revoke(3);
  await setup.inSync();
  return { setup, fleet };
}

export const masterKilled: Fault = {
  name: 'sentinel-killed',
  title: 'Sentinel: the master is killed (-9), a replica takes over',
  mayFail: false,
  async play(stage) {
    const { setup, fleet } = await watched(stage, 'death');
    const master = await setup.master();
    await master.kill();
    await setup.masterAfter(master);
    await fleet.inTouch();
    await fleet.revoke(5);
  },
};

export const rotationLost: Fault = {
  name: 'sentinel-rotation-lost',
  title: 'Sentinel: a planned failover loses the last rotation',
  mayFail: false,
  rotates: true,
  async play(stage) {
    const { setup, fleet } = await watched(stage, 'planned');
    await setup.loseWrites(async () => {
      await fleet.rotate();
      await passMs(1_000);
    });
    await fleet.inTouch();
    await passMs(3_000);
    await setup.inSync();
    await fleet.inTouch();
    await fleet.revoke(3);
  },
};

export const revocationLost: Fault = {
  name: 'sentinel-revocation-lost',
  title: 'Sentinel: a planned failover loses the last revocation',
  mayFail: true,
  async play(stage) {
    const { setup, fleet } = await watched(stage, 'planned');
    await setup.loseWrites(async () => {
      await fleet.revoke();
      fleet.loses();
    });
    await fleet.inTouch();
    await passMs(3_000);
    await setup.inSync();
    await fleet.inTouch();
    await fleet.revoke(3);
  },
};
