/**
 * A fleet on one Redis: how fast a revocation reaches its last member, and what the members cost
 * the server.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Rewt } from '../dist/esm/index.js';
import { startChild } from './child.js';
import { startRedis } from './local-redis.js';
import { quantile, sorted } from './quantiles.js';

/**
 * With maxStaleness 60 s the soft age is 2 s: what a member without push may take, and one round
 * trip.
 */
const options = { ttl: '1d', maxStaleness: 60, storeTimeout: 30 };
const AT_REST_MS = 10_000;

const fleets = [
  { title: '10 members, push', members: 10, processes: 2, revocations: 50, push: true },
  { title: '100 members, push', members: 100, processes: 2, revocations: 50, push: true },
  { title: '1,000 members, push', members: 1_000, processes: 4, revocations: 50, push: true },
  // Members in use, since one that is not used does not ask.
  { title: '100 members, no push', members: 100, processes: 2, revocations: 10, push: false },
];

export async function run() {
  const rows = [];
  for (const fleet of fleets) {
    const server = await startRedis();
    try {
      rows.push(await measure(fleet, server));
    } finally {
      server.stop();
    }
  }
  const [{ name: _, ...figures }] = rows;
  const title = 'A fleet and one Redis on one machine; times over all revocations, in ms';
  return [{ id: 'fleet', title, columns: Object.keys(figures), rows }];
}

async function measure({ title, members, processes, revocations, push }, server) {
  const before = await usedMemory(server);
  const namespace = `fleet-${members}-${push}`;
  const workers = Array.from({ length: processes }, () =>
    startChild('fleet-worker.js', {
      port: server.port,
      namespace,
      members: members / processes,
      options: { ...options, push },
    }),
  );
  const rewt = new Rewt({
    ...options,
    redisConn: `redis://127.0.0.1:${server.port}`,
    redisNamespace: namespace,
    push: false,
  });
  try {
    await rewt.ready();
    await Promise.all(workers.map((worker) => worker.ask('start')));
    const memory = (await usedMemory(server)) - before;
    const atRest = await commandsPerSecond(server, AT_REST_MS);
    await Promise.all(workers.map((worker) => worker.ask('use')));
    const inUse = await commandsPerSecond(server, AT_REST_MS);
    if (push) await Promise.all(workers.map((worker) => worker.ask('rest')));

    const lags = [];
    const idle = await serverMs(server);
    for (let n = 0; n < revocations; n += 1) {
      const token = await rewt.sign({ n });
      const { epoch } = rewt.status().keyring;
      await Promise.all(workers.map((worker) => worker.ask('expect', epoch + 1)));
      const refused = workers.map((worker) => worker.ask('refused', token));
      const calledMs = now();
      await rewt.revoke();
      const returnedMs = now();
      const lastMs = Math.max(...(await Promise.all(refused)));
      lags.push({ call: returnedMs - calledMs, last: lastMs - returnedMs });
      // Not in step with anything.
      await sleep(100 + Math.random() * 100);
    }
    const used = (await serverMs(server)) - idle;
    const last = sorted(lags.map((lag) => lag.last));
    return {
      name: title,
      revocations,
      'revoke() p50': round(quantile(sorted(lags.map((lag) => lag.call)), 0.5)),
      'last refusal p50': round(quantile(last, 0.5)),
      p99: round(quantile(last, 0.99)),
      max: round(last.at(-1)),
      'server CPU each': round(used / revocations),
      'commands/s at rest': round(atRest),
      'commands/s in use': round(inUse),
      'kB per member': round(memory / members / 1_024),
    };
  } finally {
    await rewt.close();
    for (const worker of workers) worker.end();
  }
}

/** By everybody's clock. */
const now = () => performance.timeOrigin + performance.now();

async function commandsPerSecond(server, ms) {
  const from = await commands(server);
  await sleep(ms);
  return ((await commands(server)) - from) / (ms / 1_000);
}

/** What members send. The total would count what a script calls as well. */
async function commands(server) {
  const counts = await Promise.all(
    ['eval', 'ping', 'set'].map((name) => server.info('commandstats', `cmdstat_${name}`)),
  );
  return counts.reduce((sum, line) => sum + Number(/calls=(\d+)/.exec(line)?.[1] ?? 0), 0);
}

/** The time of the server's processor so far. */
async function serverMs(server) {
  const used = await Promise.all(['used_cpu_user', 'used_cpu_sys'].map((name) => server.info('cpu', name)));
  return used.reduce((sum, seconds) => sum + Number(seconds) * 1_000, 0);
}

const usedMemory = async (server) => Number(await server.info('memory', 'used_memory'));

const round = (value) => Math.round(value * 10) / 10;
