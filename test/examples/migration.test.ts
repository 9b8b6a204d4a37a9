/**
 * examples/migration: services of before and after beside each other on one Redis, and each step of
 * the README.
 */
import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import jsonwebtoken from 'jsonwebtoken';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Rewt } from '../../src/index.js';
import { rewtProcess } from '../cli/process.js';
import { codeOf } from '../interop/fleet.js';
import { project } from '../package/scratch.js';
import { type RedisServer, startRedis, until } from '../support/servers.js';
import { commandIn, type Example, memberFor, runCommand, startExample, textOf, warm } from './example.js';

const readme = textOf('migration/README.md');
const KEY = 'example:rewt-secret';

let redis: RedisServer;
let running: Example[];
beforeAll(async () => {
  redis = await startRedis();
});
beforeEach(async () => {
  running = [];
  await redis.cli('FLUSHALL');
});
afterEach(() => Promise.all(running.map((service) => service.end())));
afterAll(() => redis?.stop());

async function start(path: string, env: Record<string, string> = {}, folder?: string): Promise<Example> {
  const service = await startExample(path, { REDIS_URL: redis.url, ...env }, folder);
  running.push(service);
  return service;
}

async function ask(service: Example, token: string): Promise<[number, string]> {
  const answer = await fetch(service.origin, { headers: { authorization: `Bearer ${token}` } });
  return [answer.status, await answer.text()];
}

/** Asks again where a service that has just begun could not read the keyring in time. */
function tokenOf(service: Example): Promise<string> {
  return until('a token', async () => {
    const answer = await fetch(`${service.origin}/token`);
    const token = await answer.text();
    return answer.ok && token;
  });
}

const ann = [200, 'ann'];
const refused = [401, ''];

