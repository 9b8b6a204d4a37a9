/** How many replicas have what was written before: what a failover now would keep. */

import { processClock } from '../clock.js';
import { within } from '../deadline.js';
import type { AcknowledgedBy } from '../stores/store.js';
import { asStoreError } from './failure.js';
import type { RedisNames } from './names.js';
import type { Command, Connection, RedisPort } from './port.js';
import { parseReplication } from './replication.js';

/** On the user's own connection, WAIT holds up the user's own commands: not for longer than this at a time. */
const LONGEST_HOLD_UP_MS = 100;

/**
 * Counts them. Null if that is unknown, or the ring does not have the change. A connection that is opened for it has
 * ended by `timeoutMs`.
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
  const cancel = processClock.timer(timeoutMs, () => ending.abort(), 'unheard');
  try {
    const aside = await connectionAside(port, key, ring, isThere, ending.signal);
    const holdUpMs = aside === null ? Math.min(waitMs, LONGEST_HOLD_UP_MS) : waitMs;
    const commands: readonly Command[] = [
      // WAIT counts those who have all that this connection wrote; whoever has this has what was written before it, by whomever.
      ['SET', draft('wait'), '', 'PX', '1000'],
      // 0 would be for ever.
      ['WAIT', String(wanted), String(Math.max(1, Math.floor(holdUpMs)))],
      // In a failover this may be another master than the one that was written to: its replicas have what was marked, but not what was written.
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

/** Replicas that are connected, in step or not; null where Redis does not tell, or is a replica itself. */
export async function connectedReplicas(port: RedisPort, key: string, timeoutMs: number): Promise<number | null> {
  const sent = port.send([['INFO', 'replication']], key);
  const [info = null] = await within(timeoutMs, sent, () => asStoreError(new Error('ETIMEDOUT'), port.address()));
  const replication = parseReplication(info);
  return replication?.role === 'master' ? replication.replicas : null;
}

/** A connection on which no command of the user's queues behind WAIT. Null if there is none, or if it does not show what was written: the client has selected another database. */
async function connectionAside(
  port: RedisPort,
  key: string,
  ring: string,
  isThere: (found: unknown) => boolean,
  signal: AbortSignal,
): Promise<Connection | null> {
  if (port.noConnection !== null) return null;
  const connection = await port.connect(key, signal);
  const [found] = await connection.send([['GET', ring]]);
  return isThere(found) ? connection : null;
}
