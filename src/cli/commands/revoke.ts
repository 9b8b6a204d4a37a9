/** `rewt revoke`: drops every secret, after a confirmation. */

import { OptionError } from '../../errors.js';
import { readReplaceable } from '../../keyring/command-options.js';
import type { RevokeOptions } from '../../rewt.js';
import { sealedBy } from '../../seal/envelope.js';
import { readTimeout } from '../../validation/option-values.js';
import type { Command, Outcome } from '../command.js';
import { placeInWords } from '../input/address.js';
import { assertNoWords, lookOptions, readArguments, readSeconds } from '../input/arguments.js';
import { SEAL_KEY_VARIABLE } from '../input/link.js';
import { type ChangingSession, orWritten, signingIn, withExisting } from '../lookup/existing.js';
import type { Found } from '../lookup/found.js';
import { withMember } from '../lookup/member.js';
import { CONFIRMED, isLost, LOST, MEMBERS_MS, waitForFleet, waitForReplicas } from '../lookup/wait.js';
import { fleetOf, names } from '../output/fleet.js';
import { helpOf } from '../output/help.js';
import { lockedOutInWords, replacedInWords } from '../output/sealed.js';
import { confirm, isOnScreen, type Terminal } from '../output/terminal.js';
import { orRefusal, type Session } from '../session.js';
import { STORE_TIMEOUT_MS, TimeLimit } from '../time-limit.js';

const options = {
  ...lookOptions,
  yes: { type: 'boolean' },
  replicas: { type: 'string' },
  wait: { type: 'boolean' },
  reason: { type: 'string' },
  replace: { type: 'string' },
  timeout: { type: 'string' },
} as const;

const help = helpOf(`
rewt revoke [options]: drops every secret, and prints the kid that signs now. No
token signed before verifies any more. Asks first; exit code 1 after a no, and
if there is no keyring.

  rewt revoke --yes

  --yes              do not ask; needed without a terminal
  --replicas <n>     wait until so many replicas of Redis have it, so that a
                     failover to one of them keeps it; exit code 1 if fewer
                     had it in time, or none is connected: it is revoked
                     anyway
  --wait             wait until every member with a memberName has announced
                     that it holds the new keyring, or its maxStaleness is
                     over; exit code 1 if not in time: it is revoked anyway
  --reason <text>    is kept in the keyring, and shown by rewt status; at most
                     200 characters, or nothing is revoked
  --replace <what>   unreadable, newer or sealed, as the error says: revokes
                     although this rewt cannot read what is there. The new
                     keyring has the default times, and is under the first seal
                     key of this command, or plain text without one
  --timeout <time>   the longest that all of it may take; default: ${STORE_TIMEOUT_MS / 1_000} s for each
                     answer of the store and for replicas, ${MEMBERS_MS / 1_000} s for members
`);

