/** The Redis store keeps the contract of every store, through each client, and holds what other programs are promised to find. */
import { afterAll, beforeAll } from 'vitest';
import { asRedisPort } from '../../src/redis/detect.js';
import { redisNames } from '../../src/redis/names.js';
import { redisStore } from '../../src/stores/redis.js';
import { storeConformance } from '../conformance/store.js';
import { clients } from '../redis/clients.js';
import { type RedisServer, startRedis } from '../servers.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

for (const [name, connect] of clients) {
  storeConformance(`the Redis store through ${name}`, async () => {
    const handles: { close(): Promise<void> }[] = [];
    const open = async () => {
      const connected = await connect(server.port);
      const store = redisStore(asRedisPort(connected.client));
      handles.push(store, connected);
      return store;
    };
    const key = (namespace: string): string => redisNames(namespace).key;
    return {
      store: await open(),
      dispose: async () => {
        for (const handle of handles) await handle.close();
      },
      second: open,
      operatorSet: async (namespace, value, ttlMs) => {
        await server.cli('SET', key(namespace), value, ...(ttlMs === null ? [] : ['PX', String(ttlMs)]));
      },
      operatorDelete: async (namespace) => {
        await server.cli('DEL', key(namespace));
      },
    };
  });
}
