/** `rewt rotate`: the next secret signs now. */

import { isRewtError } from '../../errors.js';
import type { Announcements } from '../../stores/store.js';
import { assertNoWords, lookOptions, readArguments } from '../arguments.js';
import type { Command } from '../command.js';
import { signingIn, withExisting } from '../existing.js';
import { RefusedError } from '../failure.js';
import { fleetOf, laggards, type MemberSeen, names } from '../fleet.js';
import type { Found } from '../found.js';
import { helpOf } from '../help.js';
import { withMember } from '../member.js';
import { orRefusal } from '../session.js';
import { isOnScreen, type Terminal } from '../terminal.js';

const options = { ...lookOptions, force: { type: 'boolean' }, reason: { type: 'string' } } as const;

const help = helpOf(`
rewt rotate [options]: lets the next secret sign now, and prints its kid. Tokens
in flight go on verifying. Exit code 1 if there is no keyring, or if it comes
too soon after another rotation. Warns of each member with a memberName that has
not announced that it holds that secret.

  rewt rotate --url redis://localhost:6379

  --force            even if a member may not hold the next secret yet,
                     which could cost it requests
  --reason <text>    is kept in the keyring, and shown by rewt status
`);

export const rotate: Command = {
  help,
  changes: true,
  async run(words, terminal, writes) {
    const { values, positionals } = readArguments(words, options);
    assertNoWords(positionals);
    return withExisting({ values, terminal, writes }, async (session, found) => {
      const announced = await orRefusal(session.announcements());
      const behind = announced instanceof Error ? [] : behindIn(found, announced);
      if (announced instanceof Error)
        terminal.say(`${warning(terminal)} the members are unknown: ${announced.message}`);
      if (behind.length > 0) terminal.say(warningOf(behind, terminal));
      // Whether a member may not hold the next secret yet is judged by the age that copies of a fleet reach.
      const change = await withMember(session, found, { asFleet: true }, (rewt) =>
        rewt.rotate({
          force: values.force === true,
          ...(values.reason === undefined ? {} : { reason: values.reason }),
        }),
      ).catch((error: unknown) => {
        throw isRewtError(error) && error.code === 'ERR_REWT_ROTATION_REFUSED' ? refused(values.force === true) : error;
      });
      const before = signingIn(found);
      return {
        ...(isOnScreen(terminal) ? {} : { result: change.kid }),
        json: { ...session.place, before, ...change, lagging: behind.map(({ name }) => name) },
        words: `Rotated: ${change.kid} signs now, in place of ${before ?? 'none'}. No token is refused for it.`,
      };
    });
  },
};

/** Members that have not announced that they hold the secret which is about to sign. */
function behindIn({ keyring }: Found, announced: Announcements): readonly MemberSeen[] {
  const fleet = keyring === null ? null : fleetOf(keyring, announced);
  return fleet === null ? [] : laggards(fleet);
}

function refused(force: boolean): RefusedError {
  return new RefusedError(
    'ERR_REWT_ROTATION_REFUSED',
    force
      ? 'rotated too often: all the retired secrets that a keyring has room for still verify. See rewt status for when the first of them ends; rewt revoke drops them all'
      : 'rotated too recently: a member with an older copy may not hold the next secret yet. Wait for a minute, or add --force, which could cost such a member requests',
  );
}

function warning({ style }: Terminal): string {
  return style('yellow', 'warning:');
}

function warningOf(behind: readonly MemberSeen[], terminal: Terminal): string {
  const heard = names(behind, ({ state, heardSecondsAgo }) => ` (${state}, heard ${heardSecondsAgo} s ago)`);
  return `${warning(terminal)} may not hold the next secret: ${heard}. Until they read it, they ask the store for each token that is signed with it.`;
}
