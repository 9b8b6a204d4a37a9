/** `rewt sign`: a payload in, a token out. */

import { isUtf8 } from 'node:buffer';
import { OptionError } from '../../errors.js';
import { hasRoundedNumber, parseObject } from '../../jwt/json.js';
import type { Payload } from '../../rewt.js';
import { asSeconds, lookOptions, readArguments } from '../arguments.js';
import type { Command } from '../command.js';
import { helpOf } from '../help.js';
import { readInput } from '../input.js';
import { lookFirst, withMember } from '../member.js';
import { withSession } from '../session.js';

const options = {
  ...lookOptions,
  ttl: { type: 'string' },
  'expires-in': { type: 'string' },
  'not-before': { type: 'string' },
  audience: { type: 'string', multiple: true },
  issuer: { type: 'string' },
  subject: { type: 'string' },
  jwtid: { type: 'string' },
} as const;

const help = helpOf(`
rewt sign [payload] [options]: signs a payload and prints the token.

  rewt sign '{"user":"ann"}' --audience orders --expires-in 2m

The payload is the argument, or stdin. A JSON object becomes claims, with iat
and exp; anything else is signed as text (of stdin, without its last line end).

  --expires-in <time>  how long the token lives; default: 5 m, or less where the
                       keyring's tokens live less. A longer one is asked of
                       the keyring: its secrets then verify longer, for good
  --not-before <time>  how long after now it becomes valid
  --audience <name>    whom it is for; may be given more than once
  --issuer <name>, --subject <name>, --jwtid <id>
`);

export const sign: Command = {
  help,
  async run(words, terminal) {
    const { values, positionals } = readArguments(words, options);
    const { audience, issuer, subject, jwtid } = values;
    const expiresIn = asSeconds(values['expires-in'], '--expires-in');
    const notBefore = asSeconds(values['not-before'], '--not-before');
    const payload = payloadOf(await readInput(positionals, 'payload', terminal));
    const ttl = asSeconds(values.ttl, '--ttl');
    const token = await withSession(values, terminal, async (session) => {
      const found = await lookFirst(session);
      return withMember(session, found, { ttl, tokenLifetime: expiresIn }, (rewt) =>
        rewt.sign(payload, {
          expiresIn,
          notBefore,
          // One is written as a string, as it is read by more programs than a list of one.
          audience: audience?.length === 1 ? audience[0] : audience,
          issuer,
          subject,
          jwtid,
        }),
      );
    });
    return { result: token, json: { token } };
  },
};

function payloadOf(bytes: Buffer): Payload {
  // The library has the right words for it.
  if (!isUtf8(bytes)) return bytes;
  const text = bytes.toString('utf8').replace(/\r?\n$/, '');
  const claims = parseObject(text);
  if (claims === null && /^\s*\{/.test(text)) {
    throw new OptionError(`the payload begins as a JSON object and is none: put it in quotes, as in '{"user":"ann"}'`, {
      code: 'ERR_REWT_PAYLOAD',
    });
  }
  if (claims !== null && hasRoundedNumber(text)) {
    throw new OptionError(
      'the payload has a number that would be rounded, as JavaScript rounds those beyond 2^53 - 1: write it in quotes',
      { code: 'ERR_REWT_PAYLOAD' },
    );
  }
  return claims ?? text;
}
