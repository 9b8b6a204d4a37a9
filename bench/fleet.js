/** A fleet on one Redis: how fast a revocation reaches its last member, and what the members cost the server. */

import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Rewt } from '../dist/esm/index.js';
import { startChild } from './child.js';
import { startRedis } from './local-redis.js';
import { quantile, sorted } from './quantiles.js';

/** With maxStaleness 60 s the soft age is 2 s: what a member without push may take, and one round trip. */
const options = { ttl: '1d', maxStaleness: 60, storeTimeout: 30 };
const AT_REST_MS = 10_000;

const fleets = [
  { title: '100 members, push', members: 100, processes: 2, revocations: 200, push: true },
  { title: '1,000 members, push', members: 1_000, processes: 4, revocations: 50, push: true },
  // Members in use, since one that is not used does not ask.
  { title: '100 members, no push', members: 100, processes: 2, revocations: 10, push: false },
];

export async function run() {
  const rows = [];
  let version = '';
  for (const fleet of fleets) {
    const server = await startRedis();
    version = server.version;
    try {
      rows.push(await measure(fleet, server));
    } finally {
      server.stop();
    }
  }
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`;
  console.log(`A fleet and one ${version} on one machine (${machine}); times over all revocations, in ms.`);
  console.table(Object.fromEntries(rows));
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
    const last = sorted(lags.map((lag) => lag.last));
    const row = {
      revocations,
      'revoke() p50': round(quantile(sorted(lags.map((lag) => lag.call)), 0.5)),
      'last refusal p50': round(quantile(last, 0.5)),
      p99: round(quantile(last, 0.99)),
      max: round(last.at(-1)),
      'commands/s at rest': round(atRest),
      'commands/s in use': round(inUse),
      'kB per member': round(memory / members / 1_024),
    };
    return [title, row];
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

const usedMemory = async (server) => Number(await server.info('memory', 'used_memory'));

const round = (value) => Math.round(value * 10) / 10;
