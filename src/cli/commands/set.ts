/** `rewt set`: changes the times of a keyring, even to shorter ones, without a revocation. */

import { OptionError } from '../../errors.js';
import type { Ring } from '../../keyring/ring.js';
import { SET_TIMES, type TimesSet } from '../../keyring/set-times.js';
import type { Store } from '../../stores/store.js';
import type { Command } from '../command.js';
import { assertNoWords, lookOptions, readArguments, readSeconds } from '../input/arguments.js';
import { refusedRotation, TOO_SOON } from '../lookup/early.js';
import { withExisting } from '../lookup/existing.js';
import { copyStore, withMember } from '../lookup/member.js';
import { RefusedError } from '../output/errors.js';
import { foreignName, spanOf } from '../output/format.js';
import { helpOf } from '../output/help.js';
import { confirm, type Terminal } from '../output/terminal.js';

const options = {
  ...lookOptions,
  ttl: { type: 'string' },
  overlap: { type: 'string' },
  reason: { type: 'string' },
  yes: { type: 'boolean' },
} as const;

const help = helpOf(`
rewt set [options]: changes how long secrets sign and verify, for all members at
once, and prints the times before and after. No token is refused for it. A
shorter time takes a rotation, and asks first: a member with a memberName keeps
what it has announced that it needs, and others cannot be counted. Exit code 1
if there is no keyring, after a no, and too soon after a rotation.

  rewt set --ttl 12h --overlap 6m5s --reason "shorter sessions"

  --ttl <time>       how long a secret signs
  --overlap <time>   how long it verifies after that: the life of a token, and
                     maxStaleness and clockTolerance of the members
  --reason <text>    is kept in the keyring if this rotates; see rewt status
  --yes              do not ask; needed without a terminal
`);

/** Seconds. */
interface Times {
  readonly ttl: number | undefined;
  readonly overlap: number | undefined;
}

export const set: Command = {
  help,
  changes: true,
  async run(words, terminal, writes) {
    const { values, positionals } = readArguments(words, options);
    assertNoWords(positionals);
    const { reason, yes = false } = values;
    const wanted = { ttl: readSeconds(values.ttl, '--ttl'), overlap: readSeconds(values.overlap, '--overlap') };
    if (wanted.ttl === undefined && wanted.overlap === undefined) {
      throw new OptionError('--ttl: there is nothing to set. Give --ttl, --overlap, or both', { option: 'ttl' });
    }
    return withExisting({ values, terminal, writes }, async (session, found) => {
      const { ring } = found;
      if (ring === null)
        throw new RefusedError('ERR_REWT_TIMES_REFUSED', 'there is no ring whose times could be set: see rewt status');
      const store = session.openStore();
      // Its own copy must fit the new times too.
      const manner = { asFleet: true, fits: wanted.ttl };
      const setIn = (store: Store): Promise<TimesSet> =>
        withMember({ ...session, openStore: () => store }, found, manner, (rewt) =>
          rewt[SET_TIMES]({ ...wanted, reason }),
        ).catch((error: unknown) => {
          throw refusedRotation(error, tooSoon);
        });
      if (isShorter(wanted, ring) && !yes) {
        // Tried on a copy first: no question for a change that would be rejected.
        const { announcements } = store;
        await setIn({
          ...copyStore(found.entries, session.sealing().keyName),
          ...(announcements && { announcements }),
        });
        if (!(await isConfirmed(terminal)))
          return { json: { ...session.place, set: false }, words: 'Nothing was set.', exitCode: 1 };
      }
      const change = await setIn(store);
      return {
        result: inWords(change),
        json: { ...session.place, set: true, ...change },
        words: membersInWords(change),
      };
    });
  },
};

function isShorter({ ttl, overlap }: Times, ring: Ring): boolean {
  return (
    (ttl ?? Number.POSITIVE_INFINITY) * 1_000 < ring.ttl || (overlap ?? Number.POSITIVE_INFINITY) * 1_000 < ring.overlap
  );
}

/** Asks for confirmation. @throws {OptionError} without a terminal. */
async function isConfirmed(terminal: Terminal): Promise<boolean> {
  if (!terminal.stdin.isTTY || !terminal.stderr.isTTY) {
    throw new OptionError('without a terminal to confirm on, add --yes to set a shorter time', { option: 'yes' });
  }
  const isYes = await confirm(
    'It takes a rotation, and refuses no token. Members without a memberName are not counted, and ' +
      'may need more. Set a shorter time?',
    terminal,
  );
  if (!isYes) terminal.interrupted.throwIfAborted();
  return isYes;
}

function tooSoon(wait: string): string {
  return (
    `a shorter time takes a rotation, and there was one too recently: ${TOO_SOON}. ${wait}, and run the ` +
    'command again'
  );
}

function inWords({ before, after }: TimesSet): string {
  const line = (name: 'ttl' | 'overlap'): string =>
    `${name.padEnd(7)}  ${spanOf(before[name] * 1_000)} -> ${spanOf(after[name] * 1_000)}`;
  return `${line('ttl')}\n${line('overlap')}`;
}

function membersInWords({ rotated, kid, known, unknown }: TimesSet): string {
  const older =
    unknown.length === 0
      ? ''
      : ' Of an earlier version, which announce nothing of that: ' +
        `${unknown.map((name) => foreignName(name)).join(', ')}.`;
  const counted =
    known === 0
      ? 'No member has announced what it needs.'
      : `The needs of ${known} named ${known === 1 ? 'member' : 'members'} were looked at.`;
  return `Set${rotated ? `, by a rotation: ${kid} signs now` : ''}. ${counted}${older}`;
}
