/** One run of the command at one place: its reads, and the store for a member. */

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { isRewtError, StoreError } from '../errors.js';
import type { Sealing } from '../keyring/sealing.js';
import type { SealKey } from '../seal/seal-key.js';
import { fileStore } from '../stores/file.js';
import { connectRedis } from '../stores/redis/clients/from-url.js';
import type { FoundNamespaces } from '../stores/redis/find.js';
import { redisNames } from '../stores/redis/names.js';
import { createPlainReader, type PlainSnapshot } from '../stores/redis/plain-reader.js';
import { watchKeys } from '../stores/redis/push.js';
import { type RedisStore, redisStore } from '../stores/redis/redis-store.js';
import { connectedReplicas } from '../stores/redis/replicas.js';
import { type Announcements, SECRET_SUFFIX, type Store, type Watch } from '../stores/store.js';
import {
  type Address,
  addressOf,
  type FolderAddress,
  namespaceOf,
  openStore,
  type Place,
  placeInWords,
  placeOf,
} from './input/address.js';
import type { LinkArguments } from './input/link.js';
import { readSealKeys, type SealKeyArguments } from './input/seal-keys.js';
import { namespacesIn } from './lookup/folder-namespaces.js';
import { sealingWith } from './lookup/sealing.js';
import { FailedStore, misnamed, storeInWords } from './output/errors.js';
import { type Terminal, unlessInterrupted } from './output/terminal.js';
import { type Connected, connectLink } from './redis-client.js';
import { TimeLimit } from './time-limit.js';

/** A Redis with many keys takes long. */
const SCAN_TIMEOUT_MS = 60_000;

export interface PlaceArguments extends LinkArguments, SealKeyArguments {
  readonly url?: string | undefined;
  readonly namespace?: string | undefined;
  readonly 'key-prefix'?: string | undefined;
  readonly json?: boolean | undefined;
}

/** Only `openStore` returns an object that can write. */
export interface Session {
  readonly place: Place;
  readonly limit: TimeLimit;
  /** The seal keys of this run, the one to seal with first; empty without any. */
  readonly keys: readonly SealKey[];
  /** Returns the forms in which this run reads and writes the rings of a namespace. */
  sealing(namespace?: string): Sealing;
  /**
   * Reads both entries by plain read commands. @throws {StoreError}; {RefusedError} as
   * `assertNoPrefix` does
   */
  read(namespace?: string): Promise<PlainSnapshot>;
  /**
   * Checks a namespace with a secret and no ring.
   *
   * @throws {RefusedError} if the ring is under another key prefix, which its members have
   */
  assertNoPrefix(namespace: string): Promise<void>;
  /** Reads the announcements. @throws {StoreError} */
  announcements(): Promise<Announcements>;
  /** Counts the connected replicas; null if the store does not show them. @throws {StoreError} */
  replicas(): Promise<number | null>;
  /** Watches the namespace. Null for a store that cannot push. */
  watch(onChange: () => void): Watch | null;
  /**
   * Finds the namespaces of this place that have a keyring. @throws {StoreError} if the user may
   * not list them.
   */
  namespaces(): Promise<FoundNamespaces>;
  /** Opens the store for a member. It closes with the session. */
  openStore(): Store | RedisStore;
}

interface Opened extends Session {
  close(): Promise<void>;
}

/**
 * Runs `use` with a session, and returns its result. Always closes the session afterwards, so that
 * the process can end.
 *
 * @throws what `use` throws; {OptionError} for an invalid place.
 */
export async function withSession<T>(
  values: PlaceArguments,
  terminal: Terminal,
  use: (session: Session) => Promise<T>,
  limit = new TimeLimit(),
): Promise<T> {
  const address = addressOf(values.url, terminal.env, values);
  const place = placeOf(address, namespaceOf(values.namespace, terminal.env), values['key-prefix']);
  const keys = await unlessInterrupted(readSealKeys(values, terminal.env), terminal);
  const opening = { place, limit, keys };
  let session: Opened | null = null;
  try {
    session =
      'folder' in address
        ? openFolder(address, opening)
        : await unlessInterrupted(openRedis(address, opening), terminal);
    return await unlessInterrupted(use(session), terminal);
  } catch (error) {
    if (isRewtError(error) && error.status === 503) throw new FailedStore(place, error as StoreError);
    throw error;
  } finally {
    await session?.close();
  }
}

/**
 * Runs a verb whose result does not begin with the place: stderr shows it, unless `--json` prints
 * it.
 */
export function withShownPlace<T>(
  values: PlaceArguments,
  terminal: Terminal,
  use: (session: Session) => Promise<T>,
  limit?: TimeLimit,
): Promise<T> {
  const show = (session: Session): Promise<T> => {
    if (values.json !== true) terminal.report(`In ${placeInWords(session.place)}:`);
    return use(session);
  };
  return withSession(values, terminal, show, limit);
}

