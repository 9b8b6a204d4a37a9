/** node-redis 5 and 6 through sentinels (`createSentinel`). */

import { createPort } from './client-port.js';
import { keepingLast, type ManyClients, type NodeRedisClient, nodeRedis, opennessOf, sendOn } from './node-redis.js';
import type { Outcomes, RedisPort } from './port.js';

/** What rewt uses of such a client. */
export interface NodeRedisSentinel extends ManyClients {
  /**
   * What every command of theirs goes through. `use()` would do for one connection, but waits until no other command is on its way,
   * on a busy client for ever, and gives no client that could be duplicated.
   */
  _execute<T>(isReadonly: false, task: (master: NodeRedisClient) => Promise<T>): Promise<T>;
  getMasterNode(): { readonly host: string; readonly port: number } | undefined;
}

export function nodeRedisSentinelPort(client: NodeRedisSentinel): RedisPort {
  const mustBeOpen = opennessOf(client);
  // The application may hold its only lease. A client of a master that was replaced is closed.
  const { execute, duplicate } = keepingLast(
    (task) => client._execute(false, task),
    (master) => master.isOpen,
  );
  return createPort(nodeRedis, {
    client,
    keyPrefix: String(client._keyPrefix ?? ''),
    lend() {
      mustBeOpen();
      return (commands) => execute(async (master) => mustBeMaster(await sendOn(master, commands)));
    },
    create() {
      mustBeOpen();
      return duplicate();
    },
    ownerOf() {
      const master = client.getMasterNode();
      return master && `${master.host}:${master.port}`;
    },
  });
}

/** Of a demoted master the sentinel client hears by an error that is thrown: it then asks for the new one, and sends all again. */
function mustBeMaster(outcomes: Outcomes): Outcomes {
  for (const outcome of outcomes) {
    if (outcome instanceof Error && outcome.message.startsWith('READONLY')) throw outcome;
  }
  return outcomes;
}
