/** `rewt status`: the keyring as a member sees it. */

import { assertNoWords, commonOptions, readArguments } from '../arguments.js';
import type { Command } from '../command.js';
import { type Fleet, fleetInWords, fleetOf } from '../fleet.js';
import { helpOf } from '../help.js';
import { type Keyring, withKeyring } from '../keyring.js';
import { type KeyringFound, viewKeyring } from '../keyring-view.js';
import { screenOf } from '../screen.js';
import type { Row } from '../table.js';

const help = helpOf(`
rewt status [options]: shows the keyring, kids and times, never a secret; on a
terminal also as bars over time. Begins none where there is none; a rotation
that is due is done, as by any member. Where members have a memberName, it also
says how many of them hold the next secret.

  rewt status --json | jq .keyring.signing
`);

export const status: Command = {
  help,
  async run(words, terminal) {
    const { values, positionals } = readArguments(words, commonOptions);
    assertNoWords(positionals);
    const found = await withKeyring(values, terminal, statusOf);
    const { fleet } = found;
    const more: readonly Row[] = fleet === null ? [] : [['fleet', fleetInWords(fleet)]];
    return { result: viewKeyring(found, screenOf(terminal), more), json: found };
  },
};

async function statusOf({
  rewt,
  exists,
  announcements,
}: Keyring): Promise<KeyringFound & { readonly fleet: Fleet | null }> {
  // It would begin one.
  if (exists) await rewt.ready();
  const { push: _, ...found } = rewt.status();
  const told = exists ? await announcements() : null;
  return { ...found, fleet: found.keyring === null || told === null ? null : fleetOf(found.keyring, told) };
}