export const revoke: Command = {
  help,
  changes: true,
  async run(words, terminal, writes) {
    const { values, positionals } = readArguments(words, options);
    assertNoWords(positionals);
    const { yes = false, wait = false } = values;
    const replicas = readReplicas(values.replicas ?? '0');
    const how: RevokeOptions = {
      ...(values.reason === undefined ? {} : { reason: values.reason }),
      ...(values.replace === undefined ? {} : { replace: readReplaceable(values.replace, '--replace') }),
    };
    const timeout = readSeconds(values.timeout, '--timeout');
    const limit = new TimeLimit(timeout === undefined ? undefined : readTimeout(timeout, '--timeout'));
    if (!yes && (!terminal.stdin.isTTY || !terminal.stderr.isTTY)) {
      throw new OptionError('without a terminal to confirm on, add --yes to revoke every token', { option: 'yes' });
    }
    const revokeIn = async (session: ChangingSession, found: Found): Promise<Outcome> => {
      const { place } = session;
      if (replicas > 0 && place.store === 'file') {
        throw new OptionError('--replicas: the embedded store has none. Leave it out', { option: 'replicas' });
      }
      if (session.keys.length === 0 && wasSealed(found)) terminal.report(plainWarning(terminal));
      if (!yes && !(await limit.paused(isConfirmed(session, found, terminal)))) {
        return { json: { ...place, revoked: false }, words: 'Nothing was revoked.', exitCode: 1 };
      }
      const { change, ring } = await orWritten(
        session,
        // A ring that is begun anew has the times that members need by default.
        withMember(session, found, { asFleet: found.ring === null }, (rewt) => rewt.revoke(how)),
      );
      const before = signingIn(found);
      // Before any wait, which may fail or be ended by Ctrl-C.
      terminal.report(
        'Revoked: each member refuses every token signed before as soon as it reads this. ' +
          `${change.kid} signs now, in place of ${before ?? 'one that cannot be read'}.`,
      );
      if (found.ring === null) terminal.report(replacedInWords(ring));
      const keyId = sealedBy(writes.ring ?? '');
      if (keyId !== null && replacesSealed(found)) terminal.report(lockedOutInWords(keyId));
      // In parallel, so that neither uses the other's time.
      const [onReplicas, inMembers] = await Promise.all([
        waitForReplicas(session, replicas, change.replicas, ring),
        wait ? waitForFleet(session, ring, terminal.report) : null,
      ]);
      const isWaited = replicas > 0 || inMembers !== null;
      if (isWaited && (inMembers?.missing === LOST || (await isLost(session, ring)))) {
        const gone = { revoked: false, before, kid: null, epoch: null, replicas: null };
        return {
          json: { ...place, ...gone, ...(wait && { fleet: null }), missing: [LOST] },
          words: LOST,
          exitCode: 1,
        };
      }
      const results = [
        // Repeated, because the earlier message may have scrolled off the screen.
        `Revoked: ${change.kid} signs now.`,
        replicas > 0 ? (onReplicas.missing ?? `Acknowledged by ${onReplicas.found} of ${replicas} replicas.`) : null,
        inMembers === null ? null : (inMembers.missing ?? CONFIRMED),
      ].filter((words) => words !== null);
      const missing = [onReplicas.missing, inMembers?.missing ?? null].filter((words) => words !== null);
      return {
        ...(isOnScreen(terminal) ? {} : { result: change.kid }),
        json: {
          ...{ ...place, revoked: true, before, ...change, replicas: onReplicas.found },
          ...(inMembers === null ? {} : { fleet: inMembers.found }),
          missing,
        },
        ...(isWaited ? { words: results.join(' ') } : {}),
        exitCode: missing.length === 0 ? 0 : 1,
      };
    };
    return withExisting({ values, terminal, writes, limit }, revokeIn);
  },
};

async function isConfirmed(session: Session, found: Found, terminal: Terminal): Promise<boolean> {
  const { keyring } = found;
  const announced = keyring === null ? null : await orRefusal(session.announcements());
  const fleet =
    keyring === null || announced === null || announced instanceof Error ? null : fleetOf(keyring, announced);
  const [sealKey] = session.keys;
  terminal.report(
    sealKey !== undefined && replacesSealed(found)
      ? lockedOutInWords(sealKey.id)
      : 'All tokens in flight are refused at once, and every member signs ' +
          `anew${fleet === null ? '' : `: ${names(fleet.members)}, and those without a memberName`}.`,
  );
  const isYes = await confirm(`Revoke every token of ${placeInWords(session.place)}?`, terminal);
  if (!isYes) terminal.interrupted.throwIfAborted();
  return isYes;
}

/** Tests whether members with another seal key may be there, which cannot read what is written. */
function replacesSealed(found: Found): boolean {
  return found.ringState !== 'readable' && wasSealed(found);
}

function wasSealed({ key, sealed }: Found): boolean {
  return sealed !== null || key?.marks === true;
}

function plainWarning({ style }: Terminal): string {
  return (
    `${style('yellow', 'warning:')} there is no seal key here, so the new keyring is plain text: members with a seal ` +
    `key revoke it again. Give theirs in ${SEAL_KEY_VARIABLE} or --seal-key-file.`
  );
}

function readReplicas(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new OptionError('--replicas: must be a whole number, such as 1', { option: 'replicas' });
}
