/**
 * The shared ports of a process, one for each Redis URL: members on the same URL share its
 * connections. The last of them closes them.
 */

import { createHmac, randomBytes } from 'node:crypto';
import { connectRedis } from './from-url.js';
import type { RedisPort } from './port.js';

interface Shared {
  readonly port: RedisPort;
  users: number;
}

/** Hashes the keys of the map, because a URL may contain a password. */
const secret = randomBytes(32);
const ports = new Map<string, Shared>();
/** Users of ports that were garbage-collected without `close()`. */
const forgotten = new FinalizationRegistry<() => void>((leave) => leave());

/**
 * Returns the port for a URL to one of its users. `close()` releases it, and closes the connections
 * if it was the last user. A user that is garbage-collected releases it as well.
 *
 * @throws {OptionError} as `connectRedis` does
 */
export function sharedRedis(url: string, keyPrefix: string): RedisPort {
  const key = createHmac('sha256', secret)
    .update(JSON.stringify([url, keyPrefix]))
    .digest('hex');
  const shared = ports.get(key) ?? { port: connectRedis(url, keyPrefix), users: 0 };
  ports.set(key, shared);
  shared.users += 1;
  const leave = leaving(key, shared);
  const user: RedisPort = {
    ...shared.port,
    async close() {
      forgotten.unregister(leave);
      leave();
    },
  };
  forgotten.register(user, leave, leave);
  return user;
}

/**
 * Returns the release function. Defined outside, because what the registry holds must not reference
 * the user.
 */
function leaving(key: string, shared: Shared): () => void {
  let isUser = true;
  return () => {
    if (!isUser) return;
    isUser = false;
    shared.users -= 1;
    if (shared.users > 0) return;
    ports.delete(key);
    void shared.port.close();
  };
}
