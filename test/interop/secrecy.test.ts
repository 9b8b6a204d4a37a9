/**
 * Nothing that rewt says, shows or publishes carries a secret, a token, a payload or a password:
 * all of it is collected and searched for planted ones.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { Rewt } from '../../src/index.js';
import type { RewtOptions } from '../../src/options.js';
import { seal } from '../../src/seal/envelope.js';
import { createSealKey, readSealKey } from '../../src/seal/seal-key.js';
import { freePort, type RedisServer, startRedis } from '../support/servers.js';
import { createFleet, errorOf, type Fleet, soon } from './fleet.js';

const user = 'canary-user';
const password = 'pa55-canary-word';
const payloadCanary = 'canary-in-the-payload';
const events = ['operation', 'refresh', 'rotated', 'revoked', 'degraded', 'recovered', 'warning'];
const channels = events.map((name) => `rewt:${name}`);

let server: RedisServer;
let fleet: Fleet;
/** What must not be found, by what it is. */
let canaries: Map<string, string>;
/** All that was said and shown. */
let heard: string[];
/** The codes and channels among it, to be sure that it was not nothing. */
let kinds: Set<unknown>;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

const onMessage = (message: unknown, name: string | symbol): void => {
  kinds.add(name);
  record(message);
};
const onWarning = (warning: Error): void => record(warning);
beforeEach(async () => {
  await server.cli('ACL', 'SETUSER', user, 'on', `>${password}`, '~*', '&*', '+@all');
  fleet = createFleet(server);
  canaries = new Map([
    ['the password', password],
    ['the payload', payloadCanary],
  ]);
  heard = [];
  kinds = new Set();
  for (const name of channels) subscribe(name, onMessage);
  process.on('warning', onWarning);
});
afterEach(async () => {
  for (const name of channels) unsubscribe(name, onMessage);
  process.off('warning', onWarning);
  await fleet.close();
});

const url = (port = server.port) => `redis://${user}:${password}@127.0.0.1:${port}`;

/** Everything that a log could make of a value. */
function record(value: unknown): void {
  const everything = { depth: 10, showHidden: true, maxStringLength: null, maxArrayLength: null };
  heard.push(inspect(value, everything), JSON.stringify(value) ?? '', String(value));
  if (value instanceof Error) heard.push(value.message, String(value.stack), JSON.stringify({ ...value }));
}

async function recordError(call: Promise<unknown>): Promise<void> {
  const error = await errorOf(call);
  expect(error).toBeInstanceOf(Error);
  kinds.add((error as { code: unknown }).code);
  record(error);
}

/** From now on the secrets in the store must not be found. */
async function plantSecrets(): Promise<void> {
  canaries.set(`a secret of K, ${canaries.size}`, await fleet.secret());
  const ring = await server.cli('GET', fleet.ring);
  for (const [, secret] of ring.matchAll(/"secret":"([^"]+)"/g)) {
    canaries.set(`a secret of the ring, ${canaries.size}`, secret ?? '');
  }
}

/** A token must not be found, nor its signature, nor what it says. */
function plantToken(token: string): string {
  for (const part of token.split('.').slice(1)) canaries.set(`a part of a token, ${canaries.size}`, part);
  return token;
}

/** The text, and what encodings and inspection make of it. */
function formsOf(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  // A Buffer is shown in pairs of digits.
  const pairs = bytes.subarray(0, 16).toString('hex').match(/../g) ?? [];
  const numbers = [...bytes.subarray(0, 16)].join(',');
  return [
    text,
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
    pairs.join(' '),
    numbers,
  ];
}

function expectNothingFound(): void {
  const all = heard.join('\n');
  const found = [...canaries].filter(([, text]) => formsOf(text).some((form) => all.includes(form)));
  expect(found.map(([what]) => what)).toEqual([]);
}

