/**
 * `rewt explain`: the parts of a token, the secret that signed it, and the reason why it is
 * rejected, with the values. It writes nothing.
 */

import { isRewtError, type TokenError } from '../../errors.js';
import type { Command } from '../command.js';
import { expectOptions, readArguments, readExpected } from '../input/arguments.js';
import { readToken } from '../input/stdin.js';
import { type Explained, explain as explainToken, type SecretOfToken } from '../lookup/explain.js';
import { assertCounts, dueInWords, dueOf, examine, isThere } from '../lookup/found.js';
import { withCopy } from '../lookup/member.js';
import { missing } from '../lookup/others.js';
import { plainNote } from '../lookup/sealing.js';
import type { RefusedError } from '../output/errors.js';
import { foreignName, quoted, whenOf } from '../output/format.js';
import { helpOf } from '../output/help.js';
import { screenOf } from '../output/screen.js';
import { formatTable, type Row } from '../output/table.js';
import { withShownPlace } from '../session.js';

const help = helpOf(`
rewt explain [token] [options]: header, claims and times of a token, the secret
that signed it (current, next, retired, unknown), and whether it is refused and
why. Writes nothing, and never prints the signature. Exit code 1 if the token
is refused.

  rewt explain < token.txt

The token is the argument (which other users of this machine may see), or
stdin; "Bearer" and quotes around it do not matter. What verify would ask for,
to see why that is refused:

  --audience <name>, --issuer <name>, --subject <name>, --max-age <time>
`);

/** More of a payload would push the verdict off the screen. */
const MAX_SHOWN = 2_000;

export const explain: Command = {
  help,
  async run(words, terminal) {
    const { values, positionals } = readArguments(words, expectOptions);
    const expected = readExpected(values);
    const token = await readToken(positionals, terminal);
    return withShownPlace(values, terminal, async (session) => {
      const entries = await session.read();
      assertCounts(entries);
      const found = examine(entries, session.sealing());
      const explained = explainToken(token, entries, found);
      const verify = (): Promise<unknown> => withCopy(session, found, (rewt) => rewt.verify(token, expected));
      const refusal = isThere(found) ? await refusalOf(verify) : await missing(session);
      const [due, note] = [dueInWords(found), plainNote(session.keys, found)];
      const rows: Row[] = [
        ...rowsOf(explained, found.nowMs),
        ...(note === null ? [] : [['sealed', `no: ${note}`] as const]),
        ...(due === null ? [] : [['due', due] as const]),
        ['verdict', verdictOf(refusal, expected)],
      ];
      const { code, message } = refusal ?? { code: null, message: null };
      const claim = refusal !== null && 'claim' in refusal ? refusal.claim : null;
      return {
        result: formatTable(rows, screenOf(terminal)),
        json: { ...session.place, ...explained, due: dueOf(found), valid: refusal === null, code, message, claim },
        exitCode: refusal === null ? 0 : 1,
      };
    });
  },
};

/** Returns the token error, if there is one. @throws an error that does not concern the token. */
async function refusalOf(verify: () => Promise<unknown>): Promise<TokenError | null> {
  try {
    await verify();
    return null;
  } catch (error) {
    if (isRewtError(error) && error.status === 401) return error as TokenError;
    throw error;
  }
}

function rowsOf({ header, payload, times, secret }: Explained, storeMs: number): readonly Row[] {
  // Members check the times of a token by their own clock, and those of a secret by the store's.
  const now = Date.now();
  return [
    ['header', shown(header)],
    [secret.signed ? 'payload' : 'payload, not proven', shown(payload)],
    ...Object.entries(times).flatMap(([name, date]): Row[] => (date === null ? [] : [[name, whenOf(date, now)]])),
    ['secret', secretInWords(secret, storeMs)],
    [
      'signature',
      secret.signed ? 'right' : secret.is === 'none' || secret.is === 'unknown' ? 'cannot be checked' : 'wrong',
    ],
  ];
}

function secretInWords({ is, kid, verifiesUntil }: SecretOfToken, nowMs: number): string {
  const name = kid === null ? '' : ` ${foreignName(kid)}`;
  const until = verifiesUntil === null ? '' : `, verifies until ${whenOf(verifiesUntil, nowMs)}`;
  switch (is) {
    case 'none':
      return 'none: this is no token that rewt reads';
    case 'unknown':
      return kid === null
        ? 'unknown: the token names none, and none of this keyring fits'
        : `unknown${name}: not in this keyring. It was revoked, has retired long ago, or belongs to another namespace`;
    case 'adopted':
      return `the secret${name} of an original rewt${until}`;
    default:
      return `${is}${name}${until}`;
  }
}

function verdictOf(refusal: TokenError | RefusedError | null, expected: object): string {
  if (refusal === null) return 'valid';
  const { code, message } = refusal;
  const claim = 'claim' in refusal ? refusal.claim : undefined;
  const names = { aud: 'audience', iss: 'issuer', sub: 'subject', iat: 'maxAge' } as const;
  const name = claim !== undefined && claim in names ? names[claim as keyof typeof names] : undefined;
  const wanted = name === undefined ? undefined : (expected as Record<string, unknown>)[name];
  const values = wanted === undefined ? '' : `; expected ${quoted(wanted)}`;
  return `refused: ${message}${values} (${code})`;
}

/** Formats text on one line, without control characters. */
function shown(text: string | null): string {
  return text === null ? 'cannot be decoded' : foreignName(text.replace(/\s+/g, ' '), MAX_SHOWN);
}
