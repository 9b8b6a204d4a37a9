/**
 * A port made from a URL, with the Redis client that the application has installed. No other file
 * loads a client.
 */

import { isAbsolute, join } from 'node:path';
import { OptionError } from '../../../errors.js';
import { createPort } from './dedicated.js';
import * as io from './ioredis.js';
import * as nodeRedis from './node-redis.js';
import * as callback from './node-redis-legacy.js';
import type { RedisPort } from './port.js';

/** The parts of a Redis URL. */
interface Address {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly database?: number;
}

/**
 * Makes a port with its own connection. It opens at the first use and again after a loss, and keeps
 * no idle process alive.
 *
 * @param url `redis://` or `rediss://` (TLS), as in
 * redis[s]://[[user]:password@]host[:port][/database]
 * @param keyPrefix the prefix of all keys
 * @throws {OptionError} naming `redisConn`, for another URL, and if neither redis nor ioredis is
 * installed
 */
export function connectRedis(url: string, keyPrefix = ''): RedisPort {
  const address = parseUrl(url);
  // Not imported, because that would delay programs that pass a client (docs/adr/0011).
  const { createRequire } = process.getBuiltinModule('node:module');
  for (const from of searchedFolders()) {
    const require = createRequire(join(from, 'rewt.js'));
    const port = redisFrom(require, address, keyPrefix) ?? ioredisFrom(require, address, keyPrefix);
    if (port) return port;
  }
  throw new OptionError(
    'A URL as redisConn needs a Redis client, looked for beside the program that runs, in the ' +
      'current folder and beside rewt: npm install redis (or ioredis). In a bundle, or if it is ' +
      'elsewhere, make a client and hand that over.',
    { option: 'redisConn' },
  );
}

const dedicated = (address: Address, keyPrefix: string) => ({ keyPrefix, borrow: () => null, address: () => address });

function redisFrom(require: NodeJS.Require, address: Address, keyPrefix: string): RedisPort | null {
  const redis = load(require, 'redis') as {
    RedisClient?: { prototype?: object };
    createClient(options: object): unknown;
  } | null;
  if (redis === null) return null;
  const { host, port, tls, username, password, database } = address;
  if (redis.RedisClient?.prototype && 'internal_send_command' in redis.RedisClient.prototype) {
    const options = defined({ host, port, tls: tls ? {} : undefined, user: username, password, db: database });
    const create = () => redis.createClient({ ...options, ...callback.oneShot }) as callback.CallbackClient;
    return createPort(callback.redisCallback, { ...dedicated(address, keyPrefix), create });
  }
  const options = defined({ username, password, database });
  const socket = { host, port, ...(tls ? { tls } : {}) };
  const create = () => redis.createClient({ ...options, ...nodeRedis.oneShot(socket) }) as nodeRedis.NodeRedisClient;
  return createPort(nodeRedis.nodeRedis, { ...dedicated(address, keyPrefix), create });
}

function ioredisFrom(require: NodeJS.Require, address: Address, keyPrefix: string): RedisPort | null {
  const module = load(require, 'ioredis') as { default?: unknown } | null;
  if (module === null) return null;
  const Redis = (module.default ?? module) as new (options: object) => io.IoredisClient;
  const { host, port, tls, username, password, database } = address;
  const options = defined({ host, port, username, password, db: database, tls: tls ? {} : undefined });
  return createPort(io.ioredis, {
    ...dedicated(address, keyPrefix),
    create: () => new Redis({ ...options, ...io.oneShot(false) }),
  });
}

/** Loads a package of the application; null if it is not installed there. */
export function loadBesideApplication(name: string): unknown {
  const { createRequire } = process.getBuiltinModule('node:module');
  for (const from of searchedFolders()) {
    const found = load(createRequire(join(from, 'rewt.js')), name);
    if (found !== null) return found;
  }
  return null;
}

/**
 * Yields the folders to search: the application's, the one it was started in, for the `rewt`
 * command the target of its link, and rewt's own.
 */
function* searchedFolders(): Generator<string> {
  // A script from stdin (`node -`) has no folder.
  const script = process.argv[1] !== undefined && isAbsolute(process.argv[1]) ? process.argv[1] : undefined;
  if (script) yield join(script, '..');
  yield process.cwd();
  try {
    if (script) yield join(process.getBuiltinModule('node:fs').realpathSync(script), '..');
  } catch {
    // Started without a file (`node -e`): no folder to add.
  }
  // For a program started by a launcher elsewhere. The type is checked first, because a bundler may
  // remove the property and even `import.meta`.
  if (typeof import.meta.dirname === 'string' && isAbsolute(import.meta.dirname)) yield import.meta.dirname;
}

function load(require: NodeJS.Require, name: string): unknown {
  let path: string;
  try {
    path = require.resolve(name);
  } catch {
    return null;
  }
  return require(path);
}

function parseUrl(text: string): Address {
  const refuse = (why: string): never => {
    // The URL may contain a password: it is not repeated.
    throw new OptionError(`redisConn is not a URL that rewt can use: ${why}.`, { option: 'redisConn' });
  };
  if (!URL.canParse(text)) return refuse('write it as redis://[[user]:password@]host[:port][/database]');
  const url = new URL(text);
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    return refuse('it must begin with redis:// or rediss:// (TLS)');
  }
  if (url.hostname === '') return refuse('it names no host');
  if (url.search !== '' || url.hash !== '') return refuse('it must end after the database: ? and # mean nothing here');
  const database = url.pathname.replace(/^\//, '');
  if (!/^\d*$/.test(database)) return refuse('what follows the host must be the number of a database');
  try {
    return {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? 6379 : Number(url.port),
      tls: url.protocol === 'rediss:',
      ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
      ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
      ...(database === '' ? {} : { database: Number(database) }),
    };
  } catch {
    return refuse('a "%" in the user name or password must be written as %25');
  }
}

/** Omits undefined options: some clients treat an explicit `undefined` as a value. */
function defined(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
