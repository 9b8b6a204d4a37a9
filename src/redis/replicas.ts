/** How many replicas have what was written before: what a failover now would keep. */

import type { AcknowledgedBy } from '../stores/store.js';
import type { RedisNames } from './names.js';
import type { Command, RedisPort } from './port.js';

/** Null where Redis does not tell. The connection that waits is gone by `timeoutMs`. */
export async function acknowledgedReplicas(
  port: RedisPort,
  { key, draft }: RedisNames,
  { replicas, waitMs, timeoutMs }: AcknowledgedBy,
): Promise<number | null> {
  if (replicas === 0) {
    const [info] = await port.send([['INFO', 'replication']], key);
    const [, connected] = /^connected_slaves:(\d+)/m.exec(typeof info === 'string' ? info : '') ?? [];
    if (connected === undefined || connected === '0') return connected === undefined ? null : 0;
  }
  const commands: readonly Command[] = [
    // WAIT counts those who have all that this connection wrote; whoever has this has what was written before it, by whomever.
    ['SET', draft('wait'), '', 'PX', '1000'],
    // 0 would be for ever.
    ['WAIT', String(Math.max(1, replicas)), String(Math.max(1, Math.floor(waitMs)))],
  ];
  const [marked, count] = await sendAside(port, commands, key, timeoutMs);
  return typeof marked === 'string' && typeof count === 'string' ? Number(count) : null;
}

/** WAIT holds up its connection: not one on which the user's commands queue, where there can be another. */
async function sendAside(port: RedisPort, commands: readonly Command[], key: string, timeoutMs: number) {
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
