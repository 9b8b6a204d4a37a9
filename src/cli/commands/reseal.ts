/** `rewt reseal`: puts a keyring under another seal key, from and to plain text too. */

import { setTimeout as sleep } from 'node:timers/promises';
import { isRewtError, OptionError } from '../../errors.js';
import { lastAnnounced } from '../../keyring/announcement.js';
import { defaultMaxStaleness, inMs } from '../../keyring/policy.js';
import { RESEAL, type Resealed } from '../../keyring/reseal.js';
import type { Rewt } from '../../rewt.js';
import type { Command, Outcome } from '../command.js';
import { assertNoWords, lookOptions, readArguments } from '../input/arguments.js';
import { type ChangingSession, withExisting } from '../lookup/existing.js';
import { examine, type Found } from '../lookup/found.js';
import { withMember } from '../lookup/member.js';
import { RefusedError } from '../output/errors.js';
import { foreignName, spanOf, whenOf } from '../output/format.js';
import { helpOf } from '../output/help.js';
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
rewt reseal [options]: puts the keyring under the first seal key, for all
members at once. No token is refused for it. Asks first, because a member that
does not have the key stops: one with a memberName announces its keys, others
cannot be counted, and an original rewt accepts what a reader of Redis forges.
Exit code 1 if there is no keyring, after a no, and too soon after a rotation.

  rewt reseal --seal-key-file keys.txt --wait

  --to <id>          under this key, instead of the first
  --plain            back to plain text, in two steps: the members first learn
                     that it is allowed, and the second run writes it
  --wait             from plain text: rotates once more when every member can
                     follow, so that no secret that was plain text signs;
                     with --plain: waits until the members allow it
  --force            from plain text: even if a member may not hold the next
                     secret yet, which could cost it requests
  --reason <text>    is kept in the keyring if this rotates; see rewt status
  --yes              do not ask; needed without a terminal
`);

/** How often members are asked whether they take plain text. */
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
      if (!yes && !(await isConfirmed(terminal))) {
        return { json: { ...session.place, resealed: false }, words: 'Nothing was resealed.', exitCode: 1 };
      }
      const first = await resealIn(session, found, (rewt) => rewt[RESEAL](wanted));
      if (first.opening) return opened(session, found, wanted, wait, first);
      if (first.rotated && wait) {
        terminal.report(`${sealedInWords(first)} It rotates once more in ${spanOf(await stalenessMs(session))}.`);
        await sleep(await stalenessMs(session));
        await resealIn(session, found, (rewt) => rewt.rotate(reason === undefined ? {} : { reason }));
      }
      return outcomeOf(session, first, wait);
    });
  },
};

/** Writes plain text once every named member takes it; without `--wait`, at the next run. */
async function opened(
  session: ChangingSession,
  found: Found,
  wanted: Wanted,
  wait: boolean,
  first: Resealed,
): Promise<Outcome> {
  let last = first;
  const giveUpMs = performance.now() + (await stalenessMs(session)) + session.limit.leftMs();
  while (wait && last.opening && performance.now() < giveUpMs) {
    await sleep(POLL_MS);
    last = await resealIn(session, found, (rewt) => rewt[RESEAL](wanted));
  }
  if (!last.opening) return outcomeOf(session, { ...last, before: first.before }, wait);
  return {
    json: { ...session.place, resealed: false, ...last, exposedUntil: null },
    words:
      'The keyring is sealed still, and says that plain text may follow. Run the command again once ' +
      "every member has read that, and has sealing: 'migrate'.",
    exitCode: wait ? 1 : 0,
  };
}

async function resealIn<T>(session: ChangingSession, found: Found, act: (rewt: Rewt) => Promise<T>): Promise<T> {
  return withMember(session, found, { asFleet: true }, act).catch((error: unknown) => {
    throw isRewtError(error) && error.code === 'ERR_REWT_ROTATION_REFUSED' ? tooSoon() : error;
  });
}

/** The longest time for which a member may go on with its copy. Milliseconds. */
async function stalenessMs(session: ChangingSession): Promise<number> {
  const announced = await orRefusal(session.announcements());
  const held = announced instanceof Error ? [] : [...lastAnnounced(announced).values()].map((one) => one.held);
  return Math.max(inMs(defaultMaxStaleness()), ...held.map(({ maxStaleness = 0 }) => maxStaleness));
}

async function outcomeOf(session: ChangingSession, change: Resealed, waited: boolean): Promise<Outcome> {
  const { keyring, nowMs } = examine(await session.read(), session.sealing());
  const exposedUntil = keyring?.sealed?.exposedUntil ?? null;
  const again = change.rotated && !waited ? ' Run rewt rotate once more, in a minute: a secret of then signs now.' : '';
  const until =
    exposedUntil === null
      ? ''
      : ` Secrets that were plain text verify until ${whenOf(exposedUntil, nowMs)}: from then on it protects.`;
  return {
    result: change.after ?? 'plain',
    json: { ...session.place, resealed: true, ...change, exposedUntil },
    words: `${sealedInWords(change)}${again}${until} ${membersInWords(change)}`,
  };
}

function sealedInWords({ before, after }: Resealed): string {
  const named = (id: string | null): string => (id === null ? 'plain text' : `the seal key ${id}`);
  return before === after
    ? `It is under ${named(after)} already.`
    : `Resealed: ${named(after)}, in place of ${named(before)}.`;
}

function membersInWords({ known, unknown }: Resealed): string {
  const older =
    unknown.length === 0 ? '' : ` Of an earlier version: ${unknown.map((name) => foreignName(name)).join(', ')}.`;
  return `${known} named ${known === 1 ? 'member has' : 'members have'} announced the key.${older}`;
}

function tooSoon(): RefusedError {
  return new RefusedError(
    'ERR_REWT_ROTATION_REFUSED',
    'to seal plain text takes a rotation, and there was one too recently: a member may not hold the next ' +
      `secret yet. Wait for ${spanOf(inMs(defaultMaxStaleness()))}, or add --force`,
  );
}

/** Asks for confirmation. @throws {OptionError} without a terminal. */
async function isConfirmed(terminal: Terminal): Promise<boolean> {
  if (!terminal.stdin.isTTY || !terminal.stderr.isTTY) {
    throw new OptionError('without a terminal to confirm on, add --yes to reseal', { option: 'yes' });
  }
  const isYes = await confirm(
    'A member that lacks the key stops, and members without a memberName are not counted. An original ' +
      'rewt here has its tokens refused, and accepts forged ones. Reseal?',
    terminal,
  );
  if (!isYes) terminal.interrupted.throwIfAborted();
  return isYes;
}
