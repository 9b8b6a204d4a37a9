/** `rewt rotate`: the next secret signs now. */

import { assertNoWords, commonOptions, readArguments } from '../arguments.js';
import type { Command } from '../command.js';
import { helpOf } from '../help.js';
import { withKeyring } from '../keyring.js';

const options = { ...commonOptions, force: { type: 'boolean' } } as const;

const help = helpOf(`
rewt rotate [options]: lets the next secret sign now, and prints its kid. Tokens
in flight go on verifying. Exit code 1 where it comes too soon after another.

  rewt rotate --url redis://localhost:6379

  --force            also where a member may not hold the next secret yet,
                     which could cost it requests
`);

export const rotate: Command = {
  help,
  async run(words, terminal) {
    const { values, positionals } = readArguments(words, options);
    assertNoWords(positionals);
    const change = await withKeyring(
      values,
      terminal,
      ({ rewt }) => rewt.rotate({ force: values.force === true }),
      // Whether a member may not hold the next secret yet is judged by the age that copies of a fleet reach.
      { asFleet: true },
    );
    return { result: change.kid, json: change, words: 'Rotated: this kid signs now.' };
  },
};
