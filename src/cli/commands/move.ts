/** `rewt move`: moves a keyring of an earlier version to the names with the key prefix. */

import { OptionError } from '../../errors.js';
import { lastAnnounced } from '../../keyring/announcement.js';
import { mint } from '../../keyring/exchange.js';
import { MAX_SOFT_AGE_MS } from '../../keyring/policy.js';
import { movedRing, ringOfTwo } from '../../keyring/two-names.js';
import type { RedisStore } from '../../stores/redis/redis-store.js';
import type { Announcements, Snapshot } from '../../stores/store.js';
import type { Command } from '../command.js';
import { type Place, placeInWords } from '../input/address.js';
import { assertNoWords, lookOptions, readArguments } from '../input/arguments.js';
import { withExisting } from '../lookup/existing.js';
import { RefusedError } from '../output/errors.js';
import { foreignName, quoted, spanOf } from '../output/format.js';
import { helpOf } from '../output/help.js';
import { confirm, type Terminal } from '../output/terminal.js';
import { orRefusal, type Session } from '../session.js';

const options = { ...lookOptions, yes: { type: 'boolean' } } as const;

const help = helpOf(`
rewt move [options]: gives the keys of a keyring that an earlier version began
the names that start with the key prefix. No token is refused for it. Exit code
1 if there is no keyring, after a no, and while a member of an earlier version
is announced, which would not find the keyring. Asks first, because members
without a memberName are not announced.

  rewt move --key-prefix team: --url redis://localhost:6379

  --yes              do not ask; needed without a terminal
`);

/** Members seldom write a keyring: each failed attempt met a different write. */
const MAX_ATTEMPTS = 5;

export const move: Command = {
  help,
  changes: true,
  async run(words, terminal, writes) {
    const { values, positionals } = readArguments(words, options);
    assertNoWords(positionals);
    if (!values['key-prefix']) {
      throw new OptionError('--key-prefix: is missing. Give the key prefix that the Redis client of the members has', {
        option: 'key-prefix',
      });
    }
    const { yes = false } = values;
    if (!yes && (!terminal.stdin.isTTY || !terminal.stderr.isTTY)) {
      throw new OptionError('without a terminal to confirm on, add --yes to move the keyring', { option: 'yes' });
    }
    return withExisting({ values, terminal, writes }, async (session) => {
      // The cast holds, because a key prefix is rejected for every other store.
      const store = session.openStore() as RedisStore;
      const { place } = session;
      if (!store.hasOldName((await read(store, session)).version)) {
        return {
          json: { ...place, moved: false },
          words: 'Nothing to move: no key has a name without the key prefix.',
        };
      }
      await assertNoOldMembers(session, terminal);
      if (!yes && !(await isConfirmed(place, terminal))) {
        return { json: { ...place, moved: false }, words: 'Nothing was moved.', exitCode: 1 };
      }
      await moveIn(store, session);
      return {
        json: { ...place, moved: true },
        words:
          `Moved: every key of the keyring begins with ${quoted(place.keyPrefix)}. Members that ` +
          `have push follow at once, all others within ${spanOf(MAX_SOFT_AGE_MS)}.`,
      };
    });
  },
};

function read(store: RedisStore, { place, limit }: Session): Promise<Snapshot> {
  return store.read(place.namespace, { timeoutMs: limit.leftMs() });
}

/** Moves the keyring. @throws {RefusedError} if it changes during every attempt. */
async function moveIn(store: RedisStore, session: Session): Promise<void> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const { ring, beside, key, version, nowMs } = await read(store, session);
    if (ring === null || !store.hasOldName(version)) return;
    const sealing = session.sealing();
    const [one, other] = [sealing.open(ring), sealing.open(beside ?? ring)];
    const found = ringOfTwo(one.ring, other.ring, key) === other.ring ? other : one;
    const moved = movedRing(found.ring, mint.id());
    // Under the same seal key, or in plain text as it was.
    const wanted = sealing.contentsFor({ ring: moved, writesKey: false }, found.form);
    const timeoutMs = session.limit.leftMs();
    const limits = { timeoutMs, notAfterMs: nowMs + timeoutMs };
    const { swapped } = await store.move(session.place.namespace, version, wanted, limits);
    if (swapped) return;
  }
  throw new RefusedError('ERR_REWT_CONTENDED', 'the keyring kept changing while it was moved. Run the command again');
}

async function assertNoOldMembers(session: Session, terminal: Terminal): Promise<void> {
  const announced = await orRefusal(session.announcements());
  if (announced instanceof Error) {
    terminal.report(`${terminal.style('yellow', 'warning:')} the members are unknown: ${announced.message}`);
    return;
  }
  const old = oldMembersIn(announced);
  if (old.length === 0) return;
  throw new RefusedError(
    'ERR_REWT_OLD_MEMBERS',
    `members of an earlier version are announced: ${old.join(', ')}. They would not find the ` +
      'keyring. Update them first; one that has ended counts for 90 seconds',
  );
}

/** Returns the members of earlier versions, which announce no revocation. */
function oldMembersIn(announced: Announcements): readonly string[] {
  const held = [...lastAnnounced(announced).values()].map((last) => last.held);
  const old = held.flatMap(({ revocation, name }) => (revocation === undefined ? [name] : []));
  return old.map((name) => foreignName(name, 64));
}

async function isConfirmed(place: Place, terminal: Terminal): Promise<boolean> {
  const question = `Move ${placeInWords(place)}? A member of an earlier version without a memberName would undo it.`;
  const isYes = await confirm(question, terminal);
  if (!isYes) terminal.interrupted.throwIfAborted();
  return isYes;
}