/**
 * Connects a place. A plain URL opens its connection at the first use; all others are connected
 * here. @throws {StoreError}
 */
export async function connectPlace(
  { redisUrl, link }: RedisAddress,
  keyPrefix = '',
  limit = new TimeLimit(),
): Promise<Connected> {
  if (!link.isPlain) return connectLink(link, keyPrefix, limit.leftMs());
  const port = connectRedis(redisUrl, keyPrefix);
  return { port, close: () => port.close() };
}

/**
 * Opens a store for a long-running service. A plain URL needs no server yet. @throws {StoreError}
 * for any other, if it cannot be connected
 */
export async function openPlace(
  address: Address,
  namespace: string,
  keyPrefix?: string,
): Promise<{ store: Store; close(): Promise<void> }> {
  if ('folder' in address || address.link.isPlain) {
    const store = openStore(address, namespace, keyPrefix);
    return { store, close: () => store.close() };
  }
  const { port, close } = await connectPlace(address, keyPrefix);
  return { store: redisStore(port), close };
}

type Opening = Pick<Session, 'place' | 'limit' | 'keys'>;

async function openRedis(address: RedisAddress, { place, limit, keys }: Opening): Promise<Opened> {
  const { port, close } = await connectPlace(address, place.keyPrefix, limit);
  // Throws if the names cannot share one hash slot.
  const names = redisNames(place.namespace, port.keyPrefix);
  const reader = createPlainReader(port);
  const limits = () => ({ timeoutMs: limit.leftMs() });
  async function assertNoPrefix(namespace: string): Promise<void> {
    const prefix = await reader.prefixOf(namespace, limits());
    if (prefix !== null) throw misnamed(namespace, port.keyPrefix, prefix);
  }
  return {
    place,
    limit,
    keys,
    sealing: (namespace = place.namespace) => sealingWith(keys, redisNames(namespace, port.keyPrefix).key),
    async read(namespace = place.namespace) {
      const entries = await reader.read(namespace, limits());
      if (entries.key !== null && entries.ring === null) await assertNoPrefix(namespace);
      return entries;
    },
    assertNoPrefix,
    announcements: () => reader.announcements(place.namespace, limits()),
    replicas: () => connectedReplicas(port, names.key, limit.leftMs()),
    watch: (onChange) => watchKeys(port, names, onChange),
    namespaces: () => reader.namespaces({ timeoutMs: limit.leftMs(SCAN_TIMEOUT_MS) }),
    openStore: () => redisStore(port),
    async close() {
      reader.close();
      await close();
    },
  };
}

export type RedisAddress = Exclude<Address, FolderAddress>;

/** Opens a folder. Creates neither folders nor files; only a member does. */
function openFolder(address: FolderAddress, { place, limit, keys }: Opening): Opened {
  const { folder, urlMissing } = address;
  let member: Store | null = null;
  const looking = fileStore({ path: folder });
  const limits = () => ({ timeoutMs: limit.leftMs() });
  // The store rejects it as a disk that is not mounted.
  const isNew = (): boolean => urlMissing === true && !existsSync(dirname(folder));
  return {
    place,
    limit,
    keys,
    sealing: (namespace = place.namespace) => sealingWith(keys, namespace + SECRET_SUFFIX),
    replicas: async () => null,
    async read(namespace = place.namespace) {
      if (isNew()) return { nowMs: Date.now(), key: null, ring: null, roleUnknown: null };
      const { nowMs, key, ring } = await looking.read(namespace, limits());
      return { nowMs, key, ring, roleUnknown: null };
    },
    async announcements() {
      const none = { nowMs: Date.now(), count: 0, kept: [] };
      return isNew() ? none : ((await looking.announcements?.(place.namespace, limits())) ?? none);
    },
    assertNoPrefix: async () => {},
    watch: (onChange) => looking.watch?.(place.namespace, onChange) ?? null,
    async namespaces() {
      if (isNew()) return { names: [], unread: [] };
      const found = await namespacesIn(folder);
      // Throws for a folder with other contents.
      if (found.names.length === 0) await looking.read(place.namespace, limits());
      return found;
    },
    openStore() {
      member ??= openStore(address, place.namespace);
      return member;
    },
    async close() {
      await looking.close();
      await member?.close();
    },
  };
}

/**
 * Returns the result of `read`, or the store's error in the command's sentence. @throws any other
 * error.
 */
export async function orRefusal<T>(read: Promise<T>): Promise<T | StoreError> {
  try {
    return await read;
  } catch (error) {
    if (isRewtError(error) && error.status === 503) {
      const { code, cause } = error as StoreError;
      return new StoreError(code, storeInWords(error as StoreError), cause);
    }
    throw error;
  }
}
