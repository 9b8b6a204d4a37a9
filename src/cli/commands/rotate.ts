/** `rewt rotate`: the next secret signs now. */

import { assertNoWords, commonOptions, readArguments } from '../arguments.js';
import type { Command } from '../command.js';
import { fleetOf, laggards, type MemberSeen, names } from '../fleet.js';
import { helpOf } from '../help.js';
import { type Keyring, withKeyring } from '../keyring.js';
import type { Terminal } from '../terminal.js';

const options = { ...commonOptions, force: { type: 'boolean' } } as const;

const help = helpOf(`
rewt rotate [options]: lets the next secret sign now, and prints its kid. Tokens
in flight go on verifying. Exit code 1 where it comes too soon after another.
Warns where a member with a memberName has not said that it holds that secret.

  rewt rotate --url redis://localhost:6379

  --force            also where a member may not hold the next secret yet,
                     which could cost it requests
`);

export const rotate: Command = {
  help,
  async run(words, terminal) {
    const { values, positionals } = readArguments(words, options);
    assertNoWords(positionals);
    const { change, behind } = await withKeyring(
      values,
      terminal,
      async (keyring) => {
        const behind = await behindIn(keyring);
        if (behind.length > 0) terminal.say(warningOf(behind, terminal));
        return { change: await keyring.rewt.rotate({ force: values.force === true }), behind };
      },
      // Whether a member may not hold the next secret yet is judged by the age that copies of a fleet reach.
      { asFleet: true },
    );
    return {
      result: change.kid,
      json: { ...change, lagging: behind.map(({ name }) => name) },
      words: 'Rotated: this kid signs now.',
    };
  },
};

/** Members that have not said that they hold the secret which is about to sign. */
async function behindIn({ rewt, exists, announcements }: Keyring): Promise<readonly MemberSeen[]> {
  if (!exists) return [];
  const told = await announcements();
  if (told === null || told.count === 0) return [];
  await rewt.ready();
  const { keyring } = rewt.status();
  const fleet = keyring === null ? null : fleetOf(keyring, told);
  return fleet === null ? [] : laggards(fleet);
}

function warningOf(behind: readonly MemberSeen[], { style }: Terminal): string {
  const heard = names(behind, ({ state, heardSecondsAgo }) => ` (${state}, heard ${heardSecondsAgo} s ago)`);
  return `${style('yellow', 'warning:')} may not hold the next secret: ${heard}. Until they read it, they ask the store for each token that is signed with it.`;
}
