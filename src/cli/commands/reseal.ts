/** `rewt reseal`: puts a keyring under another seal key, from and to plain text too. */

import { setTimeout as sleep } from 'node:timers/promises';
import { isRewtError, OptionError } from '../../errors.js';
import { fleetSeals, lastAnnounced } from '../../keyring/announcement.js';
import { earlyMsOf } from '../../keyring/errors.js';
import { defaultMaxStaleness, inMs } from '../../keyring/policy.js';
import { RESEAL, type Resealed } from '../../keyring/reseal.js';
import type { Rewt } from '../../rewt.js';
import type { Command, Outcome } from '../command.js';
import { assertNoWords, lookOptions, readArguments } from '../input/arguments.js';
import { refusedRotation, TOO_SOON } from '../lookup/early.js';
import { type ChangingSession, withExisting } from '../lookup/existing.js';
import { examine, type Found } from '../lookup/found.js';
import { withMember } from '../lookup/member.js';
import { RefusedError } from '../output/errors.js';
import { spanOf, whenOf } from '../output/format.js';
import { helpOf } from '../output/help.js';
import {
  allowingInWords,
  changeInWords,
  EXPOSED,
  kidlessInWords,
  membersInWords,
  OPENING,
  QUESTIONS,
} from '../output/resealed.js';
import { confirm, type Terminal } from '../output/terminal.js';
import { orRefusal } from '../session.js';

const options = {
  ...lookOptions,
  to: { type: 'string' },
  plain: { type: 'boolean' },
  wait: { type: 'boolean' },
  force: { type: 'boolean' },
  reason: { type: 'string' },
  yes: { type: 'boolean' },
} as const;

const help = helpOf(`
rewt reseal [options]: puts the keyring under the first of the seal keys that
are given, for all members at once, and prints the id of the key, or "plain". No
token is refused for it. Asks first, because a member without the key stops:
members with a memberName announce their keys, others cannot be counted. Exit
code 1 if there is no keyring, after a no, while a named member lacks the key or
is of an earlier version, and too soon after a rotation.

  rewt reseal --seal-key-file seal.key --wait

  --to <id>          under the key of this id, instead of the first one
  --plain            back to plain text, in two runs: the first announces it to
                     the members, the second writes it; exit code 1 if a named
                     member does not allow it yet
  --wait             from plain text: waits if there was a rotation too soon
                     before, and rotates once more when all members can have
                     the next secret, so that no secret that was plain text
                     signs; with --plain: waits until the members allow it
  --force            even if a named member lacks the key or is of an earlier
                     version, and stops; from plain text, even if a member may
                     not hold the next secret yet, which could cost it requests
  --reason <text>    is kept in the keyring if this rotates; see rewt status
  --yes              do not ask; needed without a terminal
`);

/** The longest wait for members. One with a longer `maxStaleness` needs a rotation later on. */
const MOST_WAIT_MS = 3_600_000;
/** How often the members' announcements are read. */
const POLL_MS = 500;

interface Wanted {
  readonly to?: string | undefined;
  readonly plain: boolean;
  readonly force: boolean;
  readonly reason?: string | undefined;
}

export const reseal: Command = {
  help,
  changes: true,
  async run(words, terminal, writes) {
    const { values, positionals } = readArguments(words, options);
    assertNoWords(positionals);
    const { to, reason, plain = false, wait = false, force = false, yes = false } = values;
    const wanted: Wanted = { to, reason, plain, force };
    return withExisting({ values, terminal, writes }, async (session, found): Promise<Outcome> => {
      if (!plain && found.sealed === null) await warnOfKidless(session, terminal);
      if (!yes && !(await isConfirmed(plain, terminal))) {
        return { json: { ...session.place, resealed: false }, words: 'Nothing was resealed.', exitCode: 1 };
      }
      const run: Run = { session, found, wanted, wait, report: terminal.report };
      const first = await begun(run);
      if (first.opening) return opened(run, first);
      const lastsMs = await stalenessMs(run);
      if (!first.exposed || !wait || lastsMs > MOST_WAIT_MS) return outcomeOf(session, first);
      writes.left = EXPOSED;
      terminal.report(`${changeInWords(first)} It rotates once more in ${spanOf(lastsMs)}.`);
      await sleep(lastsMs);
      const { exposed, kid, rotated } = await resealIn(run, (rewt) => rotateOnceMore(rewt, wanted));
      writes.left = null;
      return outcomeOf(session, { ...first, exposed, kid, rotated: first.rotated || rotated });
    });
  },
};

/** Rotates, unless another rotation came meanwhile: then none may follow so soon. */
async function rotateOnceMore(rewt: Rewt, wanted: Wanted): Promise<Resealed> {
  const { reason } = wanted;
  const rotating = rewt.rotate(reason === undefined ? {} : { reason });
  const rotated = await rotating.then(
    () => true,
    (error: unknown) => {
      if (earlyMsOf(error) === null) throw error;
      return false;
    },
  );
  return { ...(await rewt[RESEAL](wanted)), rotated };
}

