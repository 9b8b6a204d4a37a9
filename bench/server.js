/**
 * Verify inside a loaded node:http server, where other code runs between two calls: what a loop
 * flatters.
 */

import { startChild } from './child.js';
import { CONNECTIONS, load } from './load.js';
import { startRedis } from './local-redis.js';
import { median, quietAndMedian, spread } from './quantiles.js';

const WARM_UP = 20_000;
const REQUESTS = 72_000;
/** Of one contender's times, each compared with ours of the same while. */
const SLICES = 24;

export async function run({ seed }) {
  const redis = await startRedis();
  const child = startChild('server-child.js', { port: redis.port, seed });
  try {
    const { port, tokens } = await child.ask('listen');
    const requests = tokens.map((token) => `GET / HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    await load(port, requests, WARM_UP);
    await child.ask('forget');
    await load(port, requests, REQUESTS);
    return [tableOf(await child.ask('times'))];
  } finally {
    child.end();
    redis.stop();
  }
}

function tableOf(times) {
  const [[ours]] = Object.entries(times);
  const slices = new Map(Object.entries(times).map(([name, micros]) => [name, mediansOfSlices(micros)]));
  const rows = Object.entries(times).map(([name, micros]) => ({
    name,
    'µs p10 / median': quietAndMedian(micros),
    ...(name !== ours && { ratio: spread(slices.get(name).map((value, at) => value / slices.get(ours)[at])) }),
  }));
  const title = `Verify in a node:http server with ${CONNECTIONS} connections, payload of 149 B, 256 tokens`;
  return { id: 'server', title, columns: ['ratio', 'µs p10 / median'], rows };
}

function mediansOfSlices(micros) {
  return Array.from({ length: SLICES }, (_, at) => {
    const from = Math.floor((micros.length * at) / SLICES);
    return median(micros.slice(from, Math.floor((micros.length * (at + 1)) / SLICES)));
  });
}
