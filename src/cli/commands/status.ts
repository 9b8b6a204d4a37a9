/** `rewt status`: the keyring in the store, once or live. It writes nothing. */

import type { Command } from '../command.js';
import { assertNoWords, lookOptions, readArguments } from '../input/arguments.js';
import { isSomething, look } from '../lookup/look.js';
import { othersInWords } from '../lookup/others.js';
import { helpOf } from '../output/help.js';
import { viewKeyring } from '../output/keyring.js';
import { screenOf } from '../output/screen.js';
import { withSession } from '../session.js';
import { watchKeyring } from '../watch/watch.js';

const options = { ...lookOptions, watch: { type: 'boolean' } } as const;

const help = helpOf(`
rewt status [options]: shows the keyring, kids and times, never a secret; on a
terminal also as bars over time. Writes nothing: what a member would do with
what it finds is printed as due. Shows how many members with a memberName hold
the next secret.

  rewt status --json | jq .keyring.signing

  --watch            live, until Ctrl-C (exit code 130): drawn anew at each
                     change and each second. Elsewhere than on a terminal a
                     line for each event; with --json an object for each
`);

export const status: Command = {
  help,
  async run(words, terminal) {
    const { values, positionals } = readArguments(words, options);
    assertNoWords(positionals);
    if (values.watch) {
      await withSession(values, terminal, (session) => watchKeyring(session, terminal, values.json === true));
      return {};
    }
    return withSession(values, terminal, async (session) => {
      const found = await look(session);
      const others = isSomething(found) || values.json ? '' : await othersInWords(found, session.namespaces());
      const { note: _, ...json } = found;
      return { result: viewKeyring(found, screenOf(terminal), others), json };
    });
  },
};
