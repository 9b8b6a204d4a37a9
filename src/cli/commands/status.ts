/** `rewt status`: the keyring as a member sees it. */

import type { KeyringStatus, Status } from '../../status.js';
import { assertNoWords, commonOptions, readArguments } from '../arguments.js';
import type { Command } from '../command.js';
import { helpOf } from '../help.js';
import { type Keyring, withKeyring } from '../keyring.js';
import { formatTable, type Row } from '../table.js';

const help = helpOf(`
rewt status [options]: shows the keyring, kids and times, never a secret. Begins
none where there is none; a rotation that is due is done, as by any member.

  rewt status --json | jq .keyring.signing
`);

export const status: Command = {
  help,
  async run(words, terminal) {
    const { values, positionals } = readArguments(words, commonOptions);
    assertNoWords(positionals);
    const found = await withKeyring(values, terminal, statusOf);
    return { result: formatTable(rowsOf(found)), json: found };
  },
};

/** Of the keyring; whether it would be pushed to this command is nobody's question. */
type KeyringFound = Omit<Status, 'push'>;

async function statusOf({ rewt, exists }: Keyring): Promise<KeyringFound> {
  // It would begin one.
  if (exists) await rewt.ready();
  const { push: _, ...found } = rewt.status();
  return found;
}

function rowsOf({ namespace, store, ageSeconds, keyring }: KeyringFound): readonly Row[] {
  const place: readonly Row[] = [
    ['namespace', namespace],
    ['store', store],
  ];
  if (keyring === null) return [...place, ['keyring', 'none yet: the first sign begins it']];
  return [...place, ...keyringRows(keyring), ['read', `${Math.round((ageSeconds ?? 0) * 1_000)} ms ago`]];
}

function keyringRows(keyring: KeyringStatus): readonly Row[] {
  const { lineage, epoch, generation, ttl, overlap, signing, current, next, retired } = keyring;
  const verifiesUntil = new Date(current.expiresAt.getTime() + overlap * 1_000);
  return [
    ['signing', signing],
    ['rotates', `at the latest ${time(current.expiresAt)}`],
    ['current', `${current.kid}  verifies until ${time(verifiesUntil)}`],
    ['next', `${next.kid}  there since ${time(next.since)}`],
    ...retired.map(({ kid, verifiesUntil: until }): Row => ['retired', `${kid}  verifies until ${time(until)}`]),
    ['ttl', `${ttl} s, and ${overlap} s more to verify`],
    ['epoch', `${epoch} (revocations)`],
    ['generation', `${generation} (writes) of lineage ${lineage}`],
  ];
}

function time(date: Date): string {
  // An operator's EXPIRE can lie beyond all dates.
  return Number.isNaN(date.getTime()) ? 'the end of time' : date.toISOString().replace(/\.\d+/, '');
}
