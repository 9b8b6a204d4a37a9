/** `rewt verify`: verifies a token and prints its payload. It writes nothing. */

import type { Command } from '../command.js';
import { expectOptions, readArguments, readExpected } from '../input/arguments.js';
import { readToken } from '../input/stdin.js';
import { assertCounts, dueInWords, examine, isThere } from '../lookup/found.js';
import { withCopy } from '../lookup/member.js';
import { missing } from '../lookup/others.js';
import { plainNote } from '../lookup/sealing.js';
import { escapedJson } from '../output/format.js';
import { helpOf } from '../output/help.js';
import { withShownPlace } from '../session.js';

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
    const { values, positionals } = readArguments(words, expectOptions);
    const expected = readExpected(values);
    const token = await readToken(positionals, terminal);
    return withShownPlace(values, terminal, async (session) => {
      const entries = await session.read();
      assertCounts(entries);
      const found = examine(entries, session.sealing());
      if (!isThere(found)) throw await missing(session);
      const [due, note] = [dueInWords(found), plainNote(session.keys, found)];
      if (due !== null && values.json !== true) terminal.report(`due: ${due}`);
      if (note !== null && values.json !== true) terminal.report(`${terminal.style('yellow', 'warning:')} ${note}`);
      const payload = await withCopy(session, found, (rewt) => rewt.verify<unknown>(token, expected));
      // As it was signed: parsing and formatting it again would round its numbers.
      const [header = '', claims = ''] = token.split('.', 2).map(lineOf);
      const place = JSON.stringify(session.place).slice(0, -1);
      return typeof payload === 'string'
        ? { result: payload, json: `${place},"header":${header},"payload":${JSON.stringify(payload)}}` }
        : { result: escapedJson(claims), json: `${place},"header":${header},"payload":${claims}}` };
    });
  },
};

/** Returns the JSON of a segment on one line. In JSON, line breaks are only between its parts. */
function lineOf(segment: string): string {
  return Buffer.from(segment, 'base64url')
    .toString()
    .replace(/[\r\n]+/g, ' ');
}
