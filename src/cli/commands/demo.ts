/** `rewt demo`: two services, one calling the other, while secrets rotate; then a revocation. */

import { setTimeout as sleep } from 'node:timers/promises';
import { isRewtError, OptionError } from '../../errors.js';
import { addressOf } from '../address.js';
import { asSeconds, assertNoWords, readArguments } from '../arguments.js';
import type { Command } from '../command.js';
import { type Live, startLive } from '../demo/live.js';
import { type Notice, sharedNowMs, type Tally } from '../demo/messages.js';
import { type DemoMember, makePlace, openMember, type Place, removePlace, revocationBoundMs } from '../demo/place.js';
import { formatReport, type Report, type Revocation, reportOf } from '../demo/report.js';
import { type Service, startService } from '../demo/service.js';
import { type Terminal, unlessInterrupted } from '../terminal.js';

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

Exit codes: 0 promises kept, 1 broken, 2 usage, 3 store unavailable.
`.trim();

export const demo: Command = {
  help,
  async run(words, terminal) {
    const { values, positionals } = readArguments(words, options);
    assertNoWords(positionals);
    const seconds = asSeconds(values.seconds, '--seconds') ?? 10;
    if (!(seconds >= 3 && seconds <= 3_600)) throw new OptionError('--seconds: from 3 to 3600');
    const asked = values.url ?? terminal.env.REWT_URL;
    const place = await makePlace(asked ? addressOf(asked, terminal.env) : null);
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
  const member = openMember(place);
  const live = startLive(terminal);
  try {
    const run = runDemo({ place, seconds, member, live, services });
    return await unlessInterrupted(run, terminal);
  } finally {
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
}

async function runDemo({ place, seconds, member: { rewt }, live, services }: Stage): Promise<Report> {
  // First, so that a store that cannot be used is told in its own words.
  await rewt.ready();
  let tally: Tally | null = null;
  let rotations = 0;
  const onNotice = (notice: Notice): void => {
    if (notice.type === 'tally') {
      tally = notice.tally;
      live.update(notice.tally);
    } else if (notice.type === 'rotated') {
      rotations += 1;
      live.tell(`rotated by schedule: ${notice.kid} signs`);
    }
  };
  const server = startService('server', onNotice);
  services.push(server);
  server.order({ type: 'start', place, serverPort: 0 });
  const { port } = await server.next('listening');
  const caller = startService('caller', onNotice);
  services.push(caller);
  caller.order({ type: 'start', place, serverPort: port });
  await caller.next('tally');

  const scene = async (): Promise<Revocation> => {
    const tail = Math.min(2.5, seconds / 4);
    const act = ((seconds - tail) / 3) * 1_000;
    for (let turn = 0; turn < 2; turn += 1) {
      await sleep(act);
      const kid = await rotateWhenAllowed(rewt);
      rotations += 1;
      live.tell(`rotated by hand: ${kid} signs`);
    }
    await sleep(act);
    caller.order({ type: 'hold' });
    const { tokens } = await caller.next('holding');
    const calledMs = sharedNowMs();
    const { kid } = await rewt.revoke();
    const returnedMs = sharedNowMs();
    live.tell(`revoked: ${kid} signs`);
    await sleep(tail * 1_000);
    return { calledMs, returnedMs, boundMs: revocationBoundMs(place), tokensHeld: tokens };
  };
  const begunMs = performance.now();
  const revocation = await Promise.race([scene(), server.failed, caller.failed]);
  const last = await caller.next('tally');
  return reportOf(last.tally, revocation, rotations, (performance.now() - begunMs) / 1_000);
}
