/** `rewt list`: the existing keyrings. It writes nothing. */

import { StoreError } from '../../errors.js';
import type { Plan } from '../../keyring/plan.js';
import type { Command } from '../command.js';
import { underPrefix, whereInWords } from '../input/address.js';
import { assertNoWords, lookOptions, readArguments } from '../input/arguments.js';
import { dueOf, examine, type Found, type SealedState } from '../lookup/found.js';
import { unreadIn, unreadInWords } from '../lookup/others.js';
import { RefusedError } from '../output/errors.js';
import { foreignName, instantOf } from '../output/format.js';
import { helpOf } from '../output/help.js';
import { screenOf } from '../output/screen.js';
import { formatColumns } from '../output/table.js';
import { orRefusal, withSession } from '../session.js';

const { namespace: _, ...options } = lookOptions;

const help = helpOf(
  `
rewt list [options]: the namespaces that have a keyring, each with the kid that
signs, how often it was revoked, and when it rotates. Writes nothing. Needs the
right to SCAN, which only an operator should have; without it, exit code 3. The
same if a part of the store could not be read, such as a dead master of a
cluster. A keyring that is damaged, that this user may not read, or whose seal
key is not here is listed with the code of its error, and exit code 0.

  rewt list --url redis://localhost:6379
`,
  { takesNamespace: false },
);

interface Listed {
  readonly namespace: string;
  /** The kid that signs; null without a ring, or if it cannot be read. */
  readonly signing: string | null;
  readonly epoch: number | null;
  readonly rotatesAt: Date | null;
  readonly due: Plan['name'] | null;
  readonly sealed: SealedState | null;
  /** The reason why it cannot be read. */
  readonly unreadable: string | null;
}

export const list: Command = {
  help,
  async run(words, terminal) {
    const { values, positionals } = readArguments(words, options);
    assertNoWords(positionals);
    return withSession(values, terminal, async (session) => {
      const { namespace: _, ...place } = session.place;
      if (values.json !== true) terminal.report(`In ${whereInWords(session.place)}:`);
      const keyrings: Listed[] = [];
      const found = await session.namespaces();
      const unknown = unreadIn(found, place.server);
      let isAway = unknown.length > 0;
      for (const namespace of found.names) {
        const entries = await orRefusal(session.read(namespace)).catch(misnamed);
        if (entries instanceof RefusedError && values.json !== true) terminal.report(`${entries.message}.`);
        isAway ||= entries instanceof StoreError && !ofOneKeyring.has(entries.code);
        keyrings.push(
          entries instanceof Error
            ? { ...nothing, namespace, unreadable: entries.code }
            : listed(namespace, examine(entries, session.sealing(namespace))),
        );
      }
      return {
        ...(keyrings.length > 0 && { result: formatColumns(keyrings.map(rowOf), screenOf(terminal)) }),
        words:
          unknown.length + keyrings.length === 0
            ? `There is no keyring${underPrefix(session.place)}.`
            : unknown.map(unreadInWords),
        json: { ...place, keyrings, unknown },
        exitCode: isAway ? 3 : 0,
      };
    });
  },
};

/** Errors that concern one keyring only, or missing rights. */
const ofOneKeyring: ReadonlySet<string> = new Set(['ERR_REWT_STORE_DENIED', 'ERR_REWT_STORE_WRONG_TYPE']);

/** Returns the error. @throws any other than a RefusedError. */
function misnamed(error: unknown): RefusedError {
  if (error instanceof RefusedError) return error;
  throw error;
}

const nothing = { signing: null, epoch: null, rotatesAt: null, due: null, sealed: null };

function listed(namespace: string, found: Found): Listed {
  const { keyring, sealed, refusal } = found;
  return {
    namespace,
    signing: keyring?.signing ?? null,
    epoch: keyring?.epoch ?? null,
    rotatesAt: keyring?.current.expiresAt ?? null,
    due: dueOf(found),
    sealed,
    unreadable: refusal?.code ?? null,
  };
}

function rowOf({ namespace, signing, epoch, rotatesAt, due, sealed, unreadable }: Listed): readonly string[] {
  const state = [
    unreadable,
    due === null ? null : `due: ${due}`,
    sealed === null ? null : `sealed with ${sealed.keyId}`,
  ].filter((words) => words !== null);
  return [
    foreignName(namespace),
    signing ?? '-',
    epoch === null ? '-' : `epoch ${epoch}`,
    rotatesAt === null ? '-' : `rotates ${instantOf(rotatesAt)}`,
    state.join(', '),
  ];
}
