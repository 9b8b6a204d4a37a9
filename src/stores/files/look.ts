/**
 * The record that this process read last, held by an open descriptor. A quick look checks if it is
 * still the newest: two system calls, neither of which reads a file.
 */

import { snapshotOf } from '../record.js';
import type { Snapshot } from '../store.js';
import type { FolderState } from './records.js';
import type { FileIdentity, FileSystem } from './system.js';

/** The maximum time that the result of a look is cached. Milliseconds of the monotonic clock. */
const LOOK_LASTS_MS = 1;

/** Captured at load: a program that replaces the function in its tests must not stop this clock. */
const monotonicMs = performance.now.bind(performance);
const atEndOfTurn = setImmediate;

/** The current turn of the event loop. It is counted only while a result is cached. */
let turn = 0;
let isCounted = false;
function endTurn(): void {
  turn += 1;
  isCounted = false;
}

export interface Held {
  readonly state: FolderState;
  /** Stays open while the record is held, so that no other file can get the inode number. */
  readonly fd: number;
  readonly identity: FileIdentity;
  /** The files of this record and of the next generation. */
  readonly path: string;
  readonly nextPath: string;
}

export class Look {
  readonly #system: FileSystem;
  /** The folder that the last read found; null if there was none. */
  folder: FileIdentity | null = null;
  #held: Held | null = null;
  /** The version of the held record, and the period of the store's clock in which it is valid. */
  #version: { readonly text: string; readonly fromMs: number; readonly untilMs: number } | null = null;
  #lookedInTurn = -1;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #writes = 0;
  #ended = false;

  constructor(system: FileSystem) {
    this.#system = system;
  }

  /** Holds a record and releases the previous one. */
  async hold(held: Held): Promise<void> {
    const before = this.#held;
    this.forget();
    this.#version = null;
    this.#held = this.#ended ? null : held;
    for (const { fd } of [before, this.#ended ? held : null].filter((each) => each !== null)) await this.#close(fd);
  }

  /**
   * Returns both entries at `nowMs` if the held record is still the newest. Never uses a cached
   * look.
   */
  snapshot(nowMs: number): Snapshot | null {
    return this.#held !== null && this.#isNewest(this.#held) ? snapshotOf(this.#held.state.record, nowMs) : null;
  }

  /** Returns the held state if it is still the newest. Never uses a cached look. */
  state(): FolderState | null {
    return this.#held !== null && this.#isNewest(this.#held) ? this.#held.state : null;
  }

  /**
   * Checks if both entries have this version at `nowMs`. May use a look of this turn of the event
   * loop, unless it has expired or this process has written since.
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

  /** Drops the cached look. */
  forget(): void {
    this.#lookedInTurn = -1;
  }

  /** Runs a write to the folder. No look is cached until it has ended. */
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
      // The next read reports the error.
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
    // The descriptor was only read, so a failed close loses nothing.
    await this.#system.close(fd).catch(() => {});
  }
}

export function isSame(a: FileIdentity | null, b: FileIdentity | null): boolean {
  return a !== null && b !== null && a.inode === b.inode && a.device === b.device;
}