/** A token as only a holder of the secret can make it, right or wrong. */
function forge(secret: string, payload: string, header: object = { alg: 'HS256', typ: 'JWT' }): string {
  const signedPart = [JSON.stringify(header), payload].map((part) => Buffer.from(part).toString('base64url')).join('.');
  return plantToken(`${signedPart}.${createHmac('sha256', secret).update(signedPart).digest('base64url')}`);
}

it('the search finds what is there, in whatever form', () => {
  for (const form of [
    password,
    { deep: [password] },
    new Error(password),
    Buffer.from(password),
    Buffer.from(password).toString('base64'),
  ]) {
    heard = [];
    record(form);
    expect(expectNothingFound).toThrow('the password');
  }
});

describe('no secret is given away', () => {
  it('by a life of signing, rotating and revoking', async () => {
    const planted = 'planted-by-an-operator-and-longer-than-32-bytes';
    await server.cli('SET', fleet.key, planted, 'EX', '60');
    const client = new Redis({ port: server.port, host: '127.0.0.1', username: user, password });
    const rewts = [fleet.member({ redisConn: url() }), fleet.member({ redisConn: client })];
    try {
      for (const rewt of rewts) {
        await plantSecretsAfter(() => rewt.ready());
        const token = plantToken(await rewt.sign({ user: payloadCanary }));
        for (const other of rewts) await other.verify(token);
        await plantSecretsAfter(() => rewt.rotate({ force: true }));
        await recordError(fleet.member({ redisConn: url(), maxStaleness: 30 }).rotate());
        record(await plantSecretsAfter(() => rewt.revoke()));
        await server.cli('SET', fleet.key, 'too-short-canary');
        canaries.set('an unusable secret', 'too-short-canary');
        await vi.waitFor(async () => {
          await rewt.sign({ user: payloadCanary });
          expect(kinds).toContain('rewt:warning');
        }, soon);
        await plantSecrets();
        record(rewt);
        record(rewt.status());
        record(Object.getOwnPropertyDescriptors(rewt));
      }
      // Warnings are given in a later turn.
      await new Promise((resolve) => setImmediate(resolve));
      expect(canaries.size).toBeGreaterThan(20);
      expect([...canaries.values()]).toContain(planted);
      expect([...kinds].sort()).toEqual([
        'ERR_REWT_ROTATION_REFUSED',
        'rewt:operation',
        'rewt:refresh',
        'rewt:revoked',
        'rewt:rotated',
        'rewt:warning',
      ]);
      expectNothingFound();
    } finally {
      client.disconnect();
    }
  });

  it('by a token that is refused, for whatever reason', async () => {
    const rewt = fleet.member({ redisConn: url() });
    const token = plantToken(await rewt.sign({ user: payloadCanary, aud: payloadCanary }));
    await plantSecrets();
    const secret = await fleet.secret();
    const now = Math.floor(Date.now() / 1_000);
    const claims = (more: object) => JSON.stringify({ user: payloadCanary, ...more });
    const [header, payload, signature] = token.split('.');
    const kid = JSON.parse(Buffer.from(header ?? '', 'base64url').toString()).kid;

    await recordError(rewt.verify(token.slice(0, -5)));
    await recordError(rewt.verify(`${token}.${signature}`));
    await recordError(rewt.verify(forge(secret, claims({}), { alg: 'none' })));
    await recordError(rewt.verify(forge(`${secret}!`, claims({}), { alg: 'HS256', kid: 'AAAAAAAAAAA' })));
    await recordError(rewt.verify(forge(`${secret}!`, claims({}), { alg: 'HS256', kid })));
    await recordError(rewt.verify(`${header}.${payload}.${createHmac('sha256', 'x').digest('base64url')}`));
    await recordError(rewt.verify(forge(secret, `${payloadCanary} is no JSON`)));
    await recordError(rewt.verify(forge(secret, claims({ exp: payloadCanary }))));
    await recordError(rewt.verify(forge(secret, claims({ aud: [payloadCanary, 1] }))));
    await recordError(rewt.verify(forge(secret, claims({ exp: now - 60 }))));
    await recordError(rewt.verify(forge(secret, claims({ nbf: now + 60 }))));
    await recordError(rewt.verify(forge(secret, claims({ iat: now - 600 })), { maxAge: 60 }));
    await recordError(rewt.verify(token, { issuer: 'shop' }));
    for (const options of [{ audience: 'shop' }, { audience: /^shop/ }]) await recordError(rewt.verify(token, options));
    const named = forge(secret, claims({ iss: payloadCanary, sub: payloadCanary, jti: payloadCanary }));
    for (const name of ['issuer', 'subject', 'jwtid']) await recordError(rewt.verify(named, { [name]: 'shop' }));

    const schema = z.object({ user: z.literal('ann') });
    await recordError(rewt.verify(forge(secret, claims({ user: payloadCanary, [payloadCanary]: 1 })), { schema }));

    expect([...kinds].sort()).toEqual([
      'ERR_REWT_BAD_SIGNATURE',
      'ERR_REWT_CLAIM_INVALID',
      'ERR_REWT_CLAIM_MISMATCH',
      'ERR_REWT_CLAIM_MISSING',
      'ERR_REWT_EXPIRED',
      'ERR_REWT_MALFORMED',
      'ERR_REWT_NOT_ACTIVE',
      'ERR_REWT_PAYLOAD_INVALID',
      'ERR_REWT_SCHEMA',
      'ERR_REWT_TOO_OLD',
      'ERR_REWT_UNKNOWN_KEY',
      'ERR_REWT_UNSUPPORTED',
      'rewt:operation',
      'rewt:refresh',
    ]);
    expectNothingFound();
  });

  it('by a store that fails, in whatever way', async () => {
    const [sealKey, otherSealKey] = [createSealKey(randomBytes), createSealKey(randomBytes)];
    canaries.set('the seal key', sealKey).set('another seal key', otherSealKey);
    // Strict: nothing is answered from a copy.
    const strict = { maxStaleness: 0, storeTimeout: 1 };
    const client = new Redis({ port: server.port, host: '127.0.0.1', username: user, password });
    const rewts = [fleet.member({ ...strict, redisConn: url() }), fleet.member({ ...strict, redisConn: client })];
    try {
      for (const rewt of rewts) {
        const token = plantToken(await rewt.sign({ user: payloadCanary }));
        await plantSecrets();
        const ring = await server.cli('GET', fleet.ring);
        const fails = async () => {
          await recordError(rewt.verify(token));
          await recordError(rewt.sign({ user: payloadCanary }));
          record(rewt);
        };

        const failsWith = async (sealKey: string) => {
          const member = fleet.member({ redisConn: url(), sealKey });
          await recordError(member.ready());
          record(member);
          // It would take the plain ring that follows for the brake.
          await member.close();
        };

        await server.cli('SET', fleet.ring, `${ring}, and more`);
        await fails();
        await server.cli('SET', fleet.ring, JSON.stringify({ ...JSON.parse(ring), v: 2 }));
        await fails();
        const sealedFor = (name: string) => seal(ring, readSealKey(sealKey, 'key'), name, randomBytes);
        await server.cli('SET', fleet.ring, sealedFor(fleet.key));
        await fails();
        await failsWith(otherSealKey);
        await server.cli('SET', fleet.ring, sealedFor('another name'));
        await failsWith(sealKey);
        await server.cli(
          'EVAL',
          "redis.call('DEL', KEYS[1]) return redis.call('LPUSH', KEYS[1], ARGV[1])",
          '1',
          fleet.ring,
          ring,
        );
        await fails();
        await server.cli('DEL', fleet.ring);
        await server.cli('REPLICAOF', '127.0.0.1', String(await freePort()));
        await fails();
        await recordError(rewt.revoke());
        await server.cli('REPLICAOF', 'NO', 'ONE');
        // It saw a sealed ring, and has no seal key.
        await recordError(rewt.revoke());
        await rewt.revoke({ replace: 'sealed' });
        await plantSecrets();
        await server.cli('CONFIG', 'SET', 'maxmemory', '1');
        await recordError(rewt.revoke());
        await server.cli('CONFIG', 'SET', 'maxmemory', '0');
        await server.cli('ACL', 'SETUSER', user, '-eval');
        await fails();
        await server.cli('ACL', 'SETUSER', user, '+@all');
        await vi.waitFor(() => rewt.ready(), soon);
        await plantSecrets();
        await rewt.close();
        await fails();
      }
      await recordError(fleet.member({ redisConn: url().replace(password, `${password}-wrong`) }).ready());
      await recordError(fleet.member({ redisConn: url(await freePort()) }).ready());
      process.kill(server.pid, 'SIGSTOP');
      for (const redisConn of [url(), client]) {
        await recordError(fleet.member({ redisConn, storeTimeout: 0.2 }).ready());
      }
    } finally {
      process.kill(server.pid, 'SIGCONT');
      client.disconnect();
    }
    expect([...kinds].sort()).toEqual([
      'ERR_REWT_RING_NEWER',
      'ERR_REWT_RING_SEALED',
      'ERR_REWT_RING_UNREADABLE',
      'ERR_REWT_STORE_CLOSED',
      'ERR_REWT_STORE_DENIED',
      'ERR_REWT_STORE_DOWN',
      'ERR_REWT_STORE_FULL',
      'ERR_REWT_STORE_READ_ONLY',
      'ERR_REWT_STORE_TIMEOUT',
      'ERR_REWT_STORE_WRONG_TYPE',
      'rewt:degraded',
      'rewt:operation',
      'rewt:recovered',
      'rewt:refresh',
      'rewt:revoked',
    ]);
    expectNothingFound();
  });

  it('by an option or a payload that is refused', async () => {
    const wrong: readonly unknown[] = [
      { redisConn: `${url()}/seven` },
      { redisConn: `${url()}?db=7` },
      { redisConn: `${url()}#7` },
      { redisConn: url().replace('redis:', 'http:') },
      { redisConn: url().replace('127.0.0.1', '') },
      { redisConn: url().replace('@', '@@:') },
      { redisConn: `redis://${user}:${password}%zz@127.0.0.1` },
      { redisConn: url(), store: {} },
      { redisConn: { url: url() } },
      { redisUrl: url() },
      { redisConn: url(), ttl: '5' },
      { redisConn: url(), secret: payloadCanary },
      { redisConn: url(), redisNamespace: 'a}b' },
    ];
    for (const options of wrong) {
      await recordError((async () => new Rewt(options as RewtOptions).ready())());
    }
    const rewt = fleet.member({ redisConn: url() });
    const now = Math.floor(Date.now() / 1_000);
    for (const payload of [
      new Map([[payloadCanary, payloadCanary]]),
      { user: payloadCanary, big: 1n },
      { user: payloadCanary, exp: now + 100_000 },
      { user: payloadCanary, exp: payloadCanary },
      { user: payloadCanary, aud: 7 },
      { user: payloadCanary.repeat(1_000) },
      `${payloadCanary}\ud800`,
      [payloadCanary],
    ]) {
      await recordError(rewt.sign(payload));
    }
    await recordError(rewt.sign({ sub: payloadCanary }, { subject: 'ann' }));
    await recordError(rewt.sign({ user: payloadCanary }, { expiresIn: 100_000 }));
    expect(kinds).toEqual(new Set(['ERR_REWT_OPTION', 'ERR_REWT_PAYLOAD', 'rewt:operation', 'rewt:refresh']));
    expectNothingFound();
  });
});

async function plantSecretsAfter<T>(act: () => Promise<T>): Promise<T> {
  const result = await act();
  await plantSecrets();
  return result;
}
