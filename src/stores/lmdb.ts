/** A store in a folder of this machine, for any number of processes and no server: LMDB, which survives a crash of any of them. */

import { resolve } from 'node:path';
import { within } from '../deadline.js';
import { OptionError, StoreError } from '../errors.js';
import { asClock, asText, optionReader } from '../option-values.js';
import { entriesAt, entriesWith, formatEntries, parseEntries } from './announced.js';
import { type LmdbDatabase, type LmdbEnvironment, openEnvironment } from './lmdb-environment.js';
import { asStoreError } from './lmdb-errors.js';
import { createRecord, emptyRecord, type RingEntry, type StoreRecord, snapshotOf, swapRecord } from './record.js';
import type { KeyEntry, Store } from './store.js';

export interface LmdbStoreOptions {
  /** The folder, created with mode 0700 where there is none. Never on a network file system: LMDB's locks do not work there. */
  readonly path: string;
  /** The store's clock, in milliseconds since the epoch; `Date.now` by default. All processes must agree on it. */
  readonly now?: () => number;
}

/** LMDB's, for its pages of 4 kB. Bytes. */
const LONGEST_KEY_BYTES = 1978;
/** Closing waits for a write that another process holds up, but not for ever. */
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * Makes a store in the folder `path`. Nothing is opened before the first call; the optional package `lmdb` is loaded then.
 *
 * @throws {OptionError} here for a path that is none; from the first call on where `lmdb` is not installed, or a namespace is longer than 1966 bytes
 */
export function lmdbStore(options: LmdbStoreOptions): Store {
  const option = optionReader(options, ['path', 'now'], 'lmdbStore options');
  const path = option('path', asText, '');
  const clock = option('now', asClock, Date.now);
  // Whole milliseconds, as in every ring.
  const now = () => Math.floor(clock());
  if (path === '') {
    throw new OptionError('lmdbStore needs `path`, the folder to keep the keyring in', { option: 'path' });
  }
  const folder = resolve(path);
  let opening: Promise<LmdbEnvironment> | null = null;
  let environment: LmdbEnvironment | null = null;
  let closing: Promise<void> | null = null;
  const transactions = new Set<Promise<unknown>>();
  /** The last record of each namespace and its text: parsed again only when the text has changed. */
  const parsed = new Map<string, { text: string; record: StoreRecord }>();

  function assertOpen(): void {
    if (closing) throw new StoreError('ERR_REWT_STORE_CLOSED', 'The store has been closed.');
  }

  async function open(): Promise<LmdbEnvironment> {
    assertOpen();
    opening ??= openEnvironment(folder);
    const attempt = opening;
    try {
      environment = await attempt;
    } catch (error) {
      // The next call tries again: the folder may have been mended.
      if (opening === attempt) opening = null;
      throw error;
    }
    assertOpen();
    return environment;
  }

  function recordIn(db: LmdbDatabase, namespace: string, key: Uint8Array): StoreRecord {
    const text = db.get(key);
    if (text === undefined) return emptyRecord;
    const known = parsed.get(namespace);
    if (known?.text === text) return known.record;
    const record = parseRecord(text);
    parsed.set(namespace, { text, record });
    return record;
  }

  /** What `look` finds at this instant. */
  async function readNow<T>(
    key: () => Uint8Array,
    timeoutMs: number,
    look: (db: LmdbDatabase, key: Uint8Array) => T,
  ): Promise<T> {
    const found = key();
    const { database } = environment && !closing ? environment : await within(timeoutMs, typed(open()), heldUp);
    try {
      // LMDB would go on showing the state of this turn's first read.
      database.resetReadTxn();
      return look(database, found);
    } catch (error) {
      throw await asStoreError(error);
    }
  }

  function transact<T>(timeoutMs: number, action: (db: LmdbDatabase) => T): Promise<T> {
    const transaction = typed(open().then(({ database, write }) => write(() => action(database))));
    transactions.add(transaction);
    const done = () => void transactions.delete(transaction);
    transaction.then(done, done);
    return within(timeoutMs, transaction, heldUp);
  }

  return {
    kind: 'lmdb',
    local: true,
    read: (namespace, { timeoutMs }) =>
      readNow(
        () => keyOf(namespace),
        timeoutMs,
        (db, key) => snapshotOf(recordIn(db, namespace, key), now()),
      ),
    async swap(namespace, expected, wanted, { timeoutMs, notAfterMs }) {
      const key = keyOf(namespace);
      return transact(timeoutMs, (db) => {
        const record = recordIn(db, namespace, key);
        const { write, answer } = swapRecord(record, now(), { expected, wanted, notAfterMs });
        if (write) db.putSync(key, formatRecord(write));
        return answer;
      });
    },
    async announce(namespace, id, text, { timeoutMs, keepMs }) {
      const key = keyOf(namespace, ':rewt-fleet');
      return transact(timeoutMs, (db) => {
        const entries = entriesWith(parseEntries(db.get(key)), id, text === null ? null : { text, keepMs }, now());
        db.putSync(key, formatEntries(entries));
      });
    },
    announcements: (namespace, { timeoutMs }) =>
      readNow(
        () => keyOf(namespace, ':rewt-fleet'),
        timeoutMs,
        (db, key) => entriesAt(parseEntries(db.get(key)), now()),
      ),
    close() {
      closing ??= within(CLOSE_TIMEOUT_MS, release(), heldUp).catch(() => {});
      return closing;
    },
  };

  /** lmdb crashes the process where it is closed under a transaction, also under one whose caller has given up. */
  async function release(): Promise<void> {
    await Promise.allSettled(transactions);
    await (await opening)?.close();
  }
}

function keyOf(namespace: string, suffix: ':rewt-secret' | ':rewt-fleet' = ':rewt-secret'): Uint8Array {
  const key = Buffer.from(`${namespace}${suffix}`);
  if (key.length <= LONGEST_KEY_BYTES) return key;
  const most = LONGEST_KEY_BYTES - Buffer.byteLength(':rewt-secret');
  throw new OptionError(`the namespace is longer than the ${most} bytes that LMDB can hold`, {
    option: 'redisNamespace',
  });
}

function formatRecord({ key, ring }: StoreRecord): string {
  return JSON.stringify({ key, ring });
}

/** A text that no member wrote is handed on as a ring that nobody can read: loud, and `revoke()` can replace it. */
function parseRecord(text: string): StoreRecord {
  try {
    const { key, ring } = JSON.parse(text);
    if (isKeyEntry(key) && isRingEntry(ring)) return createRecord(key, ring);
  } catch {}
  return createRecord(null, { text, expiresAtMs: null });
}

function isKeyEntry(value: unknown): value is KeyEntry | null {
  return value === null || (hasExpiry(value) && 'value' in value && typeof value.value === 'string');
}

function isRingEntry(value: unknown): value is RingEntry | null {
  return value === null || (hasExpiry(value) && 'text' in value && typeof value.text === 'string');
}

function hasExpiry(value: unknown): value is { expiresAtMs: number | null } {
  if (typeof value !== 'object' || value === null || !('expiresAtMs' in value)) return false;
  return value.expiresAtMs === null || typeof value.expiresAtMs === 'number';
}

async function typed<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw await asStoreError(error);
  }
}

function heldUp(): StoreError {
  return new StoreError(
    'ERR_REWT_STORE_TIMEOUT',
    'LMDB did not answer in time: another process may be holding its write lock',
  );
}
