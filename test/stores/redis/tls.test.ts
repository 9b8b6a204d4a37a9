/**
 * A sealed keyring over TLS, on a server that refuses clients without a certificate: members that
 * sign and members that only read, through each kind of client, and the command.
 */

import { randomBytes, randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { Redis as Iovalkey } from 'iovalkey';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rewt, type RewtOptions } from '../../../src/index.js';
import { RESEAL } from '../../../src/keyring/reseal.js';
import { createSealKey, readSealKey } from '../../../src/seal/seal-key.js';
import { redisNames } from '../../../src/stores/redis/names.js';
import { rewt as command } from '../../cli/command.js';
import { codeOf, forge } from '../../interop/fleet.js';
import { disposedAfterEach } from '../../support/disposals.js';
import { connectNodeRedis, redis3, redis4, redis6 } from '../../support/redis-clients.js';
import { freePort, type RedisServer, startRedis, until } from '../../support/servers.js';
import { type Certificates, makeCertificates } from '../../support/tls.js';

const disposals = disposedAfterEach();
const [oldKey, newKey] = [createSealKey(randomBytes), createSealKey(randomBytes)];
let certificates: Certificates;
let server: RedisServer;
let port: number;

beforeAll(async () => {
  certificates = makeCertificates();
  port = await freePort();
  server = await startRedis(certificates.settings(port, 'certified'));
});
afterAll(async () => {
  await server?.stop();
  certificates?.remove();
});

/** What TLS needs; without `cert` and `key`, the server refuses. */
type Secure = { readonly ca: string; readonly cert?: string; readonly key?: string };

async function callbackClient(tls: Secure): Promise<object> {
  const client = redis3.createClient({ host: 'localhost', port, tls, retry_strategy: () => undefined });
  client.on('error', () => {});
  disposals.push(() => client.end(true));
  return client;
}

const nodeRedis = (module: typeof redis6) => async (tls: Secure) => {
  const client = module.createClient({
    url: `rediss://localhost:${port}`,
    socket: { ...tls, reconnectStrategy: false },
  });
  if (tls.cert === undefined) return client.on('error', () => {}) as object;
  const { close } = await connectNodeRedis(client);
  disposals.push(close);
  return client as object;
};

const ioredis = (Client: unknown) => async (tls: Secure) => {
  const client = new (Client as typeof Redis)(`rediss://localhost:${port}`, { tls, lazyConnect: true });
  client.on('error', () => {});
  disposals.push(() => client.disconnect());
  return client;
};

const families: readonly (readonly [name: string, connect: (tls: Secure) => Promise<object>])[] = [
  ['redis 3.1', callbackClient],
  ['redis 4', nodeRedis(redis4)],
  ['redis 6', nodeRedis(redis6)],
  ['ioredis 5', ioredis(Redis5)],
  ['ioredis 6', ioredis(Redis)],
  ['iovalkey', ioredis(Iovalkey)],
];

/** The id of the seal key in the ring's header. */
async function sealedBy(namespace: string): Promise<string | undefined> {
  return /^rewt-sealed\.1\.([\w-]{11})\./.exec(await server.cli('GET', redisNames(namespace).ring))?.[1];
}
const idOf = (key: string): string => readSealKey(key, 'key').id;

describe.each(families)('through %s with a client certificate', (_, connect) => {
  const memberOn = (redisConn: object, options: RewtOptions): Rewt => {
    const member = new Rewt({ redisConn, storeTimeout: 10, maxStaleness: 20, ...options });
    disposals.push(() => member.close());
    return member;
  };

  it('a sealed keyring is signed with, verified, rotated, resealed and read by a member that only reads', async () => {
    const { ca, client } = certificates;
    const redisConn = await connect({ ca, cert: client.cert, key: client.key });
    const redisNamespace = randomUUID();
    const signer = memberOn(redisConn, { redisNamespace, sealKey: [newKey, oldKey] });
    const reader = memberOn(redisConn, { redisNamespace, sealKey: [oldKey, newKey], readOnly: true });
    expect(await codeOf(reader.ready())).toBe('ERR_REWT_RING_AWAITED');

    const older = memberOn(redisConn, { redisNamespace, sealKey: oldKey });
    const tokens = [await older.sign({ by: 'ann' })];
    await until('it is noticed', async () => (await codeOf(reader.ready())) === 'no error');
    for (const member of [older, signer, reader]) {
      await member.ready();
      await until('push is on', async () => member.status().push.state === 'on');
    }
    tokens.push(await signer.sign({ by: 'bob' }));
    await signer.rotate({ force: true });
    tokens.push(await signer.sign({ by: 'bob' }));
    expect(await sealedBy(redisNamespace)).toBe(idOf(oldKey));
    await signer[RESEAL]({});
    expect(await sealedBy(redisNamespace)).toBe(idOf(newKey));
    tokens.push(await signer.sign({ by: 'bob' }));
    for (const token of tokens) {
      expect(await reader.verify(token)).toMatchObject({ by: expect.any(String) });
      expect(await signer.verify(token)).toMatchObject({ by: expect.any(String) });
    }
    await signer.revoke();
    await until('it is revoked', async () => (await codeOf(reader.verify(tokens[0] ?? ''))) === 'ERR_REWT_UNKNOWN_KEY');
  });

  it('without one, a member that starts is unavailable, and no token is refused', async () => {
    const redisConn = await connect({ ca: certificates.ca });
    for (const readOnly of [false, true]) {
      const member = memberOn(redisConn, { sealKey: oldKey, storeTimeout: 1, readOnly });
      await expect(member.verify(forge(Buffer.from('x'.repeat(32))))).rejects.toMatchObject({ status: 503 });
    }
  });
});

describe('the command with --ca, --cert and --key', () => {
  const run = async (words: readonly string[], keys: readonly string[], certified = true) => {
    const { caFile, client } = certificates;
    const files = ['--ca', caFile, ...(certified ? ['--cert', client.certFile, '--key', client.keyFile] : [])];
    const env = { REWT_URL: `rediss://localhost:${port}`, REWT_SEAL_KEY: keys.join(' ') };
    const { code, stdout } = await command([...words, ...files, '--json'], { env });
    return { exit: code, ...JSON.parse(stdout) };
  };

  it('signs, verifies, rotates, reseals and looks at a sealed keyring', async () => {
    const at = ['--namespace', randomUUID()];
    const { token } = await run(['sign', '{"by":"ann"}', ...at], [oldKey]);
    expect(await run(['rotate', '--force', ...at], [oldKey])).toMatchObject({ exit: 0 });
    expect(await run(['reseal', '--yes', ...at], [newKey, oldKey])).toMatchObject({ exit: 0, after: idOf(newKey) });
    expect(await run(['verify', token, ...at], [newKey])).toMatchObject({ exit: 0, payload: { by: 'ann' } });
    expect(await run(['status', ...at], [newKey])).toMatchObject({ sealed: { keyId: idOf(newKey), opens: true } });
    const { findings } = await run(['doctor', ...at], [newKey]);
    expect(findings).toContainEqual({ check: 'tls', level: 'ok', found: 'on' });
    expect(findings).toContainEqual({ check: 'seal', level: 'ok', found: `with the key ${idOf(newKey)}` });
    expect(await run(['revoke', '--yes', ...at], [newKey])).toMatchObject({ exit: 0, epoch: 1 });
  });

  it('reaches nothing without a certificate', async () => {
    expect(await run(['status'], [oldKey], false)).toMatchObject({ exit: 3 });
  });
});
