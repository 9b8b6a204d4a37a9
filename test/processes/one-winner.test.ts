/**
 * Any number of processes at the same instant make one secret (docs/guarantees.md, promise 4):
 * members in running processes, and processes just started.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../support/servers.js';
import { type MemberProcess, type Place, startMember } from './members.js';

const count = 16;
const rounds = 60;

const options = { storeTimeout: 20 };

let server: RedisServer;
let folder: string;
beforeAll(async () => {
  server = await startRedis();
  folder = await mkdtemp(join(tmpdir(), 'rewt-winner-'));
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const places: readonly (readonly [string, (index: number) => Place])[] = [
  // Few of those that take twice as long to load.
  ['Redis', (index) => ({ redis: server.port, client: index % 4 === 0 ? 'redis' : 'ioredis' })],
  ['files', () => ({ folder })],
];

const startMembers = (place: (index: number) => Place): MemberProcess[] =>
  Array.from({ length: count }, (_, index) => startMember(place(index)));

const endMembers = (members: readonly MemberProcess[]) => Promise.all(members.map((member) => member.kill()));

/**
 * All sign their first token of a new namespace at once: with one secret, which every member
 * verifies, and which was written once.
 */
async function meet(members: readonly MemberProcess[], delayMs: number): Promise<void> {
  const namespace = randomUUID();
  const atMs = Date.now() + delayMs;
  const tokens = await Promise.all(
    members.map((member, index) => member.ask('sign', { namespace, options, payload: { index }, atMs })),
  );
  const kids = tokens.map(kidIn);
  expect(new Set(kids).size).toBe(1);

  const answers = await Promise.all(members.map((member) => member.ask('verify', { tokens })));
  const lineage = answers[0]?.keyring.lineage;
  for (const { payloads, keyring } of answers) {
    expect(payloads).toMatchObject(members.map((_, index) => ({ index })));
    expect(keyring).toMatchObject({ lineage, generation: 1, epoch: 0, current: { kid: kids[0] }, retired: [] });
  }
}

function kidIn(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid;
}

describe.each(places)('on %s', (_, place) => {
  it(`${count} processes make one secret when they have just been started, and in ${rounds} rounds after`, async () => {
    const members = startMembers(place);
    try {
      await meet(members, 0);
      // Long enough for the last of them to have read it.
      for (let round = 0; round < rounds; round += 1) await meet(members, 10);
    } finally {
      await endMembers(members);
    }
  });

  it(`${count} other processes that have just been started make one secret`, async () => {
    const members = startMembers(place);
    try {
      await meet(members, 0);
    } finally {
      await endMembers(members);
    }
  });
});
