/** Detection of the client's family by its shape: rewt imports no client. */

import { OptionError } from '../../../errors.js';
import { asOptionError } from '../../../validation/option-values.js';
import { hasMethods } from '../../../validation/plain-object.js';
import { glidePort, isGlide } from './glide.js';
import { type IoredisClient, ioredisPort } from './ioredis.js';
import { ioredisClusterPort, isIoredisCluster } from './ioredis-cluster.js';
import { isMisledByUrl, type NodeRedisClient, nodeRedisPort } from './node-redis.js';
import { type NodeRedisCluster, nodeRedisClusterPort, recovers } from './node-redis-cluster.js';
import { type CallbackClient, redisCallbackPort } from './node-redis-legacy.js';
import { type NodeRedisPool, nodeRedisPoolPort } from './node-redis-pool.js';
import { type NodeRedisSentinel, nodeRedisSentinelPort } from './node-redis-sentinel.js';
import type { RedisPort } from './port.js';

/**
 * Makes the port of the user's client. Adds no listener to it, and neither connects nor closes it.
 *
 * @throws {OptionError} naming `redisConn`, for an object that rewt cannot use
 */
export function readRedisPort(client: unknown): RedisPort {
  try {
    return portOf(client);
  } catch (error) {
    throw asOptionError(error, 'redisConn', { option: 'redisConn' });
  }
}

function portOf(client: unknown): RedisPort {
  if (isIoredisCluster(client)) return ioredisClusterPort(client);
  if (isIoredis(client)) return ioredisPort(client);
  if (isRedisCallback(client)) return redisCallbackPort(client);
  if (isGlide(client)) return glidePort(client);
  // Clusters, sentinels and pools also have the properties of a single client.
  if (isNodeRedisCluster(client)) {
    if (!recovers(client)) {
      throw refusal(
        'redisConn is a cluster client (createCluster) of redis 4 or 5, which never finds the new master ' +
          'of a node that died: every call would fail until the process restarts. Use createCluster of ' +
          'redis 6, or new Cluster of ioredis.',
      );
    }
    return nodeRedisClusterPort(client);
  }
  if (isNodeRedisSentinel(client)) return nodeRedisSentinelPort(client);
  if (isNodeRedisPool(client)) return nodeRedisPoolPort(client);
  if (!isNodeRedis(client)) throw refusal(`redisConn is ${inWords(client)}. ${supported}`);
  if (isMisledByUrl(client)) {
    throw refusal(
      'redisConn was made by createClient(url), which redis 4 and later do not read: it connects to ' +
        'localhost:6379. Write createClient({ url }), or give rewt the URL itself.',
    );
  }
  return nodeRedisPort(client);
}

const supported =
  'Supported are clients of redis 2.8 to 6 (createClient, createClientPool, createSentinel; ' +
  'createCluster of redis 6), of ioredis 5 and 6 and iovalkey (new Redis, also with sentinels, new ' +
  'Cluster) and of valkey-glide, and redis:// or rediss:// URLs.';

function refusal(message: string): OptionError {
  return new OptionError(message, { option: 'redisConn' });
}

/** Describes an unsupported client. */
function inWords(client: unknown): string {
  if (client === null) return 'not a Redis client (it is null)';
  if (typeof client !== 'object') return `not a Redis client (it is of type ${typeof client})`;
  if ('then' in client) return 'a promise (await it, and hand over the client that it gives)';
  // A name can mislead; here it only improves the message.
  if (client.constructor?.name === 'RedisLegacyClient') {
    return 'the legacy() view of a redis client (hand over the client itself)';
  }
  return 'not a Redis client that rewt knows';
}

function isIoredis(client: unknown): client is IoredisClient {
  return hasMethods(client, 'defineCommand', 'call', 'duplicate');
}

function isRedisCallback(client: unknown): client is CallbackClient {
  return hasMethods(client, 'internal_send_command', 'send_command', 'duplicate');
}

function isNodeRedis(client: unknown): client is NodeRedisClient {
  return hasMethods(client, 'sendCommand', 'duplicate') && hasOpenness(client);
}

function isNodeRedisCluster(client: unknown): client is NodeRedisCluster {
  return hasMethods(client, 'sendCommand', 'nodeClient') && hasOpenness(client);
}

function isNodeRedisSentinel(client: unknown): client is NodeRedisSentinel {
  return hasMethods(client, '_execute', 'getMasterNode') && hasOpenness(client);
}

function isNodeRedisPool(client: unknown): client is NodeRedisPool {
  return hasMethods(client, 'sendCommand', 'execute') && !hasMethods(client, 'duplicate') && hasOpenness(client);
}

function hasOpenness(client: unknown): boolean {
  return typeof client === 'object' && client !== null && 'isOpen' in client;
}
