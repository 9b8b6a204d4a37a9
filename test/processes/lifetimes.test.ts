/**
 * Members whose tokens live for different times, on one keyring (docs/guarantees.md, promise 7).
 */
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Rewt } from '../../src/index.js';
import { codeOf, createFleet } from '../interop/fleet.js';
import { type RedisServer, startRedis } from '../support/servers.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

async function signWithEnd(rewt: Rewt): Promise<{ token: string; endMs: number }> {
  const token = await rewt.sign({});
  const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  return { token, endMs: exp * 1_000 };
}

it('a member with short-lived tokens rotates, on schedule and by hand, and shortens no other tokens', async () => {
  const fleet = createFleet(server);
  const options = { ttl: 2, maxStaleness: 1, clockTolerance: 0.2 };
  const short = fleet.member({ ...options, tokenLifetime: 1 });
  const long = fleet.member({ ...options, tokenLifetime: 4 });
  try {
    // The keyring begins with what the short one asks for, and is rotated before and after the long
    // one signs.
    await short.sign({});
    await short.rotate({ force: true });
    expect(short.status().keyring?.overlap).toBe(2.2);

    const tokens: { token: string; endMs: number }[] = [];
    const rotations = { byHand: 0, last: '' };
    let untilMs = Number.POSITIVE_INFINITY;
    for (let turn = 1; Date.now() < untilMs; turn += 1) {
      if (tokens.length < 30) tokens.push(await signWithEnd(long));
      if (turn % 5 === 0 && rotations.byHand < 6) {
        rotations.last = (await short.rotate({ force: true })).kid;
        rotations.byHand += 1;
        // Longer than `ttl`: what comes after the last one comes on schedule.
        untilMs = Date.now() + 3_000;
      }
      for (const { token, endMs } of tokens.filter(({ endMs }) => Date.now() < endMs)) {
        const code = await codeOf(short.verify(token));
        // Its own end is the only one it may have.
        if (Date.now() < endMs) expect(code).toBe('no error');
      }
      await setTimeout(50);
    }
    expect(rotations.byHand).toBe(6);
    expect(short.status().keyring).toMatchObject({ overlap: 5.2, epoch: 0 });
    expect(short.status().keyring?.current.kid).not.toBe(rotations.last);
  } finally {
    await fleet.close();
  }
});
