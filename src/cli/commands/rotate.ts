/** `rewt rotate`: the next secret becomes the signing one. */

import type { Announcements } from '../../stores/store.js';
import type { Command } from '../command.js';
import { assertNoWords, lookOptions, readArguments } from '../input/arguments.js';
import { refusedRotation, TOO_SOON } from '../lookup/early.js';
import { signingIn, withExisting } from '../lookup/existing.js';
import type { Found } from '../lookup/found.js';
import { withMember } from '../lookup/member.js';
import { fleetOf, laggards, type MemberSeen, names } from '../output/fleet.js';
import { helpOf } from '../output/help.js';
import { isOnScreen, type Terminal } from '../output/terminal.js';
import { orRefusal } from '../session.js';

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
        terminal.report(`${warning(terminal)} the members are unknown: ${announced.message}`);
      if (behind.length > 0) terminal.report(warningOf(behind, terminal));
      // Judged as a member of a fleet: its maximum copy age decides if some member may not hold the
      // next secret yet.
      const change = await withMember(session, found, { asFleet: true }, (rewt) =>
        rewt.rotate({
          force: values.force === true,
          ...(values.reason === undefined ? {} : { reason: values.reason }),
        }),
      ).catch((error: unknown) => {
        throw refusedRotation(error, values.force === true ? tooOften : tooSoon);
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

/** Returns the members that have not announced that they hold the secret which is about to sign. */
function behindIn({ keyring }: Found, announced: Announcements): readonly MemberSeen[] {
  const fleet = keyring === null ? null : fleetOf(keyring, announced);
  return fleet === null ? [] : laggards(fleet);
}

function tooSoon(wait: string): string {
  return `rotated too recently: ${TOO_SOON}. ${wait}, or add --force, which could cost such a member requests`;
}

function tooOften(wait: string): string {
  return (
    'rotated too often: all the retired secrets that a keyring has room for still verify. ' +
    `${wait}; rewt revoke drops them all`
  );
}

function warning({ style }: Terminal): string {
  return style('yellow', 'warning:');
}

function warningOf(behind: readonly MemberSeen[], terminal: Terminal): string {
  const named = names(
    behind,
    ({ state, announcedSecondsAgo }) => ` (${state}, announced ${announcedSecondsAgo} s ago)`,
  );
  return (
    `${warning(terminal)} may not hold the next secret: ${named}. Until they read it, they read the ` +
    'store for each token that is signed with it.'
  );
}
