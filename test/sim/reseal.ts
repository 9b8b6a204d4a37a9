/** An operator who has all seal keys, and moves a ring to another one. */

import { randomBytes } from 'node:crypto';
import { formatRing } from '../../src/keyring/ring.js';
import { seal } from '../../src/seal/envelope.js';
import { createRecord } from '../../src/stores/record.js';
import { KEY_NAME, keyIds, sealKeys } from './seals.js';
import type { World } from './world.js';

/** Too early for some members, sometimes. */
export function reseal({ random, members, server, ledger }: World): void {
  const { record } = server;
  const { ring } = ledger.reader.entriesOf(record, server.nowMs());
  const keyId = ledger.reader.keyIdIn(record) === keyIds.old ? keyIds.new : keyIds.old;
  const key = sealKeys.get(keyId);
  const isEarly = members.some(({ shown }) => !shown.opens(keyId));
  if (ring === null || record.ring === null || key === undefined || (isEarly && random.chance(0.7))) return;
  const text = formatRing({ ...ring, gen: ring.gen + 1, op: `reseal ${random.next()}` });
  server.write(createRecord(record.key, { ...record.ring, text: seal(text, key, KEY_NAME, randomBytes) }), {
    fault: 'reseal',
  });
}
