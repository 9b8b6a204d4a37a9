/** `rewt verify`: a token in, its payload out. It writes nothing. */

import { asSeconds, lookOptions, readArguments } from '../arguments.js';
import type { Command } from '../command.js';
import { assertCounts, dueOf, examine, isThere, plansInWords } from '../found.js';
import { helpOf } from '../help.js';
import { readToken } from '../input.js';
import { withCopy } from '../member.js';
import { missing } from '../others.js';
import { withShownPlace } from '../session.js';
import { escapedJson } from '../words.js';

const options = {
  ...lookOptions,
  audience: { type: 'string', multiple: true },
  issuer: { type: 'string', multiple: true },
  subject: { type: 'string' },
  'max-age': { type: 'string' },
} as const;

const help = helpOf(`
rewt verify [token] [options]: verifies a token and prints its payload, claims
as one line of JSON, a text as it is. Exit code 1 if the token is refused.
Writes nothing; why it is refused, with all values: rewt explain.

  rewt sign '{"user":"ann"}' | rewt verify

The token is the argument, or stdin. White space and quotes around it do not
matter, nor does "Bearer" before it.
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
    const token = await readToken(positionals, terminal);
    return withShownPlace(values, terminal, async (session) => {
      const entries = await session.read();
      assertCounts(entries);
      const found = examine(entries);
      if (!isThere(found)) throw await missing(session);
      const due = dueOf(found);
      if (due !== null && values.json !== true) terminal.say(`due: ${due}: ${plansInWords[due]}`);
      const payload = await withCopy(entries, session.place.namespace, (rewt) =>
        rewt.verify<unknown>(token, { audience, issuer, subject, maxAge }),
      );
      // As it was signed: to read it and write it again would round its numbers.
      const [header = '', claims = ''] = token.split('.', 2).map(lineOf);
      const place = JSON.stringify(session.place).slice(0, -1);
      return typeof payload === 'string'
        ? { result: payload, json: `${place},"header":${header},"payload":${JSON.stringify(payload)}}` }
        : { result: escapedJson(claims), json: `${place},"header":${header},"payload":${claims}}` };
    });
  },
};

/** The JSON in a segment, on one line: in JSON, line breaks stand between its parts only. */
function lineOf(segment: string): string {
  return Buffer.from(segment, 'base64url')
    .toString()
    .replace(/[\r\n]+/g, ' ');
}
