/** `rewt revoke`: drops every secret, after asking. */

import { OptionError } from '../../errors.js';
import { asSeconds, assertNoWords, commonOptions, readArguments } from '../arguments.js';
import type { Command } from '../command.js';
import { helpOf } from '../help.js';
import { withKeyring } from '../keyring.js';
import { confirm } from '../terminal.js';

const options = {
  ...commonOptions,
  yes: { type: 'boolean' },
  replicas: { type: 'string' },
  timeout: { type: 'string' },
} as const;

const help = helpOf(`
rewt revoke [options]: drops every secret, and prints the kid that signs now. No
token signed before verifies any more. Asks first; exit code 1 after a no.

  rewt revoke --yes

  --yes              do not ask; needed where there is no terminal
  --replicas <n>     wait until so many replicas of Redis have it, so that a
                     failover to one of them keeps it; exit code 0 also where
                     fewer had it in time
  --timeout <time>   the longest to wait for them; default: 5 s
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
    const waiting = {
      replicas: Number(values.replicas ?? 0),
      timeout: asSeconds(values.timeout, '--timeout') ?? 5,
    };
    const change = await withKeyring(values, terminal, ({ rewt }) => rewt.revoke(waiting));
    return {
      result: change.kid,
      json: { revoked: true, ...change },
      words: `Revoked: no token signed before verifies any more, and this kid signs now.${toldOf(waiting.replicas, change.replicas)}`,
    };
  },
};

function toldOf(wanted: number, acknowledged: number | null): string {
  if (wanted === 0) return '';
  return ` Replicas that have it: ${acknowledged ?? 'unknown'} of ${wanted}${(acknowledged ?? 0) < wanted ? '; a failover to one that has it not may undo it: repeat it once they are back' : ''}.`;
}
