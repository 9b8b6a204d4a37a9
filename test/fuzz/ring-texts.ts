/** What may be found in the store in place of a keyring: good ones, ones at every limit, spoilt ones, and what has nothing to do with it. */

import fc from 'fast-check';
import { jsonTexts, objectTexts, stringTexts } from './json-texts.js';
import { NOW_MS, SECRETS } from './secrets.js';
import { texts } from './texts.js';

/** Around now, at the limits, and what is no instant. */
export const instants = fc.oneof(
  { arbitrary: fc.constantFrom(-1e9, -60_000, -1, 0, 1, 500, 60_000, 1e9).map((span) => NOW_MS + span), weight: 12 },
  { arbitrary: fc.integer({ min: NOW_MS - 100_000, max: NOW_MS + 100_000 }), weight: 4 },
  fc.constantFrom(0, 8.64e15, 8.64e15 - 1),
);

const instantTexts = fc.oneof(
  { arbitrary: instants.map(String), weight: 20 },
  fc.constantFrom('8640000000000001', '9007199254740993', '-1', '1.5', '1e400', 'null', '"0"'),
);
const spans = fc.oneof(
  { arbitrary: fc.constantFrom('1', '1000', '20000', '60000', '86400000'), weight: 12 },
  { arbitrary: fc.constantFrom('9999999999999', '10000000000000'), weight: 2 },
  fc.constantFrom('0', '-1', '1.5', '10000000000001', 'null', '"1"'),
);
const counts = fc.oneof(
  { arbitrary: fc.nat(5).map(String), weight: 15 },
  fc.constantFrom('9007199254740990', '9007199254740991', '9007199254740992', '-1', '1e400', 'null'),
);
const ids = fc.oneof({ arbitrary: fc.constantFrom('"lineage-a"', '"lineage-b"'), weight: 12 }, stringTexts);
const secrets = fc.oneof(
  { arbitrary: fc.constantFrom(...SECRETS).map((secret) => JSON.stringify(secret)), weight: 20 },
  stringTexts,
  fc.constantFrom('"short"', '1', 'null', `"${'é'.repeat(16)}"`, `"${'\\ud800'.repeat(16)}"`),
);

function slots(time: string): fc.Arbitrary<string> {
  const slot = fc.tuple(secrets, instantTexts).map(([secret, instant]) => `{"secret":${secret},"${time}":${instant}}`);
  return fc.oneof(
    { arbitrary: slot, weight: 20 },
    objectTexts({ secret: secrets, [time]: instantTexts }),
    fc.constantFrom('null', '[]', '{}'),
  );
}

const retired = fc.oneof(
  { arbitrary: fc.array(slots('until'), { maxLength: 3 }), weight: 10 },
  fc.array(slots('until'), { minLength: 31, maxLength: 33 }),
);

const rings = fc
  .record({
    v: fc.oneof({ arbitrary: fc.constant('1'), weight: 30 }, fc.constantFrom('0', '2', '1.5', '"1"', 'null')),
    id: ids,
    epoch: counts,
    gen: counts,
    op: ids,
    ttl: spans,
    overlap: spans,
    current: slots('expiresAt'),
    next: slots('since'),
    retired: retired.map((list) => `[${list.join()}]`),
  })
  .map(
    (members) =>
      `{${Object.entries(members)
        .map(([name, text]) => `"${name}":${text}`)
        .join()}}`,
  );

export const ringTexts: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: rings, weight: 12 },
  objectTexts({ v: fc.constant('1'), id: ids, epoch: counts, gen: counts, op: ids, ttl: spans, overlap: spans }),
  jsonTexts,
  texts,
);
