/** The address of one keyring, from `--url` and `--namespace`, or their variables. */

import { mkdirSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { OptionError } from '../../errors.js';
import { fileStore } from '../../stores/file.js';
import { redisStoreFor } from '../../stores/redis/redis-store.js';
import type { Store } from '../../stores/store.js';
import { printable } from '../../validation/printable.js';
import { quoted } from '../output/format.js';
import { type Link, type LinkArguments, linkOf, linkOptions, variables } from './link.js';

/** The location of keyrings. */
export type Address = { readonly redisUrl: string; readonly link: Link } | FolderAddress;

export interface FolderAddress {
  readonly folder: string;
  /** Set if neither `--url` nor REWT_URL is given, so that the user's embedded store is used. */
  readonly urlMissing?: true;
}

/** The location of one keyring as the command shows it: without user and password. */
export interface Place {
  readonly store: 'redis' | 'file';
  /** `host:port`, or the folder of the embedded store. */
  readonly server: string;
  /** Null for a store without databases. */
  readonly database: number | null;
  readonly namespace: string;
  /** The prefix of all keys; absent if there is none. */
  readonly keyPrefix?: string;
  /** Set if neither `--url` nor REWT_URL is given, so that the user's embedded store is used. */
  readonly urlMissing?: true;
}

/**
 * Returns the address of `--url`, of REWT_URL, or of the user's state folder (XDG Base Directory
 * Specification).
 * @throws {OptionError} for an invalid URL, which is not repeated: it may contain a password.
 */
export function addressOf(url: string | undefined, env: NodeJS.ProcessEnv, flags: LinkArguments = {}): Address {
  const given = url ?? (env[variables.url] || undefined);
  if (/^rediss?(\+[a-z]+)?:/i.test(given ?? ''))
    return { redisUrl: given ?? '', link: linkOf(given ?? '', flags, env) };
  const flag = Object.keys(linkOptions).find((name) => flags[name as keyof LinkArguments] !== undefined);
  if (flag !== undefined) {
    throw new OptionError(`--${flag}: has no effect without Redis. Give its --url, or set REWT_URL`, { option: flag });
  }
  if (given === undefined) return { folder: stateFolder(env), urlMissing: true };
  if (/^lmdb:/i.test(given)) {
    throw new OptionError('lmdb: is not supported any more. Give file: and a new folder, such as file:/var/lib/rewt', {
      option: 'url',
    });
  }
  const [, folder] = /^file:(.*)$/s.exec(given) ?? [];
  if (folder === undefined) {
    throw new OptionError('the URL must begin with redis://, rediss:// (TLS) or file: (a folder)', { option: 'url' });
  }
  if (folder === '' || folder.startsWith('//') || folder.startsWith('~')) {
    throw new OptionError('file: takes the path of a folder as it is, without // and ~, such as file:/var/lib/rewt', {
      option: 'url',
    });
  }
  return { folder };
}

/** Returns the namespace of `--namespace`, of REWT_NAMESPACE, or the default. */
export function namespaceOf(namespace: string | undefined, env: NodeJS.ProcessEnv): string {
  return namespace ?? (env[variables.namespace] || 'rewt');
}

/**
 * Returns the place of a keyring. @throws {OptionError} for an invalid URL, which is not repeated.
 */
export function placeOf(address: Address, namespace: string, keyPrefix = ''): Place {
  if ('folder' in address && keyPrefix !== '') {
    throw new OptionError(
      '--key-prefix: has no effect on the embedded store. Leave it out, or give the --url of Redis',
      {
        option: 'key-prefix',
      },
    );
  }
  if ('folder' in address) {
    const { folder, ...more } = address;
    return { store: 'file', server: folder, database: null, namespace, ...more };
  }
  const { kind, master, hosts, database } = address.link;
  const named = hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
  const server = kind === 'server' ? named : kind === 'cluster' ? `cluster ${named}` : `${master} of sentinel ${named}`;
  return { store: 'redis', server, database, namespace, ...(keyPrefix === '' ? {} : { keyPrefix }) };
}

/** Returns one line: 'redis 127.0.0.1:6379, database 0, namespace rewt'. */
export function placeInWords(place: Place): string {
  const { namespace, keyPrefix } = place;
  return (
    `${whereInWords(place)}, namespace ` +
    `${quoted(namespace)}${keyPrefix === undefined ? '' : `, key prefix ${quoted(keyPrefix)}`}`
  );
}

/** Returns the same line without the namespace. */
export function whereInWords(place: Place): string {
  return `${place.store === 'redis' ? 'redis' : 'the embedded store in'} ${serverInWords(place)}`;
}

/** Returns the server: 'host:6379, database 0'. */
export function serverInWords({ server, database, urlMissing }: Place): string {
  const missing = urlMissing ? ' (neither --url nor REWT_URL is set)' : '';
  return `${printable(server)}${database === null ? '' : `, database ${database}`}${missing}`;
}

/** Returns ' under the key prefix "team:"', or ''. */
export function underPrefix({ keyPrefix }: { readonly keyPrefix?: string | undefined }): string {
  return keyPrefix === undefined ? '' : ` under the key prefix ${quoted(keyPrefix)}`;
}

export function openStore(address: Address, namespace: string, keyPrefix = ''): Store {
  // Throws for options that do not fit the address.
  placeOf(address, namespace, keyPrefix);
  if ('redisUrl' in address) return redisStoreFor(address.redisUrl, namespace, { keyPrefix });
  if (address.urlMissing) makeFolder(dirname(address.folder));
  return fileStore({ path: address.folder });
}

/**
 * Creates a state folder and those above it, as the specification requires. If that fails, the
 * store reports what is missing.
 */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Not with `recursive`: in Node 20 it never returns below a folder that accepts none, such as
    // /proc.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) return;
    makeFolder(dirname(path));
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch {}
  }
}

function stateFolder({ XDG_STATE_HOME = '' }: NodeJS.ProcessEnv): string {
  // The specification: a path that is not absolute is ignored.
  if (isAbsolute(XDG_STATE_HOME)) return join(XDG_STATE_HOME, 'rewt');
  return join(homeFolder(), '.local', 'state', 'rewt');
}

/**
 * Returns the user's home. @throws {OptionError} for a user without one, such as the numeric user
 * of a container
 */
function homeFolder(): string {
  try {
    // HOME may be empty or relative, and the keyring must not depend on the working directory.
    const home = isAbsolute(homedir()) ? homedir() : userInfo().homedir;
    if (isAbsolute(home)) return home;
  } catch {
    // The user database does not contain this user.
  }
  throw new OptionError('this user has no home folder for the embedded store. Give --url, or set REWT_URL', {
    option: 'url',
  });
}
