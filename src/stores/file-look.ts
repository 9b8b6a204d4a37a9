/**
 * The record that this process read last, held by an open descriptor, and the quick look that tells
 * whether it is still
 * the newest: two system calls, neither of which reads a file.
 */

import type { FolderState } from './file-record.js';
import type { FileIdentity, FileSystem } from './file-system.js';
import { snapshotOf } from './record.js';
import type { Snapshot } from './store.js';

/** How long the result of a look is remembered at most. Milliseconds of the monotonic clock. */
const LOOK_LASTS_MS = 1;

/**
 * Taken at load, so that a program that replaces them for its tests cannot stop the time that
 * bounds a look.
 */
const monotonicMs = performance.now.bind(performance);
const atEndOfTurn = setImmediate;

/** The present turn of the event loop. It is counted only while a result is remembered. */
let turn = 0;
let isCounted = false;
function endTurn(): void {
  turn += 1;
  isCounted = false;
}

export interface Held {
  readonly state: FolderState;
  /** Open for as long as it is held, so that the inode number is not given to another file. */
  readonly fd: number;
  readonly identity: FileIdentity;
  /** The file of this record, and that of the next generation. */
  readonly path: string;
  readonly nextPath: string;
}

export class Look {
  readonly #system: FileSystem;
  /** The folder that the last read found; null if there was none. */
  folder: FileIdentity | null = null;
  #held: Held | null = null;
  /** The version of what is held, and in which times of the store's clock it has this one. */
  #version: { readonly text: string; readonly fromMs: number; readonly untilMs: number } | null = null;
  #lookedInTurn = -1;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #writes = 0;
  #ended = false;

  constructor(system: FileSystem) {
    this.#system = system;
  }

  /** Holds a record in place of the one before. */
  async hold(held: Held): Promise<void> {
    const before = this.#held;
    this.forget();
    this.#version = null;
    this.#held = this.#ended ? null : held;
    for (const { fd } of [before, this.#ended ? held : null].filter((each) => each !== null)) await this.#close(fd);
  }

  /** Both entries at `nowMs`, if the record that is held is still the newest. Always looks. */
  snapshot(nowMs: number): Snapshot | null {
    return this.#held !== null && this.#isNewest(this.#held) ? snapshotOf(this.#held.state.record, nowMs) : null;
  }

  /** The state that is held, if it is still the newest. Always looks. */
  state(): FolderState | null {
    return this.#held !== null && this.#isNewest(this.#held) ? this.#held.state : null;
  }

  /**
   * Whether both entries have this version at `nowMs`. May go by a look of this turn of the event
   * loop that is younger
   * than a millisecond, unless this process has written to the folder since.
   */
  hasVersion(version: string, nowMs: number): boolean {
    const held = this.#held;
    if (held === null || this.#versionAt(held, nowMs) !== version) return false;
    const atMs = monotonicMs();
    if (isCounted && this.#lookedInTurn === turn && atMs - this.#lookedAtMs < LOOK_LASTS_MS) return true;
    if (!this.#isNewest(held)) return false;
    if (this.#writes > 0) return true;
    if (!isCounted) {
      isCounted = true;
      atEndOfTurn(endTurn);
    }
    this.#lookedInTurn = turn;
    this.#lookedAtMs = atMs;
    return true;
  }

  /** Lets no later call go by an earlier look. */
  forget(): void {
    this.#lookedInTurn = -1;
  }

  /** Runs a write to the folder. No look is remembered until it is done. */
  async whileWriting<T>(write: () => Promise<T>): Promise<T> {
    this.#writes += 1;
    this.forget();
    try {
      return await write();
    } finally {
      this.#writes -= 1;
    }
  }

  async end(): Promise<void> {
    this.#ended = true;
    const held = this.#held;
    this.#held = null;
    if (held !== null) await this.#close(held.fd);
  }

  /**
   * The order matters: another writer may add the next generation and remove this one in between.
   */
  #isNewest({ path, nextPath, identity }: Held): boolean {
    try {
      if (this.#system.identitySync(nextPath) !== null) return false;
      return isSame(this.#system.identitySync(path), identity);
    } catch {
      // The read that follows gets the error.
      return false;
    }
  }

  #versionAt({ state: { record } }: Held, nowMs: number): string {
    const known = this.#version;
    if (known !== null && known.fromMs <= nowMs && nowMs < known.untilMs) return known.text;
    const { version: text, key, ring } = snapshotOf(record, nowMs);
    const ends = [key === null ? null : record.key, ring === null ? null : record.ring];
    const untilMs = Math.min(...ends.map((entry) => entry?.expiresAtMs ?? Number.POSITIVE_INFINITY));
    this.#version = { text, fromMs: nowMs, untilMs };
    return text;
  }

  async #close(fd: number): Promise<void> {
    // Of a descriptor that was only read there is nothing to lose.
    await this.#system.close(fd).catch(() => {});
  }
}

export function isSame(a: FileIdentity | null, b: FileIdentity | null): boolean {
  return a !== null && b !== null && a.inode === b.inode && a.device === b.device;
}
