/** The slot of a key is the one that Redis Cluster means. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { slotOf } from '../../../src/stores/redis/slot.js';
import { type RedisServer, startRedis } from '../../support/servers.js';

let node: RedisServer;
beforeAll(async () => {
  node = await startRedis(['--cluster-enabled', 'yes']);
});
afterAll(() => node?.stop());

it.each([
  '',
  'rewt:rewt-secret',
  '{rewt:rewt-secret}:ring',
  'rewt-draft:{rewt:rewt-secret}:abc',
  '123456789',
  '{a}b',
  'a{b}c{d}',
  '{}a',
  'a{}b{c}',
  'a}b',
  'a}{b}',
  '{{x}}',
  '{a',
  'żółć 🔑',
  'x'.repeat(1_000),
])('the slot of the key "%s" is the one that the server computes', async (key) => {
  expect(slotOf(key)).toBe(Number(await node.cli('CLUSTER', 'KEYSLOT', key)));
});
