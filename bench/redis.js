/**
 * End to end on one Redis: the original's way, which asks for the secret in each call, against
 * ours, which holds a copy that is asked about now and then.
 */

import { createSecretKey } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { createClient } from 'redis';
import { createOurs, withJsonwebtoken, withJsonwebtoken8 } from './contenders.js';
import { startRedis } from './local-redis.js';
import { median, quietAndMedian, spread } from './quantiles.js';
import { shuffled } from './random.js';
import { claimSets, freshTokens, SAMPLES } from './samples.js';

const ROUNDS = 25;
const BATCH_MS = 25;
const AT_ONCE = [1, 10, 100];

export async function run({ random }) {
  const server = await startRedis();
  // Remembered tokens are another bench.
  const { rewt, secret, fresh } = await createOurs(server.port, { tokenCache: 0 });
  const { rewt: strict } = await createOurs(server.port, { tokenCache: 0, maxStaleness: 0 });
  const client = await createClient({ url: `redis://127.0.0.1:${server.port}` }).connect();
  try {
    const contenders = { rewt, 'rewt, maxStaleness: 0': strict, ...theOriginalsWay(client, secret) };
    const claims = claimSets(149);
    const material = freshTokens(await Promise.all(claims.map((set) => rewt.sign(set))));
    const tables = [];
    for (const verb of ['sign', 'verify']) {
      const calls = Object.entries(contenders).map(([name, contender]) => ({
        name,
        call: verb === 'sign' ? (n) => contender.sign(claims[n % SAMPLES]) : (n) => contender.verify(material(n)),
      }));
      tables.push(tableOf(verb, await measure(calls, random, fresh)));
    }
    return tables;
  } finally {
    await Promise.all([rewt.close(), strict.close(), client.close()]);
    server.stop();
  }
}

/**
 * A round trip for the secret, then jsonwebtoken. rewt 2.0 has version 8; version 9 is what its
 * owner would get today; a KeyObject is what he would have to think of.
 */
function theOriginalsWay(client, secret) {
  const asked = (withKey) => {
    const contender = async () => withKey(await client.get('bench:rewt-secret'));
    return {
      sign: async (claims) => (await contender()).sign(claims),
      verify: async (token) => (await contender()).verify(token),
    };
  };
  return {
    'GET, jsonwebtoken 8, string (rewt 2.0)': asked(withJsonwebtoken8),
    'GET, jsonwebtoken, string': asked(withJsonwebtoken),
    'GET, jsonwebtoken, KeyObject': asked((text) => withJsonwebtoken(createSecretKey(Buffer.from(text)))),
    'no GET, jsonwebtoken 8, string (cacheSecret: true)': withJsonwebtoken8(secret),
  };
}

/** For each call what it took alone, and how many were done by so many at once; round by round. */
async function measure(calls, random, fresh) {
  const runs = calls.map(({ name, call }) => ({ name, call, micros: [], perSecond: AT_ONCE.map(() => []) }));
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const run of shuffled(runs, random)) {
      const results = [];
      for (const atOnce of AT_ONCE) {
        await turn();
        await fresh();
        results.push(await work(run.call, atOnce));
      }
      // The first round was to warm up.
      if (round < 0) continue;
      run.micros.push(median(results[0].micros));
      for (const [at, { perSecond }] of results.entries()) run.perSecond[at].push(perSecond);
    }
  }
  return runs;
}

async function work(call, atOnce) {
  const micros = [];
  let done = 0;
  const startedMs = performance.now();
  let endedMs = startedMs;
  const worker = async () => {
    for (let beganMs = endedMs; endedMs - startedMs < BATCH_MS; beganMs = endedMs) {
      await call(done);
      done += 1;
      endedMs = performance.now();
      if (atOnce === 1) micros.push((endedMs - beganMs) * 1_000);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { micros, perSecond: done / ((endedMs - startedMs) / 1_000) };
}

/** Ratios say how much longer the others take, or how much less they get done. */
function tableOf(verb, runs) {
  const [ours] = runs;
  const rows = runs.map((run) => {
    const row = { name: run.name, 'latency µs': quietAndMedian(run.micros) };
    if (run !== ours) row['latency ratio'] = spread(run.micros.map((value, round) => value / ours.micros[round]));
    for (const [at, atOnce] of AT_ONCE.entries()) {
      row[`per s, ${atOnce} at once`] = Math.round(median(run.perSecond[at]));
      const ratios = run.perSecond[at].map((value, round) => ours.perSecond[at][round] / value);
      if (run !== ours) row[`ratio, ${atOnce} at once`] = spread(ratios);
    }
    return row;
  });
  const pairs = AT_ONCE.flatMap((atOnce) => [`ratio, ${atOnce} at once`, `per s, ${atOnce} at once`]);
  const title = `${verb === 'sign' ? 'Sign' : 'Verify'} end to end, Redis on the same machine, payload of 149 B`;
  return { id: `redis ${verb}`, title, columns: ['latency ratio', 'latency µs', ...pairs], rows };
}
