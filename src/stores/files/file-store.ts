/**
 * A store in a folder of this machine, for any number of processes, without a server. It consists
 * of small files, each created whole by `link(2)`.
 */

import { resolve } from 'node:path';
import { within } from '../../async/race.js';
import { OptionError, StoreError } from '../../errors.js';
import { optionReader, readClock, readText } from '../../validation/option-values.js';
import { snapshotOf } from '../record.js';
import type { Store } from '../store.js';
import { Drafts } from './drafts.js';
import { asStoreError, heldUp } from './faults.js';
import { announce, announcements, withdraw } from './members.js';
import { Place } from './place.js';
import { Reader } from './reader.js';
import { borrowFolder } from './sharing.js';
import { swapNewest } from './swap.js';
import type { FileSystem } from './system.js';

/** Options of `fileStore`. */
export interface FileStoreOptions {
  /**
   * The folder, created with mode 0700 if it does not exist; the folder above it must exist. Use a
   * local disk, never a network file system: its replies may be stale.
   */
  readonly path: string;
  /**
   * The store's clock, in milliseconds since the epoch; `Date.now` by default. All processes must
   * use the same clock.
   */
  readonly now?: () => number;
}

/** The platforms whose file systems give the guarantees that the store needs. */
const PLATFORMS: readonly string[] = ['linux', 'darwin'];
/** Limits how long closing waits for calls in flight. */
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * Creates the store on a file system: `fileStore` on Node's, tests on one that runs every order of
 * its calls. @internal
 */
export function fileStoreOn(system: FileSystem, platform: string, options: FileStoreOptions): Store {
  const option = optionReader(options, { path: readText, now: readClock }, 'fileStore options');
  const path = option('path', '');
  const clock = option('now', Date.now);
  // Whole milliseconds, as in every ring.
  const now = (): number => Math.floor(clock());
  if (path === '') {
    throw new OptionError('fileStore needs `path`, the folder to keep the keyring in', { option: 'path' });
  }
  if (path.includes('\0')) {
    throw new OptionError('path: no file name can hold a NUL character. Remove it', { option: 'path' });
  }
  if (!PLATFORMS.includes(platform)) {
    const message = `fileStore: runs on Linux and macOS, not on ${platform}. Give redisConn instead`;
    throw new OptionError(message, { option: 'path' });
  }
  const root = resolve(path);
  const keyrings = new Map<string, Keyring>();
  const calls = new Set<Promise<unknown>>();
  let closing: Promise<void> | null = null;

  function open(namespace: string): Keyring {
    if (closing !== null) throw new StoreError('ERR_REWT_STORE_CLOSED', 'The store has been closed.');
    const known = keyrings.get(namespace);
    if (known !== undefined) return known;
    // UTF-8 has no lone surrogates, so two such namespaces would share a folder.
    if (/\p{Surrogate}/u.test(namespace)) {
      const message = 'redisNamespace: has half a surrogate pair, which no file can hold. Remove it';
      throw new OptionError(message, { option: 'redisNamespace' });
    }
    const keyring = openKeyring(new Place(system, root, namespace), now);
    keyrings.set(namespace, keyring);
    return keyring;
  }

  async function call<T>(
    namespace: string,
    timeoutMs: number,
    work: (keyring: Keyring) => Promise<T>,
    mayWrite = false,
  ): Promise<T> {
    const keyring = open(namespace);
    const running = typed(work(keyring));
    calls.add(running);
    const done = () => void calls.delete(running);
    running.then(done, done);
    return within(timeoutMs, running, () => heldUp(root, mayWrite));
  }

  async function typed<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw asStoreError(error, root);
    }
  }

  async function release(): Promise<void> {
    await Promise.allSettled(calls);
    await Promise.all([...keyrings.values()].map((keyring) => keyring.release()));
    keyrings.clear();
  }

  return {
    kind: 'file',
    local: true,
    async read(namespace, { timeoutMs }) {
      const snapshot = open(namespace).look.snapshot(now());
      if (snapshot !== null) return snapshot;
      return call(namespace, timeoutMs, async ({ reader }) => snapshotOf((await reader.read()).record, now()));
    },
    isUnchanged(namespace, version) {
      try {
        return closing === null && (keyrings.get(namespace)?.look.hasVersion(version, now()) ?? false);
      } catch {
        // The next read reports what is wrong with the clock.
        return false;
      }
    },
    swap: (namespace, expected, wanted, { timeoutMs, notAfterMs }) =>
      call(namespace, timeoutMs, (keyring) => swapNewest(keyring, { expected, wanted, notAfterMs }), true),
    watch(namespace, onSuspect) {
      const { watch, look } = open(namespace);
      return watch.join(onSuspect, () => look.folder);
    },
    announce: (namespace, id, text, { timeoutMs, keepMs }) =>
      call(namespace, timeoutMs, (keyring) =>
        text === null ? withdraw(keyring, id) : announce(keyring, id, { text, keepMs }),
      ),
    announcements: (namespace, { timeoutMs }) => call(namespace, timeoutMs, announcements),
    close() {
      closing ??= within(CLOSE_TIMEOUT_MS, release(), () => heldUp(root, true)).catch(() => {});
      return closing;
    },
  };
}

/** The parts that a store holds for one namespace. */
type Keyring = ReturnType<typeof openKeyring>;

function openKeyring(place: Place, now: () => number) {
  const shared = borrowFolder(place.system, place.path);
  return { ...shared, place, now, reader: new Reader(place, shared.look), drafts: new Drafts(place) };
}