/** One run of the verb, on an existing keyring. */
interface Run {
  readonly session: ChangingSession;
  readonly found: Found;
  readonly wanted: Wanted;
  readonly wait: boolean;
  readonly report: (words: string) => void;
}

/** Writes the first step; with `--wait`, once a rotation is allowed. */
async function begun(run: Run): Promise<Resealed> {
  for (;;) {
    try {
      return await resealIn(run, (rewt) => rewt[RESEAL](run.wanted));
    } catch (error) {
      const earlyMs = earlyMsOf(error);
      if (!run.wait || earlyMs === null || earlyMs > MOST_WAIT_MS) throw refused(error);
      run.report(`There was a rotation too recently: waits for ${spanOf(Math.ceil(earlyMs / 1_000) * 1_000)}.`);
      await sleep(earlyMs);
    }
  }
}

/** Writes plain text once every named member takes it; without `--wait`, at the next run. */
async function opened(run: Run, first: Resealed): Promise<Outcome> {
  const { session, found, wait, report } = run;
  session.writes.left = OPENING;
  const giveUpMs = performance.now() + Math.min(await stalenessMs(run), MOST_WAIT_MS) + session.limit.leftMs();
  for (let last = first, reported = ''; ; ) {
    const allowing = await allowingIn(session);
    if (!wait || performance.now() >= giveUpMs) {
      return {
        json: { ...session.place, resealed: false, ...last, exposedUntil: null },
        words:
          `${OPENING}. ${allowing} Run the command again once every member has read that, and has ` +
          "sealing: 'migrate'.",
        exitCode: wait || found.ring?.opening === true ? 1 : 0,
      };
    }
    if (allowing !== reported) report(allowing);
    reported = allowing;
    await sleep(POLL_MS);
    last = await resealIn(run, (rewt) => rewt[RESEAL](run.wanted));
    if (last.opening) continue;
    session.writes.left = null;
    return outcomeOf(session, { ...last, before: first.before });
  }
}

async function allowingIn(session: ChangingSession): Promise<string> {
  const announced = await orRefusal(session.announcements());
  return announced instanceof Error ? announced.message : allowingInWords(fleetSeals(announced));
}

function resealIn<T>({ session, found }: Run, act: (rewt: Rewt) => Promise<T>): Promise<T> {
  return withMember(session, found, { asFleet: true }, act);
}

/** The longest time for which a member may go on with its copy. Milliseconds. */
async function stalenessMs({ session, found }: Run): Promise<number> {
  const announced = await orRefusal(session.announcements());
  const held = announced instanceof Error ? [] : [...lastAnnounced(announced).values()].map((one) => one.held);
  const usual = defaultMaxStaleness(found.ring === null ? undefined : found.ring.ttl / 1_000);
  return Math.max(inMs(usual), ...held.map(({ maxStaleness = 0 }) => maxStaleness));
}

async function outcomeOf(session: ChangingSession, change: Resealed): Promise<Outcome> {
  const { keyring, nowMs } = examine(await session.read(), session.sealing());
  const exposedUntil = keyring?.sealed?.exposedUntil ?? null;
  const again = change.exposed
    ? ' A secret that was plain text still signs. Run rewt rotate once more, in a minute.'
    : '';
  const until =
    exposedUntil === null
      ? ''
      : ` Secrets that were plain text verify until ${whenOf(exposedUntil, nowMs)}: from then on it protects.`;
  return {
    result: change.after ?? 'plain',
    json: { ...session.place, resealed: true, ...change, exposedUntil },
    words: `${changeInWords(change)}${again}${until}${membersInWords(change)}`,
  };
}

/** Returns the command's refusal in place of the library's; any other error as it is. */
function refused(error: unknown): unknown {
  if (isRewtError(error) && 'option' in error && error.option === 'memberName') {
    return new RefusedError(
      'ERR_REWT_RESEAL_REFUSED',
      error.message.replace('memberName:', 'the member').replace('add force', 'add --force'),
    );
  }
  return refusedRotation(
    error,
    (wait) =>
      `to seal plain text takes a rotation, and there was one too recently: ${TOO_SOON}. ${wait}, or add --wait, ` +
      'which does, or --force',
  );
}

/** A courtesy: a member without a name announces nothing of that. */
async function warnOfKidless(session: ChangingSession, { report }: Terminal): Promise<void> {
  const announced = await orRefusal(session.announcements());
  const words = announced instanceof Error ? null : kidlessInWords(announced);
  if (words !== null) report(words);
}

/** Asks for confirmation. @throws {OptionError} without a terminal. */
async function isConfirmed(plain: boolean, terminal: Terminal): Promise<boolean> {
  if (!terminal.stdin.isTTY || !terminal.stderr.isTTY) {
    throw new OptionError('without a terminal to confirm on, add --yes to reseal', { option: 'yes' });
  }
  const isYes = await confirm(plain ? QUESTIONS.plain : QUESTIONS.sealed, terminal);
  if (!isYes) terminal.interrupted.throwIfAborted();
  return isYes;
}
