/** What a check in front of a trivial route takes of the processor, in Express and Fastify, beside what people have there today. */

import { randomUUID } from 'node:crypto';
import { startChild } from './child.js';
import { createOurs } from './contenders.js';
import { CONNECTIONS, load } from './load.js';
import { startRedis } from './local-redis.js';
import { quietAndMedian, spread } from './quantiles.js';
import { shuffled } from './random.js';
import { claimSets } from './samples.js';

const SLICES = 24;
const REQUESTS = 960;
const WARM_UP = 5;

export async function run({ seed, random }) {
  const redis = await startRedis();
  const { rewt } = await createOurs(redis.port);
  const child = startChild('http-child.js', { port: redis.port, seed });
  try {
    const frameworks = await child.ask('listen');
    const again = await Promise.all(claimSets(149).map((claims) => rewt.sign(claims)));
    const tables = [];
    for (const [framework, ports] of Object.entries(frameworks)) {
      const runs = { again: async () => again, never: () => newTokens(rewt) };
      for (const [kind, tokensOf] of Object.entries(runs)) {
        const micros = await measure(child, ports, tokensOf, random);
        tables.push(tableOf(framework, kind, micros));
      }
    }
    return tables;
  } finally {
    child.end();
    redis.stop();
    // Its client waits for a Redis that does not come back.
    await rewt.close();
  }
}

/** Microseconds of the processor per request, slice by slice; in each slice all of them have their turn. */
async function measure(child, ports, tokensOf, random) {
  const micros = Object.fromEntries(Object.keys(ports).map((name) => [name, []]));
  for (let slice = -WARM_UP; slice < SLICES; slice += 1) {
    for (const name of shuffled(Object.keys(ports), random)) {
      const requests = (await tokensOf()).map(
        (token) => `GET / HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      );
      const before = await child.ask('cpu');
      await load(ports[name], requests, REQUESTS);
      const used = (await child.ask('cpu')) - before;
      if (slice >= 0) micros[name].push(used / REQUESTS);
    }
  }
  return micros;
}

/** So many that none is seen twice. */
async function newTokens(rewt) {
  const sets = claimSets(149);
  return Promise.all(
    Array.from({ length: REQUESTS }, (_, n) => rewt.sign({ ...sets[n % sets.length], jti: randomUUID() })),
  );
}

/** Time of the processor as a multiple of ours, the route included; and throughput as a part of that without a check, both of what one processor gives. */
function tableOf(framework, kind, micros) {
  const { nothing, rewt } = micros;
  const rows = Object.entries(micros).map(([name, own]) => ({
    name,
    'µs of CPU p10 / median': quietAndMedian(own),
    ...(own !== nothing && { 'throughput, of nothing': spread(own.map((value, at) => nothing[at] / value)) }),
    ...(own !== nothing && own !== rewt && { ratio: spread(own.map((value, at) => value / rewt[at])) }),
  }));
  const tokens = kind === 'again' ? '256 tokens that come again' : 'tokens that never come again';
  return {
    id: `http ${framework} ${kind}`,
    title: `A route in ${framework} that answers 204, ${CONNECTIONS} connections, payload of 149 B, ${tokens}`,
    columns: ['ratio', 'µs of CPU p10 / median', 'throughput, of nothing'],
    rows,
  };
}
