/** Any number of processes at the same instant make one secret (README.md, promise 4): members in running processes, and processes just started. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../servers.js';
import { type MemberProcess, type Place, startMember } from './members.js';

const runningCount = 16;
const rounds = 200;

const coldCount = 16;
const coldRounds = 10;
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

const startMembers = (count: number, place: (index: number) => Place): MemberProcess[] =>
  Array.from({ length: count }, (_, index) => startMember(place(index)));

const endMembers = (members: readonly MemberProcess[]) => Promise.all(members.map((member) => member.kill()));

/** All sign their first token of a new namespace at once: with one secret, which everybody verifies, and of which the store was told once. */
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
  it(`${runningCount} processes make one secret, in ${rounds} rounds`, async () => {
    const members = startMembers(runningCount, place);
    try {
      // Long enough for the last of them to have heard of it.
      for (let round = 0; round < rounds; round += 1) await meet(members, 10);
    } finally {
      await endMembers(members);
    }
  });

  it(`${coldCount} processes that have just been started make one secret, ${coldRounds} times`, async () => {
    for (let round = 0; round < coldRounds; round += 1) {
      const members = startMembers(coldCount, place);
      try {
        await meet(members, 0);
      } finally {
        await endMembers(members);
      }
    }
  });
});
