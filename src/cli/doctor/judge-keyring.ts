/** The doctor's findings about a keyring. Pure. */

import type { Announcements } from '../../stores/store.js';
import { planInWords } from '../lookup/found.js';
import { fleetInWords, fleetOf } from '../output/fleet.js';
import { whenOf } from '../output/format.js';
import { type Finding, finding } from './finding.js';
import type { KeyringFacts } from './keyring-facts.js';
import type { Failed } from './redis-facts.js';
import type { SecretShape } from './secret-shape.js';

/** Judges a keyring. `others` lists the existing keyrings if this one does not exist. */
export function judgeKeyring(
  facts: KeyringFacts,
  announcements: Announcements | Failed,
  others?: string,
): readonly Finding[] {
  const { key, ring } = facts;
  if (key === null && ring === 'none') {
    const none = 'there is none in this namespace yet: the first sign begins it';
    return [finding('keyring', 'note', others === undefined ? none : `${none}. ${others}`)];
  }
  return [
    ...(ring === 'sealed' ? [] : [judgeRing(facts)]),
    ...(key === null ? [] : [judgeTtl(key.hasTtl), ...(key.shape === null ? [] : [judgeSecret(key.shape)])]),
    ...judgeKidless(facts),
    ...judgeFleet(facts, announcements),
  ];
}

/** The remedies of the plans that need an operator. */
const remedies: { readonly [Name in NonNullable<KeyringFacts['plan']>]?: string } = {
  adopt: 'nothing is lost by it; while both work side by side, see docs/operations.md',
  brake: 'that is what it is for. If it was not meant: members need new tokens anyway',
};
const warned: ReadonlySet<KeyringFacts['plan']> = new Set(['rollback', 'brake']);

function judgeRing({ key, ring, plan, sealed }: KeyringFacts): Finding {
  if (ring === 'unreadable') {
    return finding(
      'keyring',
      'problem',
      `${damageOf(sealed)}: members stop once their copies have run out`,
      'find out who wrote it, then rewt revoke --replace unreadable, which replaces it and refuses ' +
        'every token of before',
    );
  }
  if (ring === 'newer') {
    return finding(
      'keyring',
      'problem',
      'it was written by a newer rewt than this one',
      'update rewt here, and every member',
    );
  }
  if (plan === null) return finding('keyring', 'ok', 'readable, and nothing is due');
  const words = planInWords(plan, key);
  if (plan === 'adopt' && key?.marks) return finding('keyring', 'warning', words);
  return finding('keyring', warned.has(plan) ? 'warning' : 'note', words, remedies[plan]);
}

function damageOf(sealed: KeyringFacts['sealed']): string {
  return sealed === null
    ? 'what is there is no keyring of rewt (damaged, or another program uses its key)'
    : `what is sealed with the key ${sealed.keyId} does not open with it (damaged, or of another namespace)`;
}

function judgeTtl(hasTtl: boolean): Finding {
  if (hasTtl) return finding('ttl', 'ok', 'the secret has a TTL, by which it rotates');
  return finding(
    'ttl',
    'warning',
    'the secret has no TTL: an original rewt would never rotate it',
    'the next member of this rewt gives it one; or set it by hand, with EXPIRE',
  );
}

const secrets: Readonly<Record<SecretShape, readonly [Finding['level'], string, string?]>> = {
  good: ['ok', 'of the length and variety of a random one'],
  uuid: [
    'note',
    'a UUID, as the original rewt makes them: 122 random bits, where this rewt has 256',
    'it goes with the next rotation by a member of this rewt: rewt rotate',
  ],
  words: [
    'warning',
    'of words, as a person chooses them: a program that has a token may guess it',
    'let rewt make one: rewt rotate, or rewt revoke if it may be known already',
  ],
  edges: [
    'warning',
    'it begins or ends with white space, a quote or a byte order mark: a program that leaves that out verifies nothing',
    'if it was set from a file, by printf and not by echo; or let rewt make one: rewt rotate',
  ],
  weak: [
    'warning',
    'long enough, but of few different characters, or of characters in an order: a program that has ' +
      'a token may guess it',
    'let rewt make one: rewt rotate, or rewt revoke if it may be known already',
  ],
  unusable: [
    'problem',
    'of fewer than 32 bytes, or not UTF-8: no member signs with it, and the next one revokes and replaces it',
    'leave it to rewt, or SET 32 random bytes or more, as text',
  ],
};

function judgeSecret(shape: SecretShape): Finding {
  const [level, found, remedy] = secrets[shape];
  return finding('secret', level, found, remedy);
}

function judgeKidless({ key, ring, plan, withoutKid, nowMs }: KeyringFacts): readonly Finding[] {
  const remedy = 'when no original rewt is left, rewt rotate; each of them ends with the secret that signed it';
  if (plan === 'foreign rotation' || (ring === 'none' && plan === 'adopt' && !key?.marks)) {
    return [finding('kid-less tokens', 'warning', 'an original rewt signs here, whose tokens have no kid', remedy)];
  }
  if (withoutKid === null) return [];
  const until = whenOf(new Date(withoutKid.untilMs), nowMs);
  const found = withoutKid.current
    ? `an original rewt made the secret that signs: its tokens have no kid, and verify until ${until} at least`
    : `an original rewt has signed here: tokens of it, without a kid, may verify until ${until}`;
  return [finding('kid-less tokens', 'warning', found, remedy)];
}

function judgeFleet({ status }: KeyringFacts, announcements: Announcements | Failed): readonly Finding[] {
  if (status === null) return [];
  if ('code' in announcements) {
    return [finding('members', 'note', `unknown: ${announcements.message}`)];
  }
  const fleet = fleetOf(status, announcements);
  if (fleet === null) return [];
  const isWell = fleet.members.every(({ state, silent }) => state !== 'behind' && !silent);
  if (isWell) return [finding('members', 'ok', fleetInWords(fleet))];
  return [
    finding(
      'members',
      'warning',
      fleetInWords(fleet),
      'check that those run and reach the store; one that is behind reads before its next use, and ' +
        'one that ended without close() is forgotten once its copy can no longer be used',
    ),
  ];
}
