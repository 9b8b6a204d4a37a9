/**
 * The file store as compiled JavaScript whose quick look waits for each of its calls, and copies of
 * it with changed lines.
 */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { fileStoreOn } from '../../../src/stores/files/file-store.js';
import { compileStores } from '../../support/compiled-stores.js';

export type CreateStore = typeof fileStoreOn;

/** One place in a compiled file of `stores/`, and what is put there. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

/** Changes only where the code waits. Each place is there exactly once. */
const waiting: readonly Edit[] = [
  { file: 'file-store', find: 'open(namespace).look.snapshot(', put: 'await open(namespace).look.snapshot(' },
  { file: 'reader', find: 'this.#look.state()', put: 'await this.#look.state()' },
  { file: 'look', find: '    snapshot(nowMs) {', put: '    async snapshot(nowMs) {' },
  { file: 'look', find: '    state() {', put: '    async state() {' },
  { file: 'look', find: '    #isNewest({', put: '    async #isNewest({' },
  {
    file: 'look',
    find: 'this.#isNewest(this.#held) ? (0,',
    put: 'await this.#isNewest(this.#held) ? (0,',
  },
  {
    file: 'look',
    find: 'this.#isNewest(this.#held) ? this.#held.state',
    put: 'await this.#isNewest(this.#held) ? this.#held.state',
  },
  {
    file: 'look',
    find: 'this.#system.identitySync(nextPath)',
    put: 'await this.#system.identitySync(nextPath)',
  },
  { file: 'look', find: 'this.#system.identitySync(path)', put: 'await this.#system.identitySync(path)' },
];

export class SteppedStores {
  readonly #folders: string[] = [];
  readonly #compiled: string;

  constructor() {
    this.#compiled = compileStores({ modules: ['stores/files/file-store'], packages: false, format: 'cjs' });
    this.#folders.push(this.#compiled);
    for (const edit of waiting) change(this.#compiled, edit);
  }

  /** Loads a copy of the store with these edits. */
  load(edits: readonly Edit[] = []): CreateStore {
    const folder = mkdtempSync(join(tmpdir(), 'rewt-stepped-'));
    this.#folders.push(folder);
    cpSync(this.#compiled, folder, { recursive: true });
    for (const edit of edits) change(folder, edit);
    return (createRequire(join(folder, 'package.json'))('./stores/files/file-store.js') as { fileStoreOn: CreateStore })
      .fileStoreOn;
  }

  dispose(): void {
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }
}

function change(folder: string, { file, find, put }: Edit): void {
  const path = join(folder, 'stores/files', `${file}.js`);
  const source = readFileSync(path, 'utf8');
  if (source.split(find).length !== 2) throw new Error(`stores/files/${file} has '${find}' not once: mend the edit`);
  writeFileSync(
    path,
    source.replace(find, () => put),
  );
}
