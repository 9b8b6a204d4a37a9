/** All faults, in the order of the table. */
import * as cluster from './cluster.js';
import * as replicas from './replicas.js';
import * as sentinel from './sentinel.js';
import type { Fault } from './stage.js';
import * as standalone from './standalone.js';

export const faults: readonly Fault[] = [
  standalone.nothing,
  standalone.noPush,
  standalone.killed,
  standalone.killedAtRotation,
  standalone.halfMinute,
  standalone.killedEmpty,
  standalone.stopped,
  standalone.stoppedLong,
  standalone.blackHole,
  standalone.forgotten,
  standalone.flushed,
  standalone.evicted,
  standalone.reloaded,
  standalone.pushKilled,
  replicas.deposed,
  replicas.writableReplica,
  replicas.readerOnReplica,
  sentinel.masterKilled,
  sentinel.rotationLost,
  sentinel.revocationLost,
  cluster.ownerKilled,
  cluster.failedOver,
  cluster.resharded,
];
