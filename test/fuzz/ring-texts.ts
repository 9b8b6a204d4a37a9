/**
 * What may be found in the store in place of a keyring: good ones, ones at every limit, spoilt
 * ones, and what has nothing to do with it.
 */

import fc from 'fast-check';
import { jsonTexts, objectTexts, spoiling, stringTexts } from './json-texts.js';
import { NOW_MS, SECRETS } from './secrets.js';
import { mostly, texts, wordsOf } from './texts.js';

const someSpans = fc.constantFrom(-1e9, -60_000, -1, 0, 1, 500, 60_000, 1e9).map((span) => NOW_MS + span);
const aroundNow = mostly(3, someSpans, fc.integer({ min: NOW_MS - 100_000, max: NOW_MS + 100_000 }));
/** Around now, and at the limits. */
export const instants = mostly(16, aroundNow, fc.constantFrom(0, 8.64e15, 8.64e15 - 1));
const instantTexts = mostly(
  20,
  instants.map(String),
  wordsOf('8640000000000001 9007199254740993 -1 1.5 1e400 null "0"'),
);
const spans = mostly(
  12,
  wordsOf('1 1000 20000 60000 86400000'),
  wordsOf('9999999999999 10000000000000'),
  wordsOf('0 -1 1.5 10000000000001 null "1"'),
);
const counts = mostly(
  15,
  fc.nat(5).map(String),
  wordsOf('9007199254740990 9007199254740991 9007199254740992 -1 1e400 null'),
);
const ids = mostly(12, wordsOf('"lineage-a" "lineage-b"'), stringTexts);
const secrets = mostly(
  20,
  fc.constantFrom(...SECRETS).map((secret) => JSON.stringify(secret)),
  stringTexts,
  fc.constantFrom('"short"', '1', 'null', `"${'é'.repeat(16)}"`, `"${'\\ud800'.repeat(16)}"`),
);

function slots(time: string): fc.Arbitrary<string> {
  const slot = fc.tuple(secrets, instantTexts).map(([secret, instant]) => `{"secret":${secret},"${time}":${instant}}`);
  return mostly(20, slot, objectTexts({ secret: secrets, [time]: instantTexts }), wordsOf('null [] {}'));
}

const retired = mostly(
  10,
  fc.array(slots('until'), { maxLength: 3 }),
  fc.array(slots('until'), { minLength: 31, maxLength: 33 }),
);

const members = {
  v: mostly(30, fc.constant('1'), wordsOf('0 2 1.5 "1" null')),
  id: ids,
  epoch: counts,
  gen: counts,
  op: ids,
  ttl: spans,
  overlap: spans,
  current: slots('expiresAt'),
  next: slots('since'),
  retired: retired.map((list) => `[${list}]`),
};
const rings = fc
  .tuple(fc.record(members), spoiling)
  .map(([texts, spoil]) => spoil(`{${Object.entries(texts).map(([name, text]) => `"${name}":${text}`)}}`));

export const ringTexts: fc.Arbitrary<string> = mostly(12, rings, objectTexts(members), jsonTexts, texts);
