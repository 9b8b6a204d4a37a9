/** Tells the families of Redis clients apart by their shape: rewt imports none of them. */

import { OptionError } from '../errors.js';
import { type IoredisClient, ioredisPort } from './ioredis.js';
import { isMisledByUrl, type NodeRedisClient, nodeRedisPort } from './node-redis.js';
import type { RedisPort } from './port.js';
import { type CallbackClient, redisCallbackPort } from './redis-callback.js';

/**
 * The port of a client that the user made. The client stays the user's: no listener is added to it, it is not connected, and not closed.
 *
 * @throws {OptionError} naming `redisConn`, for what is no client that rewt can use
 */
export function asRedisPort(client: unknown): RedisPort {
  const kind = unsupportedKind(client);
  if (kind !== null) {
    throw new OptionError(
      `redisConn is ${kind}. Supported are clients of redis 2.8 to 6 (createClient), of ioredis 4 to 6 (new Redis, also with sentinels) and of iovalkey, and redis:// or rediss:// URLs.`,
      { option: 'redisConn' },
    );
  }
  if (isIoredis(client)) return ioredisPort(client);
  if (isRedisCallback(client)) return redisCallbackPort(client);
  if (isMisledByUrl(client as NodeRedisClient)) {
    throw new OptionError(
      'redisConn was made by createClient(url), which redis 4 and later do not read: it connects to localhost:6379. Write createClient({ url }), or give rewt the URL itself.',
      { option: 'redisConn' },
    );
  }
  return nodeRedisPort(client as NodeRedisClient);
}

/** In words, what a client is that cannot be used; null for one that can. */
function unsupportedKind(client: unknown): string | null {
  if (typeof client !== 'object' || client === null) {
    return `not a Redis client (it is ${client === null ? 'null' : `of type ${typeof client}`})`;
  }
  if ('customCommand' in client) return 'a client of valkey-glide';
  if ('isCluster' in client && client.isCluster === true) return 'a cluster client of ioredis';
  if ('nodeClient' in client) return 'a cluster client of redis (createCluster)';
  if ('getMasterNode' in client) return 'a sentinel client of redis (createSentinel)';
  if ('execute' in client && !('duplicate' in client)) return 'a pool of redis (createClientPool)';
  // A name can lie; here it only makes for better words of a refusal.
  if (client.constructor?.name === 'RedisLegacyClient') {
    return 'the legacy() view of a redis client (hand over the client itself)';
  }
  if (isIoredis(client) || isRedisCallback(client) || isNodeRedis(client)) return null;
  return 'not a Redis client that rewt knows';
}

function isIoredis(client: unknown): client is IoredisClient {
  return has(client, 'defineCommand', 'call', 'duplicate');
}

function isRedisCallback(client: unknown): client is CallbackClient {
  return has(client, 'internal_send_command', 'send_command', 'duplicate');
}

function isNodeRedis(client: unknown): client is NodeRedisClient {
  return has(client, 'sendCommand', 'duplicate') && typeof client === 'object' && client !== null && 'isOpen' in client;
}

function has(value: unknown, ...methods: string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const members = value as Record<string, unknown>;
  return methods.every((name) => typeof members[name] === 'function');
}
