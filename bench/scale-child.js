/** Counts the time and memory of many namespaces in one process, and of many remembered tokens. */

import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';
import { Rewt } from '../dist/esm/index.js';
import { answer, ordered } from './child.js';
import { createOurs } from './contenders.js';
import { interleave } from './interleave.js';
import { seededRandom } from './random.js';
import { audience, claimSets, freshTokens, issuer } from './samples.js';

const NAMESPACES = [1, 100, 10_000];
/** With push each of them costs the server something at every write. */
const PUSHED = [1, 100, 1_000];
const WRITES = 2_000;
/** As many as the memory has room for with a kilobyte each. */
const TOKENS = 300;

const { port, seed } = ordered();
const url = `redis://127.0.0.1:${port}`;
const [claims] = claimSets(149);

answer({
  async namespaces() {
    const fleets = [];
    for (const count of NAMESPACES) fleets.push(await fleetOf(count));
    const contenders = fleets.map(({ name, verify }) => ({ name, awaited: true, call: verify }));
    const rows = await interleave(contenders, { random: seededRandom(seed) });
    await closeAll(fleets.flatMap(({ rewts }) => rewts));
    return {
      id: 'scale namespaces',
      title: 'Rewts of as many namespaces in one process, verifying in turn a token each that is remembered',
      columns: ['ratio', 'µs p10 / median', 'heap each, kB'],
      rows: rows.map((row, at) => ({ ...row, 'heap each, kB': fleets[at].kilobytes })),
    };
  },

  /** What a write of any key costs a Redis that watches the keys of so many namespaces. */
  async pushed() {
    const client = await createClient({ url }).connect();
    const rows = [];
    for (const count of [0, ...PUSHED]) {
      const rewts = await joined(count, { push: true });
      while (rewts.some((rewt) => rewt.status().push.state !== 'on')) await sleep(10);
      // The last connection is armed for all of them.
      await sleep(500);
      const before = await serverMicros(client);
      for (let n = 0; n < WRITES; n += 1) await client.set('a key of another program', String(n));
      const micros = (await serverMicros(client)) - before;
      rows.push({ name: count.toLocaleString('en'), 'server CPU per write, µs': micros / WRITES });
      await closeAll(rewts);
    }
    await client.close();
    return {
      id: 'scale pushed',
      title: 'A write of any key on a Redis that pushes for so many namespaces',
      columns: ['server CPU per write, µs'],
      rows,
    };
  },

  async remembered() {
    const kinds = { 'a flat payload of 149 B': claimSets(149), '1,000 B with a list': claimSets(1_000, 'list') };
    const rows = [];
    for (const [name, sets] of Object.entries(kinds)) {
      const { rewt } = await createOurs(port, { tokenCache: 4 * TOKENS });
      const tokens = [];
      for (let n = 0; n < TOKENS; n += 1) tokens.push(await rewt.sign({ ...sets[n % sets.length], jti: `scale-${n}` }));
      const material = freshTokens(tokens);
      for (let n = 0; n < 3 * TOKENS; n += 1) await rewt.verify(material(n));
      const remembered = heapBytes();
      // Which forgets them.
      await rewt.close();
      rows.push({
        name,
        'bytes each': Math.round((remembered - heapBytes()) / TOKENS),
        'of which token': tokens[0].length,
      });
    }
    return {
      id: 'scale remembered',
      title: 'Heap for each remembered token',
      columns: ['bytes each', 'of which token'],
      rows,
    };
  },
});

/** Rewts of so many namespaces, each with a copy of its keyring. */
async function joined(count, options = {}) {
  const rewts = Array.from(
    { length: count },
    (_, n) =>
      new Rewt({ redisConn: url, redisNamespace: `scale-${count}-${n}`, storeTimeout: 30, push: false, ...options }),
  );
  for (let from = 0; from < count; from += 100)
    await Promise.all(rewts.slice(from, from + 100).map((rewt) => rewt.ready()));
  return rewts;
}

const closeAll = (rewts) => Promise.all(rewts.map((rewt) => rewt.close()));

async function fleetOf(count) {
  const before = heapBytes();
  const rewts = await joined(count, { verify: { audience, issuer }, [Symbol.for('rewt.clock')]: slowClock });
  const kilobytes = Math.round((heapBytes() - before) / count / 102.4) / 10;
  const tokens = await Promise.all(rewts.map((rewt) => rewt.sign(claims)));
  const materials = tokens.map((token) => freshTokens([token]));
  // The second time it is remembered.
  for (let time = 0; time < 2; time += 1) await Promise.all(rewts.map((rewt, n) => rewt.verify(tokens[n])));
  return {
    name: count.toLocaleString('en'),
    rewts,
    kilobytes,
    verify: (n) => rewts[n % count].verify(materials[n % count](n)),
  };
}

/** So slow that no copy ages meanwhile: ten thousand reads would be measured in place of verify. */
const startedMs = { monotonic: performance.now(), wall: Date.now() };
const SLOWER = 10_000;
const slowClock = {
  monotonicMs: () => startedMs.monotonic + (performance.now() - startedMs.monotonic) / SLOWER,
  wallMs: () => startedMs.wall + (Date.now() - startedMs.wall) / SLOWER,
  timer(ms, callback, unref) {
    const timeout = setTimeout(callback, ms);
    if (unref) timeout.unref();
    return () => clearTimeout(timeout);
  },
};

async function serverMicros(client) {
  const used = await client.info('cpu');
  const seconds = (name) => Number(new RegExp(`${name}:([\\d.]+)`).exec(used)?.[1]);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6;
}

function heapBytes() {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
