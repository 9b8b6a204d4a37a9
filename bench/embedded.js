/**
 * The embedded store against a copy of the keyring that came from Redis; and a command line on it
 * against a Node that does nothing.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { fileStore, Rewt } from '../dist/esm/index.js';
import { interleave } from './interleave.js';
import { startRedis } from './local-redis.js';
import { median, quietAndMedian, spread } from './quantiles.js';
import { shuffled } from './random.js';
import { claimSets, freshTokens } from './samples.js';

/** Sooner than a member would read by itself. */
const FRESH_MS = 500;
/** So many that none is remembered, or known to have been seen, by the time that it comes again. */
const NEVER_AGAIN = 65_536;
const TURN_ROUNDS = 41;
const TURNS = 500;
const STARTS = 40;

const ON_REDIS = 'Redis, a fresh copy';
const EMBEDDED = 'the embedded store';
const columns = ['ratio', 'µs p10 / median'];

export async function run({ random }) {
  const folder = await mkdtemp(join(tmpdir(), 'rewt-embedded-'));
  const server = await startRedis();
  const store = fileStore({ path: join(folder, 'keyring') });
  const onRedis = new Rewt({ redisConn: `redis://127.0.0.1:${server.port}` });
  const embedded = new Rewt({ store });
  try {
    const members = [
      { name: ON_REDIS, rewt: onRedis },
      { name: EMBEDDED, rewt: embedded },
    ];
    const between = await keptFresh(onRedis);
    const again = await contendersOf(members, claimSets(149));
    const [claims] = claimSets(149);
    const never = Array.from({ length: NEVER_AGAIN }, (_, n) => ({ ...claims, jti: `never-${n}` }));
    const once = await contendersOf(members, never);
    return [
      {
        id: 'embedded loop',
        title: 'Verify remembered tokens, in a loop within one turn of the event loop',
        columns,
        rows: await interleave(again.contenders, { random, between, material: again.material }),
      },
      {
        id: 'embedded turn',
        title: 'Verify remembered tokens, one in each turn of the event loop',
        columns,
        rows: await oneEachTurn(again, { random, between }),
      },
      {
        id: 'embedded never',
        title: 'Verify tokens that never come again, in a loop within one turn of the event loop',
        columns,
        rows: await interleave(once.contenders, { random, between, material: once.material }),
      },
      await starts(folder, random),
    ];
  } finally {
    await Promise.all([onRedis.close(), embedded.close()]);
    await store.close();
    server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** For between two batches: within one, no reply of Redis gets through. */
async function keptFresh(rewt) {
  await rewt.ready();
  let readMs = performance.now();
  return async () => {
    if (performance.now() - readMs < FRESH_MS) return;
    await rewt.refresh();
    readMs = performance.now();
  };
}

/** Each verifies tokens of its keyring; what it costs to make their strings is `material`. */
async function contendersOf(members, payloads) {
  const contenders = [];
  let material;
  for (const { name, rewt } of members) {
    const tokens = [];
    for (const payload of payloads) tokens.push(await rewt.sign(payload));
    material = freshTokens(tokens);
    const token = material;
    contenders.push({ name, awaited: true, call: (n) => rewt.verify(token(n)) });
  }
  return { contenders, material };
}

/** Times only the calls. What the clock and the strings cost is taken off. */
async function oneEachTurn({ contenders, material }, { random, between }) {
  const cost = { call: material, awaited: false, micros: [] };
  const runs = contenders.map((contender) => ({ ...contender, micros: [] }));
  for (let round = -1; round < TURN_ROUNDS; round += 1) {
    for (const run of shuffled([...runs, cost], random)) {
      await between();
      const micros = await timeTurns(run);
      // The first round is for the compiler.
      if (round >= 0) run.micros.push(micros);
    }
  }
  const taken = median(cost.micros);
  for (const run of runs) run.micros = run.micros.map((micros) => micros - taken);
  return runs.map((run) => rowOf(run, runs[0]));
}

async function timeTurns({ call, awaited }) {
  let ms = 0;
  for (let n = 0; n < TURNS; n += 1) {
    await turn();
    const startedMs = performance.now();
    const result = call(n);
    if (awaited) await result;
    ms += performance.now() - startedMs;
  }
  return (ms * 1_000) / TURNS;
}

function rowOf({ name, micros }, ours) {
  const row = { name, 'µs p10 / median': quietAndMedian(micros) };
  if (micros !== ours.micros) row.ratio = spread(micros.map((value, round) => value / ours.micros[round]));
  return row;
}

/** Whole processes, in shuffled rounds. */
async function starts(folder, random) {
  const env = { ...process.env, XDG_STATE_HOME: join(folder, 'state'), REWT_URL: '', REWT_NAMESPACE: '' };
  const runs = [
    { name: 'node -e 0', words: ['-e', '0'], times: [] },
    { name: 'a program that requires rewt', words: ['-e', "require('./dist/cjs/index.cjs')"], times: [] },
    { name: 'rewt sign', words: ['dist/cjs/cli/main.cjs', 'sign', '{}'], times: [] },
  ];
  for (let round = -1; round < STARTS; round += 1) {
    for (const { words, times } of shuffled(runs, random)) {
      const startedMs = performance.now();
      await promisify(execFile)(process.execPath, words, { env });
      // The first one begins the keyring.
      if (round >= 0) times.push(performance.now() - startedMs);
    }
  }
  const [{ times: ours }] = runs;
  const rows = runs.map(({ name, times }) => ({
    name,
    'ms p10 / median': quietAndMedian(times),
    ...(times === ours ? {} : { ratio: spread(times.map((value, round) => value / ours[round])) }),
  }));
  return {
    id: 'embedded start',
    title: 'A command line on the embedded store, the whole process',
    columns: ['ratio', 'ms p10 / median'],
    rows,
  };
}
