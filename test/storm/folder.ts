/**
 * Copies every record of a folder before it is removed; also removes old ones as members do, only
 * sooner, so that time seems to fly.
 */

import { readdirSync, readFileSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { FoundRecord, Report } from './judge.js';

/** As in the store, but not for a minute. Milliseconds of the file system's clock. */
const OLD_MS = 50;
const KEPT = 2;

export class RecordsOf {
  readonly #folder: string;
  readonly #torn = new Set<string>();
  readonly #found = new Map<string, FoundRecord>();

  /** `folder` is that of a namespace. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  get found(): readonly FoundRecord[] {
    return [...this.#found.values()];
  }

  /** The records that were not whole, as a reader reports them. */
  get report(): Report {
    return { actor: 'the copier', text: [...this.#torn].map((name) => `torn ${name}\n`).join('') };
  }

  /** Copies what is new. */
  copy(): void {
    for (const name of this.#names()) this.#copy(name);
  }

  /** Copies what is new, and removes what is old, in ascending order. */
  prune(): void {
    this.copy();
    const names = this.#names();
    const nowMs = this.#changedMs(names.at(-1));
    for (const [index, name] of names.slice(0, -KEPT).entries()) {
      if (nowMs - this.#changedMs(names[index + KEPT]) < OLD_MS) break;
      this.#copy(name);
      unlessGone(() => unlinkSync(join(this.#folder, name)));
    }
  }

  #names(): string[] {
    return entriesOf(this.#folder)
      .filter((name) => name.startsWith('ring.'))
      .sort();
  }

  #copy(name: string): void {
    // Its writer may have removed it, if it was late.
    const text = unlessGone(() => readFileSync(join(this.#folder, name), 'utf8'));
    if (text === null) return;
    try {
      const { op, parent, ring } = JSON.parse(text);
      const generation = Number(name.slice(-12));
      if (!this.#found.has(op)) this.#found.set(op, { generation, op, parent, name: JSON.parse(ring.text).name });
    } catch {
      this.#torn.add(name);
    }
  }

  #changedMs(name: string | undefined): number {
    return (name && unlessGone(() => statSync(join(this.#folder, name)).ctimeMs)) || Number.POSITIVE_INFINITY;
  }
}

function entriesOf(folder: string): readonly string[] {
  return unlessGone(() => readdirSync(folder)) ?? [];
}

function unlessGone<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
