/** `rewt revoke`: drops every secret, after asking. */

import { OptionError } from '../../errors.js';
import { assertNoWords, commonOptions, readArguments } from '../arguments.js';
import type { Command } from '../command.js';
import { helpOf } from '../help.js';
import { withKeyring } from '../keyring.js';
import { confirm } from '../terminal.js';

const options = { ...commonOptions, yes: { type: 'boolean' } } as const;

const help = helpOf(`
rewt revoke [options]: drops every secret, and prints the kid that signs now. No
token signed before verifies any more. Asks first; exit code 1 after a no.

  rewt revoke --yes

  --yes              do not ask; needed where there is no terminal
`);

export const revoke: Command = {
  help,
  async run(words, terminal) {
    const { values, positionals } = readArguments(words, options);
    assertNoWords(positionals);
    const { namespace = 'rewt', yes } = values;
    if (!yes) {
      if (!terminal.stdin.isTTY || !terminal.stderr.isTTY) {
        throw new OptionError('to revoke every token where nobody can be asked, add --yes');
      }
      const question = `Revoke every token of the namespace ${JSON.stringify(namespace)}?`;
      if (!(await confirm(question, terminal))) {
        terminal.interrupted.throwIfAborted();
        return { json: { revoked: false }, words: 'Nothing was revoked.', exitCode: 1 };
      }
    }
    const change = await withKeyring(values, terminal, ({ rewt }) => rewt.revoke());
    return {
      result: change.kid,
      json: { revoked: true, ...change },
      words: 'Revoked: no token signed before verifies any more, and this kid signs now.',
    };
  },
};
