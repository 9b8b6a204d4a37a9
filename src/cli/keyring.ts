/** Opens the keyring that a command is about, for as long as the command needs it. */

import { TokenError } from '../errors.js';
import { UNKNOWN_KEY } from '../jwt/token.js';
import { parseRing, type Ring } from '../keyring/ring.js';
import { Rewt } from '../rewt.js';
import type { Announcements } from '../stores/store.js';
import { addressOf, openStore } from './address.js';
import { asSeconds } from './arguments.js';
import { type Terminal, unlessInterrupted } from './terminal.js';

/** A person waits longer than a service, and a first connection takes longer than a request. */
const STORE_TIMEOUT_SECONDS = 5;

const ANNOUNCEMENTS_TIMEOUT_MS = 2_000;

const DEFAULT_TOKEN_LIFETIME_SECONDS = 300;

export interface Keyring {
  readonly rewt: Rewt;
  /** Whether there was one before this command. */
  readonly exists: boolean;
  /** What members said of themselves; null where that cannot be had. */
  announcements(): Promise<Announcements | null>;
}

interface KeyringArguments {
  readonly url?: string | undefined;
  readonly namespace?: string | undefined;
  readonly ttl?: string | undefined;
}

/** How a command differs from all others. */
interface Manner {
  /** The life of the token to sign, where it was asked for: the keyring then lets its secrets verify that long. Seconds. */
  readonly tokenLifetime?: number | undefined;
  /** Judges as a member of the fleet would, whose copies grow old. */
  readonly asFleet?: boolean;
  /** Refuses, rather than begins, a keyring that is not there. */
  readonly mustExist?: boolean;
  /** Stays, and wants to hear of changes at once. */
  readonly live?: boolean;
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
  manner: Manner = {},
): Promise<T> {
  const given = asSeconds(ttl, '--ttl');
  const store = openStore(addressOf(url, terminal.env), namespace);
  const useStore = async (): Promise<T> => {
    const { key, ring } = await store.read(namespace, { timeoutMs: STORE_TIMEOUT_SECONDS * 1_000 });
    const exists = key !== null || ring !== null;
    if (manner.mustExist && !exists) throw new TokenError(UNKNOWN_KEY);
    const times = timesFor(given, ring === null ? null : readable(ring), manner);
    // All others are gone before there could be anything to be told.
    const push = manner.live === true;
    await using rewt = new Rewt({ store, redisNamespace: namespace, push, ...times });
    // A user of Redis may have no right to it, and it is never what a command is about.
    const announcements = async () =>
      (await store.announcements?.(namespace, { timeoutMs: ANNOUNCEMENTS_TIMEOUT_MS }).catch(() => null)) ?? null;
    return await use({ rewt, exists, announcements });
  };
  try {
    return await unlessInterrupted(useStore(), terminal);
  } finally {
    await store.close();
  }
}

/** A ring that cannot be read is the keyring's to tell. */
function readable(text: string): Ring | null {
  try {
    return parseRing(text);
  } catch {
    return null;
  }
}

/**
 * A command has no copy that could grow old, and must not change a fleet's schedule by being used: what has no flag, or was not given, fits what is there.
 */
function timesFor(
  ttl: number | undefined,
  ring: Ring | null,
  { tokenLifetime, asFleet = false, live = false }: Manner,
) {
  const turn = ttl ?? (ring === null ? Number.POSITIVE_INFINITY : ring.ttl / 1_000);
  const clockTolerance = Math.min(5, turn / 4);
  const granted = ring === null ? Number.POSITIVE_INFINITY : ring.overlap / 1_000 - clockTolerance;
  const usual = Math.min(DEFAULT_TOKEN_LIFETIME_SECONDS, 8 * turn, granted);
  return {
    ttl,
    maxStaleness: asFleet || live ? Math.min(60, turn / 2) : 0,
    storeTimeout: STORE_TIMEOUT_SECONDS,
    clockTolerance,
    tokenLifetime: Math.max(tokenLifetime ?? 0, usual, 0.001),
  };
}
