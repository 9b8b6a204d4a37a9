/** `rewt demo`: two services, one calling the other, while secrets rotate; then a revocation. */

import { setTimeout as sleep } from 'node:timers/promises';
import { isRewtError, OptionError } from '../../errors.js';
import type { Rewt } from '../../rewt.js';
import { addressOf } from '../address.js';
import { asSeconds, assertNoWords, readArguments } from '../arguments.js';
import type { Command } from '../command.js';
import { type Live, startLive } from '../demo/live.js';
import { sharedNowMs } from '../demo/messages.js';
import { type DemoMember, makePlace, openMember, type Place, removePlace, revocationBoundMs } from '../demo/place.js';
import { formatReport, type Report, type Revocation, reportOf } from '../demo/report.js';
import { onOwnRotation, type Service, startService } from '../demo/service.js';
import { type Terminal, unlessInterrupted } from '../terminal.js';

const ROTATION_RETRY_MS = 100;

const options = {
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean' },
  url: { type: 'string' },
  seconds: { type: 'string' },
} as const;

const help = `
rewt demo [options]: two services in processes of their own, one calling the
other with a fresh token per call, while the secret rotates every other second.
Then one revocation, and a table. Exit code 1 where a promise was broken.

  rewt demo --url redis://localhost:6379

  --url <url>        a Redis to keep the keyring in, for the time of the demo;
                     also as REWT_URL. Without: an embedded store
  --seconds <time>   how long calls are made, at least 3; default: 10
  --json             the table as one JSON object on stdout
  -h, --help

Exit codes: 0 promises kept, 1 broken, 2 usage, 3 store unavailable,
            130 Ctrl-C, 143 SIGTERM.
`.trim();

export const demo: Command = {
  help,
  async run(words, terminal) {
    const { values, positionals } = readArguments(words, options);
    assertNoWords(positionals);
    const seconds = asSeconds(values.seconds, '--seconds') ?? 10;
    if (!(seconds >= 3 && seconds <= 3_600)) throw new OptionError('--seconds: from 3 to 3600');
    const asked = values.url ?? (terminal.env.REWT_URL || undefined);
    const place = await makePlace(asked === undefined ? null : addressOf(asked, terminal.env));
    try {
      const report = await show(place, seconds, terminal);
      const { brokenPromises } = report;
      return {
        result: formatReport(report),
        json: report,
        ...(brokenPromises.length === 0
          ? { words: 'Every promise was kept.' }
          : { words: `Broken: ${brokenPromises.join('; ')}.`, exitCode: 1 }),
      };
    } finally {
      await removePlace(place);
    }
  },
};

async function show(place: Place, seconds: number, terminal: Terminal): Promise<Report> {
  const services: Service[] = [];
  const end = new AbortController();
  const member = openMember(place);
  const live = startLive(terminal);
  const where = 'redisUrl' in place.address ? 'in Redis' : 'in an embedded store, without a server';
  terminal.say(`Two processes share a keyring ${where}. One calls the other.`);
  try {
    const run = runDemo({ place, seconds, member, live, services, ended: end.signal });
    return await unlessInterrupted(run, terminal);
  } finally {
    end.abort();
    live.end();
    await Promise.all(services.map((service) => service.stop()));
    await member.close();
  }
}

interface Stage {
  readonly place: Place;
  readonly seconds: number;
  readonly member: DemoMember;
  readonly live: Live;
  /** Filled as services start, so that they are stopped whatever happens. */
  readonly services: Service[];
  /** Aborted when nobody waits for the demo any more. */
  readonly ended: AbortSignal;
}

async function runDemo({ place, seconds, member: { rewt }, live, services, ended }: Stage): Promise<Report> {
  // First, so that a store that cannot be used is told in its own words.
  await rewt.ready();
  let rotations = 0;
  const countRotation = (kid: string, how: string): void => {
    rotations += 1;
    live.tell(`rotated ${how}: ${kid} signs`);
  };
  onOwnRotation((kid) => countRotation(kid, 'by hand'));
  const start = (name: 'server' | 'caller', serverPort: number): Service => {
    const service = startService(name, (notice) => {
      if (notice.type === 'tally') live.update(notice.tally);
      else if (notice.type === 'rotated') countRotation(notice.kid, 'by schedule');
    });
    services.push(service);
    service.order({ type: 'start', place, serverPort });
    return service;
  };

  const server = start('server', 0);
  const { port } = await server.next('listening');
  const caller = start('caller', port);
  await caller.next('tally');

  const begunMs = performance.now();
  const scenes = playScenes({ rewt, caller, seconds, live, boundMs: revocationBoundMs(place), ended });
  const revocation = await Promise.race([scenes, server.failed, caller.failed]);
  const { tally } = await caller.next('tally');
  return reportOf(tally, revocation, rotations, (performance.now() - begunMs) / 1_000);
}

interface Scenes extends Pick<Stage, 'seconds' | 'live' | 'ended'> {
  readonly rewt: Rewt;
  readonly caller: Service;
  readonly boundMs: number;
}

/** Two rotations by hand among the scheduled ones, then the revocation, each after the same time. */
async function playScenes({ rewt, caller, seconds, live, boundMs, ended }: Scenes): Promise<Revocation> {
  const tailSeconds = Math.min(2.5, seconds / 4);
  const pauseMs = ((seconds - tailSeconds) / 3) * 1_000;
  for (let rotation = 0; rotation < 2; rotation += 1) {
    await sleep(pauseMs, undefined, { signal: ended });
    await rotateOnceAllowed(rewt, ended);
  }
  await sleep(pauseMs, undefined, { signal: ended });
  caller.order({ type: 'hold' });
  const { tokens } = await caller.next('holding');
  const calledMs = sharedNowMs();
  const { kid } = await rewt.revoke();
  const returnedMs = sharedNowMs();
  live.tell(`revoked: ${kid} signs`);
  await sleep(tailSeconds * 1_000, undefined, { signal: ended });
  return { calledMs, returnedMs, boundMs, tokensHeld: tokens };
}

/** Without force: a rotation that comes too soon after a scheduled one waits. */
async function rotateOnceAllowed(rewt: Rewt, ended: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await rewt.rotate();
      return;
    } catch (error) {
      if (!isRewtError(error) || error.code !== 'ERR_REWT_ROTATION_REFUSED') throw error;
      await sleep(ROTATION_RETRY_MS, undefined, { signal: ended });
    }
  }
}
