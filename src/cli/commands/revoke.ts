/** `rewt revoke`: drops every secret, after asking. */

import { isRewtError, OptionError, type StoreError } from '../../errors.js';
import type { RevokeOptions } from '../../rewt.js';
import { asReplaceable } from '../../rewt-option-values.js';
import { placeInWords } from '../address.js';
import { asSeconds, assertNoWords, lookOptions, readArguments } from '../arguments.js';
import type { Command, Outcome } from '../command.js';
import { signingIn, withExisting } from '../existing.js';
import { FailedStore } from '../failure.js';
import type { Found } from '../found.js';
import { helpOf } from '../help.js';
import { withMember } from '../member.js';
import type { Session } from '../session.js';
import { confirm, type Terminal } from '../terminal.js';
import { waitForFleet } from '../wait.js';

const options = {
  ...lookOptions,
  yes: { type: 'boolean' },
  replicas: { type: 'string' },
  wait: { type: 'boolean' },
  reason: { type: 'string' },
  replace: { type: 'string' },
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
  --wait             wait until every member with a memberName has announced
                     that it holds the new keyring; exit code 1 if one has not
                     in time: it is revoked anyway
  --reason <text>    is kept in the keyring, and shown by rewt status
  --replace <what>   unreadable or newer, as the error says: revokes although
                     this rewt cannot read what is there
  --timeout <time>   the longest to wait; default: 5 s for replicas, 40 s for
                     members
`);

export const revoke: Command = {
  help,
  async run(words, terminal) {
    const { values, positionals } = readArguments(words, options);
    assertNoWords(positionals);
    const { yes = false, replicas = '0', wait = false } = values;
    if (values.timeout !== undefined && values.replicas === undefined && !wait) {
      throw new OptionError('--timeout: has no effect without --replicas or --wait. Add one, or leave it out', {
        option: 'timeout',
      });
    }
    const timeout = asSeconds(values.timeout, '--timeout');
    const how: RevokeOptions = {
      replicas: asReplicas(replicas),
      timeout: timeout ?? 5,
      ...(values.reason === undefined ? {} : { reason: values.reason }),
      ...(values.replace === undefined ? {} : { replace: asReplaceable(values.replace, '--replace') }),
    };
    const memberWaitMs = wait ? (timeout ?? 40) * 1_000 : null;
    if (!yes && (!terminal.stdin.isTTY || !terminal.stderr.isTTY)) {
      throw new OptionError('without a terminal to confirm on, add --yes to revoke every token', { option: 'yes' });
    }
    return withExisting(values, terminal, async (session, found) => {
      if (!yes && !(await isConfirmed(session, terminal))) {
        return { json: { ...session.place, revoked: false }, words: 'Nothing was revoked.', exitCode: 1 };
      }
      return revokeIn(session, found, how, memberWaitMs, terminal);
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
  how: RevokeOptions,
  memberWaitMs: number | null,
  { say }: Terminal,
): Promise<Outcome> {
  const change = await withMember(session, found, {}, (rewt) => rewt.revoke(how)).catch((error: unknown) => {
    throw isRewtError(error) && error.status === 503 ? unsure(session, error as StoreError) : error;
  });
  const { replicas = 0 } = how;
  const before = signingIn(found);
  const words = `Revoked: no token signed before verifies any more. ${change.kid} signs now, in place of ${before ?? 'one that cannot be read'}.${replicasInWords(replicas, change.replicas)}`;
  const json = { ...session.place, revoked: true, before, ...change };
  const isKept = (change.replicas ?? 0) >= replicas;
  if (memberWaitMs === null) return { result: change.kid, json, words, ...exitCodeFor(isKept) };
  // Before the wait, which Ctrl-C may end.
  say(words);
  const { fleet, done } = await waitForFleet(session, memberWaitMs, say);
  return { result: change.kid, json: { ...json, fleet }, ...exitCodeFor(isKept && done) };
}

function exitCodeFor(isAsWanted: boolean): { readonly exitCode?: 1 } {
  return isAsWanted ? {} : { exitCode: 1 };
}

/** A write that was sent may have been done, if its answer is what is missing. */
function unsure({ place }: Session, error: StoreError): StoreError | FailedStore {
  const isAnswerMissing = error.code === 'ERR_REWT_STORE_TIMEOUT' || error.code === 'ERR_REWT_STORE_DOWN';
  if (!isAnswerMissing) return error;
  const advice = 'The revocation may have happened, or not. Run the command again until it succeeds.';
  return new FailedStore(place, error, advice);
}

function asReplicas(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new OptionError('--replicas: must be a whole number, such as 1', { option: 'replicas' });
}

function replicasInWords(wanted: number, acknowledged: number | null): string {
  if (wanted === 0) return '';
  const count = ` Acknowledged by ${acknowledged ?? 'an unknown number'} of ${wanted} replicas.`;
  if ((acknowledged ?? 0) >= wanted) return count;
  return `${count} A failover could undo the revocation; run the command again once all replicas are connected.`;
}
