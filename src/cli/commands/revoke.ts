/** `rewt revoke`: drops every secret, after asking. */

import { OptionError } from '../../errors.js';
import type { RevokeOptions } from '../../rewt.js';
import { asReplaceable, asTimeout } from '../../rewt-option-values.js';
import { placeInWords } from '../address.js';
import { asSeconds, assertNoWords, lookOptions, readArguments } from '../arguments.js';
import type { Command, Outcome } from '../command.js';
import { type ChangingSession, orWritten, signingIn, withExisting } from '../existing.js';
import { fleetOf, names } from '../fleet.js';
import type { Found } from '../found.js';
import { helpOf } from '../help.js';
import { withMember } from '../member.js';
import { orRefusal, type Session } from '../session.js';
import { confirm, isOnScreen, type Terminal } from '../terminal.js';
import { TimeLimit } from '../time-limit.js';
import { CONFIRMED, isLost, LOST, waitForFleet, waitForReplicas } from '../wait.js';

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
  --replace <what>   unreadable or newer, as the error says: revokes although
                     this rewt cannot read what is there
  --timeout <time>   the longest that all of it may take; default: 5 s for each
                     answer of the store, 5 s for replicas, 80 s for members
`);

export const revoke: Command = {
  help,
  changes: true,
  async run(words, terminal, writes) {
    const { values, positionals } = readArguments(words, options);
    assertNoWords(positionals);
    const { yes = false, wait = false } = values;
    const replicas = asReplicas(values.replicas ?? '0');
    const how: RevokeOptions = {
      ...(values.reason === undefined ? {} : { reason: values.reason }),
      ...(values.replace === undefined ? {} : { replace: asReplaceable(values.replace, '--replace') }),
    };
    const timeout = asSeconds(values.timeout, '--timeout');
    const limit = new TimeLimit(timeout === undefined ? undefined : asTimeout(timeout, '--timeout'));
    if (!yes && (!terminal.stdin.isTTY || !terminal.stderr.isTTY)) {
      throw new OptionError('without a terminal to confirm on, add --yes to revoke every token', { option: 'yes' });
    }
    const revokeIn = async (session: ChangingSession, found: Found): Promise<Outcome> => {
      const { place } = session;
      if (replicas > 0 && place.store === 'file') {
        throw new OptionError('--replicas: the embedded store has none. Leave it out', { option: 'replicas' });
      }
      if (!yes && !(await limit.paused(isConfirmed(session, found, terminal)))) {
        return { json: { ...place, revoked: false }, words: 'Nothing was revoked.', exitCode: 1 };
      }
      const { change, ring } = await orWritten(
        session,
        withMember(session, found, {}, (rewt) => rewt.revoke(how)),
      );
      const before = signingIn(found);
      // Before any wait, which may fail, or be ended by Ctrl-C.
      terminal.say(
        'Revoked: each member refuses every token signed before as soon as it reads this. ' +
          `${change.kid} signs now, in place of ${before ?? 'one that cannot be read'}.`,
      );
      // At once: neither takes the other's time.
      const [onReplicas, inMembers] = await Promise.all([
        waitForReplicas(session, replicas, change.replicas, ring),
        wait ? waitForFleet(session, ring, terminal.say) : null,
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
      const said = [
        // Again, because what was said before the wait may be off the screen.
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
        ...(isWaited ? { words: said.join(' ') } : {}),
        exitCode: missing.length === 0 ? 0 : 1,
      };
    };
    return withExisting({ values, terminal, writes, limit }, revokeIn);
  },
};

async function isConfirmed(session: Session, { keyring }: Found, terminal: Terminal): Promise<boolean> {
  const announced = keyring === null ? null : await orRefusal(session.announcements());
  const fleet =
    keyring === null || announced === null || announced instanceof Error ? null : fleetOf(keyring, announced);
  terminal.say(
    `All tokens in flight are refused at once, and every member signs anew${fleet === null ? '' : `: ${names(fleet.members)}, and those without a memberName`}.`,
  );
  const isYes = await confirm(`Revoke every token of ${placeInWords(session.place)}?`, terminal);
  if (!isYes) terminal.interrupted.throwIfAborted();
  return isYes;
}

function asReplicas(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new OptionError('--replicas: must be a whole number, such as 1', { option: 'replicas' });
}
