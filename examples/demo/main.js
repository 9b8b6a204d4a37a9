/** Starts two services, rotates, revokes, and says whether a promise was broken. */

import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isRewtError } from 'rewt';
import { startLive } from './live.js';
import { formatReport, reportOf } from './report.js';
import { openMember, revocationBoundMs, sharedNowMs } from './shared.js';

const help = `
npm run demo -- [options]: two services in separate processes, one calling
the other with a fresh token per call, while the secret rotates every other
second. Then one revocation, and a table.

  npm run demo -- --url redis://localhost:6379

  --url <url>        a Redis to keep the keyring in; also as REWT_URL.
                     Without: a temporary folder
  --seconds <time>   how long calls are made, from 3 to 3600; default: 10
  --json             the table as one JSON object on stdout
  -h, --help

Exit codes: 0 promises kept, 1 broken, 2 usage, 3 store unavailable,
            130 Ctrl-C, 143 SIGTERM.
`.trim();

const { url, seconds, json } = readOptions();
/** Aborted with the exit code at a signal, and with an error if a service ends too early. */
const ended = new AbortController();
const { signal } = ended;
// More than once: npm passes a Ctrl-C on to a program that had it from the terminal too.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(name, () => ended.abort(128 + constants.signals[name]));
}
// The reader of a pipe may leave before the end.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const folder = url ? undefined : await mkdtemp(join(tmpdir(), 'rewt-demo-'));
const place = { url, folder, namespace: `rewt-demo-${randomBytes(6).toString('hex')}` };
const services = [];
const live = startLive(process.stderr);
let rotations = 0;
let member;
try {
  member = openMember(place);
  const interrupted = once(signal, 'abort');
  const report = await Promise.race([play(member.rewt), interrupted.then(() => Promise.reject(signal.reason))]);
  const { brokenPromises } = report;
  live.end();
  console.error(brokenPromises.length === 0 ? 'Every promise was kept.' : `Broken: ${brokenPromises.join('; ')}.`);
  console.log(json ? JSON.stringify(report) : formatReport(report));
  if (brokenPromises.length > 0) process.exitCode = 1;
} catch (error) {
  live.end();
  const reason = signal.aborted ? signal.reason : error;
  if (typeof reason === 'number') process.exitCode = reason;
  else if (isRewtError(reason)) fail(reason.message, reason.status === 503 ? 3 : 2);
  else throw reason;
} finally {
  await Promise.all(services.map(stop));
  await member?.close();
  // What is in Redis ends by itself, within seconds: nothing in a keyring outlives its tokens.
  if (folder) await rm(folder, { recursive: true, force: true });
}

async function play(rewt) {
  await rewt.ready();
  signal.throwIfAborted();
  console.error(`Two processes share a keyring in ${url ? 'Redis' : 'a folder'}. One calls the other.`);

  subscribe('rewt:rotated', ({ kid, own }) => {
    if (own) countRotation(kid, 'by hand');
  });
  const [port] = await once(startService('server', { place }), 'listening', { signal });
  const caller = startService('caller', { place, port });
  caller.on('tally', live.update);
  await once(caller, 'tally', { signal });

  const begunMs = performance.now();
  const revocation = await rotateAndRevoke(rewt, caller);
  const [tally] = await once(caller, 'tally', { signal });
  const passedSeconds = (performance.now() - begunMs) / 1_000;
  return reportOf(tally, { ...revocation, boundMs: revocationBoundMs(place) }, rotations, passedSeconds);
}

/** Rotates twice by hand, among the scheduled rotations, then revokes; each after the same time. */
async function rotateAndRevoke(rewt, caller) {
  const tailMs = Math.min(2_500, seconds * 250);
  const pauseMs = (seconds * 1_000 - tailMs) / 3;
  for (let rotation = 0; rotation < 2; rotation += 1) {
    await sleep(pauseMs, undefined, { signal });
    await rotateOnceAllowed(rewt);
  }
  await sleep(pauseMs, undefined, { signal });
  caller.send('hold');
  const [tokensHeld] = await once(caller, 'holding', { signal });
  const calledMs = sharedNowMs();
  const { kid } = await rewt.revoke();
  const returnedMs = sharedNowMs();
  live.tell(`revoked: ${kid} signs`);
  await sleep(tailMs, undefined, { signal });
  return { calledMs, returnedMs, tokensHeld };
}

/** Without force: a rotation that comes too soon after a scheduled one waits. */
async function rotateOnceAllowed(rewt) {
  for (;;) {
    try {
      return await rewt.rotate();
    } catch (error) {
      if (!isRewtError(error) || error.code !== 'ERR_REWT_ROTATION_REFUSED') throw error;
      await sleep(100, undefined, { signal });
    }
  }
}

function countRotation(kid, how) {
  rotations += 1;
  live.tell(`rotated ${how}: ${kid} signs`);
}

/**
 * Starts server.js or caller.js. What it tells becomes an event: 'listening', 'rotated', 'tally',
 * 'holding'.
 */
function startService(name, told) {
  const service = fork(new URL(`./${name}.js`, import.meta.url), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, DEMO: JSON.stringify(told) },
  });
  services.push(service);
  service.on('message', ([event, value]) => service.emit(event, value));
  service.on('rotated', (kid) => countRotation(kid, 'by schedule'));
  service.once('error', (error) => ended.abort(error));
  service.once('exit', () => ended.abort(new Error(`the ${name} of the demo ended too early`)));
  return service;
}

/** At once: it has nothing that wants an orderly end. */
async function stop(service) {
  if (service.pid === undefined || service.exitCode !== null || service.signalCode !== null) return;
  service.kill('SIGKILL');
  await once(service, 'exit');
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        help: { type: 'boolean', short: 'h' },
        json: { type: 'boolean', default: false },
        url: { type: 'string', default: process.env.REWT_URL },
        seconds: { type: 'string', default: '10' },
      },
    });
    if (values.help) {
      console.log(help);
      process.exit();
    }
    const seconds = Number(values.seconds);
    if (!(seconds >= 3 && seconds <= 3_600)) throw new Error('--seconds: from 3 to 3600');
    if (values.url && !/^rediss?:\/\//.test(values.url))
      throw new Error('--url: must begin with redis:// or rediss://');
    return { ...values, seconds };
  } catch (error) {
    // Node adds lines of advice.
    fail(error.message.split('\n')[0], 2);
    process.exit();
  }
}

function fail(message, exitCode) {
  console.error(`demo: ${message}`);
  process.exitCode = exitCode;
}
