/**
 * Rotates as fast as it goes, and prints what has grown: heap, handles, connections and listeners,
 * after a third of the rotations and after all of them. If the heap grew by more than the bytes
 * given, the other two thirds are played again, at most twice: code that is still being compiled
 * stops growing, and a leak does not.
 * `node --expose-gc rotations.js <folder of the compiled library> <port> <rotations> <bytes>`
 */
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { createClient } from 'redis';

const [, , dist, port, count, maxGrowthBytes] = process.argv;
const { Rewt } = await import(pathToFileURL(join(dist, 'index.js')).href);

const client = await createClient({ socket: { host: '127.0.0.1', port: Number(port) } }).connect();
const options = {
  redisConn: client,
  ttl: 3600,
  tokenLifetime: 0.001,
  maxStaleness: 0.004,
  clockTolerance: 0,
  storeTimeout: 20,
};
const [rotating, watching] = [new Rewt(options), new Rewt(options)];

/**
 * What is open at an instant without a timer: one for a call or for the turn of a message ends, and
 * another may have begun in the meantime. A timer that leaks is in every sample.
 */
async function quietResources() {
  const end = performance.now() + 30_000;
  for (;;) {
    const resources = process.getActiveResourcesInfo();
    if (!resources.includes('Timeout') || performance.now() > end) return resources.sort();
    await setTimeout(5);
  }
}

async function measure() {
  // A call in flight holds memory too.
  await quietResources();
  for (let turn = 0; turn < 10; turn += 1) {
    await setImmediate();
    global.gc();
  }
  const heapBytes = process.memoryUsage().heapUsed;
  const connections = Number(/connected_clients:(\d+)/.exec(await client.sendCommand(['INFO', 'clients']))[1]);
  const listeners = client.eventNames().reduce((sum, name) => sum + client.listenerCount(name), 0);
  return { heapBytes, connections, listeners, resources: await quietResources() };
}

async function rotate(times) {
  for (let n = 0; n < times; n += 1) {
    await rotating.rotate({ force: true }).catch(() => setImmediate());
    if (n % 10 === 0) await watching.verify(await rotating.sign({ n })).catch(() => {});
  }
}

while (rotating.status().push.state !== 'on') await rotate(1);
await rotate(Number(count) / 3);
let before = await measure();
let after;
for (let window = 0; window < 3; window += 1) {
  before = after ?? before;
  await rotate((Number(count) * 2) / 3);
  after = await measure();
  if (after.heapBytes - before.heapBytes < Number(maxGrowthBytes)) break;
}
console.log(JSON.stringify({ before, after, generation: rotating.status().keyring.generation }));
process.exit();
