/** What the command says of a store that failed, and of a flag that is wrong. */

import { expect, it } from 'vitest';
import { failureOf, storeInWords } from '../../src/cli/output/errors.js';
import { OptionError } from '../../src/errors.js';
import { heldUp } from '../../src/stores/files/faults.js';

it('the error of a slow disk names no option that most verbs do not have', () => {
  const { code, message } = heldUp('/keyring', false);
  expect(storeInWords({ code, message })).toBe(
    'The file system of /keyring did not answer in time. Relieve its disk, and repeat the call.',
  );
});

it.each([
  ['key-prefix', '--key-prefix'],
  ['expiresIn', '--expires-in'],
  ['--nonsense', '--nonsense'],
])('an option %s is the flag %s in JSON', (option, flag) => {
  expect(failureOf(new OptionError('it is wrong', { option }))).toMatchObject({ exitCode: 2, option: flag });
});
