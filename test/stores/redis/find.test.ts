/** What stands between rewt and a cluster may answer anything. */
import { expect, it } from 'vitest';
import type { RedisPort, Reply } from '../../../src/stores/redis/clients/port.js';
import { asStoreError } from '../../../src/stores/redis/errors.js';
import { findNamespaces } from '../../../src/stores/redis/find.js';

const port = { scope: (key: string) => key, keyPrefix: '' } as RedisPort;

it.each<[string, Reply]>([
  ['no numbers', ['a', 'b', ['host', '1']]],
  ['slots that there are not', ['20000', '30000', ['host', '1']]],
])(
  'a master of a cluster with %s for slots is an answer that is refused, and no search without end',
  async (_, range) => {
    const finding = findNamespaces(port, async () => [[range]], performance.now() + 1_000);
    await expect(finding).rejects.toMatchObject({ code: 'ERR_REWT_STORE_DOWN' });
  },
);

it.each([
  ['of a cluster whose slots another one has', [['0', '16383', ['host', '7000']]], 'MOVED 11370 host:7000'],
  ['of a cluster whose slots no node has', [], 'CLUSTERDOWN Hash slot not served'],
])('a master %s is no Redis without keyrings', async (_, slots, refusal) => {
  const replies: Record<string, Reply> = { CLUSTER: slots, INFO: 'role:master', SCAN: ['0', []] };
  const one = { scope: () => '', keyPrefix: '' } as unknown as RedisPort;
  const finding = findNamespaces(
    one,
    async ([[name = ''] = []]) => [replies[name] ?? asStoreError(new Error(refusal))],
    performance.now() + 1_000,
  );
  await expect(finding).rejects.toMatchObject({ code: 'ERR_REWT_STORE_DOWN' });
});
