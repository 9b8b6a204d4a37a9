/** `rewt seal-key`: makes a key that seals keyrings, or names the keys that a machine has. */

import { randomBytes } from 'node:crypto';
import { OptionError } from '../../errors.js';
import { createSealKey, readSealKey } from '../../seal/seal-key.js';
import type { Command } from '../command.js';
import { assertNoWords, readArguments } from '../input/arguments.js';
import { SEAL_KEY_VARIABLE } from '../input/link.js';
import { readSealKeys, sealKeyOptions } from '../input/seal-keys.js';
import { helpOf } from '../output/help.js';

const options = {
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean' },
  id: { type: 'boolean' },
  ...sealKeyOptions,
} as const;

const help = helpOf(
  `
rewt seal-key [options]: makes a key that seals keyrings, and prints it on
stdout, and its id on stderr. The id is public: it names the key in a sealed
keyring, and in errors. Uses no store.

  (umask 077; rewt seal-key > seal.key)
  rewt seal-key --id --seal-key-file seal.key

  --id               prints only the ids of the keys in --seal-key-file, else in
                     ${SEAL_KEY_VARIABLE} (with commas or spaces between), a line for
                     each: to compare what two machines have
  --seal-key-file <file>
                     one key a line, or 32 bytes; other users may not read it
`,
  { takesPlace: false },
);

export const sealKey: Command = {
  help,
  async run(words, { env }) {
    const { values, positionals } = readArguments(words, options);
    assertNoWords(positionals);
    if (values.id) return idsOf((await readSealKeys(values, env)).map(({ id }) => id));
    if (values['seal-key-file'] !== undefined) {
      throw new OptionError('--seal-key-file: has no effect on a new key. Add --id to name the keys in the file', {
        option: 'seal-key-file',
      });
    }
    const key = createSealKey(randomBytes);
    const { id } = readSealKey(key, 'key');
    return { result: key, words: `The id of this key is ${id}.`, json: { id, key } };
  },
};

/** Returns the output for `--id`. @throws {OptionError} if there is no key. */
function idsOf(ids: readonly string[]) {
  if (ids.length === 0) {
    throw new OptionError(`--id: there is no key to name. Set ${SEAL_KEY_VARIABLE}, or give --seal-key-file`, {
      option: 'id',
    });
  }
  return { result: ids.join('\n'), json: { ids } };
}
