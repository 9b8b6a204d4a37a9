/**
 * That the cluster of test/support/cluster.ts is real: slots move, masters change over, and what is
 * said to be lost is lost.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../support/cluster.js';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ masters: 3, replicasPerMaster: 1 });
});
afterAll(() => cluster?.stop());

const slotText = async (): Promise<string> => String(await cluster.slotOf(kept));
const [kept, other, lost, heard] = ['{k}kept', '{k}other', '{k}lost', '{k}heard'] as const;

it('every slot has an owner, and a key of another is refused', async () => {
  const owners = await Promise.all(['{k}', 'a', 'b'].map((key) => cluster.ownerOf(key)));
  expect(new Set(owners).size).toBe(3);
  expect(owners.every((owner) => cluster.nodes.indexOf(owner) < 3)).toBe(true);
  const moved = `MOVED ${await slotText()} `;
  await owners[0]?.cli('MSET', kept, '1', other, '1');
  await expect((await cluster.ownerOf('a')).cli('GET', kept)).rejects.toThrow(moved);
  await cluster.inSync();
});

it('a planned failover loses nothing', async () => {
  const replica = await cluster.replicaOf(kept);
  expect(await cluster.failover(kept)).toBe(replica);
  expect(await cluster.ownerOf(kept)).toBe(replica);
  expect(await replica.cli('EXISTS', kept, other)).toBe('2');
  await cluster.inSync();
});

it('a write is acknowledged and lost, by every node', async () => {
  const [old, replica] = [await cluster.ownerOf(lost), await cluster.replicaOf(lost)];
  const reply = await cluster.loseWrites(lost, async (owner) => {
    expect(owner).toBe(old);
    expect(await owner.cli('SET', lost, '1')).toBe('OK');
    expect(await owner.cli('WAIT', '1', '200')).toBe('0');
    return owner.cli('GET', lost);
  });
  expect(reply).toBe('1');
  expect(await cluster.ownerOf(lost)).toBe(replica);
  await cluster.inSync();
  expect(await replica.cli('EXISTS', kept, lost)).toBe('1');
  for (const node of [old, replica]) expect(await node.cli('CLUSTER', 'COUNTKEYSINSLOT', await slotText())).toBe('2');
  // The link heals: the new owner's messages arrive.
  await replica.cli('SET', heard, '1');
  expect(await replica.cli('WAIT', '1', '5000')).toBe('1');
});

it('a slot moves with all its keys, which are apart for a while', async () => {
  const from = await cluster.ownerOf(kept);
  const to = await cluster.ownerOf('a');
  let apart: string[] = [];
  await cluster.migrate(kept, to, async () => {
    const slot = await slotText();
    apart = await Promise.all([from, to].map((node) => node.cli('CLUSTER', 'COUNTKEYSINSLOT', slot)));
    // Redis 6 sends one to the new owner, where the rest is missing.
    await expect(from.cli('MGET', kept, other, heard)).rejects.toThrow(/TRYAGAIN|ASK/);
  });
  expect(apart).toEqual(['2', '1']);
  expect(await cluster.ownerOf(kept)).toBe(to);
  expect(await to.cli('EXISTS', kept, other, heard)).toBe('3');
  await cluster.inSync();
});

it('a killed owner is replaced by its replica, and comes back as one', async () => {
  const [old, replica] = [await cluster.ownerOf(kept), await cluster.replicaOf(kept)];
  await old.kill();
  expect(await cluster.ownerAfter(old, kept)).toBe(replica);
  await old.restart();
  await cluster.inSync();
  expect(await old.cli('ROLE')).toMatch(/^slave\n/);
  expect(await cluster.ownerOf(kept)).toBe(replica);
});
