/** `rewt revoke`: drops every secret, after asking. */

import { OptionError } from '../../errors.js';
import { placeInWords } from '../address.js';
import { asSeconds, assertNoWords, lookOptions, readArguments } from '../arguments.js';
import type { Command, Outcome } from '../command.js';
import { signingIn, withExisting } from '../existing.js';
import type { Found } from '../found.js';
import { helpOf } from '../help.js';
import { withMember } from '../member.js';
import type { Session } from '../session.js';
import { confirm, type Terminal } from '../terminal.js';

const options = {
  ...lookOptions,
  yes: { type: 'boolean' },
  replicas: { type: 'string' },
  timeout: { type: 'string' },
} as const;

const help = helpOf(`
rewt revoke [options]: drops every secret, and prints the kid that signs now. No
token signed before verifies any more. Asks first; exit code 1 after a no, and
if there is no keyring.

  rewt revoke --yes

  --yes              do not ask; needed without a terminal
  --replicas <n>     wait until so many replicas of Redis have it, so that a
                     failover to one of them keeps it; exit code 1 if fewer
                     had it in time: it is revoked anyway
  --timeout <time>   the longest to wait for them; default: 5 s
`);

export const revoke: Command = {
  help,
  async run(words, terminal) {
    const { values, positionals } = readArguments(words, options);
    assertNoWords(positionals);
    const { yes = false, replicas = '0' } = values;
    if (values.timeout !== undefined && values.replicas === undefined) {
      throw new OptionError('--timeout: has no effect without --replicas. Add it, or leave it out', {
        option: 'timeout',
      });
    }
    const waiting = { replicas: Number(replicas), timeout: asSeconds(values.timeout, '--timeout') ?? 5 };
    if (!yes && (!terminal.stdin.isTTY || !terminal.stderr.isTTY)) {
      throw new OptionError('without a terminal to confirm on, add --yes to revoke every token', { option: 'yes' });
    }
    return withExisting(values, terminal, async (session, found) => {
      if (!yes && !(await isConfirmed(session, terminal))) {
        return { json: { revoked: false }, words: 'Nothing was revoked.', exitCode: 1 };
      }
      return revokeIn(session, found, waiting);
    });
  },
};

async function isConfirmed({ place }: Session, terminal: Terminal): Promise<boolean> {
  const isYes = await confirm(`Revoke every token of ${placeInWords(place)}?`, terminal);
  if (!isYes) terminal.interrupted.throwIfAborted();
  return isYes;
}

async function revokeIn(
  session: Session,
  found: Found,
  waiting: { readonly replicas: number; readonly timeout: number },
): Promise<Outcome> {
  const change = await withMember(session, found, {}, (rewt) => rewt.revoke(waiting));
  const before = signingIn(found);
  const isKept = (change.replicas ?? 0) >= waiting.replicas;
  return {
    result: change.kid,
    json: { ...session.place, revoked: true, before, ...change },
    words: `Revoked: no token signed before verifies any more. ${change.kid} signs now, in place of ${before ?? 'one that cannot be read'}.${replicasInWords(waiting.replicas, change.replicas)}`,
    ...(isKept ? {} : { exitCode: 1 }),
  };
}

function replicasInWords(wanted: number, acknowledged: number | null): string {
  if (wanted === 0) return '';
  const count = ` Acknowledged by ${acknowledged ?? 'an unknown number'} of ${wanted} replicas.`;
  if ((acknowledged ?? 0) >= wanted) return count;
  return `${count} A failover could undo the revocation; run the command again once all replicas are connected.`;
}
