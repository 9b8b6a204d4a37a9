/**
 * The watch of a namespace's folder, shared by all members of this process. It is a hint: members
 * notice a missed event at their next look, and only a read shows what changed.
 */

import { detached } from '../../async/detached.js';
import type { PushStatus, Watch } from '../store.js';
import { weakWatch } from '../weak-watch.js';
import { isSame } from './look.js';
import { DRAFTS, MEMBERS, NAMESPACE } from './records.js';
import { errnoOf, type FileIdentity, type FileSystem, type FolderWatcher } from './system.js';

/** The time within which a file system that reports changes has reported those of this process. */
const HEARD_WITHIN_MS = 1_000;
/** The time after which a failed watch is tried again. */
const RETRY_MS = 60_000;

const NO_KEYRING = 'It begins once there is a keyring.';
const TRYING = 'The file system has not reported a change yet that this process made.';
const SILENT =
  'The file system does not report changes, as many shared and network mounts do not: members notice them by looking.';

/** The system resource that another watch lacks. */
const lacking: Readonly<Record<string, string>> = {
  ENOENT: 'The folder tmp is missing from the keyring: the next write makes it, and a minute later it is watched.',
  EMFILE: 'Too many files or watches are open: raise ulimit -n, or fs.inotify.max_user_instances.',
  ENFILE: 'The system has too many files open.',
  ENOSPC: 'Too many folders are watched: raise fs.inotify.max_user_watches.',
};

interface Listener {
  readonly onSuspect: WeakRef<() => void>;
}

export class FolderWatch {
  readonly #system: FileSystem;
  readonly #path: string;
  readonly #listeners = new Set<Listener>();
  #watched: { readonly watcher: FolderWatcher; readonly folder: FileIdentity } | null = null;
  /** True once the file system has reported a change that this process made. */
  #isProven = false;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  /** The reason why an existing folder has no watch. */
  #refused: string | null = null;

  constructor(system: FileSystem, path: string) {
    this.#system = system;
    this.#path = path;
  }

  /**
   * Adds a member.
   * @param folder returns the folder that was read last
   */
  join(onSuspect: () => void, folder: () => FileIdentity | null): Watch {
    const listener = { onSuspect: new WeakRef(onSuspect) };
    this.#listeners.add(listener);
    return weakWatch(onSuspect, () => this.#leave(listener), {
      status: () => this.#status(),
      check: () => this.#check(folder()),
    });
  }

  end(): void {
    this.#listeners.clear();
    this.#stop();
  }

  #leave(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) this.#stop();
  }

  #status(): PushStatus {
    if (this.#refused !== null) return { state: 'off', reason: this.#refused };
    if (this.#watched === null) return { state: 'connecting', reason: NO_KEYRING };
    if (this.#isProven) return { state: 'on', reason: null };
    if (performance.now() - this.#triedAtMs > HEARD_WITHIN_MS) return { state: 'off', reason: SILENT };
    return { state: 'connecting', reason: TRYING };
  }

  /** Watches the folder that a read found, if it is a different one. */
  #check(folder: FileIdentity | null): void {
    if (this.#listeners.size === 0) return;
    if (folder === null) this.#stop();
    else if (this.#refused !== null && performance.now() - this.#triedAtMs < RETRY_MS) return;
    else if (!isSame(this.#watched?.folder ?? null, folder)) detached(() => this.#start(folder));
  }

  #start(folder: FileIdentity): void {
    this.#stop();
    this.#triedAtMs = performance.now();
    try {
      const watcher = this.#system.watch(
        this.#path,
        (name) => this.#onEvent(watcher, name),
        (error) => this.#onError(watcher, error),
      );
      this.#watched = { watcher, folder };
      // Not in the folder of the records, because other processes would then read it.
      this.#system.touch(`${this.#path}/${DRAFTS}`).catch((error) => this.#onError(watcher, error));
    } catch (error) {
      this.#refuse(error, null);
    }
  }

  #onEvent(watcher: FolderWatcher, name: string | null): void {
    if (watcher !== this.#watched?.watcher) return;
    const wasProven = this.#isProven;
    this.#isProven = true;
    // Changes before the first event may have been missed.
    if (!wasProven || isNews(name)) this.#report();
  }

  #onError(watcher: FolderWatcher, error: unknown): void {
    // Another folder may be watched by now.
    if (watcher === this.#watched?.watcher) this.#refuse(error, this.#watched.folder);
  }

  #report(): void {
    for (const { onSuspect } of this.#listeners) onSuspect.deref()?.();
  }

  /**
   * Reports the failed watch to the members.
   * @param folder the one that was watched; null if it could not be
   */
  #refuse(error: unknown, folder: FileIdentity | null): void {
    const errno = errnoOf(error) ?? 'UNKNOWN';
    this.#stop();
    if (errno === 'ENOENT' && !isSame(this.#found(), folder)) {
      // The folder was deleted after the read that found it. An idle member would not notice that.
      detached(() => setImmediate(() => this.#report()));
      return;
    }
    this.#refused = lacking[errno] ?? `The folder cannot be watched: the file system answers ${errno}.`;
  }

  #found(): FileIdentity | null {
    try {
      return this.#system.identitySync(this.#path);
    } catch {
      return null;
    }
  }

  #stop(): void {
    this.#watched?.watcher.close();
    this.#watched = null;
    this.#isProven = false;
    this.#refused = null;
  }
}

/**
 * Checks if a change of this name can affect the keyring. The folder itself and an unnamed change
 * count too.
 */
function isNews(name: string | null): boolean {
  return name === null || ![DRAFTS, MEMBERS, NAMESPACE].includes(name);
}
