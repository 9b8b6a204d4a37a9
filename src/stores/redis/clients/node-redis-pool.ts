/** Pools of node-redis 5 and 6 (`createClientPool`). */

import { createPort } from './dedicated.js';
import { keepingLast, type ManyClients, type NodeRedisClient, nodeRedis, opennessOf, sendOn } from './node-redis.js';
import type { RedisPort } from './port.js';

/** The part of a pool that rewt uses. */
export interface NodeRedisPool extends ManyClients {
  execute<T>(task: (client: NodeRedisClient) => Promise<T>): Promise<T>;
}

export function nodeRedisPoolPort(pool: NodeRedisPool): RedisPort {
  const mustBeOpen = opennessOf(pool);
  const { execute, duplicate } = keepingLast(
    (task) => pool.execute(task),
    ({ options }) => options?.socket,
  );
  return createPort(nodeRedis, {
    client: pool,
    keyPrefix: String(pool._keyPrefix ?? ''),
    borrow() {
      mustBeOpen();
      return (commands) => execute((client) => sendOn(client, commands));
    },
    create() {
      mustBeOpen();
      return duplicate();
    },
  });
}
