/** Opens the keyring that a command is about, for as long as the command needs it. */

import { Rewt } from '../rewt.js';
import type { Store } from '../stores/store.js';
import { addressOf, openStore } from './address.js';
import { asSeconds } from './arguments.js';
import { type Terminal, unlessInterrupted } from './terminal.js';

/** A person waits longer than a service, and a first connection takes longer than a request. */
export const STORE_TIMEOUT_SECONDS = 5;

const DEFAULT_TOKEN_LIFETIME_SECONDS = 300;

export interface Keyring {
  readonly rewt: Rewt;
  readonly store: Store;
  readonly namespace: string;
}

export interface KeyringArguments {
  readonly url?: string | undefined;
  readonly namespace?: string | undefined;
  readonly ttl?: string | undefined;
}

/** Where a command's times differ from those of all others. Seconds. */
interface Times {
  /** The life of the token to sign, where it was asked for: the keyring then lets its secrets verify that long. */
  readonly tokenLifetime?: number | undefined;
  /** Undefined: as for the members of a fleet. */
  readonly maxStaleness?: number | undefined;
}

/**
 * What `use` makes of the keyring. It is closed afterwards, whatever happens, so that the process can end.
 *
 * @throws what `use` throws; {OptionError} for arguments that are wrong or do not fit each other.
 */
export async function withKeyring<T>(
  { url, namespace = 'rewt', ttl }: KeyringArguments,
  terminal: Terminal,
  use: (keyring: Keyring) => Promise<T>,
  own: Times = {},
): Promise<T> {
  const times = timesFor(asSeconds(ttl, '--ttl'), own);
  const store = openStore(addressOf(url, terminal.env), namespace);
  try {
    const rewt = new Rewt({ store, redisNamespace: namespace, ...times });
    try {
      return await unlessInterrupted(use({ rewt, store, namespace }), terminal);
    } finally {
      await rewt.close();
    }
  } finally {
    await store.close();
  }
}

/**
 * A command has no copy that could grow old, and with a `maxStaleness` of 0 its tokens ask the least of the keyring. Where `--ttl` is short, the times that have
 * no flag are lowered to fit.
 */
function timesFor(ttl: number | undefined, { tokenLifetime = 0, ...own }: Times) {
  const ttlOrMore = ttl ?? Number.POSITIVE_INFINITY;
  return {
    ttl,
    maxStaleness: 0,
    storeTimeout: STORE_TIMEOUT_SECONDS,
    clockTolerance: Math.min(5, ttlOrMore / 4),
    tokenLifetime: Math.max(tokenLifetime, Math.min(DEFAULT_TOKEN_LIFETIME_SECONDS, 8 * ttlOrMore)),
    ...own,
  };
}
