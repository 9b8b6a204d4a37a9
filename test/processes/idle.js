/**
 * A process that uses a Rewt, waits until push is on, and has nothing left to do: what is still
 * open must not keep it alive.
 * `node idle.js <folder of the compiled library> <port> <client | 'url'>`
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const [, , dist, port, name] = process.argv;
const require = createRequire(import.meta.url);
const { Rewt } = await import(pathToFileURL(join(dist, 'index.js')).href);

const address = { host: '127.0.0.1', port: Number(port) };
const makers = {
  async redis(module) {
    const client = await module.createClient({ socket: address }).connect();
    return { client, close: () => (client.destroy ?? client.disconnect).call(client) };
  },
  async ioredis(module) {
    const client = new module.Redis(address);
    return { client, close: () => client.disconnect() };
  },
  async callback(module) {
    const client = module.createClient(address);
    return { client, close: () => client.end(true) };
  },
  url: async () => ({ client: `redis://127.0.0.1:${port}`, close() {} }),
};
const families = {
  redis2: 'callback',
  redis3: 'callback',
  ioredis5: 'ioredis',
  iovalkey: 'ioredis',
  ioredis: 'ioredis',
  url: 'url',
};
const { client, close } = await makers[families[name] ?? 'redis'](name === 'url' ? null : require(name));

const rewt = new Rewt({ redisConn: client, redisNamespace: name });
await rewt.verify(await rewt.sign({ sub: 'a' }));
while (rewt.status().push.state !== 'on') await setTimeout(5);
// The user's own connection would keep the process alive, as it should.
close();
console.log('nothing left to do');
