/** `rewt watch`: the keyring and its members, live, until Ctrl-C. */

import { setTimeout as sleep } from 'node:timers/promises';
import { isRewtError } from '../../errors.js';
import type { Status } from '../../status.js';
import type { Announcements } from '../../stores/store.js';
import { assertNoWords, commonOptions, readArguments } from '../arguments.js';
import type { Command } from '../command.js';
import { type Fleet, fleetOf } from '../fleet.js';
import { helpOf } from '../help.js';
import { type Keyring, withKeyring } from '../keyring.js';
import { type Display, openDisplay } from '../watch/display.js';
import { listenForEvents, type WatchEvent } from '../watch/events.js';
import { instantOf } from '../words.js';

const { ttl: _, ...options } = commonOptions;

const help = helpOf(
  `
rewt watch [options]: the keyring as bars over time and its members' health,
drawn anew at each change and each second. Where stdout is no terminal, a line
for each event; with --json, an object for each. Begins no keyring. Ends at
Ctrl-C (130).

  rewt watch --url redis://localhost:6379 --namespace foobar
`,
  { takesTtl: false },
);

const SECOND_MS = 1_000;
/** Members speak twice a minute. */
const ASK_MEMBERS_MS = 5_000;
const MOST_EVENTS = 100;

export const watch: Command = {
  help,
  async run(words, terminal) {
    const { values, positionals } = readArguments(words, options);
    assertNoWords(positionals);
    const namespace = values.namespace ?? 'rewt';
    let display: Display | null = null;
    const open = (): Display => {
      // Not before the store has answered once: what is wrong with it is said where it stays.
      display ??= openDisplay(terminal, values.json === true);
      return display;
    };
    const gone = new AbortController();
    // Whoever read us has left (`rewt watch | head -3`).
    terminal.stdout.once('error', () => gone.abort());
    const ended = AbortSignal.any([gone.signal, terminal.interrupted]);
    try {
      const events: WatchEvent[] = [];
      while (!ended.aborted) {
        await withKeyring(values, terminal, (keyring) => watchKeyring(keyring, namespace, open(), events, ended), {
          live: true,
        });
      }
      return {};
    } finally {
      (display as Display | null)?.end();
    }
  },
};

/** Until nobody watches any more; for a moment only where there is no keyring yet. */
async function watchKeyring(
  { rewt, exists, announcements }: Keyring,
  namespace: string,
  display: Display,
  events: WatchEvent[],
  ended: AbortSignal,
): Promise<void> {
  let awaySince: Date | null = null;
  let told: Announcements | null = null;
  const ofBefore = { push: '', members: '' };

  function tell(event: WatchEvent): void {
    if (event.event === 'degraded') awaySince = event.time;
    if (event.event === 'recovered') awaySince = null;
    events.push(event);
    events.splice(0, events.length - MOST_EVENTS);
    display.tell(event);
    // What it is about is in the copy once this turn is over.
    setImmediate(draw);
  }
  const happen = (event: string, words: string, details: object): void =>
    tell({ time: new Date(), event, words, details });

  function fleetNow({ keyring, storeTime }: Status): Fleet | null {
    if (keyring === null || told === null) return null;
    // While the store is away, that nobody is heard says nothing about them.
    const nowMs = awaySince === null ? (storeTime?.getTime() ?? told.nowMs) : told.nowMs;
    return fleetOf(keyring, { ...told, nowMs });
  }

  function draw(): void {
    const status = rewt.status();
    const { push, ...found } = status;
    const fleet = fleetNow(status);
    display.show({ found, push, fleet, events, awaySince });
  }

  function compare(): void {
    const status = rewt.status();
    const { push } = status;
    if (push.state !== 'connecting' && push.state !== ofBefore.push) {
      happen('push', push.state === 'on' ? 'on, changes are seen at once' : `off, ${push.reason}`, { ...push });
      ofBefore.push = push.state;
    }
    const fleet = fleetNow(status);
    // After a rotation nobody has said yet that it holds the new one: news is what they then say.
    const isAwaited = fleet?.members.some(({ state, silent }) => state === 'not said yet' && !silent) ?? false;
    const members = isAwaited ? ofBefore.members : fleet === null ? '' : healthOf(fleet);
    if (members !== ofBefore.members) {
      happen('members', members || 'none is announced any more', { fleet });
      ofBefore.members = members;
    }
  }

  if (!exists) {
    if (events.length === 0) happen('began', 'no keyring yet', {});
    draw();
    await sleep(2 * SECOND_MS, undefined, { signal: ended }).catch(() => {});
    return;
  }
  const ignore = listenForEvents(namespace, tell);
  const clock = setInterval(draw, SECOND_MS);
  try {
    let askedAtMs = Number.NEGATIVE_INFINITY;
    let begun = false;
    while (!ended.aborted) {
      // An outage is told by its event, and shown.
      await rewt.ready().catch((error: unknown) => {
        if (!isRewtError(error) || error.status !== 503) throw error;
      });
      const { keyring } = rewt.status();
      if (!begun && keyring !== null) {
        begun = true;
        const { signing, current, epoch, generation } = keyring;
        const words = `${signing} signs, and rotates at the latest ${instantOf(current.expiresAt)}`;
        happen('began', words, { kid: signing, epoch, generation, expiresAt: current.expiresAt });
      }
      if (awaySince === null && performance.now() - askedAtMs >= ASK_MEMBERS_MS) {
        askedAtMs = performance.now();
        told = (await announcements()) ?? told;
      }
      compare();
      draw();
      await sleep(SECOND_MS, undefined, { signal: ended }).catch(() => {});
    }
  } finally {
    clearInterval(clock);
    ignore();
  }
}

/** Without what changes from second to second. */
function healthOf({ size, holdNext, members }: Fleet): string {
  const behind = members.filter(({ state }) => state === 'behind').map(({ name }) => name);
  const silent = members.filter((member) => member.silent).map(({ name }) => name);
  const some = (names: readonly string[]): string =>
    names.slice(0, 5).join(', ') + (names.length > 5 ? ' and more' : '');
  return [
    `${holdNext} of ${size} hold next`,
    ...(behind.length > 0 ? [`behind: ${some(behind)}`] : []),
    ...(silent.length > 0 ? [`silent: ${some(silent)}`] : []),
  ].join('; ');
}
