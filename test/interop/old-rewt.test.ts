/**
 * Other implementations on the same key: rewt 1.x-2.x (jsonwebtoken and a plain `GET`) and jose, in
 * both directions.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { jwtVerify, SignJWT } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RedisServer, startRedis } from '../support/servers.js';
import { codeOf, createFleet, errorOf, type Fleet, kidOf, soon } from './fleet.js';

let server: RedisServer;
let fleet: Fleet;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());
beforeEach(() => {
  fleet = createFleet(server);
});
afterEach(() => fleet.close());

/**
 * What an old member asks before each call: the secret, made of a UUID where there is none. TTL in
 * seconds.
 */
function oldSecret(ttl: number): Promise<string> {
  const script = `
    if redis.call('EXISTS', KEYS[1]) == 1 then return redis.call('GET', KEYS[1]) end
    redis.call('SETEX', KEYS[1], ARGV[2], ARGV[1])
    return ARGV[1]`;
  return server.cli('EVAL', script, '1', fleet.key, randomUUID(), String(ttl));
}

/** No `exp`, no `kid`. */
const oldSign = async (payload: string | object, ttl = 60): Promise<string> =>
  jsonwebtoken.sign(payload, await oldSecret(ttl));

const oldVerify = async (token: string, ttl = 60): Promise<unknown> => jsonwebtoken.verify(token, await oldSecret(ttl));

const payloads = [['claims', { user: 'ann', roles: ['a', 'b'] }] as const, ['a text', 'ann, by herself'] as const];

describe('an old member on the same key', () => {
  it.each(payloads)('signs %s that rewt verifies', async (_, payload) => {
    const rewt = fleet.member();
    await rewt.ready();
    const token = await oldSign(payload);
    const expected = typeof payload === 'string' ? payload : { ...payload, iat: expect.any(Number) };
    expect(await rewt.verify(token)).toEqual(expected);
  });

  it.each(payloads)('verifies %s that rewt signed', async (_, payload) => {
    const token = await fleet.member().sign(payload);
    const expected =
      typeof payload === 'string' ? payload : { ...payload, iat: expect.any(Number), exp: expect.any(Number) };
    expect(await oldVerify(token)).toEqual(expected);
  });

  it.each([
    ['sub: 42', { sub: 42 }],
    ['jti: 7', { jti: 7 }],
    ['aud: null', { aud: null }],
    ['iss: a list', { iss: ['shop'] }],
  ])('signs %s, which it verifies itself and rewt refuses (RFC 7519, 4.1)', async (_, claims) => {
    const rewt = fleet.member();
    await rewt.ready();
    const token = await oldSign(claims);
    expect(await oldVerify(token)).toMatchObject(claims);
    expect(await errorOf(rewt.verify(token))).toMatchObject({
      code: 'ERR_REWT_CLAIM_INVALID',
      claim: Object.keys(claims)[0],
    });
  });

  it('came first: its secret is adopted, its schedule stands, and no member refuses a token of another', async () => {
    const early = await oldSign({ user: 'ann' }, 37);
    const uuid = await fleet.secret();
    const dueMs = await fleet.expiresAtMs();
    const [one, two] = [fleet.member(), fleet.member()];
    expect(await one.verify(early)).toMatchObject({ user: 'ann' });
    expect(await oldVerify(await two.sign({ user: 'bob' }))).toMatchObject({ user: 'bob' });
    expect(await two.verify(early)).toMatchObject({ user: 'ann' });
    expect(await fleet.secret()).toBe(uuid);
    const keyring = one.status().keyring;
    expect(keyring?.current.kid).toBe(kidOf(uuid));
    // Far less than the 23 s by which our own ttl would have moved it.
    expect(Math.abs((await fleet.expiresAtMs()) - dueMs)).toBeLessThan(50);
    expect(Math.abs(Number(keyring?.current.expiresAt) - dueMs)).toBeLessThan(50);
  });

  it('made a new secret unread: tokens of the previous secret still verify, and next stays next', async () => {
    // A message that K has expired would make one of them look.
    const short = { ttl: 1.2, tokenLifetime: 15, maxStaleness: 0.6, clockTolerance: 0.1, push: false };
    const [one, two] = [fleet.member(short), fleet.member(short)];
    const early = await one.sign({ user: 'ann' });
    await two.verify(early);
    const before = two.status().keyring;
    await vi.waitFor(async () => expect(await server.cli('EXISTS', fleet.key)).toBe('0'), soon);

    const foreign = await oldSign({ user: 'old' });
    const uuid = await fleet.secret();
    for (const rewt of [one, two]) {
      expect(await rewt.verify(early)).toMatchObject({ user: 'ann' });
      expect(await rewt.verify(foreign)).toMatchObject({ user: 'old' });
      const { lineage, epoch, current, next, retired } = rewt.status().keyring ?? {};
      expect({ lineage, epoch, next }).toEqual({ lineage: before?.lineage, epoch: 0, next: before?.next });
      expect(current?.kid).toBe(kidOf(uuid));
      expect(retired?.[0]?.kid).toBe(before?.current.kid);
    }
    expect(await fleet.secret()).toBe(uuid);
    expect(await oldVerify(await one.sign({ user: 'ann' }))).toMatchObject({ user: 'ann' });
  });

  it('sets no exp: its token lives as long as its secret verifies, and no longer', async () => {
    const rewt = fleet.member({ ttl: 60, tokenLifetime: 0.5, maxStaleness: 0.5, clockTolerance: 0.1 });
    await rewt.sign({ user: 'ann' });
    const token = await oldSign({ user: 'old' });
    await rewt.rotate({ force: true });
    const until = Number(rewt.status().keyring?.retired[0]?.verifiesUntil);
    let [begun, ended, code]: [number, number, unknown] = [0, 0, 'no error'];
    let accepted = 0;
    while (code === 'no error') {
      accepted = begun;
      await setTimeout(5);
      begun = Date.now();
      code = await codeOf(rewt.verify(token));
      ended = Date.now();
    }
    expect(code).toBe('ERR_REWT_BAD_SIGNATURE');
    // Redis runs beside us, on the same clock; a member takes it to be ahead by no more than an
    // answer takes.
    expect(accepted).toBeLessThan(until);
    expect(ended).toBeGreaterThan(until - 400);
  });

  it('reads the new secret right after a rotation, and rewt still verifies what it had signed before', async () => {
    const rewt = fleet.member();
    await rewt.sign({ user: 'ann' });
    const early = await oldSign({ user: 'old' });
    const { kid } = await rewt.rotate({ force: true });
    expect(kidOf(await fleet.secret())).toBe(kid);
    expect(await oldVerify(await rewt.sign({ user: 'ann' }))).toMatchObject({ user: 'ann' });
    expect(await rewt.verify(early)).toMatchObject({ user: 'old' });
  });
});

describe('jose with GET', () => {
  const bytes = async () => new TextEncoder().encode(await fleet.secret());

  it('signs what rewt verifies, though it says no typ', async () => {
    const rewt = fleet.member();
    await rewt.ready();
    const unsigned = new SignJWT({ user: 'ann' }).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('5s');
    const token = await unsigned.sign(await bytes());
    expect(await rewt.verify(token)).toEqual({ user: 'ann', exp: expect.any(Number) });
  });

  it('verifies what rewt signed', async () => {
    const token = await fleet.member().sign({ user: 'ann' }, { audience: 'shop' });
    const { payload } = await jwtVerify(token, await bytes(), { audience: 'shop', algorithms: ['HS256'] });
    expect(payload).toMatchObject({ user: 'ann', aud: 'shop' });
  });
});
