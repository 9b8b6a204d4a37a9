/** The doctor's words for a sealed keyring. Pure: test/cli/sealed.test.ts has them of real ones. */
import { expect, it } from 'vitest';
import { judgeAccess } from '../../../src/cli/doctor/judge-access.js';
import { judgeSealing } from '../../../src/cli/doctor/judge-sealing.js';
import type { KeyringFacts } from '../../../src/cli/doctor/keyring-facts.js';
import { addressFactsOf, type RedisFacts } from '../../../src/cli/doctor/redis-facts.js';
import { linkOf } from '../../../src/cli/input/link.js';

const sealed = { keyId: 'seal-key-id', opens: true };

function textOf(found: KeyringFacts['sealed']): string {
  const facts = {
    address: addressFactsOf(linkOf('redis://redis.example', {}, {})),
    namespace: 'rewt',
    keyPrefix: '',
    server: { version: null },
    rights: { role: 'reader', wanted: null, user: 'ann', lacks: [], beyond: [], pushes: true, excess: [] },
    keyring: { sealed: found },
  };
  // Nothing else is read.
  return judgeAccess(facts as unknown as RedisFacts)
    .map((one) => one.found)
    .join('\n');
}

it('a reader of the network or the server cannot forge tokens of a sealed keyring', () => {
  const words = ['the secret, and the password, cross', 'can read the secret, and sign', '(HS256), and'];
  const instead = ['the password crosses', 'can delete the keyring', '(HS256) if it has the seal key, and'];
  for (const [state, [those, others]] of [
    [null, [words, instead]],
    [sealed, [instead, words]],
  ] as const) {
    const text = textOf(state);
    for (const one of those) expect(text).toContain(one);
    for (const one of others) expect(text).not.toContain(one);
  }
});

it.each([
  ['plain, with no key and no replica', { sealed: null, keyIds: [] }, 0, []],
  ['plain, with no key, on a server with replicas', { sealed: null, keyIds: [] }, 2, ['note']],
  ['plain, with a key', { sealed: null, keyIds: ['a'] }, 2, ['warning']],
  ['sealed with the first key', { sealed, keyIds: ['seal-key-id', 'a'] }, 2, ['ok']],
  ['sealed with another key', { sealed, keyIds: ['a', 'seal-key-id'] }, 0, ['note']],
  ['sealed, without a key', { sealed: { ...sealed, opens: false }, keyIds: [], status: null }, 0, ['note']],
  ['sealed, with a wrong key', { sealed: { ...sealed, opens: false }, keyIds: ['a'], status: null }, 0, ['problem']],
  ['not there', { sealed: null, keyIds: ['a'], status: null }, 2, []],
])('a keyring that is %s has its finding', (_, facts, replicas, levels) => {
  const found = judgeSealing({ status: {}, nowMs: 0, ...facts } as unknown as KeyringFacts, replicas);
  expect(found.map(({ level }) => level)).toEqual(levels);
});
