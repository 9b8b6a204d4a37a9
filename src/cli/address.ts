/** From what `--url` says to a store: Redis, a folder, or nothing at all. */

import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { OptionError } from '../errors.js';
import { lmdbStore } from '../stores/lmdb.js';
import { redisStoreFor } from '../stores/redis.js';
import type { Store } from '../stores/store.js';

/** Where a keyring lives. */
export type Address = { readonly redisUrl: string } | { readonly folder: string };

/**
 * The address of `--url`, of REWT_URL, or of the user's state folder (XDG Base Directory Specification).
 * @throws {OptionError} for another URL, which is not repeated: it may hold a password.
 */
export function addressOf(url: string | undefined, env: NodeJS.ProcessEnv): Address {
  const given = url ?? (env.REWT_URL || undefined);
  if (given === undefined) return { folder: stateFolder(env) };
  if (/^rediss?:/i.test(given)) return { redisUrl: given };
  const [, folder] = /^lmdb:(.*)$/s.exec(given) ?? [];
  if (folder === undefined) {
    throw new OptionError('the URL must begin with redis://, rediss:// (TLS) or lmdb: (a folder)', { option: 'url' });
  }
  if (folder === '' || folder.startsWith('//') || folder.startsWith('~')) {
    throw new OptionError('lmdb: takes the path of a folder as it is, without // and ~, such as lmdb:/var/lib/rewt', {
      option: 'url',
    });
  }
  return { folder };
}

export function openStore(address: Address, namespace: string): Store {
  return 'redisUrl' in address ? redisStoreFor(address.redisUrl, namespace) : lmdbStore({ path: address.folder });
}

function stateFolder({ XDG_STATE_HOME = '' }: NodeJS.ProcessEnv): string {
  // The specification: a path that is not absolute is to be ignored.
  return join(isAbsolute(XDG_STATE_HOME) ? XDG_STATE_HOME : join(homedir(), '.local', 'state'), 'rewt');
}
