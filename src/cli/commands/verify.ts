/** `rewt verify`: a token in, its payload out. */

import { asSeconds, commonOptions, readArguments } from '../arguments.js';
import type { Command } from '../command.js';
import { helpOf } from '../help.js';
import { readInput } from '../input.js';
import { withKeyring } from '../keyring.js';

const options = {
  ...commonOptions,
  audience: { type: 'string', multiple: true },
  issuer: { type: 'string', multiple: true },
  subject: { type: 'string' },
  'max-age': { type: 'string' },
} as const;

const help = helpOf(`
rewt verify [token] [options]: verifies a token and prints its payload, claims
as one line of JSON, a text as it is. Exit code 1 where the token is refused.

  rewt sign '{"user":"ann"}' | rewt verify

The token is the argument, or stdin; white space around it does not matter.
What is asked for must be in the token:

  --audience <name>   whom it is for; more than once: one of them
  --issuer <name>     who issued it; more than once: one of them
  --subject <name>    whom it is about
  --max-age <time>    how old it may be
`);

export const verify: Command = {
  help,
  async run(words, terminal) {
    const { values, positionals } = readArguments(words, options);
    const { audience, issuer, subject } = values;
    const maxAge = asSeconds(values['max-age'], '--max-age');
    const token = (await readInput(positionals, 'token', terminal)).toString('utf8').trim();
    const { header, payload } = await withKeyring(
      values,
      terminal,
      ({ rewt }) => rewt.verify<unknown>(token, { complete: true, audience, issuer, subject, maxAge }),
      // What no keyring can have signed is refused, and no reason to begin one.
      { mustExist: true },
    );
    return {
      result: typeof payload === 'string' ? payload : JSON.stringify(payload),
      json: { header, payload },
    };
  },
};