describe('a service on rewt 2 and one on rewt 3', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rewt-migration-'));
    await mkdir(join(folder, 'node_modules/rewt'), { recursive: true });
    const standIn = fileURLToPath(new URL('rewt-2.cjs', import.meta.url));
    await copyFile(standIn, join(folder, 'node_modules/rewt/index.js'));
    await symlink(join(project, 'node_modules/redis3'), join(folder, 'node_modules/redis'));
    await symlink(join(project, 'node_modules/jsonwebtoken'), join(folder, 'node_modules/jsonwebtoken'));
    await copyFile(join(project, 'examples/migration/from-rewt-2/before.cjs'), join(folder, 'before.cjs'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(['before', 'after'])('accept each other’s tokens, also where the one of %s came first', async (first) => {
    const services = {
      before: () => start('before.cjs', {}, folder),
      after: () => start('migration/from-rewt-2/after.cjs'),
    };
    const early = await services[first as 'before' | 'after']();
    const signedEarly = await tokenOf(early);
    const late = await services[first === 'before' ? 'after' : 'before']();
    const signedLate = await tokenOf(late);
    for (const token of [signedEarly, signedLate]) {
      for (const service of [early, late]) expect(await ask(service, token)).toEqual(ann);
    }
  });

  it('part at a rotation: only the one on rewt 3 still takes tokens from before it', async () => {
    const [before, after] = [await start('before.cjs', {}, folder), await start('migration/from-rewt-2/after.cjs')];
    const [byOld, byNew] = [await tokenOf(before), await tokenOf(after)];
    const doctor = await rewtProcess(['doctor', '--url', redis.url, '--namespace', 'example']);
    expect(doctor.stdout).toContain('kid-less tokens');
    await runCommand('npx rewt rotate --force --namespace example', redis.url);
    for (const token of [byOld, byNew]) {
      expect(await ask(after, token)).toEqual(ann);
      expect(await ask(before, token)).toEqual(refused);
    }
    expect(await ask(after, await tokenOf(before))).toEqual(ann);
  });

  it('tell an outage and a bad token apart only after', async () => {
    const [before, after] = [await start('before.cjs', {}, folder), await start('migration/from-rewt-2/after.cjs')];
    expect(await ask(before, 'junk')).toEqual(refused);
    expect(await ask(after, 'junk')).toEqual(refused);
    const token = await tokenOf(before);
    await warm(after.origin, token);
    await redis.kill();
    try {
      const late = await start('migration/from-rewt-2/after.cjs');
      expect((await ask(late, token))[0]).toBe(503);
      expect(await ask(after, token)).toEqual(ann);
    } finally {
      await redis.restart();
    }
  });

  it('differ as the table says', async () => {
    const ended = memberFor(redis);
    const old = jsonwebtoken.sign({ username: 'ann' }, await secretOf(ended));
    expect(await ended.verify(old)).not.toHaveProperty('exp');
    expect(await ended.verify(await ended.sign({}))).toHaveProperty('exp');
    const longer = jsonwebtoken.sign({}, await secretOf(ended), { algorithm: 'HS512' });
    expect(await codeOf(ended.verify(longer))).toBe('ERR_REWT_UNSUPPORTED');
    await ended.close();
    const cacheSecret = { redisConn: redis.url, cacheSecret: true };
    expect(() => new Rewt(cacheSecret)).toThrow(/maxStaleness/);
  });
});

async function secretOf(member: Rewt): Promise<string> {
  await member.ready();
  return redis.cli('GET', KEY);
}

describe('a service on jsonwebtoken and one on rewt', () => {
  const secret = randomBytes(24).toString('base64');
  const seed = (value: string) => runCommand(commandIn(readme, 'printf'), redis.url, { JWT_SECRET: value });
  const startBefore = () => start('migration/from-env-secret/before.cjs', { JWT_SECRET: secret });
  const startAfter = () => start('migration/from-env-secret/after.cjs');

  it('accept each other’s tokens once the secret is in Redis, until the first rotation', async () => {
    expect(await seed(secret)).toBe('1');
    expect(await runCommand(commandIn(readme, 'redis-cli EXPIRE'), redis.url)).toBe('1');
    const [old, current] = [await startBefore(), await startAfter()];
    const [byOld, byNew] = [await tokenOf(old), await tokenOf(current)];
    for (const token of [byOld, byNew]) {
      for (const service of [old, current]) expect(await ask(service, token)).toEqual(ann);
    }
    expect(await redis.cli('GET', KEY)).toBe(secret);
    expect(Number(await redis.cli('TTL', KEY))).toBeGreaterThan(86_000);

    await runCommand(`${commandIn(readme, 'npx rewt rotate')} --force`, redis.url);
    expect(await ask(current, byOld)).toEqual(ann);
    const next = await until('a token by the next secret', async () => {
      const token = await tokenOf(current);
      return isSignedWith(secret, token) ? false : token;
    });
    expect(await ask(current, next)).toEqual(ann);
    expect(await ask(old, next)).toEqual(refused);

    await runCommand('npx rewt revoke --yes --namespace example', redis.url);
    await expect.poll(() => ask(current, byOld)).toEqual(refused);
  });

  it('leaves a keyring alone that is there already, while SET would be a revocation', async () => {
    const service = await startAfter();
    const token = await tokenOf(service);
    expect(await seed(secret)).toBe('0');
    expect(await ask(service, token)).toEqual(ann);
    await redis.cli('SET', KEY, secret, 'EX', '86400');
    await expect.poll(() => ask(service, token)).toEqual(refused);
  });

  it('cannot go on with a secret of fewer than 32 bytes: it is replaced, and old tokens are refused', async () => {
    const short = 'fewer than 32 bytes';
    expect(await seed(short)).toBe('1');
    const service = await startAfter();
    await tokenOf(service);
    const old = jsonwebtoken.sign({ username: 'ann' }, short, { audience: 'orders' });
    expect(await ask(service, old)).toEqual(refused);
    expect(await redis.cli('GET', KEY)).not.toBe(short);
  });

  it('retires a secret for as long as tokens lived before', async () => {
    await seed(secret);
    await tokenOf(await startAfter());
    const member = memberFor(redis);
    await member.ready();
    expect(member.status().keyring?.overlap).toBeGreaterThanOrEqual(15 * 60);
    await member.close();
  });

  it('refuses tokens of other algorithms by a code that tells', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const member = memberFor(redis);
    const token = jsonwebtoken.sign({}, privateKey, { algorithm: 'RS256' });
    expect(await codeOf(member.verify(token))).toBe('ERR_REWT_UNSUPPORTED');
    await member.close();
  });
});

function isSignedWith(secret: string, token: string): boolean {
  const [signed = '', mac] = token.split(/\.(?=[^.]*$)/);
  return createHmac('sha256', secret).update(signed).digest('base64url') === mac;
}
