/** One port for each Redis URL of a process: members on the same URL share its connections, which close with the last of them. */

import { createHmac, randomBytes } from 'node:crypto';
import { connectRedis } from './connect.js';
import type { RedisPort } from './port.js';

interface Shared {
  readonly port: RedisPort;
  users: number;
}

/** A URL may hold a password, so it is no name in this map. */
const secret = randomBytes(32);
const ports = new Map<string, Shared>();
/** Of users that nobody can close any more, because nobody holds them. */
const forgotten = new FinalizationRegistry<() => void>((leave) => leave());

/**
 * The port for a URL as one of its users has it: `close()` leaves it, and closes the connections if there is no other user.
 * A user that is forgotten and collected leaves it as well.
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

/** A function of its own: what the registry holds must not lead to the user. */
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
