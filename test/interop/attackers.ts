/**
 * Attackers on a real Redis: each has what one row of SECURITY.md's tables gives, and its members
 * are those of one fresh namespace.
 */
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { Rewt, type RewtOptions } from '../../src/index.js';
import { openSealed } from '../../src/seal/envelope.js';
import { createSealKey, readSealKey } from '../../src/seal/seal-key.js';
import { connectRedis } from '../../src/stores/redis/clients/from-url.js';
import { redisNames } from '../../src/stores/redis/names.js';
import { aclRules, type Role } from '../../src/stores/redis/rights.js';
import { forge } from '../jwt/forge.js';
import { createUser } from '../support/redis-users.js';
import type { RedisServer } from '../support/servers.js';
import { kidOf } from './fleet.js';

/** Every operation reads the store, so nothing has to be waited for. */
const times = { ttl: 60, tokenLifetime: 20, maxStaleness: 0, clockTolerance: 0.2, storeTimeout: 10 };

export type Mode = 'plain' | 'sealed';
/** Sends one command as the attacker, and throws what Redis refuses. */
export type Send = (...words: [string, ...string[]]) => Promise<unknown>;

export interface Scene {
  readonly server: RedisServer;
  readonly mode: Mode;
  readonly namespace: string;
  /** The names of K and R. */
  readonly key: string;
  readonly ring: string;
  readonly sealKey: string;
  /** Two members that live all the time: the one signs, the other is shown what is forged. */
  readonly victim: Rewt;
  readonly judge: Rewt;
  /** Another member of the namespace, which has seen nothing yet. */
  member(options?: RewtOptions): Rewt;
  /** A Redis user with these rules and a connection. */
  user(rules: readonly string[]): Promise<{ readonly url: string; readonly send: Send }>;
  /** The same, with the rights that `rewt acl` grants a role. */
  role(role: Role): Promise<{ readonly url: string; readonly send: Send }>;
  close(): Promise<void>;
}

export function createScene(server: RedisServer, mode: Mode): Scene {
  const namespace = `n-${randomUUID()}`;
  const { key, ring } = redisNames(namespace);
  const sealKey = createSealKey(randomBytes);
  const open: { close(): Promise<unknown> }[] = [];
  const member = (options: RewtOptions = {}): Rewt => {
    const seals = mode === 'sealed' ? { sealKey } : {};
    const rewt = new Rewt({ redisConn: server.url, redisNamespace: namespace, ...times, ...seals, ...options });
    open.push(rewt);
    return rewt;
  };
  const user = async (rules: readonly string[]) => {
    const { url } = await createUser(server, rules);
    const port = connectRedis(url);
    open.push(port);
    const send: Send = async (...words) => {
      const [outcome] = await port.send([words], key);
      if (outcome instanceof Error) throw outcome;
      return outcome;
    };
    return { url, send };
  };
  return {
    ...{ server, mode, namespace, key, ring, sealKey, member, user },
    victim: member(),
    judge: member(),
    role: (role) => user(aclRules(role, redisNames(namespace)).flat()),
    async close() {
      await Promise.all(open.map((one) => one.close()));
    },
  };
}

/** What SCAN and GET show of this namespace. */
export async function dumpBy(send: Send, namespace: string): Promise<readonly string[]> {
  const [, names] = (await send('SCAN', '0', 'MATCH', `*${namespace}*`, 'COUNT', '100000')) as [string, string[]];
  return [...names, ...(await Promise.all(names.map(async (name) => String(await send('GET', name)))))];
}

/** The texts that an attacker with the seal key makes of what Redis holds. */
export async function openedBy(send: Send, scene: Scene): Promise<readonly string[]> {
  const text = String(await send('GET', scene.ring));
  const key = readSealKey(scene.sealKey, 'key');
  return [scene.mode === 'sealed' ? openSealed(text, new Map([[key.id, key]]), scene.key) : text];
}

/**
 * Signs a token with each text, and with each part of it that could be a secret: under its kid,
 * under that of a token seen on the way, and under none.
 */
export function forgedWith(texts: readonly string[], seen: string): readonly string[] {
  const words = texts.flatMap((text) => [text, ...(text.match(/[\w-]{11,}/g) ?? [])]);
  const secrets = [...new Set(words)].filter((word) => word !== '');
  return secrets.flatMap((secret) =>
    [kidOf(secret), kidIn(seen), undefined].map((kid) =>
      forge({ alg: 'HS256', typ: 'JWT', kid }, '{"by":"mallory"}', createSecretKey(Buffer.from(secret))),
    ),
  );
}

export const kidIn = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid;

/** What becomes of tokens at a member: each outcome once. 200 is a token that is accepted. */
export async function outcomesOf(tokens: readonly string[], member: Rewt): Promise<readonly unknown[]> {
  const outcomes = await Promise.all(
    tokens.map((token) =>
      member.verify(token).then(
        () => 200,
        (error: { status?: unknown }) => error.status,
      ),
    ),
  );
  return [...new Set(outcomes)];
}

/** Forges with what the texts contain, and holds a live member to what it must say to that. */
export async function expectForged(texts: readonly string[], { victim, judge }: Scene, forges: boolean): Promise<void> {
  const outcomes = await outcomesOf(forgedWith(texts, await victim.sign({ by: 'ann' })), judge);
  if (forges) expect(outcomes).toContain(200);
  else expect(outcomes).toEqual([401]);
}

/** K and R as they are, and what puts them back. */
export async function keepKeyring({ server, victim, key, ring }: Scene): Promise<() => Promise<void>> {
  await victim.ready();
  const [value, text] = [await server.cli('GET', key), await server.cli('GET', ring)];
  return async () => {
    await server.cli('SET', ring, text);
    await server.cli('SET', key, value, 'EX', '60');
  };
}
