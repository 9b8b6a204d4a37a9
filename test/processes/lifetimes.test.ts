/** Members whose tokens live for different times, on one keyring (protocol.md, promise 7). */
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Rewt } from '../../src/index.js';
import { codeOf, createFleet } from '../interop/fleet.js';
import { type RedisServer, startRedis } from '../servers.js';

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

it('a member with short-lived tokens rotates, on schedule and by hand, and cuts none of another member short', async () => {
  const fleet = createFleet(server);
  const options = { ttl: 2, maxStaleness: 0.5, clockTolerance: 0.2 };
  const short = fleet.member({ ...options, tokenLifetime: 1 });
  const long = fleet.member({ ...options, tokenLifetime: 4 });
  try {
    // The keyring begins with what the short one asks for, and is rotated before and after the long one signs.
    await short.sign({});
    await short.rotate({ force: true });
    expect(short.status().keyring?.overlap).toBe(1.7);

    const tokens: { token: string; endMs: number }[] = [];
    const kids = new Set<unknown>();
    let turns = 0;
    const endMs = Date.now() + 5_000;
    while (Date.now() < endMs) {
      if (tokens.length < 20) tokens.push(await signWithEnd(long));
      turns += 1;
      if (turns % 7 === 0) await short.rotate({ force: true });
      for (const { token, endMs } of tokens.filter(({ endMs }) => Date.now() < endMs)) {
        const code = await codeOf(short.verify(token));
        // Its own end is the only one it may have.
        if (Date.now() < endMs) expect(code).toBe('no error');
      }
      kids.add(short.status().keyring?.current.kid);
      await setTimeout(50);
    }
    expect(short.status().keyring?.overlap).toBe(4.7);
    expect(kids.size).toBeGreaterThan(5);
  } finally {
    await fleet.close();
  }
});
