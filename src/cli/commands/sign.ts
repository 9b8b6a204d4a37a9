/** `rewt sign`: signs a payload and prints the token. */

import { isUtf8 } from 'node:buffer';
import { OptionError } from '../../errors.js';
import { hasRoundedNumber, parseObject } from '../../jwt/json.js';
import { DEFAULT_TOKEN_LIFETIME_SECONDS, DEFAULT_TTL_SECONDS, inMs } from '../../keyring/policy.js';
import type { Ring } from '../../keyring/ring.js';
import type { Payload } from '../../rewt.js';
import type { Command } from '../command.js';
import { lookOptions, readArguments, readSeconds } from '../input/arguments.js';
import { readInput } from '../input/stdin.js';
import { assertUsable } from '../lookup/found.js';
import { grantedLifetime, lookFirst, withMember } from '../lookup/member.js';
import { plainNote } from '../lookup/sealing.js';
import { spanOf } from '../output/format.js';
import { helpOf } from '../output/help.js';
import { withShownPlace } from '../session.js';

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

  --expires-in <time>  how long the token lives; default: ${DEFAULT_TOKEN_LIFETIME_SECONDS} s, or less if the
                       keyring's tokens live less. Longer than the keyring's
                       secrets verify is refused: see rewt set
  --ttl <time>         how long a secret signs, of a keyring that this begins;
                       default: ${spanOf(inMs(DEFAULT_TTL_SECONDS))}
  --not-before <time>  how long after now it becomes valid
  --audience <name>    whom it is for; may be given more than once
  --issuer <name>, --subject <name>, --jwtid <id>
`);

export const sign: Command = {
  help,
  async run(words, terminal) {
    const { values, positionals } = readArguments(words, options);
    const { audience, issuer, subject, jwtid } = values;
    const expiresIn = readSeconds(values['expires-in'], '--expires-in');
    const notBefore = readSeconds(values['not-before'], '--not-before');
    const payload = payloadOf(await readInput(positionals, 'payload', terminal));
    const ttl = readSeconds(values.ttl, '--ttl');
    return withShownPlace(values, terminal, async (session) => {
      const found = await lookFirst(session);
      assertUsable(found);
      const note = plainNote(session.keys, found);
      if (note !== null && values.json !== true) terminal.report(`${terminal.style('yellow', 'warning:')} ${note}`);
      if (found.ring !== null && ttl !== undefined) {
        const message = '--ttl: there is a keyring already, whose ttl rewt set --ttl changes. Leave it out';
        throw new OptionError(message, { option: 'ttl' });
      }
      const lifetime = expiresIn ?? lifetimeIn(payload);
      assertGranted(lifetime, expiresIn === undefined ? 'exp' : '--expires-in', found.ring);
      const token = await withMember(session, found, { ttl, tokenLifetime: lifetime }, (rewt) =>
        rewt.sign(payload, {
          expiresIn,
          notBefore,
          // A single audience is a string, because more programs can read it than a list of one.
          audience: audience?.length === 1 ? audience[0] : audience,
          issuer,
          subject,
          jwtid,
        }),
      );
      return { result: token, json: { ...session.place, token } };
    });
  },
};

/** Checks the lifetime. @throws {OptionError} for a token that would outlive its secret. */
function assertGranted(lifetime: number | undefined, named: string, ring: Ring | null): void {
  if (lifetime === undefined) return;
  if (ring === null) {
    // A new keyring grants the requested lifetime, but not by a claim that may be a mistake.
    if (named !== 'exp' || lifetime <= DEFAULT_TOKEN_LIFETIME_SECONDS) return;
    const message =
      "the payload's exp is too far away for a new keyring " +
      `(${spanOf(DEFAULT_TOKEN_LIFETIME_SECONDS * 1_000)}). Leave it out, and set its life with ` +
      '--expires-in';
    throw new OptionError(message, { code: 'ERR_REWT_PAYLOAD' });
  }
  const granted = grantedLifetime(ring);
  if (lifetime <= granted) return;
  const wanted = Math.ceil(lifetime + ring.overlap / 1_000 - granted);
  throw new OptionError(
    `${named} (${spanOf(lifetime * 1_000)}) is longer than this keyring's secrets verify: a token ` +
      `may live for ${spanOf(granted * 1_000)}. Sign a shorter one, or let every secret verify for ` +
      `longer with rewt set --overlap ${wanted}s`,
    named === 'exp' ? { code: 'ERR_REWT_PAYLOAD' } : { option: named },
  );
}

/** Returns the lifetime in claims with an exp. Seconds. */
function lifetimeIn(payload: Payload): number | undefined {
  const exp = typeof payload === 'object' && 'exp' in payload ? payload.exp : undefined;
  return typeof exp === 'number' ? Math.max(0, exp - Date.now() / 1_000) : undefined;
}

function payloadOf(bytes: Buffer): Payload {
  // The library reports this error.
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
