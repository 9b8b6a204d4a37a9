/** How many replicas have what was written before: what a failover now would keep. */

import type { AcknowledgedBy } from '../stores/store.js';
import type { RedisNames } from './names.js';
import type { Command, Outcomes, RedisPort } from './port.js';
import { parseReplication } from './replication.js';

/** Where there is no connection but the user's, WAIT holds up the user's own commands: not for longer than this at a time. */
const LONGEST_HOLD_UP_MS = 100;

/**
 * Null where Redis does not tell, or where another ring is there than `written`. A connection that was opened for it is gone by `timeoutMs`.
 *
 * @param written the ring's text as this store wrote it
 */
export async function acknowledgedReplicas(
  port: RedisPort,
  { key, ring, draft }: RedisNames,
  written: string | undefined,
  { replicas, waitMs, timeoutMs }: AcknowledgedBy,
): Promise<number | null> {
  if (replicas === 0) {
    const [info = null] = await port.send([['INFO', 'replication']], key);
    const replication = parseReplication(info);
    // A replica has nothing to say about what the master keeps.
    if (replication?.role !== 'master') return null;
    if (replication.replicas === 0) return 0;
  }
  const wanted = Math.max(1, replicas);
  const endMs = performance.now() + waitMs;
  const holdUpMs = port.noConnection === null ? waitMs : Math.min(waitMs, LONGEST_HOLD_UP_MS);
  const commands: readonly Command[] = [
    // WAIT counts those who have all that this connection wrote; whoever has this has what was written before it, by whomever.
    ['SET', draft('wait'), '', 'PX', '1000'],
    // 0 would be for ever.
    ['WAIT', String(wanted), String(Math.max(1, Math.floor(holdUpMs)))],
    // In a failover this may be another master than the one that was written to: its replicas have what was marked, but not what was written.
    ['GET', ring],
  ];
  for (;;) {
    const [marked, count, found] = await sendAside(port, commands, key, timeoutMs);
    if (typeof marked !== 'string' || typeof count !== 'string' || found !== written) return null;
    if (Number(count) >= wanted || performance.now() >= endMs) return Number(count);
  }
}

/** Not on a connection on which the user's commands queue, where there can be another. */
async function sendAside(
  port: RedisPort,
  commands: readonly Command[],
  key: string,
  timeoutMs: number,
): Promise<Outcomes> {
  if (port.noConnection !== null) return port.send(commands, key);
  const ending = new AbortController();
  const late = setTimeout(() => ending.abort(), timeoutMs).unref();
  try {
    const connection = await port.connect(key, ending.signal);
    return await connection.send(commands);
  } finally {
    clearTimeout(late);
    ending.abort();
  }
}
