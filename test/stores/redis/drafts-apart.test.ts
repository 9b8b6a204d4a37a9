/**
 * Drafts hold secrets for a moment, and client tracking tells anybody their names: the documented
 * rights of one namespace open no draft of another.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectRedis } from '../../../src/stores/redis/clients/from-url.js';
import type { RedisPort, Reply } from '../../../src/stores/redis/clients/port.js';
import { redisNames } from '../../../src/stores/redis/names.js';
import { redisStore } from '../../../src/stores/redis/redis-store.js';
import { aclRules, PUSH_CHANNEL } from '../../../src/stores/redis/rights.js';
import { createUser } from '../../support/redis-users.js';
import { type RedisServer, startRedis } from '../../support/servers.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

const limits = { timeoutMs: 10_000 };

/**
 * A proxy that forwards one command at a time: a draft is there for as long as its swap is on the
 * way.
 */
function oneAtATime(port: RedisPort): RedisPort {
  return {
    ...port,
    async send(commands, key) {
      const outcomes: (Reply | Error)[] = [];
      for (const command of commands) {
        const [outcome = null] = await port.send([command], key);
        outcomes.push(outcome);
        await sleep(300);
      }
      return outcomes;
    },
  };
}

/**
 * Listens to all drafts as a user with these rights, and reads each that it hears of. What it could
 * read.
 */
async function attack(rules: readonly string[], victim: () => Promise<unknown>) {
  const port = connectRedis((await createUser(server, rules)).url);
  const ending = new AbortController();
  const heard: string[] = [];
  const read: Promise<Reply | Error | undefined>[] = [];
  try {
    const connection = await port.connect('', ending.signal);
    const [id] = await connection.send([['CLIENT', 'ID']]);
    const tracking = ['ON', 'REDIRECT', String(id), 'BCAST', 'PREFIX', 'rewt-draft:'];
    const [armed] = await connection.send([['CLIENT', 'TRACKING', ...tracking]]);
    expect(armed).toBe('OK');
    await connection.subscribe(PUSH_CHANNEL, (message) => {
      for (const draft of Array.isArray(message) ? message.map(String) : []) {
        heard.push(draft);
        read.push(port.send([['GET', draft]], draft).then(([outcome]) => outcome));
      }
    });
    await victim();
    await sleep(100);
    return { heard, texts: (await Promise.all(read)).filter((text) => typeof text === 'string') };
  } finally {
    ending.abort();
    await port.close();
  }
}

async function swap(namespace: string): Promise<void> {
  const store = redisStore(oneAtATime(connectRedis(server.url)));
  try {
    const { nowMs, version } = await store.read(namespace, limits);
    const expiresAtMs = nowMs + 60_000;
    const wanted = { key: { value: 'canary', expiresAtMs }, ring: { text: 'canary ring', expiresAtMs } };
    const { swapped } = await store.swap(namespace, version, wanted, { ...limits, notAfterMs: nowMs + 10_000 });
    expect(swapped).toBe(true);
  } finally {
    await store.close();
  }
}

const pairs = [
  ['orders', 'billing'],
  // The same hash tag.
  ['{app}:orders', '{app}:billing'],
  ['{app}', '{app}:rewt-secret:orders'],
  // The tag of one is the key of the other.
  ['orders', '{orders:rewt-secret}billing'],
  // What the one means as a pattern is the other.
  ['*', 'billing'],
  ['[a-z]', 'a'],
] as const;

it.each(pairs)('a user with the documented rights of %s reads no draft of %s', async (own, other) => {
  const { heard, texts } = await attack(aclRules('member', redisNames(own)).flat(), () => swap(other));
  expect(heard).toContainEqual(expect.stringContaining(redisNames(other).drafts));
  expect(texts).toEqual([]);
});

it('a user with a pattern for all drafts reads the ring of another namespace, so this attack works', async () => {
  const broad = aclRules('member', redisNames('orders'))
    .flat()
    .map((rule) => (rule.startsWith('~rewt-draft:') ? '~rewt-draft:*' : rule));
  const { texts } = await attack(broad, () => swap('billing-2'));
  expect(texts).toContainEqual(expect.stringContaining('canary ring'));
});
