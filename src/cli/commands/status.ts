/** `rewt status`: the keyring as a member sees it. */

import { assertNoWords, commonOptions, readArguments } from '../arguments.js';
import type { Command } from '../command.js';
import { helpOf } from '../help.js';
import { type Keyring, withKeyring } from '../keyring.js';
import { type KeyringFound, viewKeyring } from '../keyring-view.js';
import { screenOf } from '../screen.js';

const help = helpOf(`
rewt status [options]: shows the keyring, kids and times, never a secret; on a
terminal also as bars over time. Begins none where there is none; a rotation
that is due is done, as by any member.

  rewt status --json | jq .keyring.signing
`);

export const status: Command = {
  help,
  async run(words, terminal) {
    const { values, positionals } = readArguments(words, commonOptions);
    assertNoWords(positionals);
    const found = await withKeyring(values, terminal, statusOf);
    return { result: viewKeyring(found, screenOf(terminal)), json: found };
  },
};

async function statusOf({ rewt, exists }: Keyring): Promise<KeyringFound> {
  // It would begin one.
  if (exists) await rewt.ready();
  const { push: _, ...found } = rewt.status();
  return found;
}
