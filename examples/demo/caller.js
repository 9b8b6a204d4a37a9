/** The service that calls: a fresh token for each call, as fast as a few calls at a time allow. */

import { subscribe } from 'node:diagnostics_channel';
import { Agent, request } from 'node:http';
import { createHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRewtError } from 'rewt';
import { port, rewt, tell } from './service.js';
import { sharedNowMs } from './shared.js';

const CALLS_AT_A_TIME = 4;
const TALLY_MS = 200;
const RETRY_MS = 5;
/** One token in this time is kept, and no more than so many: the last ten seconds. */
const KEEP_MS = 50;
const MAX_KEPT = 200;

const agent = new Agent({ keepAlive: true });
const count = { calls: 0, refusedByRotation: 0, refusedByRevocation: 0, unavailable: 0 };
const oldTokens = { tries: 0, lastAcceptedSentMs: null, firstRefusedMs: null, acceptedAfterRefusal: 0 };
const [recent, overall] = [createHistogram(), createHistogram()];
const kept = [];
let keptAtMs = 0;
/** Whether the revocation may have come, and whether this member knows of it. */
let held = false;
let revoked = false;

subscribe('rewt:revoked', () => {
  revoked = true;
});
process.on('message', hold);
setInterval(() => {
  const kid = rewt.status().keyring?.signing;
  tell('tally', { ...count, kid, recent: latencyOf(recent), overall: latencyOf(overall), oldTokens });
  recent.reset();
}, TALLY_MS);
for (let caller = 0; caller < CALLS_AT_A_TIME; caller += 1) void callForever();

async function callForever() {
  for (;;) await call();
}

/** Makes one call: signs again if the revocation or something unavailable came in between. */
async function call() {
  const begun = process.hrtime.bigint();
  let wasRevoked = false;
  for (;;) {
    // Before signing: once this member knows of the revocation, whatever it signs with is new.
    const isOld = !revoked;
    const token = await sign();
    const status = token === null ? 503 : await send(token);
    if (status === 200) {
      const took = process.hrtime.bigint() - begun;
      recent.record(took);
      overall.record(took);
      count.calls += 1;
      if (wasRevoked) count.refusedByRevocation += 1;
      keep(token);
      return;
    }
    if (status !== 401) count.unavailable += 1;
    else if (held && isOld) wasRevoked = true;
    else {
      count.refusedByRotation += 1;
      return;
    }
    await sleep(RETRY_MS);
  }
}

/** A token; null if the store cannot be used. */
async function sign() {
  try {
    return await rewt.sign({ sub: 'caller' }, { audience: 'server' });
  } catch (error) {
    if (isRewtError(error) && error.status === 503) return null;
    throw error;
  }
}

/** The server's word on a token; 503 if there is no server. */
function send(token) {
  return new Promise((resolve) => {
    request({ host: '127.0.0.1', port, agent, headers: { authorization: `Bearer ${token}` } }, (answer) => {
      answer.resume().once('close', () => resolve(answer.statusCode));
    })
      .once('error', () => resolve(503))
      .end();
  });
}

function keep(token) {
  const nowMs = performance.now();
  if (nowMs - keptAtMs < KEEP_MS) return;
  keptAtMs = nowMs;
  kept.push(token);
  if (kept.length > MAX_KEPT) kept.shift();
}

/** No rotation has cost one of the kept tokens; the revocation that comes must cost all of them. */
async function hold() {
  // Newest first: those of the current secret.
  const tokens = kept.toReversed();
  for (const token of tokens) {
    if ((await send(token)) === 401) count.refusedByRotation += 1;
  }
  held = true;
  tell('holding', tokens.length);
  while (tokens.length > 0) {
    for (const token of tokens) await tryOld(token);
  }
}

async function tryOld(token) {
  const sentMs = sharedNowMs();
  const status = await send(token);
  oldTokens.tries += 1;
  if (status === 401) oldTokens.firstRefusedMs ??= sharedNowMs();
  if (status !== 200) return;
  oldTokens.lastAcceptedSentMs = sentMs;
  if (oldTokens.firstRefusedMs !== null) oldTokens.acceptedAfterRefusal += 1;
}

function latencyOf(histogram) {
  return { p50Ms: histogram.percentile(50) / 1e6, p99Ms: histogram.percentile(99) / 1e6 };
}
