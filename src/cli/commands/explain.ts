/** `rewt explain`: what a token is, which secret signed it, and why it is refused, with the values. It writes nothing. */

import { isRewtError, type TokenError } from '../../errors.js';
import { asSeconds, lookOptions, readArguments } from '../arguments.js';
import type { Command } from '../command.js';
import { type Explained, explain as explainToken, type SecretOfToken } from '../explain.js';
import type { RefusedError } from '../failure.js';
import { assertCounts, dueOf, examine, isThere, plansInWords } from '../found.js';
import { helpOf } from '../help.js';
import { readToken } from '../input.js';
import { withCopy } from '../member.js';
import { missing } from '../others.js';
import { screenOf } from '../screen.js';
import { withShownPlace } from '../session.js';
import { formatTable, type Row } from '../table.js';
import { foreignName, whenOf } from '../words.js';

const options = {
  ...lookOptions,
  audience: { type: 'string', multiple: true },
  issuer: { type: 'string', multiple: true },
  subject: { type: 'string' },
  'max-age': { type: 'string' },
} as const;

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
    const { values, positionals } = readArguments(words, options);
    const { audience, issuer, subject } = values;
    const asked = { audience, issuer, subject, maxAge: asSeconds(values['max-age'], '--max-age') };
    const token = await readToken(positionals, terminal);
    return withShownPlace(values, terminal, async (session) => {
      const entries = await session.read();
      assertCounts(entries);
      const found = examine(entries);
      const explained = explainToken(token, entries, found);
      const verify = (): Promise<unknown> =>
        withCopy(entries, session.place.namespace, (rewt) => rewt.verify(token, asked));
      const refusal = isThere(found) ? await refusalOf(verify) : await missing(session);
      const due = dueOf(found);
      const rows: Row[] = [
        ...rowsOf(explained, found.nowMs),
        ...(due === null ? [] : [['due', `${due}: ${plansInWords[due]}`] as const]),
        ['verdict', verdictOf(refusal, asked)],
      ];
      const { code, message } = refusal ?? { code: null, message: null };
      const claim = refusal !== null && 'claim' in refusal ? refusal.claim : null;
      return {
        result: formatTable(rows, screenOf(terminal)),
        json: { ...session.place, ...explained, due, valid: refusal === null, code, message, claim },
        exitCode: refusal === null ? 0 : 1,
      };
    });
  },
};

/** @throws what says nothing about the token. */
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
  // Members judge a token's times by their own clock, and a secret's by the store's.
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

function verdictOf(refusal: TokenError | RefusedError | null, asked: object): string {
  if (refusal === null) return 'valid';
  const { code, message } = refusal;
  const claim = 'claim' in refusal ? refusal.claim : undefined;
  const names = { aud: 'audience', iss: 'issuer', sub: 'subject', iat: 'maxAge' } as const;
  const name = claim !== undefined && claim in names ? names[claim as keyof typeof names] : undefined;
  const wanted = name === undefined ? undefined : (asked as Record<string, unknown>)[name];
  const values = wanted === undefined ? '' : `; asked for ${JSON.stringify(wanted)}`;
  return `refused: ${message}${values} (${code})`;
}

/** On one line, without what a terminal would obey. */
function shown(text: string | null): string {
  return text === null ? 'cannot be decoded' : foreignName(text.replace(/\s+/g, ' '), MAX_SHOWN);
}
