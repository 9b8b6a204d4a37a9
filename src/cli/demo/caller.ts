/** The service of the demo that calls: a fresh token for each call, as fast as a few calls at a time allow. */

import { subscribe } from 'node:diagnostics_channel';
import { Agent, request } from 'node:http';
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRewtError } from '../../errors.js';
import type { Rewt } from '../../rewt.js';
import { type Latency, type OldTokens, sharedNowMs } from './messages.js';
import { openMember } from './place.js';
import { serve, tell } from './service.js';

const CALLS_AT_A_TIME = 4;
const TALLY_MS = 200;
/** One token in this time is kept, and no more than so many: the last ten seconds. */
const KEEP_MS = 50;
const MOST_KEPT = 200;
const RETRY_MS = 5;

serve(async (order) => {
  if (order.type === 'start') start(openMember(order.place).rewt, order.serverPort);
  else await hold();
});

let serverPort = 0;
const agent = new Agent({ keepAlive: true });
const recent = createHistogram();
const overall = createHistogram();
const count = { calls: 0, refusedByRotation: 0, refusedByRevocation: 0, unavailable: 0 };
const kept: string[] = [];
let keptAtMs = 0;
/** Whether this service was told of the revocation to come, and whether its own copy shows it. */
let held = false;
let revoked = false;
let oldTokens: OldTokens = { tries: 0, lastAcceptedSentMs: null, firstRefusedMs: null, acceptedAfterRefusal: 0 };

function start(rewt: Rewt, port: number): void {
  serverPort = port;
  subscribe('rewt:revoked', () => {
    revoked = true;
  });
  for (let caller = 0; caller < CALLS_AT_A_TIME; caller += 1) void callForever(rewt);
  setInterval(() => {
    const kid = rewt.status().keyring?.signing ?? null;
    tell({
      type: 'tally',
      tally: { ...count, kid, recent: latencyOf(recent), overall: latencyOf(overall), oldTokens },
    });
    recent.reset();
  }, TALLY_MS);
}

async function callForever(rewt: Rewt): Promise<never> {
  for (;;) await call(rewt);
}

/** One call: signed again where it was in flight at the revocation, or where something was unavailable. */
async function call(rewt: Rewt): Promise<void> {
  const begun = process.hrtime.bigint();
  let wasRevoked = false;
  for (;;) {
    const { status, token, fromBefore } = await attempt(rewt);
    if (status === 200) {
      const took = process.hrtime.bigint() - begun;
      recent.record(took);
      overall.record(took);
      count.calls += 1;
      if (wasRevoked) count.refusedByRevocation += 1;
      keep(token);
      return;
    }
    if (status === 401 && !(held && fromBefore)) {
      count.refusedByRotation += 1;
      return;
    }
    if (status === 401) wasRevoked = true;
    else count.unavailable += 1;
    await sleep(RETRY_MS);
  }
}

async function attempt(rewt: Rewt): Promise<{ status: number; token: string; fromBefore: boolean }> {
  // Asked before signing: once this service's copy shows the revocation, every secret that it signs with is a new one.
  const fromBefore = !revoked;
  try {
    const token = await rewt.sign({ sub: 'caller' }, { audience: 'server' });
    return { status: await send(token), token, fromBefore };
  } catch (error) {
    if (isRewtError(error) && error.status === 503) return { status: 503, token: '', fromBefore };
    throw error;
  }
}

/** The server's word on a token; 503 where there is no server. */
function send(token: string): Promise<number> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}` };
    request({ host: '127.0.0.1', port: serverPort, agent, headers }, (response) => {
      response.resume().once('close', () => resolve(response.statusCode ?? 500));
    })
      .once('error', () => resolve(503))
      .end();
  });
}

function keep(token: string): void {
  const nowMs = performance.now();
  if (nowMs - keptAtMs < KEEP_MS) return;
  keptAtMs = nowMs;
  kept.push(token);
  if (kept.length > MOST_KEPT) kept.shift();
}

/** No rotation has cost one of the kept tokens; from here on the revocation must cost all of them. */
async function hold(): Promise<void> {
  const tokens = [...kept];
  for (const token of tokens) {
    if ((await send(token)) === 401) count.refusedByRotation += 1;
  }
  held = true;
  tell({ type: 'holding', tokens: tokens.length });
  // Newest first: those of the current secret.
  for (let turn = tokens.length - 1; ; turn = turn > 0 ? turn - 1 : tokens.length - 1) {
    const token = tokens[turn];
    if (token === undefined) return;
    await tryOld(token);
  }
}

async function tryOld(token: string): Promise<void> {
  const sentMs = sharedNowMs();
  const status = await send(token);
  const { tries, lastAcceptedSentMs, firstRefusedMs, acceptedAfterRefusal } = oldTokens;
  oldTokens = {
    tries: tries + 1,
    lastAcceptedSentMs: status === 200 ? sentMs : lastAcceptedSentMs,
    firstRefusedMs: status === 401 ? (firstRefusedMs ?? sharedNowMs()) : firstRefusedMs,
    acceptedAfterRefusal: acceptedAfterRefusal + (status === 200 && firstRefusedMs !== null ? 1 : 0),
  };
}

function latencyOf(histogram: RecordableHistogram): Latency {
  return { p50Ms: histogram.percentile(50) / 1e6, p99Ms: histogram.percentile(99) / 1e6 };
}
