/**
 * What a check in front of a trivial route takes of the processor, in Express, Fastify and Hono,
 * beside what people have there today, and the floor (contenders.js).
 */

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
/** So many times REQUESTS. */
const PROFILED = 20;

export async function run({ seed, random }) {
  const redis = await startRedis();
  const { rewt } = await createOurs(redis.port);
  const child = startChild('http-child.js', { port: redis.port, seed });
  try {
    const frameworks = await child.ask('listen');
    const again = await Promise.all(claimSets(149).map((claims) => rewt.sign(claims)));
    const tables = [];
    const where = [];
    for (const [framework, ports] of Object.entries(frameworks)) {
      const runs = { again: async () => again, never: () => newTokens(rewt) };
      for (const [kind, tokensOf] of Object.entries(runs)) {
        const micros = await measure(child, ports, tokensOf, random);
        tables.push(tableOf(framework, kind, micros));
        where.push({ name: `${framework}, ${kind}`, ...(await profiled(child, ports.rewt, tokensOf)) });
      }
    }
    return [...tables, whereTable(where)];
  } finally {
    child.end();
    redis.stop();
    // Its client waits for a Redis that does not come back.
    await rewt.close();
  }
}

/**
 * Microseconds of the processor per request, slice by slice; in each slice all of them have their
 * turn.
 */
async function measure(child, ports, tokensOf, random) {
  const micros = Object.fromEntries(Object.keys(ports).map((name) => [name, []]));
  for (let slice = -WARM_UP; slice < SLICES; slice += 1) {
    for (const name of shuffled(Object.keys(ports), random)) {
      const requests = (await tokensOf()).map(requestWith);
      const before = await child.ask('cpu');
      await load(ports[name], requests, REQUESTS);
      const used = (await child.ask('cpu')) - before;
      if (slice >= 0) micros[name].push(used / REQUESTS);
    }
  }
  return micros;
}

/** Microseconds per request behind rewt's check, by what took them. */
async function profiled(child, port, tokensOf) {
  const lists = await Promise.all(Array.from({ length: PROFILED }, tokensOf));
  await child.ask('profile');
  for (const tokens of lists) await load(port, tokens.map(requestWith), REQUESTS);
  const micros = await child.ask('profiled');
  return Object.fromEntries(Object.entries(micros).map(([part, sum]) => [part, sum / (PROFILED * REQUESTS)]));
}

function whereTable(rows) {
  const columns = ['rewt', 'the framework', 'Node', 'writing to the socket', 'collecting garbage'];
  return { id: 'http where', title: "Where a protected route's time goes, µs by V8's profiler", columns, rows };
}

const requestWith = (token) => `GET / HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${token}\r\n\r\n`;

/** So many that none is seen twice. */
async function newTokens(rewt) {
  const sets = claimSets(149);
  return Promise.all(
    Array.from({ length: REQUESTS }, (_, n) => rewt.sign({ ...sets[n % sets.length], jti: randomUUID() })),
  );
}

/**
 * Time of the processor as a multiple of ours, the route included; and throughput as a part of that
 * without a check, both of what one processor gives.
 */
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
