/**
 * Threads, workers of `cluster` and forks share one keyring in a folder (docs/guarantees.md,
 * promises 2 and 4).
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startMember, type Way } from './members.js';

const ways: readonly Way[] = ['thread', 'worker of cluster', 'fork'];
const options = { storeTimeout: 20 };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rewt-kinds-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('they make one secret, and each refuses what any of them revoked', async () => {
  const namespace = randomUUID();
  const members = [...ways, ...ways].map((way) => startMember({ folder }, way));
  const sign = () =>
    Promise.all(
      members.map((member, index) => member.ask('sign', { namespace, options, payload: { index }, atMs: 0 })),
    );
  const kidsIn = (tokens: readonly string[]) => [
    ...new Set(
      tokens.map((token) => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid as string),
    ),
  ];
  try {
    let tokens = await sign();
    for (const [index, revoker] of members.slice(0, ways.length).entries()) {
      expect({ index, kids: kidsIn(tokens) }).toEqual({ index, kids: [expect.any(String)] });
      const answers = await Promise.all(members.map((member) => member.ask('verify', { tokens })));
      for (const { keyring } of answers) expect(keyring).toMatchObject({ epoch: index });

      const kid = await revoker.ask('revoke', undefined);
      for (const member of members) {
        await expect(member.ask('verify', { tokens })).rejects.toThrow('ERR_REWT_UNKNOWN_KEY');
      }
      tokens = await sign();
      expect(kidsIn(tokens)).toEqual([kid]);
    }
  } finally {
    await Promise.all(members.map((member) => member.kill()));
  }
});
