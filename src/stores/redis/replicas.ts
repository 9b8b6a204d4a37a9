/** The number of replicas that have an earlier write: what a failover now would keep. */

import { within } from '../../async/race.js';
import { processClock } from '../../time/clock.js';
import type { AcknowledgedBy } from '../store.js';
import type { Command, Connection, RedisPort } from './clients/port.js';
import { asStoreError } from './errors.js';
import type { RedisNames } from './names.js';
import { parseReplication } from './replication.js';

/**
 * WAIT on the user's own connection delays the user's commands: at most for this long at a time.
 */
const MAX_HOLD_UP_MS = 100;

/**
 * Counts the replicas. Null if the number is unknown, or the ring does not contain the change. A
 * connection that is opened for it has ended by `timeoutMs`.
 *
 * @throws {StoreError} ERR_REWT_STORE_DENIED if this user may not WAIT
 */
export async function acknowledgedReplicas(
  port: RedisPort,
  { key, ring, draft }: RedisNames,
  { replicas, waitMs, timeoutMs, hasChange }: AcknowledgedBy,
): Promise<number | null> {
  if (replicas === 0) {
    const connected = await connectedReplicas(port, key, timeoutMs);
    if (!connected) return connected;
  }
  const wanted = Math.max(1, replicas);
  const isThere = (found: unknown): boolean => typeof found === 'string' && hasChange(found);
  const endMs = performance.now() + waitMs;
  const ending = new AbortController();
  const cancel = processClock.timer(timeoutMs, () => ending.abort(), 'unref');
  try {
    const aside = await connectionAside(port, { key, ring, isThere }, ending.signal);
    const holdUpMs = aside === null ? Math.min(waitMs, MAX_HOLD_UP_MS) : waitMs;
    const commands: readonly Command[] = [
      // WAIT counts the replicas that have everything this connection wrote. They also have all
      // earlier writes, of every connection.
      ['SET', draft('wait'), '', 'PX', '1000'],
      // 0 would wait for ever.
      ['WAIT', String(wanted), String(Math.max(1, Math.floor(holdUpMs)))],
      // In a failover this may be another master than the one written to. Its replicas then have
      // the marker, but not the change.
      ['GET', ring],
    ];
    for (;;) {
      const [marked, count, found] = await (aside === null ? port.send(commands, key) : aside.send(commands));
      const refused = count instanceof Error ? asStoreError(count, port.address()) : null;
      if (refused?.code === 'ERR_REWT_STORE_DENIED') throw refused;
      if (typeof marked !== 'string' || typeof count !== 'string' || !isThere(found)) return null;
      if (Number(count) >= wanted || performance.now() >= endMs) return Number(count);
    }
  } finally {
    cancel();
    ending.abort();
  }
}

/**
 * Returns the connected replicas, in step or not. Null if Redis does not show them, or is itself a
 * replica.
 */
export async function connectedReplicas(port: RedisPort, key: string, timeoutMs: number): Promise<number | null> {
  const sent = port.send([['INFO', 'replication']], key);
  const [info = null] = await within(timeoutMs, sent, () => asStoreError(new Error('ETIMEDOUT'), port.address()));
  const replication = parseReplication(info);
  return replication?.role === 'master' ? replication.replicas : null;
}

/**
 * Returns a connection on which no command of the user queues behind WAIT. Null if there is none,
 * or if it does not show the change because the client has selected another database.
 */
async function connectionAside(
  port: RedisPort,
  { key, ring, isThere }: { key: string; ring: string; isThere: (found: unknown) => boolean },
  signal: AbortSignal,
): Promise<Connection | null> {
  if (port.noConnection !== null) return null;
  const connection = await port.connect(key, signal);
  const [found] = await connection.send([['GET', ring]]);
  return isThere(found) ? connection : null;
}
