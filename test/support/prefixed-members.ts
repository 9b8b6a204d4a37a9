/** Members under a key prefix, of this version and of the one before; and where their ring is. */

import { Rewt } from '../../src/index.js';
import type { RewtOptions } from '../../src/options.js';
import { connectRedis } from '../../src/stores/redis/clients/from-url.js';
import { redisNames } from '../../src/stores/redis/names.js';
import { redisStore } from '../../src/stores/redis/redis-store.js';
import type { Store } from '../../src/stores/store.js';
import { disposedAfterEach } from './disposals.js';
import { lastVersionStore } from './last-version.js';
import type { RedisServer } from './servers.js';

/** `at` gives the server and the namespace of the test that runs; members are closed after it. */
export function prefixedMembers(prefix: string, at: () => { server: RedisServer; namespace: string }) {
  const disposals = disposedAfterEach();
  const names = () => redisNames(at().namespace, prefix);
  const oldNames = () => names().before ?? names();
  const has = async (key: string) => (await at().server.cli('EXISTS', key)) === '1';
  const memberOf = (store: Store, options: RewtOptions = {}): Rewt => {
    const times = { ttl: 60, tokenLifetime: 20, maxStaleness: 0, clockTolerance: 0.2, storeTimeout: 10 };
    const rewt = new Rewt({ store, redisNamespace: at().namespace, ...times, ...options });
    disposals.push(async () => {
      await rewt.close();
      await store.close();
    });
    return rewt;
  };
  return {
    names,
    /** What the version before calls them. */
    oldNames,
    has,
    /** Which of its two names the ring has. */
    places: async () => ({ old: await has(oldNames().ring), prefixed: await has(names().ring) }),
    memberOf,
    newMember: (url = at().server.url, options?: RewtOptions) =>
      memberOf(redisStore(connectRedis(url, prefix)), options),
    oldMember: (url = at().server.url, options?: RewtOptions) =>
      memberOf(lastVersionStore(connectRedis(url, prefix)), options),
  };
}
