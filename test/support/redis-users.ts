/**
 * Users of a real server with rights of rewt's table, as the version of the server can express
 * them.
 */
import { randomUUID } from 'node:crypto';
import { connectRedis } from '../../src/stores/redis/clients/from-url.js';
import type { RedisServer } from './servers.js';

export interface User {
  readonly name: string;
  readonly url: string;
}

/** Redis 6.0 has no rights to channels; 6.0 and 6.2 know no keys that are only read. */
export async function knowsChannels(server: RedisServer): Promise<boolean> {
  return !/redis_version:6\.0/.test(await server.cli('INFO', 'server'));
}

export async function createUser(server: RedisServer, rules: readonly string[]): Promise<User> {
  const name = `u-${randomUUID()}`;
  const isNew = await knowsChannels(server);
  const known = isNew ? ['resetchannels', ...rules] : rules.filter((rule) => !rule.startsWith('&'));
  const written = isNew ? known : known.map((rule) => rule.replace(/^%R~/, '~'));
  const answer = await server.cli('ACL', 'SETUSER', name, 'on', '>pass-word', '-@all', ...written);
  if (answer !== 'OK') throw new Error(answer);
  return { name, url: server.url.replace('//', `//${name}:pass-word@`) };
}

/** What Redis refused this user, by command, key or channel; before Redis 7, nothing of CLIENT. */
export async function refusalsOf(server: RedisServer, { name }: User): Promise<readonly string[]> {
  const port = connectRedis(server.url);
  try {
    const [log] = await port.send([['ACL', 'LOG', '1000']], '');
    const entries = (log as readonly (readonly string[])[]).map((entry) => {
      const field = (wanted: string) => entry[entry.indexOf(wanted) + 1] ?? '';
      return { object: field('object'), username: field('username') };
    });
    // CLIENT SETINFO: clients send it by themselves, and ignore a refusal. Redis 6 logs it as all
    // of CLIENT.
    const others = entries.filter(({ object }) => object !== 'client|setinfo' && object !== 'client');
    return [...new Set(others.filter(({ username }) => username === name).map(({ object }) => object))].sort();
  } finally {
    await port.close();
  }
}
