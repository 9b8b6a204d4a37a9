/** What stands between rewt and a cluster may answer anything. */
import { expect, test } from 'vitest';
import { findNamespaces } from '../../src/redis/find.js';
import type { RedisPort, Reply } from '../../src/redis/port.js';

const port = { scope: (key: string) => key, keyPrefix: '' } as RedisPort;

test.each<[string, Reply]>([
  ['no numbers', ['a', 'b', ['host', '1']]],
  ['slots that there are not', ['20000', '30000', ['host', '1']]],
])(
  'a master of a cluster with %s for slots is an answer that is refused, and no search without end',
  async (_, range) => {
    const finding = findNamespaces(port, async () => [[range]], performance.now() + 1_000);
    await expect(finding).rejects.toMatchObject({ code: 'ERR_REWT_STORE_DOWN' });
  },
);
