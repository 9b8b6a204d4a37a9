/**
 * Which secret a member takes for a token: the one that its kid names, of the member's namespace,
 * and never one that the token brings.
 */

import { createHmac, createSecretKey } from 'node:crypto';
import { Socket } from 'node:net';
import { CompactSign } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Rewt, type Store } from '../src/index.js';
import { kidOf } from './interop/fleet.js';
import { base64url, forge } from './jwt/forge.js';
import { type KnownSecrets, knownSecrets, knownStore } from './support/known-ring.js';
import { times, turnTime } from './support/turned-time.js';

const names = ['current', 'next', 'retired'] as const;
const elsewhere: KnownSecrets = {
  current: 'the-secret-that-signs-in-another-namespace--',
  next: 'the-secret-that-will-sign-in-another-one----',
  retired: 'the-secret-that-had-signed-in-another-one---',
};
const members: Rewt[] = [];

beforeEach(() => {
  turnTime();
});

afterEach(async () => {
  await Promise.all(members.splice(0).map((rewt) => rewt.close()));
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function member(store: Store, namespace = 'here'): Promise<Rewt> {
  const rewt = new Rewt({ ...times, store, redisNamespace: namespace });
  members.push(rewt);
  await rewt.ready();
  return rewt;
}

/** A token of a member that holds `signing`, under a header that says `kid`. */
function signedBy(signing: string | Uint8Array, header: object, payload = '{"sub":"ann"}'): string {
  return forge(header, payload, createSecretKey(Buffer.from(signing)));
}

/** The codes that verify and verifySync end with, or 'accepted'. */
async function codesOf(rewt: Rewt, token: string): Promise<[async: string, sync: string]> {
  const verdict = rewt.verify(token).then(
    () => 'accepted',
    ({ code }) => code as string,
  );
  await vi.advanceTimersByTimeAsync(100);
  try {
    rewt.verifySync(token);
    return [await verdict, 'accepted'];
  } catch (error) {
    return [await verdict, (error as { code: string }).code];
  }
}

const accepted = ['accepted', 'accepted'];
const forged = ['ERR_REWT_BAD_SIGNATURE', 'ERR_REWT_BAD_SIGNATURE'];
/** A newer copy could know it, which verifySync cannot ask for. */
const unknown = ['ERR_REWT_UNKNOWN_KEY', 'ERR_REWT_COPY_NOT_FRESH'];
const noneFits = ['ERR_REWT_BAD_SIGNATURE', 'ERR_REWT_COPY_NOT_FRESH'];

describe('a token', () => {
  const pairs = names.flatMap((named) => names.map((signing) => [named, signing] as const));
  it.each(pairs)(
    'with the kid of %s and the MAC of %s is accepted only if these are the same',
    async (named, signing) => {
      const rewt = await member(await knownStore({ here: knownSecrets }));
      const kid = kidOf(knownSecrets[named]);
      for (const header of [
        { alg: 'HS256', typ: 'JWT', kid },
        { kid, alg: 'HS256' },
      ]) {
        const codes = await codesOf(rewt, signedBy(knownSecrets[signing], header));
        expect(codes).toEqual(named === signing ? accepted : forged);
      }
    },
  );

  it('without kid is tried with all three', async () => {
    const rewt = await member(await knownStore({ here: knownSecrets }));
    for (const name of names) {
      expect(await codesOf(rewt, signedBy(knownSecrets[name], { alg: 'HS256' }))).toEqual(accepted);
    }
  });

  it('of a retired secret is refused from its end on, with or without kid', async () => {
    const rewt = await member(await knownStore({ here: knownSecrets }));
    const withKid = signedBy(knownSecrets.retired, { alg: 'HS256', typ: 'JWT', kid: kidOf(knownSecrets.retired) });
    const without = signedBy(knownSecrets.retired, { alg: 'HS256' });
    await vi.advanceTimersByTimeAsync(299_000);
    await rewt.verify(withKid);
    expect(await codesOf(rewt, without)).toEqual(accepted);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await codesOf(rewt, withKid)).toEqual(unknown);
    expect(await codesOf(rewt, without)).toEqual(noneFits);
  });

  it('of one namespace is refused in another, in the same process and store', async () => {
    const store = await knownStore({ here: knownSecrets, there: elsewhere });
    const [here, there] = [await member(store, 'here'), await member(store, 'there')];
    for (const name of names) {
      for (const [own, other, secrets] of [
        [here, there, knownSecrets],
        [there, here, elsewhere],
      ] as const) {
        const withKid = signedBy(secrets[name], { alg: 'HS256', typ: 'JWT', kid: kidOf(secrets[name]) });
        const without = signedBy(secrets[name], { alg: 'HS256' });
        expect(await codesOf(own, withKid)).toEqual(accepted);
        expect(await codesOf(own, without)).toEqual(accepted);
        expect(await codesOf(other, withKid)).toEqual(unknown);
        expect(await codesOf(other, without)).toEqual(noneFits);
      }
    }
    // The kid of the one, the MAC of the other.
    const mixed = signedBy(elsewhere.current, { alg: 'HS256', typ: 'JWT', kid: kidOf(knownSecrets.current) });
    expect(await codesOf(here, mixed)).toEqual(forged);
    expect(await codesOf(there, mixed)).toEqual(unknown);
  });

  it('never brings its key nor has one fetched: jwk, jku, x5u and x5c are members like any other', async () => {
    const connect = vi.spyOn(Socket.prototype, 'connect');
    const fetch = vi.spyOn(globalThis, 'fetch');
    const rewt = await member(await knownStore({ here: knownSecrets }));
    const attacker = 'attacker-attacker-attacker-attacker';
    const luring = {
      jwk: { kty: 'oct', alg: 'HS256', k: base64url(attacker), kid: kidOf(attacker) },
      jku: 'http://127.0.0.1:9/jwks.json',
      x5u: 'http://127.0.0.1:9/x5u',
      x5c: [base64url(attacker)],
      'x5t#S256': 'AAAA',
    };
    const kid = kidOf(knownSecrets.current);
    expect(await codesOf(rewt, signedBy(attacker, { alg: 'HS256', typ: 'JWT', kid, ...luring }))).toEqual(forged);
    expect(await codesOf(rewt, signedBy(attacker, { alg: 'HS256', kid: kidOf(attacker), ...luring }))).toEqual(unknown);
    expect(await codesOf(rewt, signedBy(attacker, { alg: 'HS256', ...luring }))).toEqual(noneFits);
    expect(await codesOf(rewt, signedBy(knownSecrets.current, { alg: 'HS256', kid, ...luring }))).toEqual(accepted);
    expect(connect).not.toHaveBeenCalled();
    expect(fetch).not.toHaveBeenCalled();
  });
});

describe('a secret', () => {
  const strange: [what: string, secret: string][] = [
    ['PEM', '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n'],
    ['a JWK', '{"kty":"oct","alg":"HS256","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}'],
    ['not ASCII', 'žluťoučký-kůň-úpěl-ďábelské-ódy'],
  ];

  it.each(strange)('that looks like %s is nothing but its bytes (RFC 8725 §2.1)', async (_what, secret) => {
    const rewt = await member(await knownStore({ here: { ...knownSecrets, current: secret } }));
    const bytes = new TextEncoder().encode(secret);
    const ofJose = await new CompactSign(Buffer.from('{"sub":"ann"}')).setProtectedHeader({ alg: 'HS256' }).sign(bytes);
    expect(await codesOf(rewt, ofJose)).toEqual(accepted);
    const own = await rewt.sign({ sub: 'ann' });
    const [head, body, tail] = own.split('.') as [string, string, string];
    expect(createHmac('sha256', bytes).update(`${head}.${body}`).digest('base64url')).toBe(tail);
    // The key of a signer that takes it for more than bytes.
    const kid = kidOf(secret);
    for (const key of [Buffer.alloc(32), Buffer.from(secret, 'base64'), Buffer.from(secret, 'latin1'), secret.trim()]) {
      if (Buffer.from(key).equals(bytes)) continue;
      expect(await codesOf(rewt, signedBy(key, { alg: 'HS256', typ: 'JWT', kid }))).toEqual(forged);
    }
  });

  // RFC 7518 §3.2: a key of at least 256 bits.
  it.each([
    ['nothing', ''],
    ['one byte', 'x'],
    ['31 bytes', 'x'.repeat(31)],
  ])('of too few bytes never verifies, however it came there: %s', async (_what, key) => {
    const rewt = await member(await knownStore({ here: { ...knownSecrets, key } }));
    expect(await codesOf(rewt, signedBy(key, { alg: 'HS256', typ: 'JWT', kid: kidOf(key) }))).toEqual(unknown);
    expect(await codesOf(rewt, signedBy(key, { alg: 'HS256' }))).toEqual(noneFits);
    // It was the brake.
    expect(await codesOf(rewt, signedBy(knownSecrets.current, { alg: 'HS256' }))).toEqual(noneFits);
    expect(await codesOf(rewt, await rewt.sign({}))).toEqual(accepted);
  });

  it('of 32 bytes verifies', async () => {
    const key = 'x'.repeat(32);
    const rewt = await member(await knownStore({ here: { ...knownSecrets, key } }));
    expect(await codesOf(rewt, signedBy(key, { alg: 'HS256' }))).toEqual(accepted);
    expect(await codesOf(rewt, signedBy('x'.repeat(31), { alg: 'HS256' }))).toEqual(noneFits);
  });
});
