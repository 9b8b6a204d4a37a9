/** The slot of a key is the one that Redis Cluster means. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { slotOf } from '../../src/redis/slot.js';
import { type RedisServer, startRedis } from '../servers.js';

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
])('of "%s"', async (key) => {
  expect(slotOf(key)).toBe(Number(await node.cli('CLUSTER', 'KEYSLOT', key)));
});
